"""What really happened: where every particle went, what it lost on the way, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.transport.origins import Particles

Array = NDArray[np.float64]


class Fate(IntEnum):
    """How the way of a particle ends."""

    reached_end = 0
    left_acceptance = 1
    interacted = 2
    decayed = 3
    stopped = 4


class PlaneCrossings(NamedTuple):
    """Where particles cross active areas and reference planes, one entry each, by row and then along z.

    Attributes
    ----------
    row : ndarray of int
        Of the particle.
    plane : ndarray of int
        Of ``Detector.planes``.
    x, y : ndarray, mm
        Where.
    tx, ty : ndarray
        Slopes.
    p : ndarray, MeV
        Momentum before the material of this plane.
    x_over_x0, interaction_lengths : ndarray
        Radiation and interaction lengths (of a proton) that it has been through.
    """

    row: NDArray[np.intp]
    plane: NDArray[np.intp]
    x: Array
    y: Array
    tx: Array
    ty: Array
    p: Array
    x_over_x0: Array
    interaction_lengths: Array


class Photons(NamedTuple):
    """Photons of bremsstrahlung, each array of shape (k,): row of the electron, origin [mm], slopes, energy [MeV]."""

    row: NDArray[np.intp]
    x: Array
    y: Array
    z: Array
    tx: Array
    ty: Array
    energy: Array


class Daughters(NamedTuple):
    """Charged particles that go on from decays in flight, each array of shape (k,).

    Attributes
    ----------
    row : ndarray of int
        Of the mother; what becomes of the daughter is written there too.
    pid : ndarray of int
        PDG number.
    x, y, z : ndarray, mm
        Where the mother decays.
    px, py, pz : ndarray, MeV
        Momentum there.
    """

    row: NDArray[np.intp]
    pid: NDArray[np.int64]
    x: Array
    y: Array
    z: Array
    px: Array
    py: Array
    pz: Array


@dataclass(frozen=True)
class Truth:
    """The story of n particles.

    Attributes
    ----------
    particles : Particles
        The particles at their origins.
    fate : ndarray of int, shape (n,)
        A `Fate`.
    end_z : ndarray, shape (n,), mm
        Where the way ends.
    end_p : ndarray, shape (n,), MeV
        Momentum there, before it interacts or decays; next to none if it stops.
    decay_z : ndarray, shape (n,), mm
        Where it decays, infinite if it does not.
    daughter_pid : ndarray of int, shape (n,)
        PDG number of the charged particle that goes on from a decay in the same row, 0 if none does.
    deposited, radiated : ndarray, shape (n,), MeV
        Energy lost by ionisation and by bremsstrahlung.
    crossings : PlaneCrossings
        Where it went.
    photons : Photons
        What it radiated, above the least energy that is kept.
    daughters : Daughters
        The particles that go on from decays, one at most in a row.
    """

    particles: Particles
    fate: NDArray[np.int64]
    end_z: Array
    end_p: Array
    decay_z: Array
    daughter_pid: NDArray[np.int64]
    deposited: Array
    radiated: Array
    crossings: PlaneCrossings
    photons: Photons
    daughters: Daughters

    def crossing_at(self, plane: int) -> NDArray[np.intp]:
        """The entry of ``crossings`` that each particle has at a plane of this number, shape (n,); -1 if none."""
        here = np.flatnonzero(self.crossings.plane == plane)
        found = np.full(len(self.fate), -1, np.intp)
        found[self.crossings.row[here]] = here
        return found


class Record:
    """The truth while it is being written.

    Parameters
    ----------
    particles : Particles
        n particles.
    end : float, mm
        Where the last plane is.
    """

    def __init__(self, particles: Particles, end: float) -> None:
        n = len(particles.pid)
        self.particles = particles
        self.fate = np.full(n, int(Fate.reached_end))
        self.end_z, self.end_p = np.full(n, end), np.zeros(n)
        self.decay_z = np.full(n, np.inf)
        self.daughter_pid = np.zeros(n, np.int64)
        self.deposited, self.radiated = np.zeros(n), np.zeros(n)
        self._crossings: list[PlaneCrossings] = []
        self._photons: list[Photons] = []
        self._daughters: list[Daughters] = []

    def end(self, rows: NDArray[np.intp], fate: Fate, z: float | Array, p: Array) -> None:
        """Write down how some particles end."""
        self.fate[rows], self.end_z[rows], self.end_p[rows] = int(fate), z, p

    def radiate(self, photons: Photons) -> None:
        """Write down photons."""
        self._photons.append(photons)

    def decay(self, daughters: Daughters) -> None:
        """Write down what goes on from decays."""
        self.daughter_pid[daughters.row] = daughters.pid
        self._daughters.append(daughters)

    def close_block(self, crossings: list[PlaneCrossings], first: int) -> None:
        """Put the crossings of a block of at most 32767 particles, the first in row ``first``, in order."""
        if not crossings:
            return
        joined = [np.concatenate(columns) for columns in zip(*crossings, strict=True)]
        order = np.argsort((joined[0] - first).astype(np.int16), kind="stable")
        self._crossings.append(PlaneCrossings._make(column[order] for column in joined))

    def truth(self) -> Truth:
        """The whole story."""
        no_rows, nothing = np.zeros(0, np.intp), np.zeros(0)
        crossings = [*self._crossings, PlaneCrossings(no_rows, no_rows, *[nothing] * 7)]
        photons = [*self._photons, Photons(no_rows, *[nothing] * 6)]
        radiated = Photons._make(np.concatenate(columns) for columns in zip(*photons, strict=True))
        order = np.lexsort((radiated.z, radiated.row))
        born = [*self._daughters, Daughters(no_rows, no_rows.astype(np.int64), *[nothing] * 6)]
        daughters = Daughters._make(np.concatenate(columns) for columns in zip(*born, strict=True))
        return Truth(
            self.particles,
            self.fate,
            self.end_z,
            self.end_p,
            self.decay_z,
            self.daughter_pid,
            self.deposited,
            self.radiated,
            PlaneCrossings._make(np.concatenate(columns) for columns in zip(*crossings, strict=True)),
            Photons._make(column[order] for column in radiated),
            Daughters._make(column[np.argsort(daughters.row)] for column in daughters),
        )
