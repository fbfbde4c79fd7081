"""From sums over cells to photons: where the axis of a shower is, and all the energy that it had."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.calorimeter.cells import Cells
from lamarrpy.detailed.calorimeter.description import described
from lamarrpy.detailed.calorimeter.footprints import Footprints
from lamarrpy.detailed.calorimeter.profile import within_square
from lamarrpy.detailed.calorimeter.showers import depth_of_photons
from lamarrpy.detailed.tuning import tuning

Array = NDArray[np.float64]

_OFFSETS = np.linspace(-0.5, 0.5, 201)
_ACROSS = (-0.4, -0.2, 0.0, 0.2, 0.4)
"""Places of an axis in a cell, in cells, at which the S-shape is tabled and over which it is averaged across."""


@cache
def s_shape(size: float) -> Array:
    """The barycentre, in cells, of the 3 x 3 cells around an axis at each offset from the middle, increasing.

    Cells are so large that most of a shower is in one of them: the barycentre stays near its middle until the
    axis comes near the border. Inverted, this gives the offset.

    Parameters
    ----------
    size : float, mm
        Side of the cells.
    """
    total, moment = np.zeros(len(_OFFSETS)), np.zeros(len(_OFFSETS))
    for across in _ACROSS:
        for i in (-1.0, 0.0, 1.0):
            for j in (-1.0, 0.0, 1.0):
                dx, dy = (i - _OFFSETS) * size, np.full(len(_OFFSETS), (j - across) * size)
                share = within_square(dx, dy, np.full(len(_OFFSETS), size))
                total, moment = total + share, moment + i * share
    return np.asarray(moment / total)


def straightened(found: Footprints, energy: Array, cells: Cells) -> Footprints:
    """The clusters with the axes that their barycentres mean, within the cells in their middle."""
    entries = found.of(energy)
    total = found.sums(entries)
    total = np.where(total > 0.0, total, 1.0)
    size = cells.size[found.seed]
    place = []
    for centre in (cells.x, cells.y):
        middle = centre[found.seed]
        mean = found.sums(entries * (centre[found.cell] - middle[found.cluster])) / total / size
        place.append(middle + size * _offset(mean, size))
    return found._replace(x=place[0], y=place[1])


def _offset(barycentre: Array, size: Array) -> Array:
    """Where the axis is for a barycentre in cells of a size; in the middle without one."""
    offset = np.zeros(len(size))
    for one in np.unique(size):
        rows = size == one
        offset[rows] = np.interp(barycentre[rows], s_shape(float(one)), _OFFSETS)
    return offset


def photons(found: Footprints, energy: Array, early: Array, cells: Cells) -> tuple[Array, Array, Array]:
    """Position [mm] in the plane of the cells and energy [MeV] of clusters, were they photons from the collision.

    Parameters
    ----------
    found : Footprints
        c clusters.
    energy : ndarray, shape (events, n + 1), MeV
        Of the cells.
    early : ndarray, shape (c,), MeV
        Signal of the PS before each.
    cells : Cells
        The n cells.

    Returns
    -------
    x, y, energy : ndarray, shape (c,)
        The energy counts what misses the cells of the cluster and what was lost before the PS; the position is
        that of a shower whose mean is deeper the more energy it has, seen from the collision.
    """
    squares = within_square(
        cells.x[found.cell] - found.x[found.cluster], cells.y[found.cell] - found.y[found.cluster],
        cells.size[found.cell],
    )  # fmt: skip
    weights = np.array(described("preshower")["weights"])[cells.region[found.seed]]
    total = np.maximum(found.energy(energy) / found.sums(squares), 0.0) + weights * early
    deeper = depth_of_photons(total) / (cells.z + depth_of_photons(total))
    return found.x * (1.0 - deeper), found.y * (1.0 - deeper), total


def error(energy: Array, size: Array) -> Array:
    """Standard deviation [mm] of the position of clusters of energies [MeV] in cells of a side [mm]."""
    stochastic, constant = tuning("calo")["position"]
    return np.asarray(size * np.hypot(stochastic * np.sqrt(1e4 / np.maximum(energy, 1.0)), constant))
