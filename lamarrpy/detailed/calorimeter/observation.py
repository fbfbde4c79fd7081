"""The calorimeters' answer to all that arrives: signals, clusters, tracks matched to them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.calorimeter import features
from lamarrpy.detailed.calorimeter.answer import CalorimeterAnswer, ChargedEnergies, Clusters
from lamarrpy.detailed.calorimeter.cells import ecal
from lamarrpy.detailed.calorimeter.charged import at_plane, of_tracks
from lamarrpy.detailed.calorimeter.clustering import cluster
from lamarrpy.detailed.calorimeter.corrections import error, photons
from lamarrpy.detailed.calorimeter.footprints import Footprints
from lamarrpy.detailed.calorimeter.matching import chi2, least, pairs
from lamarrpy.detailed.calorimeter.merged import Photons, one_photon_chi2, split
from lamarrpy.detailed.calorimeter.readout import Readout, read_out
from lamarrpy.detailed.reconstruction.paths import Line, Paths
from lamarrpy.detailed.transport import Arrivals
from lamarrpy.detailed.tuning import tuning
from lamarrpy.draws import Draws

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_EVENTS = 64
"""Events whose cells are held in memory together."""


def observe(arrivals: Arrivals, paths: Paths, events: Index, draws: Draws) -> CalorimeterAnswer:
    """Let the calorimeters see what arrives, and reconstruct clusters and the energies of tracks.

    Parameters
    ----------
    arrivals : Arrivals
        Everything at the end of RICH2, by event, particle and number.
    paths : Paths
        m reconstructed tracks.
    events : ndarray of int, shape (e,)
        event_id of all events of the batch, each once, in any order.
    draws : Draws
        The random numbers, used by rows of (event_id, particle_id, number) and of (event_id, cell).
    """
    ordered = np.sort(events)
    parts = [
        _block(arrivals, paths, ordered[first : first + _EVENTS], draws) for first in range(0, len(ordered), _EVENTS)
    ] or [_block(arrivals, paths, ordered, draws)]
    clusters = Clusters._make(np.concatenate(columns) for columns in zip(*(p.clusters for p in parts), strict=True))
    rows = np.concatenate([part.rows for part in parts])
    back = np.argsort(rows, kind="stable")
    charged = (np.concatenate(columns)[back] for columns in zip(*(p.charged for p in parts), strict=True))
    spd = np.concatenate([part.spd_hits for part in parts])
    return CalorimeterAnswer(clusters, ChargedEnergies._make(charged), spd[np.searchsorted(ordered, events)])


class _Block(NamedTuple):
    """The answer of some events, with the rows of their tracks."""

    clusters: Clusters
    charged: ChargedEnergies
    rows: Index
    spd_hits: Index


def _block(arrivals: Arrivals, paths: Paths, events: Index, draws: Draws) -> _Block:
    begin, end = _range(arrivals.event_id, events)
    read = read_out(arrivals.at(slice(begin, end)), events, draws)
    found = split(cluster(read.ecal, ecal()), read.ecal, ecal())
    rows = np.flatnonzero(np.isin(paths.event_id, events))
    event = np.searchsorted(events, paths.event_id[rows])
    behind, before = (_lines(line, rows) for line in (paths.calorimeter, paths.rich1))
    clusters, neutral = _clusters(found, read, events, (event, behind))
    every = (found.found.event, clusters.x, clusters.y, clusters.e)
    charged = of_tracks(event, behind, before, read, every, neutral)
    return _Block(clusters.at(neutral), charged, rows, np.count_nonzero(read.spd, axis=1).astype(np.int64))


def _range(ids: Index, events: Index) -> tuple[int, int]:
    if not len(events):
        return 0, 0
    return int(np.searchsorted(ids, events[0])), int(np.searchsorted(ids, events[-1], "right"))


def _lines(line: Line, rows: Index) -> Line:
    return Line(line.z, *(column[rows] for column in line.columns))


def _clusters(
    every: Photons, read: Readout, events: Index, tracks: tuple[Index, Line]
) -> tuple[Clusters, NDArray[np.bool_]]:
    """All clusters, and which of them are neutral and energetic enough for photons."""
    found, cells, tuned = every.found, ecal(), tuning("calo")
    early = found.energy(read.preshower)
    x, y, e = photons(found, read.ecal, early, cells)
    chi2_of = _track_chi2(found, (x, y, e), tracks)
    seed_share, square_share, spread = features.shape(found, read.ecal, cells)
    clusters = Clusters(
        event_id=events[found.event],
        cluster_type=every.cluster_type,
        cell=found.seed,
        x=x,
        y=y,
        e=e,
        track_chi2=chi2_of,
        ps_e=early,
        spd=read.spd[found.event, found.seed],
        seed_share=seed_share,
        square_share=square_share,
        spread=spread,
        shape_chi2=one_photon_chi2(found, read.ecal, cells),
        hcal_share=features.behind(found, read.hcal) / np.maximum(e, 1.0),
    )
    sine = np.hypot(x, y) / np.sqrt(x * x + y * y + cells.z**2)
    return clusters, (e * sine > tuned["cluster_et"]) & (chi2_of > tuned["track_chi2"])


def _track_chi2(found: Footprints, cluster_at: tuple[Array, Array, Array], tracks: tuple[Index, Line]) -> Array:
    """chi2 of the track nearest to each cluster."""
    event, line = tracks
    x, y, e = cluster_at
    place = at_plane(line, ecal().z)
    one, other = pairs(found.event, event)
    errors = error(e, ecal().size[found.seed])
    value = chi2((x[one], y[one]), (place[0][other], place[1][other]), errors[one])
    return least(one, value, found.number)[0]
