"""What comes out behind RICH2 and flies on into the calorimeters."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry.detector import Detector
from lamarrpy.detailed.transport.origins import Particles
from lamarrpy.detailed.transport.truth import Truth

Array = NDArray[np.float64]
Ids = NDArray[np.int64]

LAST_PLANE = "rich2_end"
"""The reference plane where they are handed over."""


class Arrivals(NamedTuple):
    """k particles at the end of RICH2, each array of shape (k,), by event, particle and number.

    Attributes
    ----------
    event_id, particle_id : ndarray of int
        The row of ``particles`` that it comes from: itself, the mother that decayed in flight, or the
        photon that converted.
    number : ndarray of int
        0 for the particle or what its decay has left, 1 and 2 for electron and positron of a photon: event_id,
        particle_id and number are unique together.
    pid : ndarray of int
        PDG number of what arrives.
    x, y : ndarray, mm
        Where.
    tx, ty : ndarray
        Slopes.
    p : ndarray, MeV
        Momentum.
    """

    event_id: Ids
    particle_id: Ids
    number: Ids
    pid: Ids
    x: Array
    y: Array
    tx: Array
    ty: Array
    p: Array

    def at(self, rows: Any) -> Arrivals:
        """Some of them (mask, index array or slice)."""
        return Arrivals._make(column[rows] for column in self)


def of_charged(truth: Truth, detector: Detector) -> Arrivals:
    """The charged particles that get there, decayed ones as their daughters."""
    at = truth.crossings
    here = np.flatnonzero(at.plane == detector.plane_number(LAST_PLANE))
    row, who = at.row[here], truth.particles
    daughter = truth.daughter_pid[row]
    pid = np.where(daughter != 0, daughter, who.pid[row])
    state = (at.x[here], at.y[here], at.tx[here], at.ty[here], at.p[here])
    return Arrivals(who.event_id[row], who.particle_id[row], np.zeros(len(row), np.int64), pid, *state)


def of_pairs(arrivals: Arrivals) -> Arrivals:
    """Electrons and positrons of photons, numbered as `conversions.pairs` does, under the name of their photon."""
    photon, which = np.divmod(arrivals.particle_id, 2)
    return arrivals._replace(particle_id=photon, number=which + 1)


def on_straight_lines(particles: Particles, detector: Detector) -> Arrivals:
    """Particles that nothing bends, those of them that come through the magnet and stay in the hall."""
    z = detector.planes[detector.plane_number(LAST_PLANE)].z
    lever = z - particles.z
    tx, ty = particles.px / particles.pz, particles.py / particles.pz
    inside = lever > 0.0
    for place in (*detector.aperture.z, z):
        ahead = np.maximum(place, particles.z) - particles.z
        inside &= detector.aperture.contains(particles.x + ahead * tx, particles.y + ahead * ty, particles.z + ahead)
    x, y = particles.x + lever * tx, particles.y + lever * ty
    p = np.sqrt(particles.px**2 + particles.py**2 + particles.pz**2)
    ids = (particles.event_id, particles.particle_id, np.zeros(len(p), np.int64), particles.pid)
    return Arrivals(*ids, x, y, tx, ty, p).at(inside)


def joined(parts: list[Arrivals]) -> Arrivals:
    """All of them by event, particle and number."""
    together = Arrivals._make(np.concatenate(columns) for columns in zip(*parts, strict=True))
    return together.at(np.lexsort((together.number, together.particle_id, together.event_id)))
