"""Two showers that share cells, fitted to them: energies and places of both."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.calorimeter.cells import Cells
from lamarrpy.detailed.calorimeter.description import described
from lamarrpy.detailed.calorimeter.footprints import Footprints
from lamarrpy.detailed.calorimeter.profile import slopes

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_DAMPING = 0.003
"""Added to the diagonal of the matrix of each step, in units of it."""

_STEP = 0.25
"""Longest step of a shower's axis along x and y, in cells."""

_REACH = 1.0
"""Farthest that an axis gets from the middle of its seed along x and y, in cells."""

_LEAST = 0.01
"""Least share of the energy of both that one of them has."""


def two_showers(halves: Footprints, energy: Array, cells: Cells, rounds: int) -> Footprints:
    """Fit two showers to the cells of clusters 0 and 1, 2 and 3, ...

    Parameters
    ----------
    halves : Footprints
        2 p clusters: where the fits start.
    energy : ndarray, shape (events, n + 1), MeV
        Of each cell.
    cells : Cells
        The n cells.
    rounds : int
        Steps of the fits.

    Returns
    -------
    Footprints
        The same clusters at the places of the fit. Both of two have all the cells of either, divided as the showers
        fill them.

    Notes
    -----
    Damped Gauss-Newton steps, with sampling and noise as errors. The distance of photons that are half a cell apart
    is known better than how they divide their energy: nearer ones have their sum and their mass, and little else.
    All sums are over the cells of one pair, in their order: a pair gives the same bits whatever else is fitted.
    """
    pair, cell = _union(halves, cells)
    measured = energy[halves.event[::2][pair], cell]
    start = np.stack([np.maximum(halves.energy(energy), 1.0), halves.x, halves.y], axis=1).reshape(-1, 2, 3)
    both = start
    for _ in range(rounds):
        both = _bounded(both + _step(both, pair, cell, measured, halves, cells), start, halves, cells)
    share = np.stack([_filled(both, side, pair, cell, cells)[0] for side in (0, 1)], axis=1)
    filled = both[pair, :, 0] * share
    total = filled.sum(axis=1)
    weight = np.divide(filled, total[:, None], out=np.full(filled.shape, 0.5), where=total[:, None] > 0.0)
    cluster = np.stack([2 * pair, 2 * pair + 1], axis=1).ravel()
    order = np.argsort(cluster, kind="stable")
    return Footprints(
        halves.event, halves.seed, cluster[order], np.repeat(cell, 2)[order], weight.ravel()[order],
        both[:, :, 1].ravel(), both[:, :, 2].ravel(),
    )  # fmt: skip


def _union(halves: Footprints, cells: Cells) -> tuple[Index, Index]:
    """Pair and cell of all cells that are in either of two clusters, once, by pair and cell."""
    flat = np.unique(halves.cluster // 2 * (cells.number + 1) + halves.cell)
    pair, cell = np.divmod(flat, cells.number + 1)
    return pair, cell


def _filled(both: Array, side: int, pair: Index, cell: Index, cells: Cells) -> tuple[Array, Array, Array]:
    """Share of one of two showers in each cell, and its derivatives by the place of the axis."""
    dx, dy = (a[cell] - both[pair, side, column] for a, column in ((cells.x, 1), (cells.y, 2)))
    return slopes(dx, dy, cells.size[cell])


def _step(both: Array, pair: Index, cell: Index, measured: Array, halves: Footprints, cells: Cells) -> Array:
    """Change of the energies and places, shape (p, 2, 3), that brings them nearer to what was measured."""
    block, number = described("ecal"), len(both)
    columns: list[Array] = []
    expected = np.zeros(len(cell))
    for side in (0, 1):
        share, by_x, by_y = _filled(both, side, pair, cell, cells)
        strength = both[pair, side, 0]
        expected += strength * share
        columns += [share, strength * by_x, strength * by_y]
    variance = 1e3 * block["stochastic"] ** 2 * expected + (block["noise"] / cells.sine[cell]) ** 2
    matrix, vector = np.zeros((number, 6, 6)), np.zeros((number, 6))
    for i, one in enumerate(columns):
        weighted = one / variance
        vector[:, i] = np.bincount(pair, weighted * (measured - expected), minlength=number)
        for j, other in enumerate(columns[: i + 1]):
            matrix[:, i, j] = matrix[:, j, i] = np.bincount(pair, weighted * other, minlength=number)
    scale = np.sqrt(np.maximum(np.diagonal(matrix, axis1=1, axis2=2), 1e-12))
    matrix /= scale[:, :, None] * scale[:, None, :]
    matrix += _DAMPING * np.eye(6)
    step = np.linalg.solve(matrix, (vector / scale)[:, :, None])[:, :, 0] / scale
    step = step.reshape(number, 2, 3)
    most = _STEP * cells.size[halves.seed].reshape(-1, 2, 1)
    step[:, :, 1:] = np.clip(step[:, :, 1:], -most, most)
    return step


def _bounded(both: Array, start: Array, halves: Footprints, cells: Cells) -> Array:
    """Energies that are positive, and places near the seeds."""
    out = both.copy()
    least = _LEAST * start[:, :, 0].sum(axis=1)
    out[:, :, 0] = np.maximum(both[:, :, 0], least[:, None])
    reach = _REACH * cells.size[halves.seed]
    for column, centre in ((1, cells.x), (2, cells.y)):
        middle = centre[halves.seed]
        out[:, :, column] = np.clip(both[:, :, column], *(a.reshape(-1, 2) for a in (middle - reach, middle + reach)))
    return out
