"""Muons through calorimeters and iron: multiple scattering, energy loss, and where they come to rest."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry.material import largest_transfer
from lamarrpy.detailed.muon.absorbers import Absorbers, Slab
from lamarrpy.detailed.muon.stations import Stations
from lamarrpy.detailed.transport.decays import MUON
from lamarrpy.detailed.transport.landau import fluctuate
from lamarrpy.detailed.transport.scattering import added_angle
from lamarrpy.draws import Draws

Array = NDArray[np.float64]
Ids = NDArray[np.int64]

LEAST_KINETIC_ENERGY = 20.0
"""Kinetic energy [MeV] below which a muon counts as stopped: the range of what is left is millimetres of iron."""

_LONGEST = 400.0
"""Slabs longer than this [mm] are taken in pieces, so that scattering follows the falling momentum."""

_ANGLE_X, _ANGLE_Y, _SHIFT_X, _SHIFT_Y, _LOSS, _LOSS_TAIL, _PER_SLAB = range(7)
"""Random numbers of a slab: angles, shifts, two for the energy loss."""

_FIRST_DRAW = 16
"""Index of the first random number of the first slab; those before belong to the cascade."""


class Flying(NamedTuple):
    """n particles behind RICH2, each array of shape (n,).

    Attributes
    ----------
    event_id, particle_id, number : ndarray of int
        Of the arrival that each comes from.
    lineage : ndarray of int
        0 for the arrival itself; child k of a particle has 8 times its lineage and k.
    pid : ndarray of int
        PDG number.
    z, x, y : ndarray, mm
        Where it starts.
    tx, ty : ndarray
        Slopes.
    p : ndarray, MeV
        Momentum.
    """

    event_id: Ids
    particle_id: Ids
    number: Ids
    lineage: Ids
    pid: Ids
    z: Array
    x: Array
    y: Array
    tx: Array
    ty: Array
    p: Array

    def at(self, rows: Any) -> Flying:
        """Some of them (mask, index array or slice)."""
        return Flying._make(column[rows] for column in self)

    @property
    def name(self) -> tuple[Ids, Ids, Ids, Ids]:
        """What the random numbers of each depend on."""
        return self.event_id, self.particle_id, self.number, self.lineage


class Crossings(NamedTuple):
    """k charged particles where they go through a station, each array of shape (k,).

    Attributes
    ----------
    event_id, particle_id, number, lineage : ndarray of int
        The particle, as in `Flying`.
    station : ndarray of int
        0 to 3 for M2 to M5.
    x, y : ndarray, mm
        Where.
    p : ndarray, MeV
        Its momentum there, for those that lose it on the way: muons.
    """

    event_id: Ids
    particle_id: Ids
    number: Ids
    lineage: Ids
    station: Ids
    x: Array
    y: Array
    p: Array

    @staticmethod
    def of(flying: Flying, station: int, z: float) -> Crossings:
        """Particles flown on straight to a station at z [mm]."""
        x, y = flying.x + (z - flying.z) * flying.tx, flying.y + (z - flying.z) * flying.ty
        return Crossings(*flying.name, np.full(len(x), station), x, y, flying.p)


def joined(parts: list[Any]) -> Any:
    """Several of the same kind, end to end."""
    return type(parts[0])._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


def _steps(slabs: tuple[Slab, ...], stations: list[float]) -> list[Slab | int]:
    """Pieces of slabs and numbers of stations in the order in which they are met."""
    steps: list[tuple[float, Slab | int]] = [(piece.z[1], piece) for slab in slabs for piece in _pieces(slab)]
    steps += [(z, station) for station, z in enumerate(stations)]
    return [step for _, step in sorted(steps, key=lambda step: step[0])]


def _pieces(slab: Slab) -> list[Slab]:
    """Air is left out: all of it is a hundredth of a radiation length."""
    if slab.x_over_x0 < 0.1:
        return []
    return slab.cut(int(np.ceil((slab.z[1] - slab.z[0]) / _LONGEST)))


def fly_muons(muons: Flying, absorbers: Absorbers, stations: Stations, draws: Draws) -> Crossings:
    """Take muons from where they start to where they stop, or through the last station.

    Parameters
    ----------
    muons : Flying
        The muons.
    absorbers, stations : Absorbers, Stations
        What they go through.
    draws : Draws
        The random numbers, used by rows of (event_id, particle_id, number, lineage).
    """
    crossings, seen = [Crossings.of(muons.at(slice(0)), 0, 0.0)], np.zeros(len(muons.pid))
    for number, step in enumerate(_steps(absorbers.slabs, stations.z.tolist())):
        if isinstance(step, int):
            z = float(stations.z[step])
            crossings.append(Crossings.of(muons.at(muons.z < z), step, z))
            continue
        muons, seen = _through(muons, seen, step, _FIRST_DRAW + number * _PER_SLAB, draws)
    return Crossings._make(joined(crossings))


def _through(muons: Flying, seen: Array, slab: Slab, draw: int, draws: Draws) -> tuple[Flying, Array]:
    """Those that come out behind a slab, and the radiation lengths that each has seen."""
    late = muons.z >= slab.z[1]
    start = np.maximum(muons.z, slab.z[0])
    length = np.where(late, 0.0, slab.z[1] - start)
    secant = np.sqrt(1.0 + muons.tx * muons.tx + muons.ty * muons.ty)
    amount = length / (slab.z[1] - slab.z[0]) * secant
    rows = draws.rows(*muons.name)
    after = _slower(muons.p, amount, slab, rows.uniform(draw + _LOSS), rows.exponential(draw + _LOSS_TAIL))
    # the geometric mean stands for the momentum on the way, which enters the width as 1/p^2
    p = np.sqrt(muons.p * np.maximum(after, 1.0))
    x_over_x0 = amount * slab.x_over_x0
    width = added_angle(seen, x_over_x0, p, p / np.sqrt(p * p + MUON * MUON))
    columns = []
    for place, at, angle, shift in ((muons.x, muons.tx, _ANGLE_X, _SHIFT_X), (muons.y, muons.ty, _ANGLE_Y, _SHIFT_Y)):
        turn = width * rows.normal(draw + angle)
        aside = length * secant * (0.5 * turn + width / np.sqrt(12.0) * rows.normal(draw + shift))
        # at an angle to the beam a turn of the direction is a larger change of the slope
        stretch = 1.0 + at * at
        columns.append((place + (start + length - muons.z) * at + aside * stretch, at + turn * stretch * secant))
    (x, tx), (y, ty) = columns
    z = np.where(late, muons.z, slab.z[1])
    x, y = np.where(late, muons.x, x), np.where(late, muons.y, y)
    there = (after > 0.0) & (np.abs(tx) < 2.0) & (np.abs(ty) < 2.0)
    flown = muons._replace(z=z, x=x, y=y, tx=tx, ty=ty, p=after)
    return flown.at(there), (seen + x_over_x0)[there]


def _slower(p: Array, amount: Array, slab: Slab, uniform: Array, exponential: Array) -> Array:
    """Momenta [MeV] behind some of a slab, in units of all of it; zero for those that stop."""
    mass, energy = np.full(len(p), MUON), np.sqrt(p * p + MUON * MUON)
    beta_gamma, beta2 = p / MUON, (p / energy) ** 2
    some = np.maximum(amount, 1e-6)
    mean, width = some * slab.mean_loss(beta_gamma, mass), some * slab.landau_width(beta2)
    lost = fluctuate(mean, width, beta2, largest_transfer(beta_gamma, mass), uniform, exponential)
    kinetic = energy - MUON - np.where(amount > 0.0, lost, 0.0)
    return np.where(kinetic > LEAST_KINETIC_ENERGY, np.sqrt(np.maximum(kinetic, 0.0) * (kinetic + 2.0 * MUON)), 0.0)
