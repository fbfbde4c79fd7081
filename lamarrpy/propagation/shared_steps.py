"""Runge-Kutta integration of many particles at once, all stepping through the same planes: the fast form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.field.model import FieldAtPlane, MagneticField
from lamarrpy.propagation.motion import KAPPA, runge_kutta_step
from lamarrpy.propagation.runge_kutta import runge_kutta
from lamarrpy.propagation.state import LARGEST_SINE, Array, Crossings, State, direction, slopes
from lamarrpy.propagation.straight_line import straight_ahead

STEP_LENGTHS: tuple[tuple[float, float], ...] = ((0.0, 120.0), (1200.0, 270.0), (2700.0, 550.0))
"""(stiffness momentum [MeV] from which it holds, step [mm] inside the magnet).

Tuned on b-bbar events in the LHCb field: of the particles above 1 GeV that get to the calorimeter, 95 %
are within 10 um of the truth there. Few kinds, because each costs a batch the same time however few
particles it has.
"""

COIL_HEIGHT, MAGNET_CENTRE = 1000.0, 5000.0
"""The stiffness momentum of a particle is p / (1 + (y / COIL_HEIGHT)^4), y [mm] being where it
would pass MAGNET_CENTRE [mm] if it went straight: near the coils the field varies faster."""

STRETCH: tuple[tuple[float, float], ...] = ((300.0, 1.3), (1800.0, 1.0), (9000.0, 1.5))
"""(z [mm] from which it holds, times the step inside the magnet): before, inside and behind it."""

FRINGE, FRINGE_STEP = 300.0, 700.0
"""z [mm] up to which steps have one length [mm] for all: most particles come from there, the field is weak."""

MOST_FRINGE_STEPS = 60
"""Particles from further upstream than so many steps, which is outside any hall, make one long step to there."""

BLOCK = 4096
"""Particles stepped together: as many as stay in the processor's cache."""

CARRY_STEPS = 4
"""Steps of a short way to a z of a particle's own."""


def _longest(z: float, step: float) -> float:
    """Longest step [mm] that begins at z [mm], given that inside the magnet."""
    return FRINGE_STEP if z < FRINGE else step * next(times for start, times in reversed(STRETCH) if z >= start)


class _Steps(NamedTuple):
    """The planes between which particles step, and the field at the beginning, middle and end of each step."""

    nodes: Array
    planes: dict[int, int]
    fields: tuple[tuple[FieldAtPlane, FieldAtPlane, FieldAtPlane], ...]


@lru_cache(maxsize=128)
def _steps(field: MagneticField, planes: tuple[float, ...], step: float, before: int) -> _Steps:
    """The steps to the planes of particles of one stiffness, with so many of FRINGE_STEP before the first border."""
    borders = sorted({*planes, *(z for z, _ in STRETCH if z < planes[-1])})
    nodes = [borders[0] - n * FRINGE_STEP for n in range(before, -1, -1)]
    for near, far in pairwise(borders):
        count = int(np.ceil((far - near) / _longest(near, step)))
        nodes += [near + (far - near) * n / count for n in range(1, count)] + [far]
    at_nodes = [field.at_plane(z) for z in nodes]
    between = [field.at_plane(0.5 * (a + b)) for a, b in pairwise(nodes)]
    fields = tuple(zip(at_nodes[:-1], between, at_nodes[1:], strict=True))
    return _Steps(np.array(nodes), {nodes.index(plane): i for i, plane in enumerate(planes)}, fields)


