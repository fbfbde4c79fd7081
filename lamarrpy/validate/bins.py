"""Bins of the phase space: their edges, the rows in them, and a distance in every one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lamarrpy.errors import ConfigError, DomainError, SchemaError, did_you_mean
from lamarrpy.validate.samples import Array, Values, checked_values, checked_weights, counted

Metric = Callable[[Values, Values, Array | None, Array | None], float]
"""A distance of (reference, candidate, weights of the reference, weights of the candidate)."""


def checked_edges(edges: ArrayLike, name: str) -> Array:
    """Edges of bins as float64: ascending, at least two; the outermost may be infinite.

    Raises
    ------
    ConfigError
        If they are not.
    """
    e = np.asarray(edges, np.float64)
    if e.ndim != 1 or len(e) < 2 or not np.all(e[1:] > e[:-1]):
        raise ConfigError(
            f"bins of {name!r}: expected at least two ascending edges, got {e.tolist()}; quantile_edges makes them"
        )
    return e


def bin_of(values: Values, edges: Array) -> NDArray[np.intp]:
    """The bin of each row, -1 outside; a lower edge belongs to its bin, the very last edge to the last bin."""
    at = np.searchsorted(edges, values, side="right") - 1
    at[at == len(edges) - 1] = -1
    at[values == edges[-1]] = len(edges) - 2
    return at


def quantile_edges(values: ArrayLike, count: int, weights: ArrayLike | None = None) -> Array:
    """Edges of bins that hold the same share of a sample each, as nearly as its ties allow.

    Every edge is a value of the sample, at or above which a bin begins. Integers give fewer bins if need be, and a
    point mass that is worth a bin gets one of its own if it lies at the lower or upper end.

    Parameters
    ----------
    values : array_like, shape (n,)
        Float, integer or boolean, finite.
    count : int
        Bins, at least 1.
    weights : array_like, shape (n,), optional
        Finite, not negative, not all 0.

    Returns
    -------
    ndarray of float64, shape (bins + 1,)
        Strictly ascending, from the lowest value to the highest, with at most ``count`` + 1 bins.

    Raises
    ------
    ConfigError
        If the count is below 1.
    SchemaError, DomainError
        If values or weights are not as said.
    """
    if count < 1:
        raise ConfigError(f"expected at least one bin, got {count}; ask for 1 or more")
    column, w = counted(values, weights, "the variable of the bins")
    order = np.argsort(column)
    v = column[order].astype(np.float64)
    first = np.flatnonzero(np.append(True, v[1:] > v[:-1]))
    cumulative = np.arange(len(v) + 1) if w is None else np.append(0.0, np.cumsum(w[order]))
    wanted = np.arange(1, count) / count * cumulative[-1] * (1.0 - 1e-12)  # a share met but for rounding is met
    at = np.searchsorted(cumulative[first], wanted)
    edges = np.concatenate([v[:1], v[first[at[at < len(first)]]], v[-1:]])
    if len(first) == 1 or (at == len(first) - 1).any():  # the highest value begins a bin: let it end beyond
        edges = np.append(edges, np.nextafter(v[-1], np.inf))
    return np.unique(edges)


@dataclass(frozen=True)
class InBins:
    """A distance in every bin of several variables.

    Attributes
    ----------
    edges : dict of str to ndarray, shape (bins of the variable + 1,)
        In the order of the axes of the arrays below.
    value : ndarray of float64, shape (bins of the first variable, of the second, ...)
        NaN where either sample has fewer than ``minimum`` rows.
    entries_reference, entries_candidate : ndarray of int64, same shape
        Rows with a weight above 0.
    minimum : int
        Rows that both samples need.
    """

    edges: dict[str, Array]
    value: Array
    entries_reference: NDArray[np.int64]
    entries_candidate: NDArray[np.int64]
    minimum: int

    @property
    def maximum(self) -> float:
        """The largest distance of any bin.

        Raises
        ------
        DomainError
            If no bin has enough rows of both samples.
        """
        return float(self.value[self._worst()])

    @property
    def worst(self) -> dict[str, tuple[float, float]]:
        """The edges of the bin with the largest distance, by variable; raises as ``maximum``."""
        where = zip(self.edges.items(), self._worst(), strict=True)
        return {name: (float(edges[i]), float(edges[i + 1])) for (name, edges), i in where}

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data for JSON: None for a bin with too few rows, "inf" for an infinite number."""
        return {
            "edges": {name: plain(edges) for name, edges in self.edges.items()},
            "value": plain(self.value),
            "entries_reference": self.entries_reference.tolist(),
            "entries_candidate": self.entries_candidate.tolist(),
            "minimum": self.minimum,
        }

    def _worst(self) -> tuple[int, ...]:
        if np.isnan(self.value).all():
            raise DomainError(
                f"expected a bin with at least {self.minimum} rows of both samples, got none of {self.value.size}: the"
                f" fullest has {int(np.minimum(self.entries_reference, self.entries_candidate).max())}; use fewer bins"
                " or a smaller minimum"
            )
        return tuple(int(i) for i in np.unravel_index(np.nanargmax(self.value), self.value.shape))


