"""Predicted probabilities beside what came true: checked columns, and one class at a time out of many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lamarrpy.errors import DomainError, SchemaError
from lamarrpy.validate.bins import plain
from lamarrpy.validate.samples import Array, checked_values, checked_weights

_ROUNDING = 1e-6
"""By how much a probability of float32 may lie beyond 0 or 1."""


class Predictions(NamedTuple):
    """Checked columns of float64: predicted probability, outcome 0 or 1, weight."""

    p: Array
    y: Array
    w: Array

    def counting(self) -> Predictions:
        """Those whose weight is not 0."""
        return self if self.w.all() else Predictions(*(column[self.w > 0.0] for column in self))


def checked(predicted: ArrayLike, outcome: ArrayLike, weights: ArrayLike | None) -> Predictions:
    """Predicted probabilities, outcomes and weights that fit together.

    Parameters
    ----------
    predicted : array_like, shape (n,)
        Probability of yes, 0 to 1; what rounding to float32 has carried beyond is brought back.
    outcome : array_like, shape (n,)
        Boolean, or 0 and 1.
    weights : array_like, shape (n,), optional
        Finite, not negative, not all 0.

    Raises
    ------
    SchemaError
        If they are not columns of numbers of one length.
    DomainError
        If there are no rows, or values are not as said.
    """
    p = checked_values(predicted, "predicted probabilities").astype(np.float64)
    y = checked_values(outcome, "outcomes").astype(np.float64)
    if len(p) != len(y):
        raise SchemaError(f"expected an outcome for each of {len(p)} predictions, got {len(y)}; give one a row")
    if p.min() < -_ROUNDING or p.max() > 1.0 + _ROUNDING:
        raise DomainError(f"expected probabilities from 0 to 1, got {p.min():g} to {p.max():g}; logits need a sigmoid")
    if not np.all((y == 0.0) | (y == 1.0)):
        raise DomainError("expected outcomes True or False, or 1 or 0, got other values; give one class at a time")
    w = checked_weights(weights, len(p), "predictions")
    return Predictions(np.clip(p, 0.0, 1.0), y, np.ones(len(p)) if w is None else w)


def summed(column: Array, at: NDArray[np.intp], bins: int) -> Array:
    """The sum of a column in each bin; rows in bin -1 do not count."""
    return np.asarray(np.bincount(at + 1, column, minlength=bins + 1)[1:], np.float64)


def counted_in(at: NDArray[np.intp], bins: int) -> NDArray[np.int64]:
    """The rows in each bin; those in bin -1 do not count."""
    return np.bincount(at + 1, minlength=bins + 1)[1:].astype(np.int64)


def each_class(
    predicted: ArrayLike, classes: ArrayLike, names: Sequence[str]
) -> Iterator[tuple[str, Array, NDArray[np.bool_]]]:
    """Every class against all others: its name, its probability (n,), and whether it is the true one (n,).

    Parameters
    ----------
    predicted : array_like, shape (n, k)
        Probabilities of all classes.
    classes : array_like of int, shape (n,)
        The true class of each row, from 0 to k - 1.
    names : sequence of str
        Of the k classes.

    Raises
    ------
    SchemaError
        If shapes do not fit together, or there is another class.
    """
    p, c = np.asarray(predicted), np.asarray(classes)
    if p.ndim != 2 or p.shape != (len(c), len(names)) or c.ndim != 1 or c.dtype.kind not in "iub":
        raise SchemaError(
            f"expected probabilities of {len(names)} classes and the number of the true class for each row, got shapes"
            f" {p.shape} and {c.shape} and classes of dtype {c.dtype}; argmax makes numbers of one-hot columns"
        )
    if len(c) and not 0 <= int(c.min()) <= int(c.max()) < len(names):
        raise SchemaError(f"expected classes from 0 to {len(names) - 1}, got {int(c.min())} to {int(c.max())}")
    for i, name in enumerate(names):
        yield name, np.asarray(p[:, i], np.float64), c == i


def as_plain(columns: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Arrays by name as plain data for JSON: None for NaN, "inf" for an infinite number."""
    return {name: column.tolist() if column.dtype.kind == "i" else plain(column) for name, column in columns.items()}
