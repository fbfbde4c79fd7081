"""Distances of one variable: against scipy and by hand, with ties, weights and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr

from lamarrpy.errors import DomainError, SchemaError
from lamarrpy.validate.metrics import effective_entries, expected_ks, ks_distance, wasserstein_over_sigma

DISTANCES = [ks_distance, wasserstein_over_sigma]

integers = st.lists(st.integers(-5, 5), min_size=1, max_size=30).map(np.array)
reals = st.lists(st.floats(-50.0, 50.0, width=32), min_size=1, max_size=30).map(np.array)
columns = st.one_of(integers, reals)


@st.composite
def weighted(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Values, and whole numbers of repetitions that are not all 0."""
    values = draw(columns)
    repeated = draw(st.lists(st.integers(0, 4), min_size=len(values), max_size=len(values)).filter(any))
    return values, np.array(repeated)


def mixed(random: np.random.Generator, n: int) -> np.ndarray:
    """Exactly 0 in 74 % of the rows, normal in the others."""
    return np.where(random.random(n) < 0.74, 0.0, random.normal(size=n))


def scipy_ks(a: np.ndarray, b: np.ndarray) -> float:
    with np.errstate(divide="ignore"):  # of its p-value for a single row
        return stats.ks_2samp(a, b, method="asymp").statistic


@given(columns, columns)
def test_ks_is_that_of_scipy(a: np.ndarray, b: np.ndarray) -> None:
    assert ks_distance(a, b) == pytest.approx(scipy_ks(a, b), abs=1e-14)


@given(weighted(), weighted())
def test_wasserstein_is_that_of_scipy(a: tuple, b: tuple) -> None:
    (a, w_a), (b, w_b) = a, b
    sigma = np.sqrt(np.cov(a, aweights=w_a, ddof=0)) if len(np.unique(a[w_a > 0])) > 1 else 0.0
    area = stats.wasserstein_distance(a, b, w_a, w_b)
    if sigma > 1e-3:
        assert wasserstein_over_sigma(a, b, w_a, w_b) * sigma == pytest.approx(area, abs=1e-9)


@pytest.mark.parametrize("distance", DISTANCES)
@given(a=weighted(), b=weighted())
def test_whole_weights_are_repeated_rows(distance, a: tuple, b: tuple) -> None:
    once = distance(np.repeat(*a), np.repeat(*b))
    assert distance(a[0], b[0], a[1], b[1]) == pytest.approx(once, rel=1e-6, abs=1e-12)


@given(weighted(), weighted())
def test_ks_symmetric_and_a_share(a: tuple, b: tuple) -> None:
    distance = ks_distance(a[0], b[0], a[1], b[1])
    assert distance == ks_distance(b[0], a[0], b[1], a[1])
    assert 0.0 <= distance <= 1.0


@given(integers, integers)
def test_ks_does_not_change_under_monotone_maps(a: np.ndarray, b: np.ndarray) -> None:
    distance = ks_distance(a, b)
    for rising in (lambda x: x**3 + x, np.exp, lambda x: 2.0 * x - 7.0):
        assert ks_distance(rising(a), rising(b)) == distance
    assert ks_distance(-a, -b) == pytest.approx(distance, abs=1e-14)


@given(weighted())
def test_a_sample_is_at_no_distance_from_itself(sample: tuple) -> None:
    values, w = sample
    shuffled = np.random.default_rng(1).permutation(len(values))
    for distance in DISTANCES:
        assert distance(values, values) == 0.0
        assert distance(values, values[shuffled], w, 3.0 * w[shuffled]) == pytest.approx(0.0, abs=1e-9)


@given(st.floats(-3.0, 3.0), st.floats(0.01, 1000.0))
def test_wasserstein_of_a_shift_is_the_shift(shift: float, unit: float) -> None:
    a = np.random.default_rng(2).normal(size=200)
    moved = wasserstein_over_sigma(unit * a, unit * (a + shift * a.std()))
    assert moved == pytest.approx(abs(shift), abs=1e-9)


def test_by_hand() -> None:
    assert ks_distance([1, 2, 3], [2, 3, 4]) == pytest.approx(1 / 3)
    assert ks_distance([0, 0, 0, 1], [0, 1, 1, 1]) == pytest.approx(0.5)
    assert ks_distance([1.0, 2.0], [3.0, 4.0]) == 1.0
    assert ks_distance([1.0, 2.0], [1.0, 2.0], [3, 1], [1, 3]) == pytest.approx(0.5)
    assert wasserstein_over_sigma([0, 2], [1, 3]) == pytest.approx(1.0)
    assert wasserstein_over_sigma([0.0, 4.0], [0.0, 0.0], [3.0, 1.0]) == pytest.approx(1.0 / np.sqrt(3.0))


def test_a_gaussian_shift() -> None:
    random = np.random.default_rng(3)
    a, b = random.normal(size=200_000), random.normal(0.3, 1.0, 200_000)
    assert ks_distance(a, b) == pytest.approx(2.0 * ndtr(0.15) - 1.0, abs=0.006)
    assert wasserstein_over_sigma(a, b) == pytest.approx(0.3, abs=0.012)


