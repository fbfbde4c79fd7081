"""Bins of the phase space: edges by quantiles, and distances in every bin."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamarrpy.errors import ConfigError, DomainError, SchemaError
from lamarrpy.validate.metrics import in_bins, ks_distance, quantile_edges, wasserstein_over_sigma


def sample(seed: int, n: int, shift_above: float = np.inf) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A normal variable, shifted by 1 where p is above a bound, and its conditions."""
    random = np.random.default_rng(seed)
    conditions = {
        "p": random.uniform(2.0, 10.0, n),
        "eta": random.uniform(2.0, 5.0, n),
        "n_tracks": random.integers(10, 300, n),
    }
    return random.normal(size=n) + (conditions["p"] > shift_above), conditions


BINS = {"p": [2.0, 4.0, 8.0, 10.0], "eta": [2.0, 3.5, 5.0], "n_tracks": [0, 100, 300]}


def test_every_bin_is_what_a_cut_gives() -> None:
    (a, at_a), (b, at_b) = sample(1, 6000), sample(2, 5000)
    w_a, w_b = np.random.default_rng(3).exponential(size=6000), np.random.default_rng(4).exponential(size=5000)
    for metric in (ks_distance, wasserstein_over_sigma):
        result = in_bins(metric, a, b, BINS, at_a, at_b, w_a, w_b, minimum=10)
        assert result.value.shape == (3, 2, 2)
        for i, j, k in np.ndindex(3, 2, 2):
            cuts = [
                (at["p"] >= BINS["p"][i])
                & (at["p"] < BINS["p"][i + 1])
                & (at["eta"] >= BINS["eta"][j])
                & (at["eta"] < BINS["eta"][j + 1])
                & (at["n_tracks"] >= BINS["n_tracks"][k])
                & (at["n_tracks"] < BINS["n_tracks"][k + 1])
                for at in (at_a, at_b)
            ]
            expected = metric(a[cuts[0]], b[cuts[1]], w_a[cuts[0]], w_b[cuts[1]])
            assert result.value[i, j, k] == pytest.approx(expected, abs=1e-12)
            assert result.entries_reference[i, j, k] == cuts[0].sum()
            assert result.entries_candidate[i, j, k] == cuts[1].sum()


def test_the_worst_bin_is_found() -> None:
    (a, at_a), (b, at_b) = sample(5, 20_000), sample(6, 20_000, shift_above=8.0)
    result = in_bins(ks_distance, a, b, BINS, at_a, at_b, minimum=200)
    assert result.worst["p"] == (8.0, 10.0)
    assert result.maximum == np.nanmax(result.value) > 0.3
    assert np.all(result.value[:2] < 0.12)


def test_bins_with_few_rows_do_not_count() -> None:
    a, b = np.zeros(30), np.ones(30)
    at = {"x": np.repeat([0.5, 1.5, 2.5], [5, 10, 15])}
    at_b = {"x": np.repeat([0.5, 1.5, 2.5], [15, 10, 5])}
    result = in_bins(ks_distance, a, b, {"x": [0, 1, 2, 3]}, at, at_b, minimum=10)
    np.testing.assert_array_equal(result.value, [np.nan, 1.0, np.nan])
    assert result.entries_reference.tolist() == [5, 10, 15]
    assert result.worst == {"x": (1.0, 2.0)}
    poor = in_bins(ks_distance, a, b, {"x": [0, 1, 2, 3]}, at, at_b)
    with pytest.raises(DomainError, match="at least 1000 rows of both samples, got none of 3: the fullest has 10"):
        _ = poor.maximum


def test_rows_outside_and_rows_without_weight_do_not_count() -> None:
    values = np.arange(6.0)
    at = {"x": np.array([-1.0, 0.0, 1.0, 2.0, 3.0, 0.5])}
    w = [1.0, 1.0, 1.0, 1.0, 1.0, 0.0]
    result = in_bins(ks_distance, values, values, {"x": [0.0, 1.0, 2.0]}, at, at, w, None, minimum=1)
    assert result.entries_reference.tolist() == [1, 2]  # the last edge belongs to the last bin
    assert result.entries_candidate.tolist() == [2, 2]


def test_many_bins() -> None:
    random = np.random.default_rng(7)
    a, x = random.normal(size=1000), random.uniform(size=1000)
    edges = np.linspace(0.0, 1.0, 40_001)
    result = in_bins(ks_distance, a, a, {"x": edges}, {"x": x}, {"x": x}, minimum=1)
    assert result.entries_reference.sum() == 1000
    assert result.maximum == 0.0


