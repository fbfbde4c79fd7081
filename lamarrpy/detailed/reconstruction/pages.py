"""Measurements and noise around reference trajectories, as the filter reads them: hit by hit, side by side."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.hits import Hits

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

PARAMETERS = 5
"""dx, dy, du, dv and dq: deviations of a track from its reference at the reference's start."""

NOISE_TERMS = (*((i, j) for i in range(4) for j in range(i, 4)), (4, 4))
"""Elements of the symmetric noise matrix that are kept: scattering leaves the momentum alone, and what the
energy loss does to it counts only before the magnet, where it changes nothing else."""


class Linear(NamedTuple):
    """Measurements and noise around n reference trajectories, the hits padded to m a track, last hit first.

    Attributes
    ----------
    residual : ndarray, shape (m, n), mm
        Measurement less what the reference predicts.
    slope : ndarray, shape (m, 5, n)
        Derivatives of the prediction with respect to the parameters.
    noise : ndarray, shape (m + 1, 11, n)
        NOISE_TERMS of the noise met going upstream before each hit, and after the last one.
    """

    residual: Array
    slope: Array
    noise: Array


class Pages:
    """The hits of n tracks by plane, and the pages that a walk from plane to plane fills in.

    Parameters
    ----------
    order : ndarray of int, shape (n,)
        Track of each row of the walk.
    first : ndarray of int, shape (n + 1,)
        The hits of track i are ``first[i]:first[i + 1]``, in increasing z.
    hits : Hits
        The hits of all tracks.
    """

    def __init__(self, order: Rows, first: Rows, hits: Hits) -> None:
        n, counts = len(order), np.diff(first)
        self.order, self.counts, self.hits = order, counts[order], hits
        row_of = np.empty(n, np.intp)
        row_of[order] = np.arange(n)
        self.track = np.repeat(np.arange(n), counts)
        self.row = row_of[self.track]
        self.place = np.repeat(first[1:], counts) - 1 - np.arange(len(self.track))
        most = int(counts.max(initial=0))
        self.linear = Linear(
            np.zeros((most, n)), np.zeros((most, PARAMETERS, n)), np.zeros((most + 1, len(NOISE_TERMS), n))
        )
        by_plane = np.argsort(hits.plane.astype(np.int16), kind="stable")
        borders = np.searchsorted(hits.plane[by_plane], np.arange(int(hits.plane.max(initial=-1)) + 2))
        self._of_plane = [by_plane[a:b] for a, b in pairwise(borders)]

    def of_plane(self, plane: int) -> Rows:
        """The hits of one plane, by track and then along z."""
        return self._of_plane[plane] if plane < len(self._of_plane) else np.zeros(0, np.intp)

    def write_hits(self, found: Rows, residual: Array, slope: tuple[Array, ...]) -> None:
        """Write down some hits."""
        place, track = self.place[found], self.track[found]
        self.linear.residual[place, track] = residual
        for i, derivative in enumerate(slope):
            self.linear.slope[place, i, track] = derivative

    def write_noise(self, rows: Rows, passed: Rows, noise: Array) -> None:
        """Write down the noise between a hit, so many being passed, and the one before, for some rows of the walk."""
        self.linear.noise[self.counts[rows] - passed, :, self.order[rows]] = noise.T
