"""Origins away from the primary vertex, along the way of a mother that is not simulated."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from lamarrpy.draws import RowDraws
from lamarrpy.generate.spectra import Constant, Spectrum
from lamarrpy.strict import Strict

Array = NDArray[np.float64]

_WAY, _ANGLE, _AZIMUTH = range(3)
"""The draws of a particle."""


class Displacement(Strict):
    """How far a mother flies inside a cylinder around the beam, and at what angle the particle leaves it."""

    way: Spectrum = Field(description="share of the mother's way to the edge of the cylinder, 0 to 1")
    angle: Spectrum = Field(Constant(value=0.0), description="between the mother and the particle [rad]")
    radius: float = Field(gt=0, description="of the cylinder [mm]")
    z: tuple[float, float] = Field(description="its ends [mm]")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.z[0] < self.z[1]:
            raise ValueError(f"z: expected two ends in their order, got {list(self.z)}")
        ends = self.way.quantile(np.array([1e-9, 1.0 - 1e-9]))
        if not (ends[0] >= 0.0 and ends[1] <= 1.0):
            raise ValueError(f"way: expected shares between 0 and 1, got {ends[0]:g} to {ends[1]:g}")
        return self


def displaced(origin: Array, momentum: Array, recipe: Displacement, streams: RowDraws) -> Array:
    """Where the particles are born, shape (3, n), mm.

    Parameters
    ----------
    origin : ndarray, shape (3, n), mm
        Where their mothers are made.
    momentum : ndarray, shape (3, n), MeV
        Of the particles.
    recipe : Displacement
        How far from there, and at what angle.
    streams : RowDraws
        n streams.
    """
    angle = recipe.angle.quantile(streams.uniform(_ANGLE))
    mother = turned(momentum, angle, 2.0 * np.pi * streams.uniform(_AZIMUTH))
    way: Array = recipe.way.quantile(streams.uniform(_WAY)) * _to_edge(origin, mother, recipe)
    return origin + way * mother


def turned(vector: Array, angle: Array, azimuth: Array) -> Array:
    """Unit vectors at an angle [rad] to the given ones, at an azimuth [rad] around them, shape (3, n)."""
    along = vector / np.sqrt((vector**2).sum(axis=0))
    u, v, w = along
    aside = np.where(np.abs(w) < 0.9, np.stack([-v, u, np.zeros_like(u)]), np.stack([w, np.zeros_like(u), -u]))
    aside = aside / np.sqrt((aside**2).sum(axis=0))
    across = np.cross(along, aside, axis=0)
    out: Array = np.cos(angle) * along + np.sin(angle) * (np.cos(azimuth) * aside + np.sin(azimuth) * across)
    return out


def _to_edge(origin: Array, direction: Array, recipe: Displacement) -> Array:
    """Length [mm] of straight lines up to the edge of the cylinder, 0 for what starts outside, shape (n,)."""
    x, y, z = origin
    u, v, w = direction
    with np.errstate(divide="ignore", invalid="ignore"):
        end = np.where(w > 0.0, (recipe.z[1] - z) / w, np.where(w < 0.0, (recipe.z[0] - z) / w, np.inf))
        a, b, c = u * u + v * v, x * u + y * v, x * x + y * y - recipe.radius**2
        side = np.where(a > 0.0, (np.sqrt(np.maximum(b * b - a * c, 0.0)) - b) / a, np.inf)
    return np.where(c < 0.0, np.maximum(np.minimum(end, side), 0.0), 0.0)
