"""Reference trajectories of the track fit, on their way through field and material."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector, Kind
from lamarrpy.detailed.geometry.material import Material
from lamarrpy.detailed.hits import Hits
from lamarrpy.detailed.reconstruction.deviations import Tracks
from lamarrpy.detailed.reconstruction.pages import Linear, Pages
from lamarrpy.detailed.transport.nodes import Node, nodes_of, step_of_own, step_to
from lamarrpy.detailed.transport.scattering import added_angle
from lamarrpy.field.model import FieldAtPlane, MagneticField
from lamarrpy.propagation import State
from lamarrpy.propagation.motion import KAPPA
from lamarrpy.propagation.state import LARGEST_SINE

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

PION = 139.57039
"""Mass [MeV] that every track is taken to have: most are pions."""

MAGNET = 2700.0
"""z [mm] behind which tracks are bent strongly and have been through most of the material."""

TWO_PLACES = (0.5 - 0.5 / np.sqrt(3.0), 0.5 + 0.5 / np.sqrt(3.0))
"""Where in a thick layer two thin ones scatter with the same mean and spread of the lever."""


class References:
    """The way of reference trajectories through a detector.

    Parameters
    ----------
    detector : Detector
        What they go through.
    field : MagneticField
        The field.
    energy_loss, straggling : float
        Times the mean energy loss of Bethe's formula, and its standard deviation in units of Landau's xi.
    """

    def __init__(self, detector: Detector, field: MagneticField, energy_loss: float, straggling: float) -> None:
        self.detector, self.field = detector, field
        self.energy_loss, self.straggling = energy_loss, straggling
        self.nodes = nodes_of(detector, field)
        self.z = np.array([node.z for node in self.nodes])
        regions = {region.material for plane in detector.planes for region in plane.regions}
        self.materials = regions | {wall.material for wall in detector.walls}

    def follow(
        self, start: State, bends: NDArray[np.bool_], aside: Array, first: Rows, hits: Hits
    ) -> tuple[Linear, NDArray[np.bool_]]:
        """Follow references from their starts through all planes of their hits.

        Parameters
        ----------
        start : State
            n starts, each upstream of its first hit.
        bends : ndarray of bool, shape (n,)
            Whether the field acts on each: not where charge and momentum are but guessed.
        aside : ndarray, shape (4, n)
            Parameters of the tracks in the magnet. Scattering may have led them millimetres away from
            their references by then: the references are bent by the field that the tracks are in.
        first : ndarray of int, shape (n + 1,)
            The hits of track i are ``first[i]:first[i + 1]``, in increasing z.
        hits : Hits
            The hits of all tracks.

        Returns
        -------
        Linear, ndarray of bool of shape (n,)
            And whether each reference got through to its last hit.
        """
        entry = np.searchsorted(self.z, start.z)
        order = np.argsort(entry.astype(np.int16), kind="stable")
        walk = _Walk(self, start.at(order), bends[order], aside[:, order], entry[order], Pages(order, first, hits))
        return walk.go()


class _Walk:
    """References stepping from node to node together, sorted by the node where they come in."""

    def __init__(
        self,
        references: References,
        start: State,
        bends: NDArray[np.bool_],
        aside: Array,
        entry: Rows,
        pages: Pages,
    ) -> None:
        self.of, self.start, self.aside, self.entry, self.pages = references, start, aside, entry, pages
        self.kappa = np.where(bends, KAPPA, 0.0)
        self.tracks = Tracks.at(start)
        beta_gamma, mass = self.tracks.start_p / PION, np.full(len(entry), PION)
        self.power = {m: references.energy_loss * m.stopping_power(beta_gamma, mass) for m in references.materials}

    def go(self) -> tuple[Linear, NDArray[np.bool_]]:
        """All the way to the last plane with a hit."""
        inside, last = 0, int(self.pages.hits.plane.max(initial=-1))
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            for node in self.of.nodes[int(self.entry.min(initial=len(self.of.nodes))) :]:
                entered = int(np.searchsorted(self.entry, node.number, side="right"))
                self._visit(node, inside, entered)
                inside = entered
                if node.plane == last:
                    break
        through = np.empty(len(self.entry), bool)
        through[self.pages.order] = self.tracks.alive
        return self.pages.linear, through

    def _visit(self, node: Node, inside: int, entered: int) -> None:
        """Step to a node, take down the hits there, and go through its material."""
        here, tracks = slice(0, entered), self.tracks
        before = tuple(column[here].copy() for column in tracks.track)
        length = np.full(entered, node.step)
        length[inside:] = node.z - self.start.z[inside:entered]
        self._step(node, slice(0, inside), slice(inside, entered), length)
        tracks.mind_the_lost(here, LARGEST_SINE, self.pages.counts)
        tracks.integrate(here, before, length)
        if node.wall is not None:
            self._cross_wall(node, before, length, here)
        if node.plane >= 0:
            self._take_down(node)
            self._cross_plane(node, here)

    def _step(self, node: Node, old: slice, new: slice, length: Array) -> None:
        x, y, u, v = self.tracks.track
        bend = self.kappa * self.tracks.q
        if node.z > MAGNET:
            node = self._moved_aside(node, old)
        step_to(node, (x[old], y[old], u[old], v[old]), bend[old])
        step_of_own((x[new], y[new], u[new], v[new]), bend[new], length[new], node.z, self.of.field)

    def _moved_aside(self, node: Node, here: slice) -> Node:
        """The node with the field where the tracks are, not their references."""
        t, (x, y, u, v) = self.tracks, self.aside[:, here]
        dx = x + t.a[here] * u + t.b[here] * v
        dy = y + t.b[here] * u + t.d[here] * v

        def there(field: FieldAtPlane) -> FieldAtPlane:
            return lambda x, y: field(x + dx, y + dy)

        near, middle, far = (there(field) for field in node.fields)
        return replace(node, fields=(near, middle, far))

    def _take_down(self, node: Node) -> None:
        """Residuals and derivatives of the hits of a plane, and the noise since the hits before."""
        pages = self.pages
        found, sensor = pages.of_plane(node.plane), self.of.detector.planes[node.plane].sensor
        if sensor is None or not len(found):
            return
        rows, hits = pages.row[found], pages.hits
        x, y, (a, b, c, d, e) = self.tracks.predict(rows, hits.z[found] - node.z)
        cos, sin = hits.cos[found], hits.sin[found]
        predicted = cos * x + sin * y
        if sensor.kind is Kind.velo_r:
            predicted = np.sqrt(x * x + y * y)
            cos, sin = x / predicted, y / predicted
        slope = (cos, sin, cos * a + sin * b, cos * b + sin * d, cos * c + sin * e)
        pages.write_hits(found, hits.measurement[found] - predicted, slope)
        self._turn_page(rows)

    def _turn_page(self, rows: Rows) -> None:
        """Write down the noise of tracks that have come to a hit, or to the two of a layer of straws."""
        tracks = self.tracks
        first = np.flatnonzero(np.diff(rows, prepend=-1))
        here = rows[first]
        self.pages.write_noise(here, tracks.passed[here], tracks.noise[:, here])
        tracks.noise[:, here] = 0.0
        tracks.passed[here] += np.diff(np.append(first, len(rows)))

    def _cross_wall(self, node: Node, before: tuple[Array, ...], length: Array, here: slice) -> None:
        """Scatter in a wall that is crossed on this step, where it is."""
        wall = node.wall
        assert wall is not None
        x, y, u, v = (column[here] for column in self.tracks.track)
        gap, after = wall.gap(before[0], before[1], node.z - length), wall.gap(x, y, node.z)
        rows = np.flatnonzero(gap * after < 0.0)
        if len(rows):
            lever = np.clip(after[rows] / (after - gap)[rows], 0.0, 1.0) * length[rows]
            path = wall.path(u[rows], v[rows], (after - gap)[rows] / length[rows])
            self._cross(rows, wall.material, node, path * wall.material.x_over_x0(1.0), (lever,))

    def _cross_plane(self, node: Node, here: slice) -> None:
        """Scatter in the material of a plane."""
        plane = self.of.detector.planes[node.plane]
        for region in plane.regions:
            x, y, u, v = (column[here] for column in self.tracks.track)
            rows = np.flatnonzero(region.contains(x, y))
            if len(rows):
                x_over_x0 = region.x_over_x0 / np.sqrt(1.0 - u[rows] ** 2 - v[rows] ** 2)
                levers: tuple[Array, ...] = (np.zeros(len(rows)),)
                if plane.extent > 0.0:
                    depth = np.minimum(node.z - self.start.z[rows], plane.extent)
                    x_over_x0 *= depth / plane.extent
                    levers = tuple(depth * part for part in TWO_PLACES)
                self._cross(rows, region.material, node, x_over_x0, levers)

    def _cross(self, rows: Rows, material: Material, node: Node, x_over_x0: Array, levers: tuple[Array, ...]) -> None:
        """Noise and energy loss of a layer, its scattering shared between places ``levers`` [mm] before here."""
        tracks = self.tracks
        p = tracks.p[rows]
        energy = np.sqrt(p * p + PION * PION)
        angle = added_angle(tracks.seen[rows], x_over_x0, p, p / energy)
        tracks.seen[rows] += x_over_x0
        for lever in levers:
            tracks.scatter(rows, angle * angle / len(levers), lever)
        areal = x_over_x0 * material.radiation_length
        if node.z < MAGNET:
            xi = material.landau_width(areal, (p / energy) ** 2)
            tracks.straggle(rows, xi, self.of.straggling, energy)
        tracks.lose(rows, energy, areal * self.power[material][rows], PION)
