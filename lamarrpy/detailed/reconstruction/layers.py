"""Which layer of which subdetector every plane is, and how many layers of each a particle has hits in."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector, Kind

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]

STATION_LAYERS = 4
"""Layers of a T station, in the order x, u, v, x; the stations of IT and OT stand one behind the other."""


class Layers(NamedTuple):
    """What the planes of a detector are to pattern recognition, each array of shape (planes,).

    Attributes
    ----------
    velo_r, velo_phi, tt, t : ndarray of bool
        VELO R and phi sensors, layers of TT, layers of IT and OT.
    layer : ndarray of int
        Number in z of a layer within TT (0 ... 3) and within IT or OT (0 ... 11), else -1: IT and OT
        planes of one number are one layer of the T stations.
    stereo : ndarray of bool
        Whether its strips or straws are tilted.
    z : ndarray, mm
        Where.
    """

    velo_r: Mask
    velo_phi: Mask
    tt: Mask
    t: Mask
    layer: NDArray[np.int64]
    stereo: Mask
    z: NDArray[np.float64]

    @property
    def velo(self) -> Mask:
        """R and phi sensors."""
        return self.velo_r | self.velo_phi


@lru_cache(maxsize=8)
def layers_of(detector: Detector) -> Layers:
    """Number the layers of a detector's subdetectors."""
    systems = detector.systems()
    kinds = np.array([plane.sensor.kind if plane.sensor else 0 for plane in detector.planes])
    layer = np.full(len(systems), -1)
    for system in ("tt", "it", "ot"):
        planes = np.flatnonzero(systems == system)
        layer[planes] = np.arange(len(planes))
    return Layers(
        kinds == Kind.velo_r,
        kinds == Kind.velo_phi,
        systems == "tt",
        np.isin(systems, ("it", "ot")),
        layer,
        np.array([plane.sensor is not None and plane.sensor.stereo[0] != 0.0 for plane in detector.planes]),
        np.array([plane.z for plane in detector.planes]),
    )


def count(row: Rows, chosen: Mask, n: int) -> NDArray[np.int64]:
    """How many of the chosen entries each of n rows has."""
    return np.bincount(row[chosen], minlength=n)


def pattern(row: Rows, layer: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """The layers that each of n rows has entries in, as the bits of a number; ``row`` is sorted.

    Parameters
    ----------
    row : ndarray of int, shape (k,)
        Row of each entry, sorted.
    layer : ndarray of int, shape (k,)
        Its layer, 0 ... 11.
    n : int
        Number of rows.
    """
    bits = np.zeros(n, np.int64)
    if len(row):
        starts = np.flatnonzero(np.diff(row, prepend=-1))
        bits[row[starts]] = np.bitwise_or.reduceat(np.int64(1) << layer, starts)
    return bits


def layers_in(bits: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many bits of each pattern are set."""
    return np.bitwise_count(bits).astype(np.int64)


def in_every_station(bits: NDArray[np.int64]) -> Mask:
    """Whether a pattern of T layers has one in each of the three stations."""
    station = (1 << STATION_LAYERS) - 1
    return ((bits & station) > 0) & ((bits >> STATION_LAYERS & station) > 0) & ((bits >> 2 * STATION_LAYERS) > 0)
