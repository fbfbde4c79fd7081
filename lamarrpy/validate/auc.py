"""The area under the ROC curve of scores, exact with ties and weights, and its statistical error."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lamarrpy.errors import DomainError, SchemaError
from lamarrpy.validate.samples import Array, Values, checked_values, checked_weights


class Auc(NamedTuple):
    """An area under the ROC curve and its standard error."""

    value: float
    error: float


def roc_auc(scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> float:
    """How often a row labelled true scores higher than one labelled false, a tie counting half.

    Parameters
    ----------
    scores : array_like, shape (n,)
        Finite, in any unit.
    labels : array_like, shape (n,)
        Boolean, or 0 and 1; some of either.
    weights : array_like, shape (n,), optional
        Finite, not negative; not all 0 for either label.

    Returns
    -------
    float
        0 to 1; 0.5 if the scores know nothing of the labels.

    Raises
    ------
    SchemaError
        If the arguments are not columns of numbers of one length.
    DomainError
        If there are not both labels, or scores or weights are not as said.
    """
    return auc_with_error(scores, labels, weights).value


def auc_with_error(scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Auc:
    """The area under the ROC curve with its standard error; parameters and errors are those of `roc_auc`.

    Notes
    -----
    The error is that of E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Biometrics 44 (1988) 837: from the spread
    of the rows' own shares. Weights enter it as they enter the variance of a weighted mean, so that integer weights
    are not taken for repeated rows. For scores that separate the labels wholly it is 0.
    """
    s, label = checked_values(scores, "scores"), checked_values(labels, "labels")
    w = checked_weights(weights, len(s), "scores")
    if len(label) != len(s):
        raise SchemaError(f"expected a label for each of {len(s)} scores, got {len(label)}; give one a row")
    if not np.all((label == 0) | (label == 1)):
        raise DomainError("expected labels that are True or False, or 1 or 0, got other values")
    true = label == 1
    w = np.ones(len(s)) if w is None else w
    if not (w[true].any() and w[~true].any()):
        raise DomainError("expected rows of both labels with a weight above 0, got one label only; give rows of both")
    return Placements(s[true], s[~true], w[true], w[~true]).auc()


class Placements:
    """For every row, the share of the other sample that it is on the right side of.

    Parameters
    ----------
    high, low : ndarray, shape (n,) and (m,)
        Scores of the rows that should score high, and of those that should score low.
    weights_high, weights_low : ndarray of float64, same shapes
        Not negative, not all 0.
    """

    def __init__(self, high: Values, low: Values, weights_high: Array, weights_low: Array) -> None:
        self._weights = weights_high / weights_high.sum(), weights_low / weights_low.sum()
        self._shares = _share_below(high, low, weights_low), 1.0 - _share_below(low, high, weights_high)

    def auc(self) -> Auc:
        """The mean share, and its error by the spread of the shares in both samples."""
        return _mean(self._shares, self._weights)

    def minus(self, other: Placements) -> Auc:
        """The difference to the area of other scores of the same rows, with the error of paired scores."""
        shares = self._shares[0] - other._shares[0], self._shares[1] - other._shares[1]
        return _mean(shares, self._weights)


def _mean(shares: tuple[Array, Array], weights: tuple[Array, Array]) -> Auc:
    value = float(weights[0] @ shares[0])
    variance = sum(float(w**2 @ (share - value) ** 2) for share, w in zip(shares, weights, strict=True))
    return Auc(value, float(np.sqrt(variance)))


def _share_below(scores: Values, others: Values, weights: Array) -> Array:
    """The share of the others' weight below each score, and half of what is equal to it."""
    order, position = np.argsort(others), np.argsort(scores)
    cumulative = np.append(0.0, np.cumsum(weights[order]))
    ascending, wanted = others[order], scores[position]
    below = cumulative[np.searchsorted(ascending, wanted, side="left")]
    up_to = cumulative[np.searchsorted(ascending, wanted, side="right")]
    share = np.empty(len(scores))
    share[position] = (below + up_to) / (2.0 * cumulative[-1])
    return share
