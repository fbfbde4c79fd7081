"""Merged pi0: energetic clusters that are two photons, split at their two highest cells."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.calorimeter.cells import Cells
from lamarrpy.detailed.calorimeter.clustering import filled, footprints, shared
from lamarrpy.detailed.calorimeter.description import described
from lamarrpy.detailed.calorimeter.footprints import Footprints
from lamarrpy.detailed.calorimeter.two_showers import two_showers
from lamarrpy.detailed.tuning import tuning

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

SINGLE, SPLIT = 1, 2
"""Types of a cluster: a photon of its own, or one of two that a cluster has been split into."""


class Photons(NamedTuple):
    """c candidates, each of shape (c,) or as `Footprints`: their cells, and their types."""

    found: Footprints
    cluster_type: Index


def split(found: Footprints, energy: Array, cells: Cells) -> Photons:
    """Try two photons in energetic clusters that do not look like one, and keep them if they have a pi0's mass.

    Parameters
    ----------
    found : Footprints
        c clusters.
    energy : ndarray, shape (events, n + 1), MeV
        Of the cells.
    cells : Cells
        The n cells.

    Returns
    -------
    Photons
        Clusters that stay, and two of each that is split, by event and cell in the middle.

    Notes
    -----
    After O. Deschamps et al., "Photon and neutral pion reconstruction", LHCb-2003-091: two overlapping sets of
    3 x 3 cells around the highest cell and the highest that touches it, whose common cells are divided as
    showers at the barycentres would fill them. Barycentres say little of photons that are less than a cell apart:
    energies and places are those of `two_showers`, which starts there.
    """
    tuned = tuning("calo")
    tried = found.energy(energy) * cells.sine[found.seed] > tuned["merged_et"]
    tried[tried] = one_photon_chi2(found.at(tried), energy, cells) > tuned["merged_chi2"]
    halves = _halves(found, energy, cells, tried)
    low, high = tuned["merged_mass"]
    mass = pair_mass(halves, energy, cells)
    good = (mass > low) & (mass < high)
    halves = halves.at(np.repeat(good, 2))
    tried[tried] = good
    return _joined(found.at(~tried), halves)


def one_photon_chi2(found: Footprints, energy: Array, cells: Cells) -> Array:
    """chi2 of the cells of each cluster as one shower at its place, with sampling and noise as errors, shape (c,)."""
    block = described("ecal")
    here, share = found.of(energy), filled(found, slice(None), cells)
    one = (found.sums(here) / found.sums(share))[found.cluster] * share
    sampling = 1e3 * block["stochastic"] ** 2 * np.maximum(one, 0.0)
    return found.sums((here - one) ** 2 / (sampling + (block["noise"] / cells.sine[found.cell]) ** 2))


def _halves(found: Footprints, energy: Array, cells: Cells, tried: Mask) -> Footprints:
    """Two clusters for each one that is tried, next to each other, which share what other clusters leave."""
    others = found.at(~tried)
    flat = others.event[others.cluster] * (cells.number + 1) + others.cell
    taken = np.bincount(flat, others.of(energy), minlength=energy.size).reshape(energy.shape)
    left, some, tuned = energy - taken, found.at(tried), tuning("calo")
    around = cells.neighbours[some.seed]
    second = around[np.arange(some.number), np.argmax(left[some.event[:, None], around], axis=1)]
    seeds = np.stack([some.seed, second], axis=1).ravel()
    halves = footprints(np.repeat(some.event, 2), seeds, cells)
    return two_showers(shared(halves, left, cells, tuned["merged_rounds"]), left, cells, tuned["merged_fit_rounds"])


def pair_mass(halves: Footprints, energy: Array, cells: Cells) -> Array:
    """Invariant mass [MeV] of clusters 0 and 1, 2 and 3, ..., as photons from the collision: sqrt(E1 E2) angle."""
    e = np.maximum(halves.energy(energy), 0.0).reshape(-1, 2)
    x, y = (a.reshape(-1, 2) for a in (halves.x, halves.y))
    distance = np.hypot(x[:, 0] - x[:, 1], y[:, 0] - y[:, 1])
    length = np.sqrt(x.mean(axis=1) ** 2 + y.mean(axis=1) ** 2 + cells.z**2)
    return np.asarray(np.sqrt(e[:, 0] * e[:, 1]) * distance / length)


def _joined(single: Footprints, halves: Footprints) -> Photons:
    """Both kinds by event and cell in the middle."""
    moved = halves._replace(cluster=halves.cluster + single.number)
    both = Footprints._make(np.concatenate(columns) for columns in zip(single, moved, strict=True))
    kind = np.repeat([SINGLE, SPLIT], [single.number, halves.number])
    order = np.lexsort((kind, both.seed, both.event))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    entries = np.argsort(rank[both.cluster], kind="stable")
    ordered = Footprints(
        both.event[order], both.seed[order], rank[both.cluster][entries], both.cell[entries], both.weight[entries],
        both.x[order], both.y[order],
    )  # fmt: skip
    return Photons(ordered, kind[order])
