"""Whether predicted probabilities are the shares that come true: reliability, slope, scores.

A classifier whose answer is drawn at random must be right on average wherever it is looked at, not only often right.
For more than two classes every figure is made once for each class against all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, xlogy

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.validate.bins import bin_of, quantile_edges
from lamarrpy.validate.efficiency import wilson
from lamarrpy.validate.predictions import Predictions, as_plain, checked, counted_in, each_class, summed
from lamarrpy.validate.samples import Array

CLIP = 1e-7
"""Distance from 0 and 1 that a probability is given at least where its logarithm is taken: float32 knows no closer."""

_ITERATIONS = 100
_ROUNDING = 1e-12
"""Part of a likelihood that summing it may have lost."""

_SINGULAR = 1e12
"""Condition number of an information matrix from which nothing can be read."""


@dataclass(frozen=True)
class Reliability:
    """Predicted probabilities and the shares that came true, in bins of the predicted probability.

    Attributes
    ----------
    edges : ndarray of float64, shape (bins + 1,)
        Of the predicted probability.
    predicted, observed : ndarray of float64, shape (bins,)
        Weighted mean of the prediction, and weighted share that came true; NaN in a bin without entries.
    low, high : ndarray of float64, shape (bins,)
        Interval of the share after Wilson, 68.3 %, for the effective entries; 0 and 1 in a bin without entries.
    entries : ndarray of int64, shape (bins,)
        Rows with a weight above 0.
    weight : ndarray of float64, shape (bins,)
        Sum of their weights.
    """

    edges: Array
    predicted: Array
    observed: Array
    low: Array
    high: Array
    entries: NDArray[np.int64]
    weight: Array

    @property
    def expected_error(self) -> float:
        """Mean distance of predicted and observed shares, bins weighted with their weight (expected calibration error).

        Never below what the fluctuations of the sample make: about sqrt(2 / pi) standard errors of a bin
        (M. P. Naeini, G. F. Cooper, M. Hauskrecht, AAAI 2015).
        """
        some = self.entries > 0
        return float(np.average(np.abs(self.predicted - self.observed)[some], weights=self.weight[some]))

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data for JSON: None for NaN."""
        return as_plain(self.__dict__)


def reliability(
    predicted: ArrayLike,
    outcome: ArrayLike,
    weights: ArrayLike | None = None,
    bins: int = 20,
    *,
    equal_population: bool = False,
) -> Reliability:
    """The reliability curve of a yes-or-no prediction.

    Parameters
    ----------
    predicted : array_like, shape (n,)
        Probability of yes, 0 to 1.
    outcome : array_like, shape (n,)
        Whether it came true: boolean, or 0 and 1.
    weights : array_like, shape (n,), optional
        Finite, not negative, not all 0.
    bins : int
        At least 1; at most so many if they are of equal population.
    equal_population : bool
        Whether bins hold the same share of the weight, instead of having the same width.

    Raises
    ------
    ConfigError
        If there is not at least one bin.
    SchemaError, DomainError
        If columns are not as said.
    """
    rows = checked(predicted, outcome, weights)
    if bins < 1:
        raise ConfigError(f"expected at least one bin, got {bins}; ask for 1 or more")
    edges = quantile_edges(rows.p, bins, rows.w) if equal_population else np.linspace(0.0, 1.0, bins + 1)
    at, count = np.where(rows.w > 0.0, bin_of(rows.p, edges), -1), len(edges) - 1
    weight, squares, foreseen, true = (
        summed(column, at, count) for column in (rows.w, rows.w**2, rows.w * rows.p, rows.w * rows.y)
    )
    entries = counted_in(at, count)
    some = entries > 0
    mean, share = (np.divide(x, weight, out=np.full(count, np.nan), where=some) for x in (foreseen, true))
    low, high = np.zeros(count), np.ones(count)
    low[some], high[some] = wilson(share[some], weight[some] ** 2 / squares[some])
    return Reliability(edges, mean, share, low, high, entries, weight)


class Line(NamedTuple):
    """The logit of the observed share as a line in that of the prediction; slope 1 and intercept 0 if calibrated.

    Attributes
    ----------
    slope, slope_error : float
        Below 1 for predictions that are too sure; standard error.
    intercept, intercept_error : float
        Above 0 for a share that is larger than predicted; standard error.
    entries : int
        Rows with a weight above 0.
    """

    slope: float
    slope_error: float
    intercept: float
    intercept_error: float
    entries: int


def calibration_line(predicted: ArrayLike, outcome: ArrayLike, weights: ArrayLike | None = None) -> Line:
    """Slope and intercept of the calibration: logit P(yes) = intercept + slope logit(predicted), most likely ones.

    Parameters
    ----------
    predicted, outcome, weights
        As for `reliability`. Probabilities within `CLIP` of 0 or 1 count as if they were `CLIP` away.

    Raises
    ------
    DomainError
        If there is no such line: one outcome only, one prediction only, or predictions that separate the outcomes.
    SchemaError
        If columns are not as said.

    Notes
    -----
    D. R. Cox, Biometrika 45 (1958) 562. Errors are those of the sandwich estimator (H. White, Econometrica 50 (1982)
    1), which holds for weights that are not counts.
    """
    rows = checked(predicted, outcome, weights).counting()
    x = np.stack([np.ones(len(rows.p)), logit(np.clip(rows.p, CLIP, 1.0 - CLIP))])
    _check_doubt(x[1], rows.y == 1.0)
    rows = rows._replace(w=rows.w / rows.w.mean())
    try:
        line = _most_likely(x, rows)
        inverse = _inverse(_information(x, rows.w, line))
    except np.linalg.LinAlgError:
        raise DomainError(
            f"expected predictions that leave a doubt about the outcomes of {len(rows.y)} rows, got ones that all but"
            " separate yes from no; no calibration line can be told from steeper ones"
        ) from None
    left = x * (rows.w * (rows.y - expit(line @ x)))
    errors = np.linalg.norm(inverse @ left, axis=1)
    return Line(float(line[1]), float(errors[1]), float(line[0]), float(errors[0]), len(rows.p))


