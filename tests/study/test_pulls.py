"""Stated errors against residuals: true ones give standard normal pulls, others are told by how much they are off."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamarrpy.errors import SchemaError
from lamarrpy.study.pulls import ONE, TWO, calibration, coverage, histogram, judged, pulls, rank_correlation, widths

N = 20_000


def made(stated=1.0, seed=1):
    """Predictions with errors of many sizes, and errors stated as ``stated`` times the true ones."""
    random = np.random.default_rng(seed)
    sigma = np.exp(random.normal(size=(N, 4))) * [1e-3, 2e-3, 1e-6, 1e-6]
    true = random.normal(size=(N, 4))
    return true + sigma * random.normal(size=(N, 4)), true, stated * sigma


def test_true_errors_give_pulls_of_width_one():
    found = pulls(*made())
    assert np.all(np.abs(widths(found) - 1.0) < 5.0 * 1.0 / np.sqrt(N))
    assert np.all(np.abs(found.mean(axis=0)) < 5.0 / np.sqrt(N))
    for sigmas, share in ((1.0, ONE), (2.0, TWO)):
        assert np.all(np.abs(coverage(found, sigmas) - share) < 5.0 * np.sqrt(share * (1.0 - share) / N))


@given(st.floats(0.2, 5.0))
@settings(max_examples=10, deadline=None)
def test_what_is_stated_too_large_is_found_by_as_much(stated):
    factors = calibration(pulls(*made(stated)))
    assert factors == pytest.approx(np.full(4, 1.0 / stated), rel=0.04)
    rows = judged(*made(stated, seed=2), factors)
    assert [row["output"] for row in rows] == ["x", "y", "tx", "ty"]
    for row in rows:
        assert row["calibrated_68"] == pytest.approx(ONE, abs=0.02)
        assert row["calibrated_95"] == pytest.approx(TWO, abs=0.02)
        assert row["pull_width"] == pytest.approx(1.0 / stated, rel=0.04)
        assert row["rank_correlation"] > 0.4


def test_figures_are_told_in_um_and_urad():
    predicted = np.full((100, 4), [3e-3, 3e-3, 2e-6, 2e-6])
    rows = judged(predicted, np.zeros((100, 4)), np.full((100, 4), [1e-3, 1e-3, 1e-6, 1e-6]), np.ones(4))
    assert [row["error_68"] for row in rows] == pytest.approx([3.0, 3.0, 2.0, 2.0])
    assert [row["sigma_median"] for row in rows] == pytest.approx([1.0] * 4)
    assert [row["pull_mean"] for row in rows] == pytest.approx([3.0, 3.0, 2.0, 2.0])
    assert [row["rank_correlation"] for row in rows] == [None] * 4


def test_errors_of_another_shape_or_sign_are_refused():
    predicted, true, error = made()
    with pytest.raises(SchemaError, match="of one shape"):
        pulls(predicted, true, error[:, :3])
    with pytest.raises(SchemaError, match="not negative"):
        pulls(predicted, true, -error)


def test_an_error_of_zero_gives_a_number():
    found = pulls(np.ones((1, 4)), np.zeros((1, 4)), np.zeros((1, 4)))
    assert np.all(np.isfinite(found) & (found > 1e6))


def test_a_histogram_holds_every_track():
    told = histogram(np.array([-100.0, -0.1, 0.1, 7.0]))
    assert sum(told["counts"]) == 4
    assert (told["counts"][0], told["counts"][-1]) == (1, 1)
    assert len(told["edges"]) == len(told["counts"]) + 1


def test_ranks_correlate_whatever_the_curve():
    a = np.random.default_rng(3).normal(size=100)
    assert rank_correlation(a, np.exp(a)) == pytest.approx(1.0)
    assert rank_correlation(a, -(a**3)) == pytest.approx(-1.0)
    assert rank_correlation(a, np.zeros(100)) is None