def test_plain_data() -> None:
    at = {"x": np.array([0.5, 0.5, 1.5, 2.5])}
    edges = {"x": [0.0, 1.0, 2.0, np.inf]}
    result = in_bins(wasserstein_over_sigma, [0, 1, 0, 0], [0, 1, 1, 0], edges, at, at, minimum=1)
    stored = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert stored["edges"] == {"x": [0.0, 1.0, 2.0, "inf"]}
    assert stored["value"] == [0.0, "inf", 0.0]
    assert in_bins(ks_distance, [0], [0], edges, {"x": [0.5]}, {"x": [0.5]}, minimum=1).as_dict()["value"][1] is None


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        ({"bins": {}}, ConfigError, "expected bins"),
        ({"minimum": 0}, ConfigError, "minimum of 1"),
        ({"bins": {"x": [1.0, 1.0]}}, ConfigError, "ascending"),
        ({"bins": {"x": [1.0, np.nan]}}, ConfigError, "ascending"),
        ({"bins": {"X": [0.0, 1.0]}}, SchemaError, "did you mean 'x'"),
        ({"reference_conditions": {"x": [1.0, 2.0]}}, SchemaError, "3 rows"),
        ({"candidate_conditions": {"x": [1.0, np.nan, 2.0]}}, DomainError, "nan in row 1"),
        ({"candidate": [1.0, np.nan, 2.0]}, DomainError, "nan in row 1"),
        ({"weights_candidate": [1.0, -1.0, 2.0]}, DomainError, "-1.0 in row 1"),
    ],
)
def test_bad_bins_are_refused(changed: dict, error: type[Exception], told: str) -> None:
    rows = {"x": [0.1, 0.2, 0.3]}
    arguments = {
        "metric": ks_distance,
        "reference": [1.0, 2.0, 3.0],
        "candidate": [1.0, 2.0, 3.0],
        "bins": {"x": [0.0, 1.0]},
        "reference_conditions": rows,
        "candidate_conditions": rows,
    }
    with pytest.raises(error, match=told):
        in_bins(**(arguments | changed))


def test_quantiles_of_a_continuous_variable() -> None:
    values = np.random.default_rng(8).exponential(size=10_000)
    edges = quantile_edges(values, 8)
    assert edges[0] == values.min()
    assert edges[-1] == values.max()
    assert np.histogram(values, edges)[0].tolist() == [1250] * 8


def test_quantiles_with_weights() -> None:
    random = np.random.default_rng(9)
    values, w = random.normal(size=10_000), random.exponential(size=10_000)
    filled = np.histogram(values, quantile_edges(values, 5, w), weights=w)[0]
    np.testing.assert_allclose(filled / w.sum(), 0.2, atol=0.001)


def test_quantiles_with_ties() -> None:
    assert quantile_edges(np.repeat(np.arange(10), 7), 2).tolist() == [0.0, 5.0, 9.0]
    assert quantile_edges([3, 3, 3], 4).tolist() == [3.0, np.nextafter(3.0, 4.0)]
    lowest = quantile_edges([0] * 74 + list(range(1, 27)), 4)
    assert lowest.tolist() == [0.0, 1.0, 2.0, 26.0]
    highest = quantile_edges([1.0] * 74 + [0.0] * 26, 4)
    assert highest.tolist() == [0.0, 1.0, np.nextafter(1.0, 2.0)]


@given(
    st.lists(st.one_of(st.integers(-3, 3), st.floats(-1e6, 1e6)), min_size=1, max_size=40),
    st.integers(1, 6),
    st.data(),
)
def test_quantile_bins_hold_every_row(values: list, count: int, data: st.DataObject) -> None:
    repeated = data.draw(st.lists(st.integers(0, 3), min_size=len(values), max_size=len(values)).filter(any))
    edges = quantile_edges(values, count, repeated)
    assert np.all(np.diff(edges) > 0.0)
    assert len(edges) <= count + 2
    rows = np.repeat(np.array(values, float), repeated)
    assert np.histogram(rows, edges)[0].sum() == len(rows)
    np.testing.assert_array_equal(edges, quantile_edges(rows, count))


def test_bad_quantiles_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least one bin"):
        quantile_edges([1.0], 0)
    with pytest.raises(DomainError, match="at least one row"):
        quantile_edges([], 3)
