"""Robust figures of distributions with their statistical errors, none of which assumes a shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

FEWEST = 30
"""Entries below which a figure is not worth giving."""

_FEWEST_IN_BIN = 10

CENTRAL = 0.6826895
"""Share of a normal distribution within one standard deviation."""


class Measured(NamedTuple):
    """A figure, its statistical error, and the entries it is made of; None if there were too few."""

    value: float | None
    error: float | None
    entries: int

    def times(self, factor: float) -> Measured:
        """The same in other units."""
        if self.value is None or self.error is None:
            return self
        return Measured(self.value * factor, self.error * abs(factor), self.entries)


def quantile(values: ArrayLike, q: float, weights: ArrayLike | None = None) -> Measured:
    """The value below which a share of the weight lies, and its error.

    The error comes from the ranks between which the binomial error of the share puts it, for as many
    entries of equal weight as the weights are worth.

    Parameters
    ----------
    values : array_like, shape (n,)
        In any unit.
    q : float
        The share, 0 to 1.
    weights : array_like, shape (n,), optional
        Not negative; those of weight 0 do not count as entries.
    """
    v = np.asarray(values, np.float64)
    w = np.ones(len(v)) if weights is None else np.asarray(weights, np.float64)
    v, w = v[w > 0.0], w[w > 0.0]
    if len(v) < FEWEST:
        return Measured(None, None, len(v))
    order = np.argsort(v)
    below = (np.cumsum(w[order]) - 0.5 * w[order]) / np.sum(w)
    spread = np.sqrt(q * (1.0 - q) * np.sum(w**2)) / np.sum(w)
    low, middle, high = np.interp((q - spread, q, q + spread), below, v[order])
    return Measured(float(middle), float(0.5 * (high - low)), len(v))


def half_width(values: ArrayLike, weights: ArrayLike | None = None) -> Measured:
    """The distance from the median within which 68.27 % lie: one standard deviation if normal.

    Parameters
    ----------
    values : array_like, shape (n,)
        Residuals, in any unit.
    weights : array_like, shape (n,), optional
        As for `quantile`.

    Returns
    -------
    Measured
        In the same unit; None for less than ``FEWEST`` entries.
    """
    v, median = np.asarray(values, np.float64), quantile(values, 0.5, weights)
    return median if median.value is None else quantile(np.abs(v - median.value), CENTRAL, weights)


def evenly(coordinate: ArrayLike, edges: ArrayLike) -> Array:
    """Weights that let every bin of a coordinate count the same, whatever the sample prefers.

    Parameters
    ----------
    coordinate : array_like, shape (n,)
        Such as the pseudorapidity.
    edges : array_like, shape (bins + 1,)
        What lies outside, or in a bin with less than ten, has weight 0.

    Returns
    -------
    ndarray, shape (n,)
    """
    weights = np.zeros(len(np.asarray(coordinate)))
    for rows in bin_rows(coordinate, edges):
        if len(rows) >= _FEWEST_IN_BIN:
            weights[rows] = 1.0 / len(rows)
    return weights


def core_mean(values: ArrayLike, within: float = 3.0) -> Measured:
    """The mean of what lies within so many of its units of zero: of pulls, without the tails."""
    v = np.asarray(values, np.float64)
    v = v[np.abs(v) < within]
    if len(v) < FEWEST:
        return Measured(None, None, len(v))
    return Measured(float(np.mean(v)), float(np.std(v) / np.sqrt(len(v))), len(v))


def share(passed: ArrayLike) -> Measured:
    """The share that passes, and half the length of its interval after Wilson (J. Am. Stat. Ass. 22 (1927) 209)."""
    p = np.asarray(passed, bool)
    n = len(p)
    if n < FEWEST:
        return Measured(None, None, n)
    value = float(np.mean(p))
    return Measured(value, float(np.sqrt(value * (1.0 - value) / n + 0.25 / n**2) / (1.0 + 1.0 / n)), n)


def ratio(above: Measured, below: Measured) -> Measured:
    """One figure over an independent one."""
    entries = min(above.entries, below.entries)
    if above.value is None or below.value is None or above.error is None or below.error is None or not below.value:
        return Measured(None, None, entries)
    value = above.value / below.value
    return Measured(value, float(np.hypot(above.error, value * below.error) / abs(below.value)), entries)


def combine(parts: list[Measured], weights: list[float]) -> Measured:
    """The weighted mean of independent figures; None if one is missing."""
    entries = sum(part.entries for part in parts)
    values, errors = ([part[i] for part in parts] for i in (0, 1))
    if not parts or any(value is None for value in values):
        return Measured(None, None, entries)
    w = np.array(weights) / np.sum(weights)
    return Measured(
        float(w @ np.array(values, np.float64)), float(np.linalg.norm(w * np.array(errors, np.float64))), entries
    )


def in_bins(
    values: ArrayLike, coordinate: ArrayLike, edges: ArrayLike, figure: Callable[[Array], Measured]
) -> list[Measured]:
    """A figure in each bin of a coordinate, one for each pair of neighbouring edges."""
    values = np.asarray(values)
    return [figure(values[rows]) for rows in bin_rows(coordinate, edges)]


def bin_rows(coordinate: ArrayLike, edges: ArrayLike) -> Iterator[NDArray[np.intp]]:
    """The rows in each bin, lower edge included."""
    at = np.searchsorted(np.asarray(edges, np.float64), np.asarray(coordinate, np.float64), side="right") - 1
    for number in range(len(np.asarray(edges)) - 1):
        yield np.flatnonzero(at == number)
