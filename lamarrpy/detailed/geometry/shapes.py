"""Where in a plane there is something: boxes and rings around the beam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Box:
    """A rectangle and its mirror images: ranges of |x| and |y| [mm]."""

    x: tuple[float, float]
    y: tuple[float, float]

    def contains(self, x: Array, y: Array) -> Mask:
        """Whether each point, shape (n,), mm, lies in it."""
        ax, ay = np.abs(x), np.abs(y)
        inside: Mask = (ax <= self.x[1]) & (ay <= self.y[1])
        if self.x[0] > 0.0:
            inside &= ax >= self.x[0]
        if self.y[0] > 0.0:
            inside &= ay >= self.y[0]
        return inside


@dataclass(frozen=True)
class Ring:
    """A range of distance from the beam [mm], of one side if it has one.

    Attributes
    ----------
    r : float, float
        Inner and outer radius [mm].
    side : int
        +1 for x > 0, -1 for x < 0, 0 for all round.
    overlap : float, rad
        By how much a half ring reaches over the vertical.
    """

    r: tuple[float, float]
    side: int = 0
    overlap: float = 0.0

    def contains(self, x: Array, y: Array) -> Mask:
        """Whether each point, shape (n,), mm, lies in it."""
        square = x * x + y * y
        inside: Mask = square <= self.r[1] ** 2
        if self.r[0] > 0.0:
            inside &= square >= self.r[0] ** 2
        if self.side:
            inside &= self.side * x >= -np.sin(self.overlap) * np.sqrt(square)
        return inside


Shape = Box | Ring


def union(shapes: tuple[Shape, ...], x: Array, y: Array) -> Mask:
    """Whether each point lies in any of the shapes; True for all if there are none."""
    if not shapes:
        return np.ones(len(x), bool)
    inside = shapes[0].contains(x, y)
    for shape in shapes[1:]:
        inside |= shape.contains(x, y)
    return inside


def without(inside: tuple[Shape, ...], outside: tuple[Shape, ...], x: Array, y: Array) -> Mask:
    """Whether each point lies in the union of the first shapes, but not in that of the second."""
    within = union(inside, x, y)
    if outside:
        within &= ~union(outside, x, y)
    return within


def shape_of(entry: dict[str, Any]) -> Shape:
    """The shape that a mapping with ``x`` and ``y``, or with ``r``, describes."""
    if "r" in entry:
        r = entry["r"]
        return Ring((0.0, float(r)) if isinstance(r, float | int) else (float(r[0]), float(r[1])))
    (x0, x1), (y0, y1) = entry["x"], entry["y"]
    return Box((float(x0), float(x1)), (float(y0), float(y1)))
