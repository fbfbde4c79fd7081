"""What clusters look like, for the classifiers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.calorimeter.cells import Cells, ecal, hcal
from lamarrpy.detailed.calorimeter.footprints import Footprints

Array = NDArray[np.float64]

_CORNERS = ((1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0))


def shape(found: Footprints, energy: Array, cells: Cells) -> tuple[Array, Array, Array]:
    """Share of the middle cell, share of the highest 2 x 2 cells, and second moment [mm^2] about the barycentre.

    Parameters
    ----------
    found : Footprints
        c clusters.
    energy : ndarray, shape (events, n + 1), MeV
        Of the n cells.
    cells : Cells
        They.
    """
    entries = np.maximum(found.of(energy), 0.0)
    total = np.maximum(found.sums(entries), 1.0)
    middle = found.cell == found.seed[found.cluster]
    dx, dy = (a[found.cell] - a[found.seed][found.cluster] for a in (cells.x, cells.y))
    squares = [found.sums(np.where((a * dx > -1.0) & (b * dy > -1.0), entries, 0.0)) for a, b in _CORNERS]
    mean_x, mean_y = found.sums(entries * dx) / total, found.sums(entries * dy) / total
    spread = found.sums(entries * (dx * dx + dy * dy)) / total - mean_x**2 - mean_y**2
    best = np.maximum(np.maximum(squares[0], squares[1]), np.maximum(squares[2], squares[3]))
    return found.sums(np.where(middle, entries, 0.0)) / total, best / total, np.maximum(spread, 0.0)


def behind(found: Footprints, in_hcal: Array) -> Array:
    """Energy [MeV] of the HCAL cell behind each cluster, on the line from the collision, shape (c,)."""
    scale = hcal().z / ecal().z
    return np.maximum(in_hcal[found.event, hcal().at(found.x * scale, found.y * scale)], 0.0)
