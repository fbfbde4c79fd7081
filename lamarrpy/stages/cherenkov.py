"""What the momentum of a track says of its RICH likelihoods beforehand: who radiates, and how far species are apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.shipped import shipped
from lamarrpy.stages.track_end import Way
from lamarrpy.yaml_file import read_yaml

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MASSES = {"e": 0.51099895, "mu": 105.6583755, "pi": 139.57039, "k": 493.677, "p": 938.27208816}
"""Hypotheses, and their masses [MeV] (PDG)."""

_SATURATION = 2.5
"""Standard deviations of a photon between two rings from which on more distance makes no likelihood larger."""

_LEAST_SIZE = 1e-3
"""Of a difference of log-likelihoods."""

_MRAD = 1e-3


@dataclass(frozen=True)
class Gas:
    """One RICH.

    Attributes
    ----------
    refractivity : float
        n - 1.
    photons : float
        Photoelectrons of a saturated ring.
    error : float, rad
        Of the angle of a single photon.
    gas : (float, float), mm
        z range of the gas.
    tracks : (float, float, float), rad
        Least angle to the beam, largest in x and y.
    mirror : (float, float, float), mm
        z and half sizes in x and y.
    """

    refractivity: float
    photons: float
    error: float
    gas: tuple[float, float]
    tracks: tuple[float, float, float]
    mirror: tuple[float, float, float]

    @property
    def saturated(self) -> float:
        """sin^2 of the Cherenkov angle at the speed of light."""
        return 1.0 - 1.0 / (1.0 + self.refractivity) ** 2

    def threshold(self, mass: float) -> float:
        """Momentum [MeV] from which on a mass [MeV] radiates: m / sqrt(n^2 - 1)."""
        return float(mass / np.sqrt((1.0 + self.refractivity) ** 2 - 1.0))

    def sine_squared(self, inverse_p: Floats, mass: float) -> Floats:
        """sin^2 of the Cherenkov angle, cos theta = 1 / (n beta), of a mass [MeV] at 1 / p [1/MeV]; 0 if none."""
        index = 1.0 + self.refractivity
        return np.asarray(np.maximum(1.0 - (1.0 + (mass * inverse_p) ** 2) / (index * index), 0.0))

    def crossed(self, way: Way) -> Flags:
        """Whether tracks go through the gas, and some of a wide ring of them meets the mirror, shape (n,)."""
        least, wide, high = self.tracks
        far, half_x, half_y = self.mirror
        ring = (far - 0.5 * (self.gas[0] + self.gas[1])) * np.sqrt(self.saturated)
        x, y = (np.abs(at) for at in way.at(far))
        inside: Flags = (np.hypot(way.tx, way.ty) > least) & (np.abs(way.tx) < wide) & (np.abs(way.ty) < high)
        return np.asarray(inside & (x < half_x + ring) & (y < half_y + ring))

    def share_behind(self, z: Floats) -> Floats:
        """The share of the gas that lies behind some z [mm], shape (n,), 0 to 1."""
        begin, end = self.gas
        return np.asarray(np.clip((end - z) / (end - begin), 0.0, 1.0))


@cache
def gases() -> tuple[Gas, Gas]:
    """RICH1 and RICH2 as models/rich/gases.yaml describes them."""
    text = read_yaml(shipped("models", "rich", "gases.yaml"))
    both = []
    for name in ("rich1", "rich2"):
        value = {key: entry["value"] for key, entry in text[name].items()}
        least, wide, high = (_MRAD * angle for angle in value["tracks"])
        both.append(
            Gas(
                refractivity=value["refractivity"],
                photons=value["photons"],
                error=_MRAD * value["error"],
                gas=(value["gas"][0], value["gas"][1]),
                tracks=(least, wide, high),
                mirror=(value["mirror"]["z"], value["mirror"]["x"], value["mirror"]["y"]),
            )
        )
    return both[0], both[1]


class Expected(NamedTuple):
    """What n tracks could tell; arrays of shape (n,).

    Attributes
    ----------
    radiates : dict of str to ndarray of bool
        Whether a track of each hypothesis radiates at all. Heavier ones radiate only where lighter ones do.
    e, mu, k, p : ndarray of float64
        About how large these are: DLL(e), DLL(mu) - mu_on_e DLL(e), DLL(k), DLL(p) - p_on_k DLL(k).
    mu_on_e, p_on_k : ndarray of float64
        How much of the larger of two differences follows from the smaller one: rings that are close together move
        their likelihoods together.
    """

    radiates: dict[str, Flags]
    e: Floats
    mu: Floats
    k: Floats
    p: Floats
    mu_on_e: Floats
    p_on_k: Floats


def expected(p: Floats, in_rich1: Flags, in_rich2: Flags) -> Expected:
    """How far the hypotheses of tracks are apart, from the momentum alone.

    N photons with an error sigma about a ring tell it from another one at a distance d sigma by N d^2 / 2 +- sqrt(N) d
    in the logarithm of the likelihood, with d not above what background leaves of it.

    Parameters
    ----------
    p : ndarray of float64, shape (n,), MeV
        Reconstructed momentum.
    in_rich1, in_rich2 : ndarray of bool, shape (n,)
        Which gases they go through.
    """
    inverse, used = 1.0 / p, (in_rich1, in_rich2)
    each = [_Rings.of(gas, inverse, here) for gas, here in zip(gases(), used, strict=True)]
    radiates = {name: np.logical_or(*(rings.photons[name] > 0.0 for rings in each)) for name in MASSES}
    from_pion = {name: [rings.apart(name, "pi") for rings in each] for name in ("e", "mu", "k", "p")}
    of = {name: [rings.photons[name] for rings in each] for name in MASSES}
    mu_on_e, mu = _after(of["e"], from_pion["e"], from_pion["mu"], _size(of["mu"], from_pion["mu"]), 0.0)
    apart = [rings.apart("p", "k") for rings in each]
    p_on_k, proton = _after(of["pi"], from_pion["k"], from_pion["p"], _size(of["k"], apart), 1.0)
    sizes = _size(of["e"], from_pion["e"]), mu, _size(of["pi"], from_pion["k"]), proton
    electron, muon, kaon, proton = (np.maximum(size, _LEAST_SIZE) for size in sizes)
    return Expected(radiates, electron, muon, kaon, proton, mu_on_e, p_on_k)


class _Rings(NamedTuple):
    """Rings of n tracks in one gas under each hypothesis: sines of their angles in errors, and their photons."""

    sine: dict[str, Floats]
    photons: dict[str, Floats]

    @classmethod
    def of(cls, gas: Gas, inverse_p: Floats, used: Flags) -> _Rings:
        squared = {name: np.where(used, gas.sine_squared(inverse_p, mass), 0.0) for name, mass in MASSES.items()}
        sine = {name: np.sqrt(values) / gas.error for name, values in squared.items()}
        return cls(sine, {name: values * (gas.photons / gas.saturated) for name, values in squared.items()})

    def apart(self, one: str, other: str) -> Floats:
        return np.asarray(np.minimum(np.abs(self.sine[one] - self.sine[other]), _SATURATION))


def _size(photons: Sequence[Floats], apart: Sequence[Floats]) -> Floats:
    """Of the difference of the log-likelihoods of two rings, the gases together."""
    return np.asarray(sum(np.sqrt(n) * d + 0.5 * n * d * d for n, d in zip(photons, apart, strict=True)))


def _after(
    photons: Sequence[Floats], first: Sequence[Floats], second: Sequence[Floats], alone: Floats, far: float
) -> tuple[Floats, Floats]:
    """How a second difference follows from a first one, and the size of what is left of it.

    While rings are close, both are about linear in the distances: the slope is that of a fit through all photons, and
    what is left is of second order. Where the nearer ring is too far for that, the slope is ``far``, and ``alone`` is
    what is left.
    """
    weight = [n * a for n, a in zip(photons, first, strict=True)]
    both = sum(w * b for w, b in zip(weight, second, strict=True))
    own = sum(w * a for w, a in zip(weight, first, strict=True))
    slope = np.asarray(both / np.maximum(own, 1e-12))
    nearer = np.maximum(*(np.minimum(a, b) for a, b in zip(first, second, strict=True)))
    close = np.clip(2.0 - nearer * (2.0 / _SATURATION), 0.0, 1.0)
    left = np.zeros_like(slope)
    for n, a, b in zip(photons, first, second, strict=True):
        bend = 0.5 * np.abs(b * b - slope * a * a)
        left += np.sqrt(n) * (np.abs(b - slope * a) + bend) + n * bend
    return far + close * (slope - far), alone + close * (left - alone)