def test_weights_undo_a_shift() -> None:
    """Rows of one normal distribution weighted by the ratio of densities follow another one."""
    random = np.random.default_rng(4)
    a, b = random.normal(size=100_000), random.normal(0.5, 1.0, 100_000)
    w = np.exp(0.5 * a - 0.125)
    assert ks_distance(a, b) > 0.19
    assert ks_distance(a, b, weights_a=w) < 3.0 * expected_ks(effective_entries(w), 100_000)
    assert wasserstein_over_sigma(a, b, w) < 0.02


def test_a_point_mass_is_exact() -> None:
    a, b = mixed(np.random.default_rng(5), 5000), mixed(np.random.default_rng(6), 7000)
    assert ks_distance(a, b) == pytest.approx(scipy_ks(a, b), abs=1e-14)
    smeared = np.where(b == 0.0, 1e-9, b)
    assert ks_distance(a, smeared) == pytest.approx(0.74, abs=0.03)


def test_rounding_to_another_dtype_is_no_difference() -> None:
    a = np.where(np.random.default_rng(7).random(1000) < 0.5, 0.1, 0.7)
    assert ks_distance(a, a.astype(np.float32)) == 0.0
    assert ks_distance(a.astype(np.float32), a) == 0.0


def test_dtypes() -> None:
    booleans = np.array([True, True, False, True])
    assert ks_distance(booleans, ~booleans) == 0.5
    assert wasserstein_over_sigma(booleans, ~booleans) == pytest.approx(0.5 / np.sqrt(3 / 16))
    narrow = np.array([-128, 127], np.int8)
    assert wasserstein_over_sigma(narrow, narrow[:1]) == pytest.approx(1.0)
    assert ks_distance(np.array([2**53], np.int64), np.array([2**53 + 1], np.int64)) == 1.0


def test_a_constant_reference() -> None:
    assert wasserstein_over_sigma([0.1] * 7, [0.1] * 3) == 0.0
    assert wasserstein_over_sigma([0.1] * 7, [0.1, 0.2]) == float("inf")
    assert wasserstein_over_sigma([0.1, 5.0], [0.1, 0.1], weights_reference=[1.0, 0.0]) == 0.0


@pytest.mark.parametrize("n", [(300, 300), (2000, 700)])
def test_distance_by_chance(n: tuple[int, int]) -> None:
    random = np.random.default_rng(8)
    drawn = [ks_distance(random.normal(size=n[0]), random.normal(size=n[1])) for _ in range(1500)]
    assert expected_ks(*n) == pytest.approx(np.mean(drawn), rel=0.06)
    assert expected_ks(*n, quantile=0.95) == pytest.approx(np.quantile(drawn, 0.95), rel=0.08)


def test_distance_by_chance_with_weights() -> None:
    random, drawn, expected = np.random.default_rng(9), [], []
    for _ in range(600):
        w = random.exponential(size=1500)
        drawn.append(ks_distance(random.normal(size=1500), random.normal(size=3000), weights_a=w))
        expected.append(expected_ks(effective_entries(w), 3000))
    assert np.mean(drawn) == pytest.approx(np.mean(expected), rel=0.06)


def test_effective_entries() -> None:
    assert effective_entries([2.0, 2.0, 2.0]) == pytest.approx(3.0)
    assert effective_entries([1.0, 0.0, 0.0]) == pytest.approx(1.0)
    assert effective_entries([1e-200, 1e-200]) == pytest.approx(2.0)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (([], [1.0]), DomainError, "first sample: expected at least one row"),
        (([1.0], np.array([])), DomainError, "second sample: expected at least one row"),
        (([1.0, np.nan], [1.0]), DomainError, "nan in row 1"),
        (([1.0], [np.inf]), DomainError, "inf in row 0"),
        (([1.0, 2.0], [1.0], [1.0, -1.0]), DomainError, "-1.0 in row 1"),
        (([1.0, 2.0], [1.0], [1.0, np.nan]), DomainError, "nan in row 1"),
        (([1.0, 2.0], [1.0], [0.0, 0.0]), DomainError, "2 times 0"),
        (([1.0, 2.0], [1.0], [1.0]), SchemaError, "each of 2 rows"),
        (([[1.0, 2.0]], [1.0]), SchemaError, "one column"),
        ((["a"], [1.0]), SchemaError, "one column"),
        ((np.ma.masked_less([1.0, -1000.0], 0.0), [1.0]), SchemaError, "unmasked"),
    ],
)
def test_bad_input_is_refused(distance, arguments: tuple, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        distance(*arguments)


@pytest.mark.parametrize("arguments", [(0, 5), (5, -1), (5, np.nan), (5, 5, 0.0), (5, 5, 1.0)])
def test_no_expectation_without_entries(arguments: tuple) -> None:
    with pytest.raises(DomainError):
        expected_ks(*arguments)


@settings(max_examples=20)
@given(columns, columns)
def test_input_stays_as_it_was(a: np.ndarray, b: np.ndarray) -> None:
    kept = a.copy(), b.copy()
    for distance in DISTANCES:
        distance(a, b)
    np.testing.assert_array_equal(a, kept[0])
    np.testing.assert_array_equal(b, kept[1])
