"""Figures of distributions whose answers are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamarrpy.detailed.report.statistics import (
    FEWEST,
    Measured,
    combine,
    core_mean,
    evenly,
    half_width,
    in_bins,
    quantile,
    ratio,
    share,
)

RNG = np.random.default_rng(3)


def test_the_half_width_of_a_normal_distribution_is_its_standard_deviation():
    found = half_width(RNG.normal(7.0, 2.5, 40_000))
    assert found.value == pytest.approx(2.5, abs=4 * found.error)
    assert found.error == pytest.approx(0.96 * 2.5 / 200, rel=0.15)


def test_tails_hardly_change_it():
    values = np.r_[RNG.normal(size=9_900), 1e6 * np.ones(100)]
    assert half_width(values).value == pytest.approx(1.02, abs=0.04)


@pytest.mark.parametrize("figure", [half_width, lambda v: quantile(v, 0.5), core_mean])
def test_errors_are_those_of_repeated_samples(figure):
    found = [figure(RNG.normal(size=400)) for _ in range(300)]
    spread = np.std([each.value for each in found])
    assert np.mean([each.error for each in found]) == pytest.approx(spread, rel=0.15)


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_the_half_width_scales_and_does_not_shift(shift, scale):
    values = np.linspace(-1.0, 1.0, 201) ** 3
    assert half_width(scale * values + shift).value == pytest.approx(
        scale * half_width(values).value, rel=1e-6, abs=1e-9
    )


def test_the_core_mean_ignores_what_is_far_away():
    values = np.r_[RNG.normal(0.1, 1.0, 10_000), 50.0 * np.ones(500)]
    assert core_mean(values).value == pytest.approx(0.1, abs=0.04)


@pytest.mark.parametrize(("passed", "n"), [(0, 100), (50, 100), (100, 100)])
def test_the_error_of_a_share_never_vanishes(passed, n):
    found = share(np.arange(n) < passed)
    assert found.value == passed / n
    assert 0.004 < found.error < 0.06


@pytest.mark.parametrize("figure", [half_width, core_mean, share, lambda v: quantile(v, 0.5)])
def test_too_few_entries_give_no_figure(figure):
    assert figure(np.zeros(FEWEST - 1)) == Measured(None, None, FEWEST - 1)
    assert figure(np.zeros(FEWEST)).value is not None
    assert figure(np.zeros(0)).value is None


def test_a_ratio_adds_relative_errors_in_quadrature():
    found = ratio(Measured(8.0, 0.24, 100), Measured(2.0, 0.08, 50))
    assert found == (4.0, pytest.approx(4.0 * 0.05), 50)
    assert ratio(Measured(None, None, 3), Measured(2.0, 0.1, 50)).value is None
    assert ratio(Measured(1.0, 0.1, 50), Measured(0.0, 0.1, 50)).value is None


def test_parts_combine_by_their_weights():
    found = combine([Measured(1.0, 0.3, 10), Measured(3.0, 0.4, 20)], [1.0, 1.0])
    assert found == (2.0, pytest.approx(0.25), 30)
    assert combine([Measured(1.0, 0.3, 10), Measured(None, None, 2)], [1.0, 1.0]).value is None


def test_bins_hold_their_lower_edge_and_nothing_outside():
    coordinate = np.array([0.5, 1.0, 1.5, 2.0, 3.0])
    assert [f.entries for f in in_bins(coordinate, coordinate, [1.0, 2.0, 3.0], half_width)] == [2, 1]


def test_weights_stand_for_repeated_entries():
    values, times = RNG.normal(size=500), RNG.integers(0, 4, 500)
    weighted, repeated = half_width(values, times), half_width(np.repeat(values, times))
    assert weighted.value == pytest.approx(repeated.value, rel=0.02)
    assert weighted.entries == np.count_nonzero(times)
    assert weighted.error == pytest.approx(half_width(values[times > 0]).error, rel=0.5)


def test_even_weights_undo_what_a_sample_prefers():
    coordinate = np.r_[RNG.uniform(0.0, 1.0, 1_000), RNG.uniform(1.0, 2.0, 9_000), [5.0] * 50, [2.5] * 9]
    weights = evenly(coordinate, [0.0, 1.0, 2.0, 3.0])
    assert weights[:1_000].sum() == pytest.approx(1.0)
    assert weights[1_000:10_000].sum() == pytest.approx(1.0)
    assert not weights[10_000:].any()
    width = np.where(coordinate < 1.0, 1.0, 3.0)
    even = half_width(width * RNG.normal(size=len(width)), weights)
    assert 1.5 < even.value < 2.3
    assert quantile(coordinate, 0.5, weights).value == pytest.approx(1.0, abs=0.01)
