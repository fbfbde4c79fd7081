"""The matter between RICH2 and the last muon station: calorimeters, iron filters, and the air between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.geometry.material import Material
from lamarrpy.detailed.muon.stations import description, stations
from lamarrpy.detailed.reconstruction.paths import CALORIMETER
from lamarrpy.shipped import shipped
from lamarrpy.yaml_file import read_yaml

Array = NDArray[np.float64]

_PROVENANCE = ("source", "confidence")
_MINIMUM = np.array([3.5])
"""beta gamma of minimum ionisation."""

_PION = np.array([139.57])
"""MeV: the mass of which it matters little."""


@dataclass(frozen=True)
class Slab:
    """Matter that is spread evenly from z to z [mm].

    Attributes
    ----------
    z : (float, float), mm
        Its ends.
    parts : tuple of (Material, float)
        What it is made of, and how much of each there is [g/cm^2] along z.
    """

    z: tuple[float, float]
    parts: tuple[tuple[Material, float], ...]

    @property
    def x_over_x0(self) -> float:
        """Radiation lengths along z."""
        return sum(areal / material.radiation_length for material, areal in self.parts)

    @property
    def lengths(self) -> float:
        """Interaction lengths of a proton along z."""
        return sum(areal / material.interaction_length for material, areal in self.parts)

    def mean_loss(self, beta_gamma: Array, mass: Array) -> Array:
        """Mean energy loss [MeV] of unit charges along z, shape (n,)."""
        loss = np.zeros(len(beta_gamma))
        for material, areal in self.parts:
            loss += areal * material.stopping_power(beta_gamma, mass)
        return loss

    def landau_width(self, beta2: Array) -> Array:
        """Landau's xi [MeV] along z, shape (n,)."""
        width = np.zeros(len(beta2))
        for material, areal in self.parts:
            width += material.landau_width(np.full(len(beta2), areal), beta2)
        return width

    def cut(self, pieces: int) -> list[Slab]:
        """The same matter in pieces of equal length."""
        edges = np.linspace(*self.z, pieces + 1).tolist()
        parts = tuple((material, areal / pieces) for material, areal in self.parts)
        return [Slab(ends, parts) for ends in pairwise(edges)]


@dataclass(frozen=True)
class Absorbers:
    """All slabs one behind the other from RICH2 to the last station.

    Attributes
    ----------
    slabs : tuple of Slab
        With the air between them.
    z, depth, loss : ndarray, shape (slabs + 1,)
        Their ends [mm], and from RICH2 to there the interaction lengths of a proton and the energy [MeV] that a
        minimum ionising particle loses.
    scale : tuple of (int, float)
        PDG number of a hadron, and how much longer its interaction length is than a proton's.
    iron : Material
        What most of it is.
    """

    slabs: tuple[Slab, ...]
    z: Array
    depth: Array
    loss: Array
    scale: tuple[tuple[int, float], ...]
    iron: Material

    def rise(self, beta_gamma: Array, mass: Array) -> Array:
        """Energy loss in iron in units of that of a minimum ionising particle, shape (n,)."""
        least = self.iron.stopping_power(_MINIMUM, _PION)
        return np.asarray(self.iron.stopping_power(beta_gamma, mass) / least)


def _materials() -> dict[str, Material]:
    """The materials of both descriptions by name."""
    both = {**read_yaml(shipped("models", "detailed", "detector.yaml"))["materials"], **description()["materials"]}
    return {
        name: Material(name, **{key: value for key, value in entry.items() if key not in _PROVENANCE})
        for name, entry in both.items()
    }


@cache
def absorbers() -> Absorbers:
    """The matter of the description."""
    text, materials = description(), _materials()
    slabs, at = [], CALORIMETER
    for entry in text["absorbers"]:
        parts = tuple((materials[name], 0.1 * mm * materials[name].density) for name, mm in entry["parts"].items())
        slabs += [_air((at, entry["z"][0]), materials["air"]), Slab((entry["z"][0], entry["z"][1]), parts)]
        at = entry["z"][1]
    slabs.append(_air((at, float(stations().z[-1])), materials["air"]))
    z = np.array([CALORIMETER, *(slab.z[1] for slab in slabs)])
    losses = [float(slab.mean_loss(_MINIMUM, _PION)[0]) for slab in slabs]
    depth, loss = (np.cumsum([0.0, *values]) for values in ([slab.lengths for slab in slabs], losses))
    blacker = text["heavy_nuclei"]["value"]
    scale = tuple((pid, 1.0 + blacker * (longer - 1.0)) for pid, longer in lhcb_detector().interaction_scale)
    return Absorbers(tuple(slabs), z, depth, loss, scale, materials["iron"])


def _air(z: tuple[float, float], air: Material) -> Slab:
    return Slab(z, ((air, 0.1 * (z[1] - z[0]) * air.density),))
