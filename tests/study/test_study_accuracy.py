"""Errors of extrapolated states: told in um and urad, of the answers that are finite."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamarrpy.tracks.accuracy import OUTPUTS, accuracy, accuracy_in_bins, momentum_edges


def test_every_figure_is_what_it_says():
    true = np.zeros((4, 4))
    predicted = np.array([[3e-3, 4e-3, 1e-6, 0.0], [-3e-3, 4e-3, -1e-6, 0.0], [3e-3, 4e-3, 1e-6, 0.0], [0.0] * 4])
    told = accuracy(predicted, true)
    assert (told["n"], told["share_finite"]) == (4, 1.0)
    assert told["mae"] == pytest.approx({"x": 2.25, "y": 3.0, "tx": 0.75, "ty": 0.0})
    assert told["rmse"] == pytest.approx({"x": 27**0.5 / 2, "y": 12**0.5, "tx": 0.75**0.5, "ty": 0.0})
    assert told["max"] == pytest.approx({"x": 3.0, "y": 4.0, "tx": 1.0, "ty": 0.0})
    assert told["mean"] == pytest.approx({"x": 0.75, "y": 3.0, "tx": 0.25, "ty": 0.0})
    assert told["distance_rms"] == pytest.approx(75**0.5 / 2)
    assert told["distance_68"] == pytest.approx(5.0)


def test_the_width_of_normal_residuals_is_their_sigma():
    residuals = np.random.default_rng(1).normal(size=(40_000, 4)) * [1e-3, 2e-3, 1e-6, 2e-6]
    told = accuracy(residuals, np.zeros_like(residuals))
    assert told["width_68"] == pytest.approx({"x": 1.0, "y": 2.0, "tx": 1.0, "ty": 2.0}, rel=0.03)


def test_answers_that_are_not_finite_are_counted_and_left_out():
    predicted = np.ones((4, 4))
    predicted[0, 2], predicted[1, 0] = np.nan, np.inf
    told = accuracy(predicted, np.ones((4, 4)))
    assert told["share_finite"] == 0.5
    assert told["rmse"] == dict.fromkeys(OUTPUTS, 0.0)


@pytest.mark.parametrize("predicted", [np.full((3, 4), np.nan), np.empty((0, 4))])
def test_nothing_finite_has_no_figures(predicted):
    told = accuracy(predicted, np.zeros_like(predicted))
    assert told["share_finite"] == 0.0
    assert told["distance_95"] is None
    assert told["mae"] == dict.fromkeys(OUTPUTS)


@given(st.integers(0, 2**32 - 1), st.floats(-1e3, 1e3))
@settings(max_examples=25, deadline=None)
def test_only_differences_matter_and_rms_is_bias_and_spread(seed, shift):
    random = np.random.default_rng(seed)
    true, residuals = random.normal(size=(30, 4)), random.normal(size=(30, 4))
    told, moved = (accuracy(start + residuals, start) for start in (true, true + shift))
    assert moved["rmse"] == pytest.approx(told["rmse"], rel=1e-6)
    spread = residuals.std(axis=0) * [1e3, 1e3, 1e6, 1e6]
    for i, name in enumerate(OUTPUTS):
        assert told["rmse"][name] ** 2 == pytest.approx(told["mean"][name] ** 2 + spread[i] ** 2, rel=1e-6)


def test_bins_of_momentum_hold_every_track_once():
    random = np.random.default_rng(2)
    p = random.uniform(2e3, 1e5, 500)
    residuals = random.normal(size=(500, 4))
    edges = momentum_edges(p, 6)
    bins = accuracy_in_bins(residuals, np.zeros((500, 4)), p, edges)
    assert sum(one["n"] for one in bins) == 500
    assert (bins[0]["p_low"], bins[-1]["p_high"]) == (p.min(), pytest.approx(p.max()))
    inside = (p >= bins[2]["p_low"]) & (p < bins[2]["p_high"])
    assert bins[2]["rmse"] == accuracy(residuals[inside], np.zeros((inside.sum(), 4)))["rmse"]
