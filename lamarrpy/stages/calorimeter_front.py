"""The front of the electromagnetic calorimeter: where photons meet it, on cells of what size, and what is a match."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.shipped import shipped
from lamarrpy.yaml_file import read_yaml

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@cache
def calorimeter() -> dict[str, Any]:
    """The bare numbers of models/photon_efficiency/calorimeter.yaml, which has the source of each."""
    text = read_yaml(shipped("models", "photon_efficiency", "calorimeter.yaml"))
    matching = {name: entry["value"] for name, entry in text.pop("matching").items()}
    return {name: entry["value"] for name, entry in text.items()} | {"matching": matching}


def entry(x: Floats, y: Floats, z: Floats, tx: Floats, ty: Floats) -> tuple[Floats, Floats, Flags]:
    """Where straight lines meet the plane of the cells, and which of them end on a cell.

    Parameters
    ----------
    x, y, z : ndarray of float64, shape (n,)
        Origins [mm].
    tx, ty : ndarray of float64, shape (n,)
        Slopes.

    Returns
    -------
    x, y : ndarray of float64, shape (n,)
        In the plane [mm].
    reached : ndarray of bool, shape (n,)
        Whether the line begins before it, comes through the magnet and ends on the cells.
    """
    front = calorimeter()
    at_x, at_y = x + (front["z"] - z) * tx, y + (front["z"] - z) * ty
    reached = (z < front["z"]) & on_cells(at_x, at_y)
    magnet = front["magnet"]
    for end in magnet["z"]:
        at = np.maximum(end, z)
        inside = np.ones(len(z), bool)
        for start, slope, (a, b) in ((x, tx, magnet["x"]), (y, ty, magnet["y"])):
            inside &= np.abs(start + (at - z) * slope) < a * at + b
        reached &= inside | (at > magnet["z"][1])
    return at_x, at_y, reached


def on_cells(x: Floats, y: Floats) -> Flags:
    """Whether points [mm] of the plane lie on a cell, shape (n,)."""
    (hole_x, hole_y), (half_x, half_y) = _hole(), _half(-1)
    return ((x >= -half_x) & (x < half_x) & (y >= -half_y) & (y < half_y)) & ~(
        (x >= -hole_x) & (x < hole_x) & (y >= -hole_y) & (y < hole_y)
    )


def cell_size(x: Floats, y: Floats) -> Floats:
    """Side [mm] of the cell at each point [mm], shape (n,); that of the nearest region outside of them."""
    front = calorimeter()
    far_x, far_y = np.abs(x), np.abs(y)
    sizes = [region["cell"] * front["pixel"] for region in front["regions"]]
    size = np.full(len(x), sizes[-1])
    for which in range(len(sizes) - 2, -1, -1):
        half_x, half_y = _half(which)
        size[(far_x < half_x) & (far_y < half_y)] = sizes[which]
    return size


def to_hole(x: Floats, y: Floats) -> Floats:
    """Distance [mm] from the hole around the beam pipe along the axis in which it is larger, shape (n,)."""
    hole_x, hole_y = _hole()
    return np.asarray(np.maximum(np.abs(x) - hole_x, np.abs(y) - hole_y))


def to_edge(x: Floats, y: Floats) -> Floats:
    """Distance [mm] from the outer edge, shape (n,)."""
    half_x, half_y = _half(-1)
    return np.asarray(np.minimum(half_x - np.abs(x), half_y - np.abs(y)))


def sine(x: Floats, y: Floats) -> Floats:
    """Of the angle between the beam and the direction to a point [mm] of the plane, shape (n,): ET / E."""
    radius = np.hypot(x, y)
    return np.asarray(radius / np.hypot(radius, calorimeter()["z"]))


def energy_resolution(e: Floats) -> Floats:
    """Standard deviation [MeV] of the energy of photons [MeV] as measured in collisions, shape (n,).

    Equation 1.8 of M. Barbetti, CERN-THESIS-2024-108.
    """
    stochastic, constant, noise = calorimeter()["matching"]["resolution"]
    return np.asarray(np.sqrt(1e3 * stochastic**2 * e + (constant * e) ** 2 + noise**2))


def _hole() -> tuple[float, float]:
    front = calorimeter()
    x, y = front["hole"]
    return x * front["pixel"], y * front["pixel"]


def _half(region: int) -> tuple[float, float]:
    front = calorimeter()
    x, y = front["regions"][region]["half"]
    return x * front["pixel"], y * front["pixel"]
