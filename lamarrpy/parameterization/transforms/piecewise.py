"""Piecewise linear functions that never fall, found without a search: a uniform grid says where to look."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BLOCK = 8192
"""Rows worked on at a time, so that they stay in the processor's cache."""

_CELLS = 8
"""Cells of the grid for each edge."""

_MOST_STEPS = 4
"""Edges in one cell beyond which a binary search is faster than stepping over them."""


class Intervals:
    """The intervals between sorted edges, by number.

    Parameters
    ----------
    edges : ndarray of float64, shape (b,)
        Not falling.
    """

    def __init__(self, edges: Floats) -> None:
        self.edges = edges
        self._padded = np.append(edges, np.inf)
        cells = max(1, _CELLS * len(edges))
        self._start = edges[0] if len(edges) else 0.0
        width = edges[-1] - edges[0] if len(edges) else 0.0
        self._per_unit = cells / width if width > cells * np.finfo(np.float64).tiny else 0.0
        self._last = float(cells - 1)
        self._first = np.zeros(cells, np.intp)
        if len(edges):
            of_edges = self._cell(edges)
            self._first = np.searchsorted(of_edges, np.arange(cells)).astype(np.intp)
            self._steps = int(np.bincount(of_edges).max())
        else:
            self._steps = 0

    def _cell(self, values: Floats) -> NDArray[np.intp]:
        """The cell of each value: a function that never falls, whatever the rounding."""
        cell = values - self._start
        cell *= self._per_unit
        np.clip(cell, 0.0, self._last, out=cell)
        return cell.astype(np.intp)

    def __call__(self, values: Floats) -> NDArray[np.intp]:
        """How many edges are not above each value, shape (n,)."""
        if self._steps > _MOST_STEPS:
            return self.edges.searchsorted(values, side="right")
        number = self._first.take(self._cell(values), mode="clip")
        for _ in range(self._steps):
            number += values >= self._padded.take(number, mode="clip")
        return number


class Lines:
    """A function that is linear between edges, and never falls.

    In each interval: min(value + (x - start) / span * rise, top). The top keeps rounding from stepping
    over the start of the next interval.

    Parameters
    ----------
    edges : ndarray of float64, shape (b,)
        Not falling; an edge belongs to the interval above it.
    start, value, span, rise, top : ndarray of float64, shape (b + 1,)
        Of each interval; the first one lies below all edges.
    """

    def __init__(self, edges: Floats, start: Floats, value: Floats, span: Floats, rise: Floats, top: Floats) -> None:
        self._intervals = Intervals(edges)
        self._start, self._value, self._span, self._rise, self._top = start, value, span, rise, top

    def __call__(self, values: Floats) -> Floats:
        """The function of values of shape (n,)."""
        out = np.empty(len(values))
        for first in range(0, len(values), _BLOCK):
            some = values[first : first + _BLOCK]
            number = self._intervals(some)
            part = out[first : first + _BLOCK]
            np.subtract(some, self._start.take(number, mode="clip"), out=part)
            part /= self._span.take(number, mode="clip")
            part *= self._rise.take(number, mode="clip")
            part += self._value.take(number, mode="clip")
            np.minimum(part, self._top.take(number, mode="clip"), out=part)
        return out
