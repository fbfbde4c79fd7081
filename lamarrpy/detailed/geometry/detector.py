"""The detector as a particle meets it: a list of planes ordered in z, and walls around the beam."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry.material import Material
from lamarrpy.detailed.geometry.shapes import Array, Mask, Shape, without
from lamarrpy.errors import ConfigError

MOST_LAYERS = 3
"""Regions of material in a plane: as many as have random numbers of their own."""


class Kind(IntEnum):
    """What a sensitive plane measures."""

    velo_r = 1
    velo_phi = 2
    strip = 3
    straw = 4


@dataclass(frozen=True)
class Region:
    """A part of a plane with material in it.

    Attributes
    ----------
    inside, outside : tuple of shapes
        It is the union of the first, everything if there are none, without the union of the second.
    material : Material
        Of what.
    x_over_x0 : float
        Radiation lengths at normal incidence.
    """

    inside: tuple[Shape, ...]
    outside: tuple[Shape, ...]
    material: Material
    x_over_x0: float

    def contains(self, x: Array, y: Array) -> Mask:
        """Whether each point, shape (n,), mm, lies in it."""
        return without(self.inside, self.outside, x, y)


@dataclass(frozen=True)
class Sensor:
    """The sensitive part of a plane and what it measures.

    Attributes
    ----------
    kind : Kind
        VELO R or phi strips, straight strips or straws.
    inside, outside : tuple of shapes
        The active area.
    stereo : float or (float, float), rad
        Angle of straight strips and straws to the vertical: they measure x cos + y sin. For phi
        sensors the tilts of inner and outer strips to the radius.
    resolution : tuple of float
        One width [mm]; for the VELO a, b, c of sigma / pitch = a + b exp(-(angle / c degrees)^2).
    efficiency : float
        Probability of a hit; for straws it follows from the path in the gas.
    pitch : tuple of (float, float, float, float)
        Zones of (from radius, to radius, pitch there, pitch there) [mm], of VELO sensors.
    straw : (float, float, float, float), mm
        Pitch of the wires, gap in z between the monolayers, inner radius and ionisation length.
    """

    kind: Kind
    inside: tuple[Shape, ...]
    outside: tuple[Shape, ...] = ()
    stereo: tuple[float, ...] = (0.0,)
    resolution: tuple[float, ...] = (0.0,)
    efficiency: float = 1.0
    pitch: tuple[tuple[float, float, float, float], ...] = ()
    straw: tuple[float, float, float, float] | None = None

    def contains(self, x: Array, y: Array) -> Mask:
        """Whether each point, shape (n,), mm, lies in the active area."""
        return without(self.inside, self.outside, x, y)


@dataclass(frozen=True)
class Plane:
    """A plane of constant z.

    Attributes
    ----------
    name, system : str
        Which one, and the subdetector that it belongs to.
    z : float, mm
        Where; for thick material, where it ends.
    extent : float, mm
        Length in z over which the material is spread, before z.
    regions : tuple of Region
        The material; where two overlap, a particle goes through both.
    sensor : Sensor, optional
        What is measured.
    recorded : bool
        Whether the state of every particle is recorded here: a reference plane.
    """

    name: str
    system: str
    z: float
    extent: float = 0.0
    regions: tuple[Region, ...] = ()
    sensor: Sensor | None = None
    recorded: bool = False


@dataclass(frozen=True)
class Wall:
    """A cone or cylinder around the beam: r = slope z + radius.

    Attributes
    ----------
    name, system : str
        Which one, and what it belongs to.
    z : (float, float), mm
        Its ends.
    slope : float
        Tangent of the half-angle.
    radius : float, mm
        Radius at z = 0.
    thickness : float, mm
        Of the wall.
    material : Material
        Of what.
    """

    name: str
    system: str
    z: tuple[float, float]
    slope: float
    radius: float
    thickness: float
    material: Material

    def gap(self, x: Array, y: Array, z: float | Array) -> Array:
        """Distance [mm] of each point from the wall in the transverse plane, negative inside."""
        distance: Array = np.sqrt(x * x + y * y) - (self.slope * z + self.radius)
        return distance

    def path(self, u: Array, v: Array, approach: Array) -> Array:
        """Way [mm] through the wall of particles with direction cosines u, v whose gap changes so fast with z."""
        w = np.sqrt(1.0 - u * u - v * v)
        path: Array = np.minimum(
            self.thickness * np.sqrt(1.0 + self.slope**2) / (w * np.abs(approach)), self.z[1] - self.z[0]
        )
        return path


@dataclass(frozen=True)
class Aperture:
    """Where particles hit the magnet or leave the hall.

    Attributes
    ----------
    z : (float, float), mm
        The magnet.
    x, y : (float, float)
        a and b [mm] of |x| < a z + b inside it.
    hall : (float, float), mm
        Half sizes of all else.
    """

    z: tuple[float, float]
    x: tuple[float, float]
    y: tuple[float, float]
    hall: tuple[float, float]

    def limits(self, z: float) -> tuple[float, float]:
        """Largest |x| and |y| [mm] at a z [mm]."""
        if self.z[0] <= z <= self.z[1]:
            return self.x[0] * z + self.x[1], self.y[0] * z + self.y[1]
        return self.hall

    def contains(self, x: Array, y: Array, z: Array) -> Mask:
        """Whether each point, shape (n,), mm, is one where a particle can be."""
        inside = (self.z[0] <= z) & (z <= self.z[1])
        limits = (np.where(inside, a * z + b, wide) for (a, b), wide in zip((self.x, self.y), self.hall, strict=True))
        most_x, most_y = limits
        return np.asarray((np.abs(x) < most_x) & (np.abs(y) < most_y))


@dataclass(frozen=True)
class Detector:
    """Everything that a particle may meet.

    Attributes
    ----------
    planes : tuple of Plane
        In increasing z, no two at the same.
    walls : tuple of Wall
        One after the other along z.
    aperture : Aperture
        The limits of space.
    interaction_scale : tuple of (int, float)
        PDG number of a hadron, and how much longer its interaction length is than a proton's.
    longest_step : float, mm
        Of the integration through the field.
    smallest_photon : float, MeV
        Least energy of a photon that is kept.
    elastic_slope : float, 1/MeV^2
        How fast elastic scattering on nuclei falls with the square of the momentum transfer.
    """

    planes: tuple[Plane, ...]
    walls: tuple[Wall, ...]
    aperture: Aperture
    interaction_scale: tuple[tuple[int, float], ...]
    longest_step: float
    smallest_photon: float
    elastic_slope: float

    def __post_init__(self) -> None:
        for a, b in pairwise(self.planes):
            if a.z >= b.z:
                raise ConfigError(f"expected planes in increasing z, got {a.name} at {a.z} before {b.name} at {b.z} mm")
        for first, second in pairwise(self.walls):
            if first.z[1] > second.z[0]:
                raise ConfigError(
                    f"expected one wall behind the other, got {first.name} to {first.z[1]} mm"
                    f" and {second.name} from {second.z[0]} mm"
                )
        crowded = [plane.name for plane in self.planes if len(plane.regions) > MOST_LAYERS]
        if crowded:
            raise ConfigError(f"expected at most {MOST_LAYERS} regions of material in a plane, got more in {crowded}")

    def plane_number(self, name: str) -> int:
        """Position of a plane in the list.

        Raises
        ------
        KeyError
            If there is none of that name.
        """
        try:
            return next(i for i, plane in enumerate(self.planes) if plane.name == name)
        except StopIteration:
            raise KeyError(f"no plane of the name {name!r}") from None

    def systems(self) -> NDArray[np.str_]:
        """The subdetector of every plane, shape (planes,)."""
        return np.array([plane.system for plane in self.planes])

    def without_material(self) -> Detector:
        """The same sensors in the same places, made of nothing."""
        planes = tuple(Plane(p.name, p.system, p.z, 0.0, (), p.sensor, p.recorded) for p in self.planes)
        return replace(self, planes=planes, walls=())
