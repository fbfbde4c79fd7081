"""The gas of a Cherenkov detector, what it radiates, and which photons its mirrors and tubes can see."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.shipped import shipped
from lamarrpy.yaml_file import read_yaml

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

Direction = tuple[Array, Array, Array]
"""Direction cosines u, v, w of n particles or photons."""

_MRAD = 1e-3


@dataclass(frozen=True)
class Radiator:
    """A RICH detector; angles in rad.

    Attributes
    ----------
    name : str
        ``rich1`` or ``rich2``, whose reference planes ``<name>_begin`` and ``<name>_end`` enclose it.
    gas : (float, float), mm
        z range of the gas.
    refractivity, chromatic : float
        n - 1, and its relative spread over the photons.
    emission, point_spread : float, rad
        Errors of single photons that come from the unknown emission point and from detection.
    pixel, photon_detector : float, rad
        Angular size of a pixel and distance between photon detectors.
    photons : float
        Photoelectrons of a saturated ring on the whole path, all of it seen.
    tracks : (float, float, float), rad
        Angle to the beam from which on tracks are in acceptance, largest angles in x and y.
    mirror : (float, float, float), mm
        z and half sizes in x and y of the mirrors.
    pipe : (float, float)
        a and b [mm] of r < a z + b, where photons are stopped.
    """

    name: str
    gas: tuple[float, float]
    refractivity: float
    chromatic: float
    emission: float
    point_spread: float
    pixel: float
    photon_detector: float
    photons: float
    tracks: tuple[float, float, float]
    mirror: tuple[float, float, float]
    pipe: tuple[float, float]

    @property
    def saturated(self) -> float:
        """sin^2 of the Cherenkov angle at the speed of light."""
        return 1.0 - 1.0 / (1.0 + self.refractivity) ** 2

    @property
    def middle(self) -> float:
        """z [mm] of the middle of the gas."""
        return 0.5 * (self.gas[0] + self.gas[1])

    def sine_squared(self, p: Array, mass: Array, refractivity: Array | None = None) -> Array:
        """sin^2 of the Cherenkov angle, cos theta = 1 / (n beta); 0 below threshold.

        Parameters
        ----------
        p, mass : ndarray, shape (n,), MeV
            Momentum and mass.
        refractivity : ndarray, shape (n,), optional
            n - 1 for each photon; that of the mean wavelength if left out.
        """
        index = 1.0 + (self.refractivity if refractivity is None else refractivity)
        return np.maximum(1.0 - (1.0 + (mass / p) ** 2) / (index * index), 0.0)

    def threshold(self, mass: float) -> float:
        """Momentum [MeV] from which on a particle of a mass [MeV] radiates: m / sqrt(n^2 - 1)."""
        return float(mass / np.sqrt((1.0 + self.refractivity) ** 2 - 1.0))

    def resolution(self, angle: Array, track: Array) -> Array:
        """Error [rad] of the angle of single photons.

        The chromatic term follows from theta^2 = 2 (n - 1) - 1 / (beta gamma)^2: it grows towards small angles.

        Parameters
        ----------
        angle : ndarray, shape (n,), rad
            Cherenkov angle.
        track : ndarray, shape (n,), rad
            Error of the track's direction.
        """
        spread = self.chromatic * self.refractivity / np.maximum(angle, 0.2 * np.sqrt(self.saturated))
        rest = self.emission**2 + self.point_spread**2 + self.pixel**2 / 12.0
        return np.asarray(np.sqrt(spread * spread + track * track + rest))

    def sees_track(self, tx: Array, ty: Array) -> Mask:
        """Whether tracks of these slopes go through the gas, shape (n,)."""
        least, x, y = self.tracks
        return np.asarray((np.hypot(tx, ty) > least) & (np.abs(tx) < x) & (np.abs(ty) < y))

    def sees_photon(self, x: Array, y: Array, z: Array, direction: Direction) -> Mask:
        """Whether photons emitted at a point [mm] in a direction reach a mirror and miss the beam pipe.

        The way to the pipe is shortest where the photon is nearest to the axis, or at one of its ends.
        """
        u, v, w = direction
        tx, ty = u / w, v / w
        far, wide, high = self.mirror
        lever = far - z
        on_mirror = (np.abs(x + lever * tx) < wide) & (np.abs(y + lever * ty) < high)
        square = np.maximum(tx * tx + ty * ty, 1e-12)
        nearest = np.clip(-(x * tx + y * ty) / square, 0.0, lever)
        slope, radius = self.pipe
        clear = np.hypot(x + nearest * tx, y + nearest * ty) > slope * (z + nearest) + radius
        return np.asarray(on_mirror & clear)


def direction_of(tx: Array, ty: Array) -> Direction:
    """Direction cosines of slopes."""
    w = 1.0 / np.sqrt(1.0 + tx * tx + ty * ty)
    return tx * w, ty * w, w


def _radiator(name: str, block: dict[str, Any]) -> Radiator:
    value = {key: entry["value"] for key, entry in block.items()}
    angles = {key: value[key] * _MRAD for key in ("emission", "point_spread", "pixel", "photon_detector")}
    least, x, y = (_MRAD * angle for angle in value["tracks"])
    mirror, pipe = value["mirror"], value["pipe"]
    return Radiator(
        name=name,
        gas=(value["gas"][0], value["gas"][1]),
        refractivity=value["refractivity"],
        chromatic=value["chromatic"],
        photons=value["photons"],
        tracks=(least, x, y),
        mirror=(mirror["z"], mirror["x"], mirror["y"]),
        pipe=(pipe["slope"], pipe["radius"]),
        **angles,
    )


@cache
def radiators() -> tuple[Radiator, Radiator]:
    """RICH1 and RICH2 as models/detailed/detector.yaml describes them."""
    text = read_yaml(shipped("models", "detailed", "detector.yaml"))
    return _radiator("rich1", text["rich1"]), _radiator("rich2", text["rich2"])
