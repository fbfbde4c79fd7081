from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as log_loss_of_sklearn

from lamarrpy.errors import ConfigError, DomainError, SchemaError
from lamarrpy.validate.calibration import brier_score, calibration_line, log_loss, reliability, summary
from lamarrpy.validate.predictions import each_class


def toy(rows: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and outcomes that are drawn with them."""
    random = np.random.default_rng(seed)
    p = expit(1.5 * random.normal(size=rows) - 0.5)
    return p, random.random(rows) < p


def test_calibrated_predictions_have_slope_one() -> None:
    pulls = []
    for seed in range(40):
        line = calibration_line(*toy(4000, seed))
        pulls.append(((line.slope - 1.0) / line.slope_error, line.intercept / line.intercept_error))
    # The errors are right: pulls have mean 0 and width 1, within 3.5 standard errors of 40 samples.
    assert np.abs(np.mean(pulls, axis=0)).max() < 3.5 / np.sqrt(40)
    assert np.abs(np.std(pulls, axis=0) - 1.0).max() < 3.5 / np.sqrt(80)


@pytest.mark.parametrize(("sharpened", "shifted"), [(1.5, 0.0), (0.5, 0.0), (1.5, 0.4)])
def test_injected_miscalibration_is_found(sharpened: float, shifted: float) -> None:
    p, y = toy(100_000)
    line = calibration_line(expit(sharpened * logit(p) + shifted), y)
    assert abs(line.slope - 1.0 / sharpened) < 3.5 * line.slope_error
    assert abs(line.intercept + shifted / sharpened) < 3.5 * line.intercept_error
    assert line.slope_error < 0.01 * line.slope
    assert line.entries == 100_000


def test_line_is_the_most_likely_one() -> None:
    p, y = toy(3000)
    p, w = expit(1.3 * logit(p) + 0.2), np.random.default_rng(3).exponential(size=3000)
    line = calibration_line(p, y, w)
    judge = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit(p)[:, None], y, w)
    assert line.slope == pytest.approx(judge.coef_[0, 0], rel=1e-5)
    assert line.intercept == pytest.approx(judge.intercept_[0], abs=1e-5)


def test_errors_hold_for_weights() -> None:
    pulls = []
    for seed in range(60):
        p, y = toy(2000, seed)
        line = calibration_line(p, y, np.random.default_rng(seed + 1000).exponential(size=2000) ** 2)
        pulls.append((line.slope - 1.0) / line.slope_error)
    assert abs(np.std(pulls) - 1.0) < 3.5 / np.sqrt(120) + 0.05  # sandwich errors are a little small for few rows


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), equal_population=st.booleans())
def test_integer_weights_are_repeated_rows(seed: int, equal_population: bool) -> None:
    random = np.random.default_rng(seed)
    p, y = toy(200, seed)
    p, w = np.round(p, 2), random.integers(0, 4, 200)
    again = np.repeat(np.arange(200), w)
    for figure in (brier_score, log_loss):
        assert figure(p, y, w) == pytest.approx(figure(p[again], y[again]), rel=1e-12)
    line, repeated = calibration_line(p, y, w), calibration_line(p[again], y[again])
    assert (line.slope, line.intercept) == pytest.approx((repeated.slope, repeated.intercept), abs=1e-8)
    assert line.entries == np.count_nonzero(w)
    once = reliability(p, y, w, 5, equal_population=equal_population)
    many = reliability(p[again], y[again], None, 5, equal_population=equal_population)
    np.testing.assert_allclose(once.edges, many.edges)
    np.testing.assert_allclose(once.predicted, many.predicted)
    np.testing.assert_allclose(once.observed, many.observed)
    np.testing.assert_allclose(once.weight, many.weight)
    assert once.expected_error == pytest.approx(many.expected_error)


def test_reliability_by_hand() -> None:
    p, y = np.array([0.1, 0.2, 0.3, 0.9, 1.0]), np.array([0, 1, 0, 1, 1])
    curve = reliability(p, y, np.array([1.0, 1.0, 2.0, 3.0, 1.0]), bins=2)
    np.testing.assert_allclose(curve.predicted, [0.225, 0.925])
    np.testing.assert_allclose(curve.observed, [0.25, 1.0])
    np.testing.assert_allclose(curve.weight, [4.0, 4.0])
    assert curve.entries.tolist() == [3, 2]
    assert curve.expected_error == pytest.approx(0.5 * (0.025 + 0.075))
    # Wilson at one standard deviation for 16 / 6 effective entries.
    n, share = 16.0 / 6.0, 0.25
    middle, half = (share + 0.5 / n) / (1 + 1 / n), np.sqrt((share * (1 - share) + 0.25 / n) / n) / (1 + 1 / n)
    assert (curve.low[0], curve.high[0]) == pytest.approx((middle - half, middle + half))


@pytest.mark.parametrize("equal_population", [False, True])
def test_intervals_hold_the_predicted_share(equal_population: bool) -> None:
    held = []
    for seed in range(30):
        curve = reliability(*toy(5000, seed), bins=10, equal_population=equal_population)
        held += ((curve.low <= curve.predicted) & (curve.predicted <= curve.high)).tolist()
    assert abs(np.mean(held) - 0.683) < 3.5 * np.sqrt(0.683 * 0.317 / 300) + 0.02  # Wilson is right on average only


def test_equal_population_means_equal_entries() -> None:
    p, y = toy(10_000)
    curve = reliability(p, y, bins=8, equal_population=True)
    assert np.abs(curve.entries - 1250).max() <= 1
    assert reliability(p, y, bins=8).entries.sum() == curve.entries.sum() == 10_000


def test_empty_bins_are_missing_not_wrong() -> None:
    curve = reliability([0.05, 0.95], [0, 1], bins=10)
    assert np.isnan(curve.predicted[1:-1]).all()
    assert (curve.low[1], curve.high[1]) == (0.0, 1.0)
    assert curve.expected_error == pytest.approx(0.05)
    stored = json.loads(json.dumps(curve.as_dict()))
    assert stored["observed"] == [0.0, *[None] * 8, 1.0]
    assert stored["entries"] == [1, *[0] * 8, 1]


def test_scores_are_those_of_scikit_learn() -> None:
    (p, y), w = toy(500), np.random.default_rng(2).random(500)
    assert brier_score(p, y, w) == pytest.approx(brier_score_loss(y, p, sample_weight=w))
    assert log_loss(p, y, w) == pytest.approx(log_loss_of_sklearn(y, p, sample_weight=w))
    assert log_loss([0.0, 1.0], [1, 1]) == pytest.approx(-0.5 * np.log(1e-7), rel=1e-6)


@pytest.mark.parametrize(
    ("predicted", "outcome"),
    [
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]),
        ([0.1, 0.2, 0.2, 0.9], [0, 0, 1, 1]),
        ([0.1, 0.2, 0.8, 0.9], [1, 1, 1, 1]),
        ([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1]),
        ([0.0, 0.0, 1.0, 1.0], [0, 0, 1, 1]),
    ],
)
def test_no_line_without_doubt(predicted: list[float], outcome: list[int]) -> None:
    with pytest.raises(DomainError, match="line"):
        calibration_line(predicted, outcome)


def test_line_turned_around_is_found() -> None:
    p, y = toy(20_000)
    line = calibration_line(1.0 - p, y)
    assert abs(line.slope + 1.0) < 3.5 * line.slope_error


def test_certain_predictions_do_not_break_it() -> None:
    p, y = toy(20_000)
    p, y = np.append(p, np.tile([0.0, 1.0], 2000)), np.append(y, np.tile([False, True], 2000))
    line = calibration_line(p, y)
    assert abs(line.slope - 1.0) < 3.5 * line.slope_error


def test_every_class_against_all_others() -> None:
    random = np.random.default_rng(7)
    logits = random.normal(size=(30_000, 3))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes = (random.random((30_000, 1)) > np.cumsum(p, axis=1)[:, :2]).sum(axis=1)
    figures = summary(p, classes, ("none", "long", "upstream"))
    assert list(figures) == ["none", "long", "upstream"]
    for i, of in enumerate(figures.values()):
        assert of["slope"] is not None
        assert of["slope_error"] is not None
        assert abs(of["slope"] - 1.0) < 3.5 * of["slope_error"]
        assert of["true_share"] == pytest.approx(np.mean(classes == i))
        assert of["predicted_share"] == pytest.approx(p[:, i].mean())
        assert of["log_loss"] == pytest.approx(log_loss(p[:, i], classes == i))
        assert of["expected_calibration_error"] < 0.015
    assert json.loads(json.dumps(figures)) == figures


def test_class_that_never_occurs_has_no_line() -> None:
    p, y = toy(100)
    figures = summary(np.stack([1.0 - p, p, 0.0 * p], axis=1), y.astype(int), ("a", "b", "c"))
    assert figures["c"]["slope"] is None
    assert figures["c"]["entries"] == 100
    assert figures["b"]["slope"] is not None


def test_rounding_of_float32_is_forgiven() -> None:
    p = np.array([1.0000001, -1e-7, 0.5], np.float32)
    assert brier_score(p, [1, 0, 1]) == pytest.approx(0.25 / 3.0, abs=1e-6)


def test_bad_columns_are_refused() -> None:
    with pytest.raises(DomainError, match="from 0 to 1"):
        brier_score([0.1, 1.2], [0, 1])
    with pytest.raises(DomainError, match="True or False"):
        brier_score([0.1, 0.2], [0, 2])
    with pytest.raises(SchemaError, match="outcome for each"):
        brier_score([0.1, 0.2], [0])
    with pytest.raises(DomainError, match="finite"):
        brier_score([0.1, np.nan], [0, 1])
    with pytest.raises(DomainError, match="not below 0"):
        brier_score([0.1, 0.2], [0, 1], [1.0, -1.0])
    with pytest.raises(ConfigError, match="at least one bin"):
        reliability([0.1], [0], bins=0)
    with pytest.raises(SchemaError, match="probabilities of 2 classes"):
        list(each_class([[0.1, 0.2, 0.7]], [1], ("a", "b")))
    with pytest.raises(SchemaError, match="from 0 to 1"):
        list(each_class([[0.1, 0.9]], [2], ("a", "b")))
