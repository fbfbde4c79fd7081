"""What happens to particles in a layer of material: interaction, scattering, ionisation, bremsstrahlung."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from lamarrpy.detailed.geometry.detector import Detector
from lamarrpy.detailed.geometry.material import Material, largest_transfer
from lamarrpy.detailed.transport.flight import TRANSFER_DRAW, TURN_DRAW, Flight
from lamarrpy.detailed.transport.landau import fluctuate
from lamarrpy.detailed.transport.scattering import added_angle, deflect, displacement
from lamarrpy.detailed.transport.truth import Fate, Photons, Record
from lamarrpy.propagation.state import LARGEST_SINE

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


LEAST_KINETIC_ENERGY = 1.0
"""Kinetic energy [MeV] below which a particle counts as stopped."""

_ANGLES, _SHIFTS, _LANDAU, _BREMSSTRAHLUNG = 0, 2, 4, 6
"""Offsets of the random numbers of a layer: two normal each for angles and shifts, two for ionisation, one more."""


@dataclass(frozen=True)
class Physics:
    """Which processes happen; all of them, unless a test wants one alone."""

    scattering: bool = True
    ionisation: bool = True
    bremsstrahlung: bool = True
    interactions: bool = True
    decays: bool = True
    elastic: bool = True


@dataclass(frozen=True)
class Layer:
    """A layer of material that some particles go through.

    Attributes
    ----------
    material : Material
        Of what.
    z : float, mm
        Where the particles are when they have left it.
    depth : ndarray, shape (k,), mm, or None
        Over which length in z before that it is spread for each particle; None for a thin one.
    draw : int
        Index of its first random number.
    """

    material: Material
    z: float
    depth: Array | None
    draw: int


class Matter:
    """The processes in matter, with the book in which they are written down.

    Parameters
    ----------
    physics : Physics
        Which of them happen.
    record : Record
        The book.
    detector : Detector
        What all matter has in common.
    """

    def __init__(self, physics: Physics, record: Record, detector: Detector) -> None:
        self.physics, self.record = physics, record
        self.smallest_photon, self.elastic_slope = detector.smallest_photon, detector.elastic_slope

    def cross(self, flight: Flight, rows: Rows, layer: Layer, x_over_x0: Array, lever: Array | None = None) -> None:
        """Take particles through a layer, in place.

        Parameters
        ----------
        flight : Flight
            The particles.
        rows : ndarray of int, shape (k,)
            Which of them.
        layer : Layer
            Through what.
        x_over_x0 : ndarray, shape (k,)
            How much of it.
        lever : ndarray, shape (k,), mm, optional
            How far in z each has flown since, if the layer is a wall behind it.
        """
        p, mass = flight.p[rows], flight.mass[rows]
        energy = np.sqrt(p * p + mass * mass)
        areal = x_over_x0 * layer.material.radiation_length
        seen = flight.seen[rows]
        if self.physics.scattering:
            self._scatter(flight, rows, layer, added_angle(seen, x_over_x0, p, p / energy), lever)
        flight.seen[rows] = seen + x_over_x0
        lost = np.zeros(len(rows))
        if self.physics.ionisation:
            lost = self._ionise(flight, rows, layer, areal, energy)
        if self.physics.bremsstrahlung:
            lost += self._radiate(flight, rows, layer, x_over_x0, energy - lost)
        left = np.maximum(energy - lost, mass)
        flight.p[rows] = np.sqrt((left - mass) * (left + mass))
        self._end(flight, rows[(left - mass < LEAST_KINETIC_ENERGY) & flight.alive[rows]], Fate.stopped, layer.z)
        depth = flight.depth[rows] + areal / layer.material.interaction_length
        flight.depth[rows] = depth
        if self.physics.elastic:
            self._scatter_elastically(flight, rows, layer, areal / layer.material.elastic_length, lever)
        if self.physics.interactions:
            self._interact(flight, rows, layer, areal / layer.material.interaction_length, lever)

    def _scatter(self, flight: Flight, rows: Rows, layer: Layer, width: Array, lever: Array | None) -> None:
        """Deflect, and move aside what has gone a long way (PDG, passage of particles through matter)."""
        draws, u, v = flight.draws[rows], flight.u[rows], flight.v[rows]
        angles = [width * draws.normal(layer.draw + _ANGLES + i) for i in range(2)]
        if layer.depth is not None:
            path = layer.depth / np.sqrt(1.0 - u * u - v * v)
            shifts = (
                path * (0.5 * a + width / np.sqrt(12.0) * draws.normal(layer.draw + _SHIFTS + i))
                for i, a in enumerate(angles)
            )
            dx, dy = displacement(u, v, *shifts)
            flight.x[rows] += dx
            flight.y[rows] += dy
        self._turn(flight, rows, layer, angles, lever)

    def _turn(self, flight: Flight, rows: Rows, layer: Layer, angles: list[Array], lever: Array | None) -> None:
        """Deflect, and move what has flown on since; what turns round ends."""
        u, v = flight.u[rows], flight.v[rows]
        new_u, new_v, w = deflect(u, v, *angles)
        lost = (w <= 0.0) | (new_u * new_u + new_v * new_v > LARGEST_SINE**2)
        if lost.any():
            self._end(flight, rows[lost], Fate.left_acceptance, layer.z)
            new_u[lost], new_v[lost], w[lost] = u[lost], v[lost], np.sqrt(1.0 - u * u - v * v)[lost]
        if lever is not None:
            old_w = np.sqrt(1.0 - u * u - v * v)
            flight.x[rows] += lever * (new_u / w - u / old_w)
            flight.y[rows] += lever * (new_v / w - v / old_w)
        flight.u[rows], flight.v[rows] = new_u, new_v

    def _scatter_elastically(
        self, flight: Flight, rows: Rows, layer: Layer, lengths: Array, lever: Array | None
    ) -> None:
        """Deflect the hadrons that bounce off a whole nucleus, once at most: |t| = (p theta)^2 is exponential."""
        elastic = flight.elastic[rows] + lengths
        flight.elastic[rows] = elastic
        found = rows[(elastic > flight.elastic_limit[rows]) & flight.alive[rows]]
        if not len(found):
            return
        flight.elastic_limit[found] = np.inf
        draws = flight.draws[found]
        transfer = np.sqrt(draws.exponential(TRANSFER_DRAW) / self.elastic_slope)
        turn, azimuth = transfer / flight.p[found], 2.0 * np.pi * draws.uniform(TURN_DRAW)
        back = None if lever is None else lever[np.isin(rows, found)]
        self._turn(flight, found, layer, [turn * np.cos(azimuth), turn * np.sin(azimuth)], back)

    def _ionise(self, flight: Flight, rows: Rows, layer: Layer, areal: Array, energy: Array) -> Array:
        """Energy [MeV] lost to the electrons of the material, at most all that there is."""
        p, mass, draws = flight.p[rows], flight.mass[rows], flight.draws[rows]
        beta_gamma = p / mass
        beta2 = (p / energy) ** 2
        mean = areal * layer.material.stopping_power(beta_gamma, mass)
        width = layer.material.landau_width(areal, beta2)
        largest = largest_transfer(beta_gamma, mass)
        u, w = draws.uniform(layer.draw + _LANDAU), draws.exponential(layer.draw + _LANDAU + 1)
        lost = np.minimum(fluctuate(mean, width, beta2, largest, u, w), energy - mass)
        self.record.deposited[flight.row[rows]] += lost
        return lost

    def _radiate(self, flight: Flight, rows: Rows, layer: Layer, x_over_x0: Array, energy: Array) -> Array:
        """Energy [MeV] that electrons radiate, as one photon along their direction.

        The fraction of its energy that an electron keeps is exp(-g), g being gamma-distributed with
        shape x/X0 / ln 2 (H. Bethe, W. Heitler, Proc. R. Soc. A 146 (1934) 83): exp(-x/X0) on average.
        """
        lost = np.zeros(len(rows))
        chosen = np.flatnonzero(flight.electron[rows])
        if not len(chosen):
            return lost
        who = rows[chosen]
        g = gammaincinv(x_over_x0[chosen] / np.log(2.0), flight.draws[who].uniform(layer.draw + _BREMSSTRAHLUNG))
        lost[chosen] = np.minimum(-np.expm1(-g) * energy[chosen], np.maximum(energy[chosen] - flight.mass[who], 0.0))
        self.record.radiated[flight.row[who]] += lost[chosen]
        kept = lost[chosen] >= self.smallest_photon
        if kept.any():
            who, size = who[kept], lost[chosen][kept]
            u, v = flight.u[who], flight.v[who]
            w = np.sqrt(1.0 - u * u - v * v)
            z = np.full(len(who), layer.z)
            self.record.radiate(Photons(flight.row[who], flight.x[who], flight.y[who], z, u / w, v / w, size))
        return lost

    def _interact(self, flight: Flight, rows: Rows, layer: Layer, lengths: Array, lever: Array | None) -> None:
        """End the hadrons that meet a nucleus, where in the layer they do."""
        beyond = flight.depth[rows] - flight.depth_limit[rows]
        found = np.flatnonzero((beyond > 0.0) & flight.alive[rows])
        if len(found):
            back = np.zeros(len(found)) if lever is None else lever[found]
            if layer.depth is not None:
                back = layer.depth[found] * beyond[found] / lengths[found]
            self._end(flight, rows[found], Fate.interacted, layer.z - back)

    def _end(self, flight: Flight, rows: Rows, fate: Fate, z: float | Array) -> None:
        if len(rows):
            flight.alive[rows] = False
            self.record.end(flight.row[rows], fate, z, flight.p[rows])