def brier_score(predicted: ArrayLike, outcome: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Weighted mean square of prediction minus outcome (G. W. Brier, Mon. Weather Rev. 78 (1950) 1).

    Columns and errors raised as for `reliability`.
    """
    rows = checked(predicted, outcome, weights)
    return float(np.average((rows.p - rows.y) ** 2, weights=rows.w))


def log_loss(predicted: ArrayLike, outcome: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Weighted mean of minus the logarithm of the probability that was given to what came true, in nats.

    Columns and errors raised as for `reliability`; probabilities are kept `CLIP` away from 0 and 1.
    """
    rows = checked(predicted, outcome, weights)
    p = np.clip(rows.p, CLIP, 1.0 - CLIP)
    return float(-np.average(xlogy(rows.y, p) + xlogy(1.0 - rows.y, 1.0 - p), weights=rows.w))


def summary(
    predicted: ArrayLike, classes: ArrayLike, names: Sequence[str], weights: ArrayLike | None = None, bins: int = 20
) -> dict[str, dict[str, float | int | None]]:
    """The figures of calibration of every class, as plain data for a manifest.

    Parameters
    ----------
    predicted, classes, names
        As for `each_class`.
    weights : array_like, shape (n,), optional
        As for `reliability`.
    bins : int
        Of equal population, for the expected calibration error.

    Returns
    -------
    dict of str to dict
        By class: entries, true and predicted share, slope and intercept with errors (None where there is no line),
        expected_calibration_error, brier_score, log_loss.
    """
    return {name: _figures(p, y, weights, bins) for name, p, y in each_class(predicted, classes, names)}


def _figures(p: Array, y: NDArray[np.bool_], weights: ArrayLike | None, bins: int) -> dict[str, float | int | None]:
    rows = checked(p, y, weights)
    try:
        line: dict[str, float | int | None] = calibration_line(p, y, weights)._asdict()
    except DomainError:
        line = dict.fromkeys(Line._fields) | {"entries": int(np.count_nonzero(rows.w))}
    return line | {
        "true_share": float(np.average(rows.y, weights=rows.w)),
        "predicted_share": float(np.average(rows.p, weights=rows.w)),
        "expected_calibration_error": reliability(p, y, weights, bins, equal_population=True).expected_error,
        "brier_score": brier_score(p, y, weights),
        "log_loss": log_loss(p, y, weights),
    }


def _check_doubt(logits: Array, yes: NDArray[np.bool_]) -> None:
    """A likelihood of two outcomes has a maximum if their predictions overlap, and only then."""
    if yes.any() and not yes.all():
        first, second = logits[yes], logits[~yes]
        if first.max() > second.min() and second.max() > first.min():
            return
    raise DomainError(
        f"expected both outcomes, and predictions that leave a doubt which it is, got {int(yes.sum())} yes out of"
        f" {len(yes)} and logits of predictions from {logits.min():g} to {logits.max():g}; no calibration line is the"
        " most likely one"
    )


def _most_likely(x: Array, rows: Predictions) -> Array:
    """Newton's way to the largest likelihood, with steps cut in halves as long as they go down."""
    line: Array = np.array([0.0, 1.0])
    reached = _likelihood(x, rows, line)
    for _ in range(_ITERATIONS):
        gradient = x @ (rows.w * (rows.y - expit(line @ x)))
        step = _inverse(_information(x, rows.w, line)) @ gradient
        while (higher := _likelihood(x, rows, line + step)) < reached - _ROUNDING * abs(reached):
            step *= 0.5
        line, reached = line + step, higher
        if np.abs(step).max() < 1e-10 * max(1.0, np.abs(line).max()):
            return line
    raise np.linalg.LinAlgError


def _inverse(information: Array) -> Array:
    """The inverse of a matrix that has one within the precision of float64."""
    if not np.linalg.cond(information) < _SINGULAR:
        raise np.linalg.LinAlgError
    return np.asarray(np.linalg.inv(information), np.float64)


def _likelihood(x: Array, rows: Predictions, line: Array) -> float:
    """Logarithm of the likelihood of a line; log P(outcome) = -log(1 + exp(-+ logit))."""
    return float(-rows.w @ np.logaddexp(0.0, (1.0 - 2.0 * rows.y) * (line @ x)))


def _information(x: Array, w: Array, line: Array) -> Array:
    p = np.asarray(expit(line @ x), np.float64)
    return np.asarray((x * (w * p * (1.0 - p))) @ x.T, np.float64)
