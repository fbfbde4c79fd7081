"""The cells of the calorimeters: squares of two or three sizes around the beam, and which of them touch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.calorimeter.description import described

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """n cells in a plane, and the small squares, pixels, of which each is made: cells of all regions fit on them.

    Attributes
    ----------
    z : float, mm
        Of the plane.
    pixel : float, mm
        Side of a pixel.
    window : int
        Pixels to each side of a shower over which it is shared.
    x, y, size : ndarray, shape (n + 1,), mm
        Centre and side of each cell; the last one stands for all that is outside.
    region : ndarray of int, shape (n + 1,)
        0 is the innermost.
    of_pixel : ndarray of int, shape (columns, rows)
        The cell of each pixel, n outside.
    neighbours : ndarray of int, shape (n + 1, most)
        Cells that touch each one, corners included, filled up with n.
    """

    z: float
    pixel: float
    window: int
    x: Array
    y: Array
    size: Array
    region: Index
    of_pixel: Index
    neighbours: Index

    @property
    def number(self) -> int:
        """Of cells, n."""
        return len(self.x) - 1

    @property
    def sine(self) -> Array:
        """Of the angle between the beam and the direction to each cell, shape (n + 1,): ET / E."""
        radius = np.hypot(self.x, self.y)
        return np.asarray(radius / np.hypot(radius, self.z))

    def pixels(self, column: Index, row: Index) -> Index:
        """The cells of pixels, counted from the beam; n outside."""
        columns, rows = self.of_pixel.shape
        i, j = column + columns // 2, row + rows // 2
        inside = (i >= 0) & (i < columns) & (j >= 0) & (j < rows)
        found = self.of_pixel[np.where(inside, i, 0), np.where(inside, j, 0)]
        return np.where(inside, found, self.number)

    def at(self, x: Array, y: Array) -> Index:
        """The cell at each point [mm], shape as theirs; n outside and where they are not numbers."""
        known = np.isfinite(x) & np.isfinite(y)
        far = 1e3 * self.pixel
        column, row = (np.floor(np.clip(np.where(known, a, far), -far, far) / self.pixel) for a in (x, y))
        return self.pixels(column.astype(np.int64), row.astype(np.int64))


@cache
def ecal() -> Cells:
    """The 6016 cells of the ECAL, in front of which stand those of SPD and PS."""
    return _cells(described("ecal"))


@cache
def hcal() -> Cells:
    """The 1488 cells of the HCAL."""
    return _cells(described("hcal"))


def _cells(block: dict[str, Any]) -> Cells:
    """Cut each region, less what lies inside it, into cells."""
    regions, inside = block["regions"], block["hole"]
    columns, rows = (2 * most for most in regions[-1]["half"])
    of_pixel = np.full((columns, rows), -1, np.int64)
    x: list[Array] = []
    y: list[Array] = []
    size: list[Array] = []
    number: list[Index] = []
    for which, region in enumerate(regions):
        side, (half_x, half_y) = region["cell"], region["half"]
        i, j = np.meshgrid(np.arange(-half_x, half_x, side), np.arange(-half_y, half_y, side), indexing="ij")
        taken = (i >= -inside[0]) & (i < inside[0]) & (j >= -inside[1]) & (j < inside[1])
        i, j = i[~taken], j[~taken]
        first = sum(len(part) for part in x)
        for a in range(side):
            for b in range(side):
                of_pixel[i + a + columns // 2, j + b + rows // 2] = first + np.arange(len(i))
        x.append((i + 0.5 * side) * block["pixel"])
        y.append((j + 0.5 * side) * block["pixel"])
        size.append(np.full(len(i), side * block["pixel"]))
        number.append(np.full(len(i), which))
        inside = region["half"]
    count = sum(len(part) for part in x)
    of_pixel[of_pixel < 0] = count
    far = np.array([1e6])
    all_x, all_y = (np.concatenate([*parts, far]) for parts in (x, y))
    sizes = np.concatenate([*size, np.array([block["pixel"]])])
    region_number = np.concatenate([*number, np.zeros(1, np.int64)])
    neighbours = _touching(of_pixel, count)
    return Cells(block["z"], block["pixel"], block["window"], all_x, all_y, sizes, region_number, of_pixel, neighbours)


def _touching(of_pixel: Index, count: int) -> Index:
    """Cells that touch, from pixels that do; each row in order of the cells' numbers."""
    padded = np.pad(of_pixel, 1, constant_values=count)
    middle, pairs = padded[1:-1, 1:-1], []
    for a in range(3):
        for b in range(3):
            other = padded[a : a + middle.shape[0], b : b + middle.shape[1]]
            pairs.append(np.stack([middle.ravel(), other.ravel()], axis=1))
    both = np.unique(np.concatenate(pairs), axis=0)
    both = both[(both[:, 0] != both[:, 1]) & (both < count).all(axis=1)]
    start = np.searchsorted(both[:, 0], np.arange(count + 1))
    column = np.arange(len(both)) - start[both[:, 0]]
    out = np.full((count + 1, int(column.max()) + 1), count, np.int64)
    out[both[:, 0], column] = both[:, 1]
    return out
