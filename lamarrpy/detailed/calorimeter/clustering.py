"""Clusters: each local maximum of the ECAL with the cells that touch it, cells of several ones shared among them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.calorimeter.cells import Cells
from lamarrpy.detailed.calorimeter.corrections import straightened
from lamarrpy.detailed.calorimeter.footprints import Footprints
from lamarrpy.detailed.calorimeter.profile import within_square
from lamarrpy.detailed.tuning import tuning

Array = NDArray[np.float64]
Index = NDArray[np.int64]


def cluster(energy: Array, cells: Cells) -> Footprints:
    """Find and share clusters.

    Parameters
    ----------
    energy : ndarray, shape (events, n + 1), MeV
        Of each cell; the last one, outside, is zero.
    cells : Cells
        The n cells.
    """
    event, seed = seeds(energy, cells)
    return shared(footprints(event, seed, cells), energy, cells, tuning("calo")["sharing_rounds"])


def seeds(energy: Array, cells: Cells) -> tuple[Index, Index]:
    """Event and cell of each local maximum, by event and cell; of equal neighbours the first is one."""
    event, cell = np.nonzero(energy * cells.sine > tuning("calo")["seed_et"])
    around = cells.neighbours[cell]
    own, theirs = energy[event, cell][:, None], energy[event[:, None], around]
    highest = (own > theirs) | ((own == theirs) & (cell[:, None] < around))
    best = highest.all(axis=1)
    return event[best], cell[best]


def footprints(event: Index, seed: Index, cells: Cells) -> Footprints:
    """Each seed with the cells that touch it, as yet unshared."""
    members = np.concatenate([seed[:, None], cells.neighbours[seed]], axis=1)
    inside = members < cells.number
    cluster = np.broadcast_to(np.arange(len(seed))[:, None], members.shape)[inside]
    weight = np.ones(len(cluster))
    return Footprints(event, seed, cluster, members[inside], weight, cells.x[seed], cells.y[seed])


def shared(found: Footprints, energy: Array, cells: Cells, rounds: int) -> Footprints:
    """Divide cells of several clusters as their showers, with the energies and places of the last round, fill them.

    Parameters
    ----------
    found : Footprints
        Clusters, at their seeds.
    energy : ndarray, shape (events, n + 1), MeV
        Of each cell.
    cells : Cells
        The n cells.
    rounds : int
        How often.
    """
    flat = found.event[found.cluster] * (cells.number + 1) + found.cell
    place, several = _several(flat)
    strength = energy[found.event, found.seed]
    for _ in range(rounds):
        wanted = np.maximum(strength, 1.0)[found.cluster[several]] * filled(found, several, cells)
        total = np.bincount(place, wanted)[place]
        weight = found.weight.copy()
        weight[several] = np.divide(wanted, total, out=1.0 / np.bincount(place)[place], where=total > 0.0)
        found = found._replace(weight=weight)
        found = straightened(found, energy, cells)
        strength = found.energy(energy)
    return found


def _several(flat: Index) -> tuple[Index, Index]:
    """Entries whose cell occurs more than once, and which of these cells each is, in the order of the entries."""
    _, place, count = np.unique(flat, return_inverse=True, return_counts=True)
    several = np.flatnonzero(count[place] > 1)
    _, which = np.unique(flat[several], return_inverse=True)
    return which, several


def filled(found: Footprints, entries: Any, cells: Cells) -> Array:
    """Share of its cluster's shower that each of some entries should hold."""
    whose, cell = found.cluster[entries], found.cell[entries]
    return within_square(cells.x[cell] - found.x[whose], cells.y[cell] - found.y[whose], cells.size[cell])
