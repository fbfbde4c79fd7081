"""Neutral particles on straight lines through the material, in which photons turn into electrons and positrons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry.detector import Detector, Plane, Wall
from lamarrpy.detailed.geometry.material import ELECTRON_MASS
from lamarrpy.detailed.transport.origins import FIRST, Particles
from lamarrpy.draws import Draws
from lamarrpy.propagation.state import STEEPEST

Array = NDArray[np.float64]
Ids = NDArray[np.int64]

_DEPTH, _SHARE = range(2)
"""Indices of the random numbers of a photon: after how much material it converts, and how the energy is shared."""

PHOTON = 22

NEUTRAL = (PHOTON, 130, 2112, -2112)
"""Neutral particles that calorimeters see: photons, long-lived kaons, neutrons."""

MEAN_FREE_PATH = 9.0 / 7.0
"""Radiation lengths after which photons convert, on average (PDG, at high energy)."""


def forward(particles: Particles, least: float) -> NDArray[np.bool_]:
    """Whether particles fly into the detector with more than the least momentum [MeV], shape (n,)."""
    square = particles.px**2 + particles.py**2
    fine = (particles.pz > 0.0) & (square < (STEEPEST * particles.pz) ** 2) & (square + particles.pz**2 > least**2)
    return np.asarray(fine & (particles.z > FIRST))


class Conversions(NamedTuple):
    """What becomes of n photons, each array of shape (n,).

    Attributes
    ----------
    z : ndarray, mm
        Where each converts, infinite if it does not before the last plane.
    share : ndarray
        Of the photon's energy that the electron has; the positron has the rest.
    """

    z: Array
    share: Array


def convert(photons: Particles, detector: Detector, draws: Draws) -> Conversions:
    """Let photons convert in the material on their way.

    The chance is 7/9 for a radiation length; the energy is shared as dn/dx = 1 - 4/3 x (1 - x) (PDG, passage
    of particles through matter, pair production at high energy).

    Parameters
    ----------
    photons : Particles
        n photons.
    detector : Detector
        What is in their way.
    draws : Draws
        The random numbers, used by rows of (event_id, particle_id).
    """
    keys = draws.rows(photons.event_id, photons.particle_id)
    limit = MEAN_FREE_PATH * keys.exponential(_DEPTH)
    z, depth = np.full(len(limit), np.inf), np.zeros(len(limit))
    tx, ty = photons.px / photons.pz, photons.py / photons.pz
    layers: list[Plane | Wall] = [*detector.planes, *detector.walls]
    for layer in sorted(layers, key=_end):
        if isinstance(layer, Wall):
            passed, where = _through_wall(layer, photons, tx, ty)
        else:
            passed, where = _through_plane(layer, photons, tx, ty)
        depth += passed
        z = np.where((depth > limit) & np.isinf(z), where, z)
    return Conversions(z, np.interp(keys.uniform(_SHARE), _CUMULATIVE, _SHARES))


def _end(layer: Plane | Wall) -> float:
    return layer.z[1] if isinstance(layer, Wall) else layer.z


def _through_plane(plane: Plane, photons: Particles, tx: Array, ty: Array) -> tuple[Array, Array]:
    """Radiation lengths of a plane on each photon's way, and the z [mm] where it is through them."""
    lever = plane.z - photons.z
    passed = np.zeros(len(lever))
    if plane.regions:
        x, y, slant = photons.x + lever * tx, photons.y + lever * ty, np.sqrt(1.0 + tx * tx + ty * ty)
        for region in plane.regions:
            passed += np.where(region.contains(x, y), region.x_over_x0 * slant, 0.0)
        part = np.clip(lever / plane.extent, 0.0, 1.0) if plane.extent > 0.0 else lever > 0.0
        passed = passed * part
    return passed, np.full(len(lever), plane.z)


def _through_wall(wall: Wall, photons: Particles, tx: Array, ty: Array) -> tuple[Array, Array]:
    """The same for a wall, where the line meets it."""
    begin, end = np.clip(photons.z, *wall.z), wall.z[1]
    before, after = (
        wall.gap(photons.x + (z - photons.z) * tx, photons.y + (z - photons.z) * ty, z) for z in (begin, end)
    )
    crosses = (before * after < 0.0) & (end > begin)
    steepness = np.where(crosses, (after - before) / np.where(crosses, end - begin, 1.0), 1.0)
    slant = np.sqrt(1.0 + tx * tx + ty * ty)
    path = wall.path(tx / slant, ty / slant, steepness)
    where = np.where(crosses, begin - before / steepness, end)
    return np.where(crosses, path * wall.material.x_over_x0(1.0), 0.0), where


_SHARES = np.linspace(0.0, 1.0, 513)
_CUMULATIVE = 9.0 / 7.0 * (_SHARES - 2.0 / 3.0 * _SHARES**2 + 4.0 / 9.0 * _SHARES**3)
"""The share of a pair's energy that the electron has, and how many electrons have less."""


def pairs(photons: Particles, conversions: Conversions) -> Particles:
    """Electron and positron of each photon that converts, where it does and in its direction.

    Parameters
    ----------
    photons : Particles
        n photons.
    conversions : Conversions
        What becomes of them.

    Returns
    -------
    Particles
        The electron of the photon of particle_id i is numbered 2 i, the positron 2 i + 1.
    """
    found = np.flatnonzero(np.isfinite(conversions.z))
    some, z, share = photons.at(found), conversions.z[found], conversions.share[found]
    energy = np.sqrt(some.px**2 + some.py**2 + some.pz**2)
    x, y = (a + (z - some.z) * b / some.pz for a, b in ((some.x, some.px), (some.y, some.py)))
    both = []
    for number, (pid, part) in enumerate(((11, share), (-11, 1.0 - share))):
        p = np.sqrt(np.maximum((part * energy) ** 2 - ELECTRON_MASS**2, 0.0))
        direction = (p / energy * component for component in (some.px, some.py, some.pz))
        ids = (some.event_id, 2 * some.particle_id + number, np.full(len(found), pid, np.int64))
        both.append(Particles(*ids, x, y, z, *direction))
    return Particles._make(np.stack(columns, axis=1).ravel() for columns in zip(*both, strict=True))
