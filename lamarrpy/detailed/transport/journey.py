"""Charged particles on their way through field and material, from where they are born to the end of RICH2."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry.detector import Detector, Plane
from lamarrpy.detailed.transport.decays import choose_channel, daughter_momentum
from lamarrpy.detailed.transport.flight import (
    AZIMUTH_DRAW,
    CHANNEL_DRAW,
    DEPTH_DRAW,
    ELASTIC_DRAW,
    POLAR_DRAW,
    Flight,
    interaction_scale,
    layer_draw,
    proper_life,
)
from lamarrpy.detailed.transport.matter import Layer, Matter, Physics
from lamarrpy.detailed.transport.nodes import Node, nodes_of, step_of_own, step_to
from lamarrpy.detailed.transport.origins import Particles, check
from lamarrpy.detailed.transport.truth import Daughters, Fate, PlaneCrossings, Record, Truth
from lamarrpy.draws import Draws
from lamarrpy.field.model import MagneticField
from lamarrpy.particles import Species, charge, mass, species
from lamarrpy.propagation.state import LARGEST_SINE

Array = NDArray[np.float64]

BLOCK = 16384
"""Particles stepped together: enough to make each of the many small steps worth its call; at most 32767."""

CLEAR_OUT = 8
"""The dead are taken out of a block when they are more than one in so many."""


def transport(
    particles: Particles,
    detector: Detector,
    field: MagneticField,
    draws: Draws,
    physics: Physics | None = None,
) -> Truth:
    """Let charged particles fly through the detector.

    All particles step through the same planes of constant z by the Runge-Kutta method of fourth order.
    In material they scatter (Highland), lose energy by ionisation (Bethe and Landau) and, electrons,
    by bremsstrahlung (Bethe and Heitler), and hadrons bounce off nuclei or interact and end. Pions and kaons decay on
    the way, hyperons end; a charged daughter of a two-body decay goes on in the row of its mother, and does not
    decay again. The result for a particle does not depend on the others.

    Parameters
    ----------
    particles : Particles
        n particles, as `charged_particles` chooses them.
    detector : Detector
        What is in their way.
    field : MagneticField
        The field, in the polarity wanted.
    draws : Draws
        The random numbers, used by rows of (event_id, particle_id) with the indices of `flight`.
    physics : Physics, optional
        Which processes happen; all of them if absent.

    Returns
    -------
    Truth
        What happened to each.

    Raises
    ------
    DomainError
        If a particle cannot be followed.
    """
    check(particles, detector)
    physics = physics or Physics()
    nodes = nodes_of(detector, field)
    record = Record(particles, nodes[-1].z)
    matter = Matter(physics, record, detector)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        for first in range(0, len(particles.pid), BLOCK):
            rows = np.arange(first, min(first + BLOCK, len(particles.pid)))
            flight = _take_off(particles, rows, nodes, detector, draws)
            record.close_block(_Journey(flight, detector, field, nodes, matter).fly(), first)
    return record.truth()


def _take_off(
    particles: Particles, rows: NDArray[np.intp], nodes: tuple[Node, ...], detector: Detector, draws: Draws
) -> Flight:
    """Particles at their origins, ordered by the node where they come in."""
    entry = np.searchsorted(np.array([node.z for node in nodes]), particles.z[rows])
    order = np.argsort(entry.astype(np.int16), kind="stable")
    rows, entry = rows[order], entry[order]
    some = particles.at(rows)
    numbers = draws.rows(some.event_id, some.particle_id)
    p = np.sqrt(some.px**2 + some.py**2 + some.pz**2)
    zero = np.zeros(len(rows))
    scale = interaction_scale(some.pid, detector.interaction_scale)
    return Flight(
        row=rows,
        entry=entry,
        draws=numbers,
        x=some.x.copy(),
        y=some.y.copy(),
        u=some.px / p,
        v=some.py / p,
        p=p,
        mass=mass(some.pid),
        charge=charge(some.pid),
        origin_z=some.z.copy(),
        seen=zero,
        depth=zero.copy(),
        depth_limit=numbers.exponential(DEPTH_DRAW) * scale,
        elastic=zero.copy(),
        # the elastic cross-section goes with the square of the total one
        elastic_limit=numbers.exponential(ELASTIC_DRAW) * scale**2,
        life=proper_life(some.pid, numbers),
        electron=species(some.pid) == Species.electron,
        alive=np.ones(len(rows), bool),
    )


class _Journey:
    """A block of particles flying from node to node."""

    def __init__(
        self, flight: Flight, detector: Detector, field: MagneticField, nodes: tuple[Node, ...], matter: Matter
    ) -> None:
        self.flight, self.detector, self.field, self.nodes, self.matter = flight, detector, field, nodes, matter
        self.record = matter.record
        self.crossings: list[PlaneCrossings] = []

    def fly(self) -> list[PlaneCrossings]:
        """All the way; what is crossed, node by node."""
        inside = 0
        for node in self.nodes[int(self.flight.entry.min(initial=len(self.nodes))) :]:
            entered = int(np.searchsorted(self.flight.entry, node.number, side="right"))
            self._visit(self.flight.select(slice(entered)), inside, node)
            inside = entered - self._clear_out(entered)
            if not len(self.flight.row):
                break
        last = self.flight.alive
        self.record.end_p[self.flight.row[last]] = self.flight.p[last]
        return self.crossings

    def _clear_out(self, entered: int) -> int:
        """Take the dead out if they are many; how many were taken."""
        dead = entered - int(np.count_nonzero(self.flight.alive[:entered]))
        if CLEAR_OUT * dead <= entered:
            return 0
        self.flight = self.flight.select(self.flight.alive)
        return dead

    def _visit(self, flight: Flight, inside: int, node: Node) -> None:
        """Step to a node and do what happens on the way and there; the first ``inside`` come from the node before."""
        gap = self._gaps(flight, inside, node)
        length = np.full(len(flight.x), node.step)
        length[inside:] = node.z - flight.origin_z[inside:]
        here, new = flight.select(slice(inside)), flight.select(slice(inside, None))
        step_to(node, here.track, here.bend)
        step_of_own(new.track, new.bend, length[inside:], node.z, self.field)
        if self.matter.physics.decays:
            self._decay(flight, length, node)
        self._leave(flight, node)
        if node.wall is not None:
            self._cross_wall(flight, gap, length, node)
        if node.plane >= 0:
            self._cross_plane(flight, self.detector.planes[node.plane], node)

    def _gaps(self, flight: Flight, inside: int, node: Node) -> Array:
        """Distance of each particle from the wall before the step."""
        if node.wall is None:
            return np.zeros(0)
        before = np.full(len(flight.x), node.z - node.step)
        before[inside:] = flight.origin_z[inside:]
        return node.wall.gap(flight.x, flight.y, before)

    def _leave(self, flight: Flight, node: Node) -> None:
        """End what curls, hits the magnet or leaves the hall."""
        x, y = node.limits
        within = flight.u**2 + flight.v**2 <= LARGEST_SINE**2
        within &= np.abs(flight.x) <= x
        within &= np.abs(flight.y) <= y
        lost = np.flatnonzero(flight.alive & ~within)
        if len(lost):
            flight.alive[lost] = False
            self.record.end(flight.row[lost], Fate.left_acceptance, node.z, flight.p[lost])

    def _decay(self, flight: Flight, length: Array, node: Node) -> None:
        """Age pions and kaons; go back to where one decays, and on from there with what comes out."""
        w = np.sqrt(1.0 - flight.u * flight.u - flight.v * flight.v)
        per_length = flight.mass / (flight.p * w)
        flight.life -= length * per_length
        rows = np.flatnonzero((flight.life < 0.0) & flight.alive)
        if not len(rows):
            return
        back = np.minimum(-flight.life[rows] / per_length[rows], length[rows])
        flight.life[rows] = np.inf
        some = flight.select(rows)
        step_of_own(some.track, some.bend, -back, node.z - back, self.field)
        self.record.decay_z[some.row] = node.z - back
        goes_on = self._daughter(some, node.z - back)
        step_of_own(some.track, some.bend, np.where(goes_on, back, 0.0), node.z, self.field)
        for name in ("x", "y", "u", "v", "p", "mass", "depth_limit", "elastic_limit", "electron", "alive"):
            getattr(flight, name)[rows] = getattr(some, name)

    def _daughter(self, some: Flight, z: Array) -> NDArray[np.bool_]:
        """Turn decaying particles into their charged daughters; which of them go on."""
        pid = self.record.particles.pid[some.row]
        daughter, lighter, recoil = choose_channel(pid, some.draws.uniform(CHANNEL_DRAW))
        polar, azimuth = some.draws.uniform(POLAR_DRAW), some.draws.uniform(AZIMUTH_DRAW)
        px, py, pz = daughter_momentum(some.u, some.v, some.p, some.mass, (lighter, recoil), polar, azimuth)
        p = np.sqrt(px * px + py * py + pz * pz)
        goes_on: NDArray[np.bool_] = (daughter != 0) & (pz > 0.0) & (px * px + py * py <= (LARGEST_SINE * p) ** 2)
        ended = ~goes_on
        self.record.end(some.row[ended], Fate.decayed, z[ended], some.p[ended])
        born = (some.row, daughter, some.x, some.y, z, px, py, pz)
        self.record.decay(Daughters._make(column[goes_on] for column in born))
        some.alive &= goes_on
        some.u[goes_on], some.v[goes_on], some.p[goes_on] = (a[goes_on] for a in (px / p, py / p, p))
        some.mass[goes_on] = lighter[goes_on]
        # what is left of the way to an interaction is distributed as at the start, but longer or shorter
        before, after = (interaction_scale(i, self.detector.interaction_scale) for i in (pid, daughter))
        times = after / before
        for so_far, limit, longer in (
            (some.depth, some.depth_limit, times),
            (some.elastic, some.elastic_limit, times**2),
        ):
            limit[goes_on] = (so_far + (limit - so_far) * longer)[goes_on]
        return goes_on

    def _cross_wall(self, flight: Flight, gap: Array, length: Array, node: Node) -> None:
        """Take what crosses a wall on this step through it, where it does, under the angle that it does."""
        wall = node.wall
        assert wall is not None
        after = wall.gap(flight.x, flight.y, node.z)
        rows = np.flatnonzero((gap * after < 0.0) & flight.alive)
        if not len(rows):
            return
        change, step = (after - gap)[rows], length[rows]
        lever = np.clip(after[rows] / change, 0.0, 1.0) * step
        path = wall.path(flight.u[rows], flight.v[rows], change / step)
        layer = Layer(wall.material, node.z, None, layer_draw(node.number, 0))
        self.matter.cross(flight, rows, layer, path * wall.material.x_over_x0(1.0), lever)

    def _cross_plane(self, flight: Flight, plane: Plane, node: Node) -> None:
        """Write down who crosses a plane's active area, and take particles through its material."""
        if plane.sensor is not None or plane.recorded:
            seen = flight.alive
            if plane.sensor is not None:
                seen = seen & plane.sensor.contains(flight.x, flight.y)
            self._write(flight, np.flatnonzero(seen), node.plane)
        for number, region in enumerate(plane.regions, 1):
            rows = np.flatnonzero(region.contains(flight.x, flight.y) & flight.alive)
            if len(rows):
                x_over_x0 = region.x_over_x0 / np.sqrt(1.0 - flight.u[rows] ** 2 - flight.v[rows] ** 2)
                depth = None
                if plane.extent > 0.0:  # what is born inside has less of it to go through
                    depth = np.minimum(node.z - flight.origin_z[rows], plane.extent)
                    x_over_x0 *= depth / plane.extent
                layer = Layer(region.material, node.z, depth, layer_draw(node.number, number))
                self.matter.cross(flight, rows, layer, x_over_x0)

    def _write(self, flight: Flight, rows: NDArray[np.intp], plane: int) -> None:
        if len(rows):
            u, v = flight.u[rows], flight.v[rows]
            w = np.sqrt(1.0 - u * u - v * v)
            numbers = np.full(len(rows), plane)
            state = (flight.x[rows], flight.y[rows], u / w, v / w, flight.p[rows])
            been = (flight.seen[rows], flight.depth[rows])
            self.crossings.append(PlaneCrossings(flight.row[rows], numbers, *state, *been))
