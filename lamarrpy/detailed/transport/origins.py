"""The charged particles that the Detailed Simulation follows, and a count of those it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry.detector import Detector
from lamarrpy.errors import DomainError
from lamarrpy.particles import charge, is_known
from lamarrpy.propagation.state import STEEPEST
from lamarrpy.tables import EventBatch

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

FIRST, LAST = -5000.0, 9400.0
"""z [mm] between which a particle has to be born: in front of the last layer of the T stations."""


class Particles(NamedTuple):
    """n particles at their origins, each array of shape (n,); ids are int64, the rest mm and MeV."""

    event_id: NDArray[np.int64]
    particle_id: NDArray[np.int64]
    pid: NDArray[np.int64]
    x: Array
    y: Array
    z: Array
    px: Array
    py: Array
    pz: Array

    def at(self, rows: Any) -> Particles:
        """Some of them (mask, index array or slice)."""
        return Particles._make(column[rows] for column in self)


@dataclass(frozen=True)
class Refused:
    """How many undecayed particles are not followed, by reason.

    Attributes
    ----------
    neutral, backward, steep : int
        Those that a forward spectrometer does not see anyway: without charge, with pz <= 0, with |t| > 5.
    at_rest, not_finite, unknown, multiply_charged, born_outside : int
        Those that should not be there: no momentum, numbers that are not finite, PDG numbers of
        nothing, charges other than +-1, origins behind the tracking system or outside the hall.
    """

    neutral: int = 0
    backward: int = 0
    steep: int = 0
    at_rest: int = 0
    not_finite: int = 0
    unknown: int = 0
    multiply_charged: int = 0
    born_outside: int = 0

    @property
    def warning(self) -> str:
        """A sentence on the particles that should not be there; empty if there are none."""
        reasons = {
            "without momentum": self.at_rest,
            "with numbers that are not finite": self.not_finite,
            "of unknown species": self.unknown,
            "with a charge other than +-1": self.multiply_charged,
            "born outside the detector": self.born_outside,
        }
        found = [f"{count} {reason}" for reason, count in reasons.items() if count]
        return f"particles left out: {', '.join(found)}; check the generator" if found else ""


def _troubles(c: Particles, detector: Detector) -> dict[str, Mask]:
    """Why particles cannot be followed, by reason; the first that holds counts."""
    known = is_known(c.pid)
    q = np.zeros(len(c.pid))
    q[known] = charge(c.pid[known])
    finite = np.isfinite(np.array(c[3:])).all(axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        momentum = c.px**2 + c.py**2 + c.pz**2
        hall_x, hall_y = detector.aperture.hall
        inside = (c.z > FIRST) & (c.z < LAST) & (np.abs(c.x) < hall_x) & (np.abs(c.y) < hall_y)
        return {
            "not_finite": ~finite,
            "unknown": ~known,
            "neutral": q == 0.0,
            "multiply_charged": np.abs(q) != 1.0,
            "at_rest": ~((momentum > 0.0) & np.isfinite(momentum)),
            "backward": c.pz <= 0.0,
            "steep": c.px**2 + c.py**2 > STEEPEST**2 * c.pz**2,
            "born_outside": ~inside,
        }


def charged_particles(batch: EventBatch, detector: Detector) -> tuple[Particles, Refused]:
    """Choose the undecayed charged particles that fly into the detector.

    Parameters
    ----------
    batch : EventBatch
        With the generator-level columns of ``particles``.
    detector : Detector
        What they fly into.

    Returns
    -------
    Particles, Refused
        Those to follow, in the order of the table, and how many others there are and why.
    """
    names = ("event_id", "particle_id", "pid", "x", "y", "z", "px", "py", "pz")
    columns = dict(zip(names, batch.arrays("particles", *names), strict=True))
    undecayed = batch.array("particles", "status") == 1
    ids = [np.asarray(columns[name], np.int64) for name in names[:3]]
    floats = [np.asarray(columns[name], np.float64) for name in names[3:]]
    found = Particles._make([*ids, *floats]).at(undecayed)
    left = np.ones(len(found.pid), bool)
    counts = {}
    for reason, trouble in _troubles(found, detector).items():
        counts[reason] = int(np.count_nonzero(trouble & left))
        left &= ~trouble
    return found.at(left), Refused(**counts)


def check(particles: Particles, detector: Detector) -> None:
    """Make sure that all particles can be followed.

    Raises
    ------
    DomainError
        If one cannot, with the reason and the number of such particles.
    """
    for reason, trouble in _troubles(particles, detector).items():
        if trouble.any():
            row = int(np.flatnonzero(trouble)[0])
            shown = [column[row].item() for column in particles]
            raise DomainError(
                f"expected charged particles flying into the detector, got {int(trouble.sum())} that are"
                f" {reason.replace('_', ' ')}, the first in row {row}: {shown}; choose with charged_particles"
            )
