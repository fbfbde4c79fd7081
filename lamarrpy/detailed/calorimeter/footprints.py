"""Clusters as the cells that they hold, and what they hold of each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]


class Footprints(NamedTuple):
    """c clusters as e entries, one for each cell of each, in the order of the clusters.

    Attributes
    ----------
    event, seed : ndarray of int, shape (c,)
        Position of the event in the batch, and the cell in the middle.
    cluster, cell : ndarray of int, shape (e,)
        Position of the cluster, and one of its cells.
    weight : ndarray, shape (e,)
        Share of the cell's energy that is the cluster's.
    x, y : ndarray, shape (c,), mm
        Where the shower's axis meets the plane of the cells.
    """

    event: Index
    seed: Index
    cluster: Index
    cell: Index
    weight: Array
    x: Array
    y: Array

    @property
    def number(self) -> int:
        """Of clusters, c."""
        return len(self.seed)

    def sums(self, entries: Array) -> Array:
        """The sum over the cells of each cluster, in their order, shape (c,)."""
        return np.bincount(self.cluster, entries, minlength=self.number).astype(np.float64)

    def of(self, signals: Array) -> Array:
        """What each entry has of signals of shape (events, cells + 1): its share, shape (e,)."""
        return np.asarray(self.weight * signals[self.event[self.cluster], self.cell])

    def energy(self, signals: Array) -> Array:
        """Sum of the signals of the cells of each cluster, shape (c,)."""
        return self.sums(self.of(signals))

    def at(self, clusters: Any) -> Footprints:
        """Some of the clusters (mask or index array in increasing order)."""
        chosen = np.arange(self.number)[clusters]
        number = np.full(self.number, -1)
        number[chosen] = np.arange(len(chosen))
        kept = number[self.cluster] >= 0
        return Footprints(
            self.event[chosen], self.seed[chosen], number[self.cluster[kept]], self.cell[kept], self.weight[kept],
            self.x[chosen], self.y[chosen],
        )  # fmt: skip
