"""Photons of the event and the clusters that were made of them: who is reconstructed as what."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.calorimeter.answer import Clusters
from lamarrpy.detailed.calorimeter.cells import ecal
from lamarrpy.detailed.calorimeter.description import described
from lamarrpy.detailed.calorimeter.matching import Pairs, least, pairs
from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.transport import Particles

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

IN_SITU = (0.096, 0.037, 395.0)
"""Energy resolution of photons in collisions: 9.6 % / sqrt(E / GeV), 3.7 % and 395 MeV / E, added in squares."""

STANDARD_DEVIATIONS = 2.0
"""Between the energies of photon and cluster that belong together."""


class TruePhotons(NamedTuple):
    """n photons that fly towards the ECAL, each array of shape (n,).

    Attributes
    ----------
    event_id, particle_id : ndarray of int
        Which.
    x, y : ndarray, mm
        Where the straight line from its origin meets the plane of the cells.
    e : ndarray, MeV
        Energy.
    """

    event_id: Index
    particle_id: Index
    x: Array
    y: Array
    e: Array


class Matching(NamedTuple):
    """Which of n photons and k clusters belong together.

    Attributes
    ----------
    cluster : ndarray of int, shape (n,)
        Position of the nearest cluster that fits each photon, -1 if none does.
    photon_class : ndarray of int, shape (n,)
        0 if it is not reconstructed, else the type of its cluster: 1 single, 2 split.
    shared : ndarray of bool, shape (n,)
        Whether the cluster of a photon is nearer to another photon, which has it too.
    photon : ndarray of int, shape (k,)
        Position of the nearest photon that fits each cluster, -1 if none does.
    clone : ndarray of bool, shape (k,)
        Whether a cluster fits photons all of which have nearer ones.
    pairs : Pairs
        All pairs, photon first, that fit.
    """

    cluster: Index
    photon_class: Index
    shared: Mask
    photon: Index
    clone: Mask
    pairs: Pairs


def true_photons(photons: Particles) -> TruePhotons:
    """The photons that point at the ECAL and come through the magnet, those that convert on the way too."""
    cells, aperture = ecal(), lhcb_detector().aperture
    tx, ty = photons.px / photons.pz, photons.py / photons.pz
    inside = (photons.pz > 0.0) & (photons.z < cells.z)
    for z in aperture.z:
        ahead = np.maximum(z, photons.z) - photons.z
        inside &= aperture.contains(photons.x + ahead * tx, photons.y + ahead * ty, photons.z + ahead)
    x, y = (a + (cells.z - photons.z) * t for a, t in ((photons.x, tx), (photons.y, ty)))
    inside &= cells.at(x, y) < cells.number
    e = np.sqrt(photons.px**2 + photons.py**2 + photons.pz**2)
    found = (photons.event_id, photons.particle_id, x, y, e)
    return TruePhotons._make(column[inside] for column in found)


def resolution(e: Array) -> Array:
    """Standard deviation [MeV] of the energy of photons [MeV] as measured in collisions."""
    stochastic, constant, noise = IN_SITU
    return np.asarray(np.sqrt(1e3 * stochastic**2 * e + (constant * e) ** 2 + noise**2))


def match_photons(clusters: Clusters, photons: TruePhotons) -> Matching:
    """Match true photons with clusters nearer than a Moliere radius whose energy is within two standard deviations.

    Parameters
    ----------
    clusters : Clusters
        k neutral clusters.
    photons : TruePhotons
        n photons.

    Notes
    -----
    Equations 4.12 and 4.13 of M. Barbetti, PhD thesis, Florence 2024; the resolution is that of its equation 1.8 at
    the energy of the photon.
    """
    every = pairs(photons.event_id, clusters.event_id)
    one, other = every
    distance = np.hypot(photons.x[one] - clusters.x[other], photons.y[one] - clusters.y[other])
    near = distance < described("profile")["moliere_radius"]
    fits = near & (np.abs(photons.e[one] - clusters.e[other]) < STANDARD_DEVIATIONS * resolution(photons.e[one]))
    fitting, distance = Pairs(one[fits], other[fits]), distance[fits]
    number, k = len(photons.e), len(clusters.e)
    best_cluster, best_photon = _partner(fitting, distance, number, k)
    has = best_cluster >= 0
    photon_class = np.where(has, clusters.cluster_type[np.where(has, best_cluster, 0)] if k else 0, 0)
    owner = np.full(k, -1, np.int64)
    taken, whose = _nearest_owner(best_cluster, fitting, distance, k)
    owner[taken] = whose
    shared = has & (owner[np.where(has, best_cluster, 0)] != np.arange(number)) if k else np.zeros(number, np.bool_)
    clone = (best_photon >= 0) & (owner < 0)
    return Matching(best_cluster, photon_class, shared, best_photon, clone, fitting)


def _partner(fitting: Pairs, distance: Array, number: int, k: int) -> tuple[Index, Index]:
    """The nearest cluster of each photon and the nearest photon of each cluster."""
    out = []
    for group, partner, count in ((fitting.first, fitting.second, number), (fitting.second, fitting.first, k)):
        _, where = least(group, distance, count)
        found = np.full(count, -1, np.int64)
        found[where >= 0] = partner[where[where >= 0]]
        out.append(found)
    return out[0], out[1]


def _nearest_owner(best: Index, fitting: Pairs, distance: Array, k: int) -> tuple[Index, Index]:
    """Clusters that are the nearest ones of photons, and the nearest of these photons."""
    mine = best[fitting.first] == fitting.second
    first, second = fitting.first[mine], fitting.second[mine]
    _, where = least(second, distance[mine], k)
    taken = np.flatnonzero(where >= 0)
    return taken, first[where[taken]]
