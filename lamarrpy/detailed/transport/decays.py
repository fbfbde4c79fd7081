"""Decays in flight of charged pions and kaons into two particles, one of them charged."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.transport.scattering import perpendicular

Array = NDArray[np.float64]

PION, MUON, NEUTRAL_PION = 139.57039, 105.6583755, 134.9768
"""Masses [MeV] (PDG)."""


class Channel(NamedTuple):
    """A decay into two particles: probability, PDG number and mass of the charged one for a positive mother."""

    fraction: float
    pid: int
    mass: float
    recoil: float


CHANNELS: dict[int, tuple[Channel, ...]] = {
    211: (Channel(1.0, -13, MUON, 0.0),),
    321: (Channel(0.6356, -13, MUON, 0.0), Channel(0.2067, 211, PION, NEUTRAL_PION)),
}
"""mu nu of pions; mu nu and pi pi0 of kaons (PDG). The rest, three-body decays of kaons, ends the track."""


def break_up_momentum(mother: Array, first: Array, second: Array) -> Array:
    """Momentum [MeV] of both daughters in the rest frame of the mother."""
    square = (mother**2 - (first + second) ** 2) * (mother**2 - (first - second) ** 2)
    return np.sqrt(np.maximum(square, 0.0)) / (2.0 * mother)


def choose_channel(pid: NDArray[np.int64], chance: Array) -> tuple[NDArray[np.int64], Array, Array]:
    """The charged daughter of each decay.

    Parameters
    ----------
    pid : ndarray of int, shape (n,)
        Pions and kaons.
    chance : ndarray, shape (n,)
        Uniform in (0, 1).

    Returns
    -------
    pid, mass, recoil mass : ndarray, shape (n,)
        PDG number, 0 if no two-body channel is chosen; MeV.
    """
    daughter, mass, recoil = np.zeros(len(pid), np.int64), np.zeros(len(pid)), np.zeros(len(pid))
    for mother, channels in CHANNELS.items():
        below = 0.0
        for channel in channels:
            chosen = (np.abs(pid) == mother) & (chance >= below) & (chance < below + channel.fraction)
            daughter[chosen] = np.sign(pid[chosen]) * channel.pid
            mass[chosen], recoil[chosen] = channel.mass, channel.recoil
            below += channel.fraction
    return daughter, mass, recoil


def daughter_momentum(
    u: Array, v: Array, p: Array, mother: Array, masses: tuple[Array, Array], polar: Array, azimuth: Array
) -> tuple[Array, Array, Array]:
    """Momentum [MeV] of the charged daughter, px, py, pz, each of shape (n,): isotropic where the mother rests.

    Parameters
    ----------
    u, v : ndarray, shape (n,)
        Direction cosines of the mother.
    p, mother : ndarray, shape (n,), MeV
        Momentum and mass of the mother.
    masses : two ndarrays, shape (n,), MeV
        Of the charged daughter and of what recoils.
    polar, azimuth : ndarray, shape (n,)
        Uniform in (0, 1).
    """
    star = break_up_momentum(mother, *masses)
    cosine, angle = 2.0 * polar - 1.0, 2.0 * np.pi * azimuth
    across = star * np.sqrt(1.0 - cosine * cosine)
    energy = np.sqrt(star * star + masses[0] ** 2)
    along = (np.sqrt(p * p + mother * mother) * star * cosine + p * energy) / mother
    first, second = perpendicular(u, v)
    direction = (u, v, np.sqrt(1.0 - u * u - v * v))
    momentum = tuple(
        along * d + across * (np.cos(angle) * e + np.sin(angle) * f)
        for d, e, f in zip(direction, first, second, strict=True)
    )
    return momentum[0], momentum[1], momentum[2]
