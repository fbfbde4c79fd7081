"""The muon stations M2 to M5: where they are, their four regions and the pads of these."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.tuning import tuning
from lamarrpy.shipped import shipped
from lamarrpy.yaml_file import read_yaml

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]

STATIONS, REGIONS = 4, 4
"""M2 to M5 and R1 to R4, both counted from 0."""


class FieldOfInterest(NamedTuple):
    """How far from a track hits are looked for.

    Attributes
    ----------
    factor : float
        What all is multiplied by.
    most_p : float, MeV
        Momentum from which the exponential is left out.
    a, b, c : ndarray, shape (2, stations, regions)
        Constants of a + b exp(-c p) in half pads, x before y; c in 1/MeV.
    least : ndarray, shape (stations,), mm MeV
        Over the momentum: half size at least.
    """

    factor: float
    most_p: float
    a: Array
    b: Array
    c: Array
    least: Array

    def half_pads(self, axis: int, station: int, region: int, p: Array) -> Array:
        """Half size in x (0) or y (1) in units of half a pad, for momenta [MeV] of shape (n,)."""
        a, b, c = (constant[axis, station, region] for constant in (self.a, self.b, self.c))
        return np.asarray(self.factor * (a + np.where(p > self.most_p, 0.0, b * np.exp(-c * p))))


class Stations(NamedTuple):
    """The muon system as tracks meet it.

    Attributes
    ----------
    z : ndarray, shape (stations,), mm
        Where they are.
    outer, hole : ndarray, shape (stations, 2), mm
        Half sizes in x and y, and those of the hole around the beam.
    pads : ndarray, shape (stations, regions, 2), mm
        Sizes of the pads in x and y.
    efficiency : float
        Probability that a station sees a charged particle.
    first_z, first_outer, first_hole : float, pairs of float, mm
        The same of M1, which limits the acceptance only.
    field : FieldOfInterest
        Where hits are looked for.
    is_muon_p : tuple of float, MeV
        Momenta from which two, three and four stations must have hits.
    """

    z: Array
    outer: Array
    hole: Array
    pads: Array
    efficiency: float
    first_z: float
    first_outer: tuple[float, float]
    first_hole: tuple[float, float]
    field: FieldOfInterest
    is_muon_p: tuple[float, float, float]

    def region(self, station: int, x: Array, y: Array) -> Counts:
        """The region 0 to 3 of each point [mm], shape (n,); -1 in the hole, outside, or if it is NaN."""
        inside = (np.abs(x) < self.outer[station, 0]) & (np.abs(y) < self.outer[station, 1])
        inside &= (np.abs(x) >= self.hole[station, 0]) | (np.abs(y) >= self.hole[station, 1])
        return np.where(inside, self.nearest_region(station, x, y), -1)

    def nearest_region(self, station: int, x: Array, y: Array) -> Counts:
        """The same, with the hole as a part of R1 and the outside as one of R4."""
        scale = np.maximum(np.abs(x) / self.hole[station, 0], np.abs(y) / self.hole[station, 1])
        return np.asarray(np.searchsorted([2.0, 4.0, 8.0], scale, side="right"), np.int64)

    def window(self, station: int, region: int, p: Array) -> tuple[Array, Array]:
        """Half sizes [mm] in x and y of the field of interest for momenta [MeV] of shape (n,)."""
        half, least = 0.5 * self.pads[station, region], self.field.least[station] / p
        x, y = (np.maximum(half[i] * self.field.half_pads(i, station, region, p), least) for i in range(2))
        return x, y

    def accepts(self, first: tuple[Array, Array], last: tuple[Array, Array]) -> Mask:
        """Whether tracks at x, y [mm] in M1 and M5, arrays of shape (m,), are within both and outside their holes."""
        inside = np.full(len(first[0]), True)
        for (x, y), outer, hole in (
            (first, self.first_outer, self.first_hole),
            (last, self.outer[-1], self.hole[-1]),
        ):
            inside &= (np.abs(x) < outer[0]) & (np.abs(y) < outer[1])
            inside &= (np.abs(x) >= hole[0]) | (np.abs(y) >= hole[1])
        return inside


def description() -> dict[str, Any]:
    """The content of models/detailed/muon/stations.yaml."""
    text: dict[str, Any] = read_yaml(shipped("models", "detailed", "muon", "stations.yaml"))
    return text


@cache
def stations() -> Stations:
    """The stations of the description."""
    text = description()
    z, outer, hole, pads = (np.array(text[name]["value"]) for name in ("z", "outer", "hole", "pads"))
    first = {name: entry["value"] for name, entry in text["first"].items()}
    constants = {name: entry["value"] for name, entry in text["field_of_interest"].items()}
    a, b, c = (np.array([constants[f"{name}{axis}"] for axis in "xy"]) for name in "abc")
    least = 1e3 * np.array(tuning("muon")["least_field"])
    field = FieldOfInterest(constants["factor"], constants["most_p"], a, b, 1e-3 * c, least)
    box = (first["z"], tuple(first["outer"]), tuple(first["hole"]))
    return Stations(z, outer, hole, pads, text["efficiency"]["value"], *box, field, tuple(text["is_muon_p"]["value"]))
