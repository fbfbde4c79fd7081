"""The true ways of particles through the gas of a RICH."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry.detector import Detector
from lamarrpy.detailed.rich.radiators import Radiator
from lamarrpy.detailed.transport import Truth
from lamarrpy.particles import mass

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


class Legs(NamedTuple):
    """k ways through the gas, each array of shape (k,); one that decays in the gas has two.

    Attributes
    ----------
    row : ndarray of int
        Of the particle in ``Truth.particles``.
    part : ndarray of int
        0 before a decay in flight, 1 after it.
    begin, end : ndarray, mm
        z range inside the gas.
    x, y : ndarray, mm
        Position at ``begin``.
    tx, ty : ndarray
        Slopes at ``begin``.
    turn_x, turn_y : ndarray, 1/mm
        Change of the slopes with z: the field, and what scattering does, spread over the way.
    p, mass : ndarray, MeV
        Momentum and mass.
    """

    row: Rows
    part: NDArray[np.int64]
    begin: Array
    end: Array
    x: Array
    y: Array
    tx: Array
    ty: Array
    turn_x: Array
    turn_y: Array
    p: Array
    mass: Array

    def at(self, rows: Rows) -> Legs:
        """Some of them."""
        return Legs._make(column[rows] for column in self)


class _Start(NamedTuple):
    """Where k particles are, or begin to be, before or in the gas."""

    row: Rows
    z: Array
    x: Array
    y: Array
    tx: Array
    ty: Array
    p: Array


def legs_of(truth: Truth, detector: Detector, radiator: Radiator) -> Legs:
    """The ways of all particles through the gas of a radiator, up to where they interact, decay or leave.

    Parameters
    ----------
    truth : Truth
        What the particles did.
    detector : Detector
        With the reference planes before and behind the radiator.
    radiator : Radiator
        Which.
    """
    begin, end = (detector.plane_number(f"{radiator.name}_{name}") for name in ("begin", "end"))
    z_begin, z_end = detector.planes[begin].z, detector.planes[end].z
    leave = truth.crossing_at(end)
    before = _joined([_crossing(truth, begin, z_begin), _born(truth, z_begin, radiator.gas[1])])
    decayed = truth.decay_z[before.row] <= z_begin
    pid = np.where(decayed, truth.daughter_pid[before.row], truth.particles.pid[before.row])
    until = np.where(decayed, truth.end_z[before.row], np.minimum(truth.end_z, truth.decay_z)[before.row])
    whole = decayed | np.isinf(truth.decay_z[before.row])
    first = _legs(truth, before, (pid, until, np.where(whole, leave[before.row], -1)), radiator, z_end)
    after = _daughters(truth, z_begin, radiator.gas[1])
    how = (truth.daughter_pid[after.row], truth.end_z[after.row], leave[after.row])
    second = _legs(truth, after, how, radiator, z_end)
    second = second._replace(part=np.ones(len(second.row), np.int64))
    return Legs._make(np.concatenate(columns) for columns in zip(first, second, strict=True))


def _joined(starts: list[_Start]) -> _Start:
    return _Start._make(np.concatenate(columns) for columns in zip(*starts, strict=True))


def _crossing(truth: Truth, plane: int, z: float) -> _Start:
    """Particles where they cross the plane before the gas."""
    at = truth.crossings
    here = np.flatnonzero(at.plane == plane)
    return _Start(at.row[here], np.full(len(here), z), *(a[here] for a in (at.x, at.y, at.tx, at.ty, at.p)))


def _born(truth: Truth, low: float, high: float) -> _Start:
    """Particles that are born between two z [mm]."""
    who = truth.particles
    rows = np.flatnonzero((who.z >= low) & (who.z < high))
    return _from_momentum(rows, *(getattr(who, name)[rows] for name in ("x", "y", "z", "px", "py", "pz")))


def _daughters(truth: Truth, low: float, high: float) -> _Start:
    """What goes on from decays between two z [mm]."""
    born = truth.daughters
    rows = np.flatnonzero((born.z > low) & (born.z < high))
    return _from_momentum(born.row[rows], *(getattr(born, name)[rows] for name in ("x", "y", "z", "px", "py", "pz")))


def _from_momentum(row: Rows, x: Array, y: Array, z: Array, px: Array, py: Array, pz: Array) -> _Start:
    return _Start(row, z, x, y, px / pz, py / pz, np.sqrt(px * px + py * py + pz * pz))


def _legs(
    truth: Truth, start: _Start, how: tuple[NDArray[np.int64], Array, Rows], radiator: Radiator, z_end: float
) -> Legs:
    """The parts inside the gas of ways of particles of PDG numbers, up to a z, or to the crossing behind the gas."""
    pid, until, leave = how
    at, seen, span = truth.crossings, leave >= 0, z_end - start.z
    turns = []
    for before, behind in ((start.tx, at.tx), (start.ty, at.ty)):
        turn = np.zeros(len(span))
        turn[seen] = (behind[leave[seen]] - before[seen]) / span[seen]
        turns.append(turn)
    begin, end = np.maximum(start.z, radiator.gas[0]), np.minimum(until, radiator.gas[1])
    lever = begin - start.z
    place = (start.x + lever * start.tx, start.y + lever * start.ty)
    slopes = (start.tx + lever * turns[0], start.ty + lever * turns[1])
    none = np.zeros(len(begin), np.int64)
    legs = Legs(start.row, none, begin, end, *place, *slopes, turns[0], turns[1], start.p, mass(pid))
    return legs.at(np.flatnonzero(end > begin))
