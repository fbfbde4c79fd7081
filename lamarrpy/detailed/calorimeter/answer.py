"""What the calorimeters say of a batch: neutral clusters, energies of tracks, and SPD hits."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Clusters(NamedTuple):
    """k neutral clusters by event and cell, each array of shape (k,).

    Attributes
    ----------
    event_id : ndarray of int
        The event.
    cluster_type : ndarray of int
        1 for a photon of its own, 2 for one of two that a cluster has been split into.
    cell : ndarray of int
        The ECAL cell in the middle.
    x, y : ndarray, mm
        Position in the plane of the cells, `cells.ecal().z`.
    e : ndarray, MeV
        Energy, were it a photon.
    track_chi2 : ndarray
        Of the nearest track.
    ps_e : ndarray, MeV
        Signal of the PS before its cells.
    spd : ndarray of bool
        Whether the SPD cell before the middle is hit.
    seed_share : ndarray
        Energy of the cell in the middle over that of all its cells (E1 / E9).
    square_share : ndarray
        Energy of the highest 2 x 2 cells over that of all its cells (E4 / E9).
    spread : ndarray, mm^2
        Second moment of its energy about the barycentre.
    shape_chi2 : ndarray
        Of its cells as those of one photon.
    hcal_share : ndarray
        Energy of the HCAL behind it over its own.
    """

    event_id: Index
    cluster_type: Index
    cell: Index
    x: Array
    y: Array
    e: Array
    track_chi2: Array
    ps_e: Array
    spd: Mask
    seed_share: Array
    square_share: Array
    spread: Array
    shape_chi2: Array
    hcal_share: Array

    def at(self, rows: Any) -> Clusters:
        """Some of them (mask, index array or slice)."""
        return Clusters._make(column[rows] for column in self)


class ChargedEnergies(NamedTuple):
    """What m tracks have in the calorimeters, each array of shape (m,), zero where they do not get there.

    Attributes
    ----------
    in_acceptance, in_hcal : ndarray of bool
        Whether the track points at a cell of the ECAL, of the HCAL.
    ecal_e : ndarray, MeV
        Energy of the ECAL cell on the track's way.
    cluster_e : ndarray, MeV
        Energy of the cluster nearest to the track, as that of an electron.
    match_chi2 : ndarray
        Of this cluster; 1e4 without one.
    ps_e : ndarray, MeV
        Signal of the PS cell on the way.
    spd : ndarray of bool
        Whether the SPD cell on the way is hit.
    hcal_e : ndarray, MeV
        Energy of the HCAL cell on the way.
    in_brem : ndarray of bool
        Whether the tangent before the magnet points at a cell of the ECAL.
    brem_e : ndarray, MeV
        Energy of the neutral cluster there, 0 if there is none.
    """

    in_acceptance: Mask
    in_hcal: Mask
    ecal_e: Array
    cluster_e: Array
    match_chi2: Array
    ps_e: Array
    spd: Mask
    hcal_e: Array
    in_brem: Mask
    brem_e: Array


class CalorimeterAnswer(NamedTuple):
    """All that the calorimeters say.

    Attributes
    ----------
    clusters : Clusters
        Neutral ones.
    charged : ChargedEnergies
        Of the tracks.
    spd_hits : ndarray of int, shape (events,)
        SPD cells hit in each event.
    """

    clusters: Clusters
    charged: ChargedEnergies
    spd_hits: Index
