"""The random numbers: addressed by (seed, stage, key, index), and random by every test we can afford."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lamarrpy.draws import Draws

N = 400_000
EVENT, PARTICLE = np.divmod(np.arange(N), 40)

GOLDEN_BITS = ["0x5fe0cc3ec47876cb", "0xd94dc96c314174d5", "0x79c532db9898bc3b"]
GOLDEN_NORMALS = [-1.178594502120812, 0.7416370781264322, -0.880520135253576]


@pytest.fixture(scope="module")
def rows():
    return Draws(2016, "battery").rows(EVENT, PARTICLE)


ids = st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=20)


@given(ids, st.integers(0, 2**70), st.integers(0, 1000))
def test_a_draw_depends_on_its_address_alone(keys, seed, index):
    keys = np.array(keys)
    together = Draws(seed, "s").rows(keys, keys[::-1].copy()).uniform(index)
    for at in range(len(keys)):
        alone = Draws(seed, "s").rows(keys[at : at + 1], keys[::-1][at : at + 1].copy()).uniform(index)
        assert alone[0] == together[at]


def test_every_part_of_the_address_matters():
    one = np.array([1])
    values = {
        Draws(seed, stage).rows(event * one, particle * one).bits(index)[0]
        for seed in range(4)
        for stage in ("a", "b", "ab")
        for event in range(4)
        for particle in range(4)
        for index in range(4)
    }
    assert len(values) == 4 * 3 * 4 * 4 * 4


def test_key_columns_are_not_interchangeable():
    a, b = np.array([1, 2]), np.array([2, 1])
    u = Draws(0).rows(a, b).uniform(0)
    assert u[0] != u[1]


def test_values_do_not_depend_on_the_rows_around_them():
    whole = Draws(5, "s").rows(EVENT, PARTICLE)
    some = slice(12_345, 22_001)
    assert np.array_equal(whole.normal(3)[some], whole[some].normal(3))
    assert np.array_equal(whole.exponential(3)[some], whole[some].exponential(3))


def test_golden_values_stay_the_same_for_ever():
    rows = Draws(42, "golden").rows(np.array([0, 1, 2**40]), np.array([0, 7, -1]))
    assert [hex(b) for b in rows.bits(0)] == GOLDEN_BITS
    np.testing.assert_allclose(rows.normal(1), GOLDEN_NORMALS, rtol=1e-14)


def test_uniform_is_inside_the_open_interval_even_at_its_ends():
    rows = Draws(0).rows(np.arange(4))
    rows.bits = lambda index: np.array([0, 2**64 - 1, 1, 2**63], np.uint64)
    values = rows.uniform(0)
    assert values.min() > 0
    assert values.max() < 1
    assert np.isfinite(rows.normal(0)).all()


@pytest.mark.parametrize("index", [0, 1, 17])
def test_moments_of_the_normal(rows, index):
    z = rows.normal(index)
    for power, expected, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs(np.mean(z**power) - expected) < 4.5 * np.sqrt(variance / N), power


@pytest.mark.parametrize("index", [0, 1, 17])
def test_distributions(rows, index):
    assert stats.kstest(rows.uniform(index), "uniform").pvalue > 1e-4
    assert stats.kstest(rows.normal(index), "norm").pvalue > 1e-4
    assert stats.kstest(rows.exponential(index), "expon").pvalue > 1e-4


def _correlation(a, b):
    return np.corrcoef(a, b)[0, 1] * np.sqrt(len(a))


@pytest.mark.parametrize("lag", [1, 2, 3, 39, 40, 41, 64, 1000])
def test_no_serial_correlation(rows, lag):
    z = rows.normal(0)
    assert abs(_correlation(z[lag:], z[:-lag])) < 4.5
    assert abs(_correlation(z[lag:] ** 2, z[:-lag] ** 2)) < 4.5


def test_no_correlation_across_streams(rows):
    """Other indices, seeds (neighbours too), stages and key shifts give unrelated numbers."""
    z = rows.normal(0)
    others = [
        rows.normal(1),
        rows.normal(2),
        rows.normal(255),
        Draws(2017, "battery").rows(EVENT, PARTICLE).normal(0),
        Draws(-2016, "battery").rows(EVENT, PARTICLE).normal(0),
        Draws(2016, "batterz").rows(EVENT, PARTICLE).normal(0),
        Draws(2016, "battery").rows(EVENT + 1, PARTICLE).normal(0),
        Draws(2016, "battery").rows(PARTICLE, EVENT).normal(0),
        Draws(2016, "battery").rows(EVENT << 32, PARTICLE).normal(0),
    ]
    for other in others:
        assert abs(_correlation(z, other)) < 4.5
        assert abs(_correlation(z**2, other**2)) < 4.5


@pytest.mark.parametrize("pair", ["index", "neighbour", "event", "seed"])
def test_pairs_fill_the_unit_square_evenly(rows, pair):
    u = rows.uniform(0)
    v = {
        "index": lambda: rows.uniform(1),
        "neighbour": lambda: np.roll(u, 1),
        "event": lambda: np.roll(u, 40),
        "seed": lambda: Draws(2017, "battery").rows(EVENT, PARTICLE).uniform(0),
    }[pair]()
    cells = np.histogram2d(u, v, bins=64, range=((0, 1), (0, 1)))[0]
    chi2 = ((cells - N / 4096) ** 2).sum() / (N / 4096)
    assert 1e-4 < stats.chi2.sf(chi2, 4095) < 1 - 1e-4


def test_every_bit_is_fair_and_flips_when_the_address_changes_by_one_bit():
    keys = np.arange(20_000)
    bits = Draws(1).rows(keys).bits(0)
    flipped = [Draws(1).rows(keys ^ (1 << b)).bits(0) for b in (0, 1, 7, 31, 62)]
    for word in (bits, *(bits ^ f for f in flipped)):
        ones = np.unpackbits(word.view(np.uint8)).reshape(len(keys), 64).sum(axis=0)
        assert np.abs(ones - len(keys) / 2).max() < 5 * np.sqrt(len(keys) / 4)


def test_gaps_between_the_sorted_numbers_are_exponential(rows):
    gaps = np.diff(np.sort(rows.uniform(9))) * N
    assert stats.kstest(gaps, "expon").pvalue > 1e-4


def test_no_rows_and_no_keys():
    assert Draws(0).rows(np.empty(0, np.int64)).normals(3).shape == (3, 0)
    with pytest.raises(ValueError, match="at least one key column"):
        Draws(0).rows()