@dataclass(frozen=True)
class SharedSteps:
    """The Runge-Kutta extrapolator: fourth order, steps as long as the particle's momentum allows.

    A particle makes one step of its own, from its origin to the first plane of a common grid in z, and
    then steps from plane to plane together with all others of like stiffness; so the field has to be
    known only in planes of constant z, where it is cheap (``MagneticField.at_plane``). The step length
    depends on the particle's own momentum and height alone: its result is the same, bit for bit,
    whatever other particles are in the batch.

    Parameters
    ----------
    field : MagneticField
        The field to go through.
    """

    field: MagneticField

    def __call__(self, start: State, planes: Sequence[float]) -> Crossings:
        """Integrate the equation of motion to planes of increasing z.

        Parameters
        ----------
        start : State
            n particles; neutral ones go straight.
        planes : sequence of float, mm
            Where to, increasing. Planes behind a particle's origin are not reached.

        Returns
        -------
        Crossings
            Particles that curl (|t| > 5 at the end of a step) do not reach what lies beyond.
        """
        out = Crossings.empty(len(planes), len(start.x))
        straight_ahead(start, np.flatnonzero(start.qop == 0.0), planes, out)
        stiffness = _stiffness(start)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            for i, (_, step) in enumerate(STEP_LENGTHS):
                self._propagate(start, np.flatnonzero(stiffness == i), tuple(map(float, planes)), step, out)
        return out

    def carry(self, start: State, z: Array) -> State:
        """The states at a z [mm] of each particle's own."""
        there = runge_kutta(start, [z], self.field, CARRY_STEPS)
        return there.state(0, np.asarray(z, np.float64), start.qop)

    def _propagate(
        self, start: State, rows: NDArray[np.intp], planes: tuple[float, ...], step: float, out: Crossings
    ) -> None:
        """Propagate the particles of one stiffness, block by block, those that start first in the first block."""
        rows = rows[start.z[rows] <= planes[-1]]
        if not len(rows):
            return
        z = start.z[rows]
        before = int((min(FRINGE, planes[0]) - z.min()) // FRINGE_STEP) + 1
        before = min(max(before, 0), MOST_FRINGE_STEPS)
        steps = _steps(self.field, planes, step, before)
        entry = np.searchsorted(steps.nodes, z)
        order = np.argsort(entry.astype(np.int16), kind="stable")
        for first in range(0, len(rows), BLOCK):
            chosen = order[first : first + BLOCK]
            self._propagate_block(start.at(rows[chosen]), rows[chosen], entry[chosen], steps, out)

    def _propagate_block(
        self, start: State, rows: NDArray[np.intp], entry: NDArray[np.intp], steps: _Steps, out: Crossings
    ) -> None:
        """Step the particles of a block, sorted by the node where they enter the common grid."""
        track = (start.x, start.y, *direction(start.tx, start.ty))
        bend = KAPPA * start.qop
        self._enter(track, bend, start.z, steps.nodes[entry])
        alive = track[2] ** 2 + track[3] ** 2 <= LARGEST_SINE**2
        entered = np.searchsorted(entry, np.arange(len(steps.nodes)), side="right")
        for node in range(int(entry[0]), len(steps.nodes)):
            n = int(entered[node])
            x, y, u, v = (a[:n] for a in track)
            if node in steps.planes:
                out.put(steps.planes[node], rows[:n], (x, y, *slopes(u, v)), alive[:n])
            if node + 1 < len(steps.nodes):
                length = float(steps.nodes[node + 1] - steps.nodes[node])
                runge_kutta_step((x, y, u, v), bend[:n], length, steps.fields[node])
                alive[:n] &= u * u + v * v <= LARGEST_SINE**2

    def _enter(self, track: tuple[Array, Array, Array, Array], bend: Array, z: Array, node: Array) -> None:
        """One step from each particle's own z to its first node."""

        def field_at(z: Array) -> FieldAtPlane:
            return lambda x, y: self.field(x, y, z)

        runge_kutta_step(track, bend, node - z, (field_at(z), field_at(0.5 * (z + node)), field_at(node)))


def _stiffness(start: State) -> NDArray[np.intp]:
    """Which of STEP_LENGTHS each particle takes, shape (n,); -1 for neutral ones."""
    height = (start.y + start.ty * (MAGNET_CENTRE - start.z)) / COIL_HEIGHT
    square = height * height
    softness = np.abs(start.qop) * (1.0 + square * square)
    # p / (1 + h^4) >= threshold, written without dividing
    kind = np.full(len(softness), -1)
    for threshold, _ in STEP_LENGTHS:
        kind += softness * threshold <= 1.0
    return np.where(start.qop == 0.0, -1, kind)
