"""What reconstructed tracks find in the calorimeters on their way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.calorimeter.answer import ChargedEnergies
from lamarrpy.detailed.calorimeter.cells import Cells, ecal, hcal
from lamarrpy.detailed.calorimeter.corrections import error
from lamarrpy.detailed.calorimeter.description import described
from lamarrpy.detailed.calorimeter.matching import chi2, least, pairs
from lamarrpy.detailed.calorimeter.readout import Readout
from lamarrpy.detailed.reconstruction.paths import Line
from lamarrpy.detailed.tuning import tuning

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


FAR = 1e6
"""Where [mm] a track is put that is not known in a plane: outside all cells."""


def at_plane(line: Line, z: float) -> tuple[Array, Array]:
    """Where tracks meet a plane, far outside if they are not known."""
    x, y = line.at(z)
    return np.where(np.isfinite(x), x, FAR), np.where(np.isfinite(y), y, FAR)


def of_tracks(
    event: Index, calorimeter: Line, tangent: Line, read: Readout, all_clusters: tuple[Index, Array, Array, Array],
    neutral: Mask,
) -> ChargedEnergies:  # fmt: skip
    """Energies along m tracks.

    Parameters
    ----------
    event : ndarray of int, shape (m,)
        Position of each one's event in the block.
    calorimeter, tangent : Line
        The tracks behind and before the magnet.
    read : Readout
        The signals of the block.
    all_clusters : (event, x, y, e)
        Clusters of the block, neutral or not.
    neutral : ndarray of bool, shape (c,)
        Which of them are neutral.
    """
    where, x, y, e = all_clusters
    place = at_plane(calorimeter, ecal().z)
    cell = ecal().at(*place)
    ahead = described("preshower")
    ps, spd = (_seen_through(calorimeter, z) for z in (ahead["z"], ahead["spd_z"]))
    in_hcal = hcal().at(*at_plane(calorimeter, hcal().z))
    best, cluster_e = _nearest(event, place, all_clusters, cell < ecal().number)
    brem_at, brem_e = _bremsstrahlung(event, tangent, (where[neutral], x[neutral], y[neutral], e[neutral]))
    return ChargedEnergies(
        in_acceptance=cell < ecal().number,
        in_hcal=in_hcal < hcal().number,
        ecal_e=read.ecal[event, cell],
        cluster_e=cluster_e,
        match_chi2=best,
        ps_e=read.preshower[event, ps],
        spd=read.spd[event, spd],
        hcal_e=read.hcal[event, in_hcal],
        in_brem=brem_at < ecal().number,
        brem_e=brem_e,
    )


def _seen_through(line: Line, z: float) -> Index:
    """The cell of PS or SPD at a z on each track's way; they look at the origin through those of the ECAL."""
    cells = ecal()
    x, y = at_plane(line, z)
    return cells.at(x * cells.z / z, y * cells.z / z)


def _nearest(
    event: Index, place: tuple[Array, Array], clusters: tuple[Index, Array, Array, Array], known: Mask
) -> tuple[Array, Array]:
    """chi2 and energy [MeV] of the cluster nearest to each track that gets to the ECAL."""
    where, x, y, e = clusters
    one, other = pairs(np.where(known, event, -1), where)
    value = chi2((place[0][one], place[1][one]), (x[other], y[other]), _errors(ecal(), clusters)[other])
    best, at = least(one, value, len(event))
    found = np.zeros(len(event))
    found[at >= 0] = e[other[at[at >= 0]]]
    return best, found


def _errors(cells: Cells, clusters: tuple[Index, Array, Array, Array]) -> Array:
    _, x, y, e = clusters
    return error(e, cells.size[cells.at(x, y)])


def _bremsstrahlung(event: Index, tangent: Line, clusters: tuple[Index, Array, Array, Array]) -> tuple[Index, Array]:
    """The cell that each tangent points at, and the energy [MeV] of the nearest neutral cluster near it."""
    cells, (where, x, y, e) = ecal(), clusters
    place = at_plane(tangent, cells.z)
    cell = cells.at(*place)
    one, other = pairs(np.where(cell < cells.number, event, -1), where)
    distance = np.maximum(np.abs(place[0][one] - x[other]), np.abs(place[1][one] - y[other])) / cells.size[cell[one]]
    best, at = least(one, distance, len(event))
    near = (at >= 0) & (best < tuning("calo")["brem_window"])
    found = np.zeros(len(event))
    found[near] = e[other[at[near]]]
    return cell, found
