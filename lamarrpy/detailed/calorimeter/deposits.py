"""Showers and single particles as energy in cells, summed in the order of the particles of each event."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from lamarrpy.detailed.calorimeter.cells import Cells
from lamarrpy.detailed.calorimeter.profile import terms

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_BLOCK = 1024
"""Showers shared at a time, so that their shares stay in the processor's cache."""


class Showers(NamedTuple):
    """n showers, each array of shape (n,), in the order of the particles.

    Attributes
    ----------
    event : ndarray of int
        Position of its event in the batch.
    x, y : ndarray, mm
        Its axis in the plane of the cells.
    energy : ndarray, MeV
        What it leaves.
    width : ndarray
        How many times wider than an electromagnetic one it is; 0 if all of it falls into one cell.
    """

    event: Index
    x: Array
    y: Array
    energy: Array
    width: Array

    def at(self, rows: Any) -> Showers:
        """Some of them (mask, index array or slice)."""
        return Showers._make(column[rows] for column in self)


def deposited(showers: Showers, cells: Cells, events: int) -> Array:
    """The energy [MeV] in each cell, shape (events, n + 1); what falls outside is in the last column and zero.

    Parameters
    ----------
    showers : Showers
        What is shared.
    cells : Cells
        Over which.
    events : int
        Events of the batch.
    """
    wide = showers.width > 0.0
    points, rest = showers.at(~wide), showers.at(wide)
    flat = [points.event * (cells.number + 1) + cells.at(points.x, points.y)]
    energy = [points.energy]
    for first in range(0, len(rest.event), _BLOCK):
        where, shares = _shared(rest.at(slice(first, first + _BLOCK)), cells)
        flat.append(where)
        energy.append(shares)
    size = events * (cells.number + 1)
    summed = np.bincount(np.concatenate(flat), np.concatenate(energy), minlength=size)
    out: Array = summed.astype(np.float64).reshape(events, cells.number + 1)
    out[:, -1] = 0.0
    return out


def _shared(showers: Showers, cells: Cells) -> tuple[Index, Array]:
    """The cell of each pixel around each shower, and the energy in the pixel, end to end."""
    reach = np.arange(-cells.window, cells.window + 2)
    middle = [np.floor(np.clip(a, -1e5, 1e5) / cells.pixel).astype(np.int64) for a in (showers.x, showers.y)]
    edges = [m[:, None] + reach for m in middle]
    distance = [cells.pixel * e - a[:, None] for e, a in zip(edges, (showers.x, showers.y), strict=True)]
    share = np.zeros((len(showers.x), len(reach) - 1, len(reach) - 1))
    for weight, width in terms():
        scale = (width * showers.width)[:, None]
        in_x, in_y = (np.diff(ndtr(d / scale), axis=1) for d in distance)
        share += (weight * in_x)[:, :, None] * in_y[:, None, :]
    share *= showers.energy[:, None, None]
    cell = cells.pixels(edges[0][:, :-1, None], edges[1][:, None, :-1])
    return (showers.event[:, None, None] * (cells.number + 1) + cell).ravel(), share.ravel()
