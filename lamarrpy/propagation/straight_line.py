"""Propagation without a magnetic field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lamarrpy.propagation.state import STEEPEST, Array, Crossings, Planes, State


def straight_line(start: State, planes: Planes) -> Crossings:
    """Carry particles along straight lines, forwards or backwards.

    Parameters
    ----------
    start : State
        n particles.
    planes : sequence of float or ndarray of shape (n,), mm
        Where to.

    Returns
    -------
    Crossings
        All planes are reached, except by particles steeper than |t| = 5.
    """
    out = Crossings.empty(len(planes), len(start.x))
    reaches = start.tx**2 + start.ty**2 <= STEEPEST**2
    for i, plane in enumerate(planes):
        way = plane - start.z
        out.put(i, slice(None), (start.x + start.tx * way, start.y + start.ty * way, start.tx, start.ty), reaches)
    return out


def straight_ahead(start: State, rows: NDArray[np.intp], planes: Sequence[float], out: Crossings) -> None:
    """Fill in where some particles, neutral ones say, cross the planes that lie ahead of them."""
    if not len(rows):
        return
    straight = straight_line(start.at(rows), planes)
    for i, plane in enumerate(planes):
        ahead = straight.reaches[i] & (start.z[rows] <= plane)
        out.put(i, rows, [column[i] for column in straight[:4]], ahead)


class StraightLine:
    """The extrapolator of a switched-off magnet, and of neutral particles."""

    def __call__(self, start: State, planes: Sequence[float]) -> Crossings:
        """The states at planes of increasing z [mm]."""
        return straight_line(start, planes)

    def carry(self, start: State, z: Array) -> State:
        """The states at a z [mm] of each particle's own."""
        way = z - start.z
        return start._replace(x=start.x + start.tx * way, y=start.y + start.ty * way, z=np.asarray(z, np.float64))