def in_bins(
    metric: Metric,
    reference: ArrayLike,
    candidate: ArrayLike,
    bins: Mapping[str, ArrayLike],
    reference_conditions: Mapping[str, ArrayLike],
    candidate_conditions: Mapping[str, ArrayLike],
    weights_reference: ArrayLike | None = None,
    weights_candidate: ArrayLike | None = None,
    minimum: int = 1000,
) -> InBins:
    """Compare two samples in every bin of one or several variables taken together.

    Parameters
    ----------
    metric : callable
        Such as `ks_distance` or `wasserstein_over_sigma`, called with what lies in a bin.
    reference, candidate : array_like, shape (n,) and (m,)
        Float, integer or boolean, finite.
    bins : mapping of str to array_like, shape (bins + 1,)
        Ascending edges of each variable; a bin holds its lower edge, the last one its upper edge as well.
    reference_conditions, candidate_conditions : mapping of str to array_like, shape (n,) and (m,)
        The variables of the bins, others are ignored; what lies outside the edges does not count.
    weights_reference, weights_candidate : array_like, shape (n,) and (m,), optional
        Finite, not negative, not all 0.
    minimum : int
        Rows of either sample below which a bin is not worth comparing; at least 1.

    Returns
    -------
    InBins
        Its ``maximum`` is the one number of it, as for the largest distance over p, eta and n_tracks.

    Raises
    ------
    ConfigError
        If there are no bins, edges do not ascend, or the minimum is below 1.
    SchemaError
        If a variable of the bins is missing, or columns differ in length.
    DomainError
        If values or weights are not finite.
    """
    if not bins or minimum < 1:
        raise ConfigError(f"expected bins of a variable and a minimum of 1 or more, got {dict(bins)} and {minimum}")
    edges = {name: checked_edges(e, name) for name, e in bins.items()}
    ours = _Sorted(reference, weights_reference, reference_conditions, edges, "reference")
    others = _Sorted(candidate, weights_candidate, candidate_conditions, edges, "candidate")
    shape = tuple(len(e) - 1 for e in edges.values())
    value = np.full(int(np.prod(shape)), np.nan)
    for i in np.flatnonzero(np.minimum(ours.entries, others.entries) >= minimum):
        (a, w_a), (b, w_b) = ours.bin(int(i)), others.bin(int(i))
        value[i] = metric(a, b, w_a, w_b)
    return InBins(edges, value.reshape(shape), ours.entries.reshape(shape), others.entries.reshape(shape), minimum)


class _Sorted:
    """The rows of a sample bin by bin."""

    def __init__(
        self,
        values: ArrayLike,
        weights: ArrayLike | None,
        conditions: Mapping[str, ArrayLike],
        edges: Mapping[str, Array],
        what: str,
    ) -> None:
        column = checked_values(values, what)
        w = checked_weights(weights, len(column), what)
        at = _flat_bin(conditions, edges, len(column), what)
        if w is not None:
            at[w == 0.0] = -1
        bins = int(np.prod([len(e) - 1 for e in edges.values()]))
        order = np.argsort(at.astype(np.int16) if bins < 2**15 else at, kind="stable")  # few bins: a radix sort
        counts = np.bincount(at + 1, minlength=bins + 1)
        self._ends = np.cumsum(counts)
        self.entries = counts[1:].astype(np.int64)
        self._values, self._weights = column[order], None if w is None else w[order]

    def bin(self, i: int) -> tuple[Values, Array | None]:
        """Values and weights of one bin."""
        rows = slice(self._ends[i], self._ends[i + 1])
        return self._values[rows], None if self._weights is None else self._weights[rows]


def _flat_bin(
    conditions: Mapping[str, ArrayLike], edges: Mapping[str, Array], rows: int, what: str
) -> NDArray[np.intp]:
    """The number of the bin of each row in the flattened grid, -1 outside."""
    flat, outside = np.zeros(rows, np.intp), np.zeros(rows, bool)
    for name, e in edges.items():
        if name not in conditions:
            raise SchemaError(
                f"{what}: expected the variable {name!r} of the bins, got {', '.join(conditions) or 'none'}"
                f"{did_you_mean(name, conditions)}; give it as a column"
            )
        column = checked_values(conditions[name], f"{what} condition {name!r}")
        if len(column) != rows:
            raise SchemaError(f"{what}: expected {rows} rows of condition {name!r}, got {len(column)}; give one a row")
        at = bin_of(column, e)
        outside |= at < 0
        flat *= len(e) - 1
        flat += at
    flat[outside] = -1
    return flat


def plain(values: NDArray[np.generic]) -> Any:
    """Nested lists of an array for JSON: None for NaN, "inf" and "-inf" for the infinite."""
    if values.ndim:
        return [plain(part) for part in values]
    number = float(values)
    if np.isnan(number):
        return None
    return number if np.isfinite(number) else str(number)
