"""Acceptance: whether the way of a particle leads through enough of the tracking system for a track."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector
from lamarrpy.detailed.reconstruction.layers import Mask, Rows, count, in_every_station, layers_of, pattern
from lamarrpy.detailed.reconstruction.segments import LEAST_PHI, LEAST_R
from lamarrpy.detailed.transport import Fate, PlaneCrossings, Truth
from lamarrpy.field.model import MagneticField
from lamarrpy.particles import charge
from lamarrpy.propagation import SharedSteps, State

CUT_SHORT = (Fate.interacted, Fate.decayed, Fate.stopped)
"""Fates that say nothing of where the particle was heading; nor do decays and bremsstrahlung."""

_FIRST_HALF, _SECOND_HALF = 0b0011, 0b1100
"""Layers of the two halves of TT."""


def in_acceptance(truth: Truth, detector: Detector, field: MagneticField) -> Mask:
    """Whether each particle is in the acceptance of the tracking system, whatever its sensors see.

    It has to go through an x and a stereo layer in each of the three T stations (LHCb's definition of what
    can be reconstructed there, MCTrackInfo), and through enough of what lies before the magnet: 3 R and 3
    phi sensors of the VELO, or a layer in both halves of TT. A particle that interacts, radiates, decays or
    stops on the way is in acceptance if it had gone there: that it is not found is a matter of efficiency.
    What the magnet bends out of the T stations is not in acceptance, though it may be found as Upstream.

    Parameters
    ----------
    truth : Truth
        n particles.
    detector, field : Detector, MagneticField
        What they go through.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    n = len(truth.particles.pid)
    accepted = _crosses_enough(truth.crossings, n, detector)
    short = np.isin(truth.fate, CUT_SHORT) | np.isfinite(truth.decay_z) | (truth.radiated > 0.0)
    rows = np.flatnonzero(~accepted & short)
    accepted[rows] = _leads_through(truth, rows, detector, field)
    return accepted


def _crosses_enough(crossings: PlaneCrossings, n: int, detector: Detector) -> Mask:
    """The same for n particles by the sensors that they do cross."""
    layers = layers_of(detector)
    row, plane = crossings.row, crossings.plane
    velo = (count(row, layers.velo_r[plane], n) >= LEAST_R) & (count(row, layers.velo_phi[plane], n) >= LEAST_PHI)
    tt = _crossed(row, plane, layers.tt[plane], detector, n)
    x = _crossed(row, plane, layers.t[plane] & ~layers.stereo[plane], detector, n)
    stereo = _crossed(row, plane, layers.t[plane] & layers.stereo[plane], detector, n)
    before = velo | (((tt & _FIRST_HALF) > 0) & ((tt & _SECOND_HALF) > 0))
    return before & in_every_station(x) & in_every_station(stereo)


def _crossed(row: Rows, plane: Rows, part: Mask, detector: Detector, n: int) -> NDArray[np.int64]:
    return pattern(row[part], layers_of(detector).layer[plane[part]], n)


def _leads_through(truth: Truth, rows: Rows, detector: Detector, field: MagneticField) -> Mask:
    """The same for some particles by the way that they would have gone, if there were nothing in it."""
    some = truth.particles.at(rows)
    p = np.sqrt(some.px**2 + some.py**2 + some.pz**2)
    start = State(some.x, some.y, some.z, some.px / some.pz, some.py / some.pz, charge(some.pid) / p)
    numbers = [i for i, plane in enumerate(detector.planes) if plane.sensor is not None]
    way = SharedSteps(field)(start, [detector.planes[i].z for i in numbers])
    found: list[tuple[Rows, int]] = []
    for i, number in enumerate(numbers):
        sensor = detector.planes[number].sensor
        assert sensor is not None
        inside = np.where(way.reaches[i], sensor.contains(way.x[i], way.y[i]), False)
        found.append((np.flatnonzero(inside), number))
    row = np.concatenate([which for which, _ in found])
    plane = np.concatenate([np.full(len(which), number) for which, number in found])
    order = np.argsort(row, kind="stable")
    nothing = np.zeros(len(row))
    return _crosses_enough(PlaneCrossings(row[order], plane[order], *[nothing] * 7), len(rows), detector)
