"""What the muon system says of the tracks of a batch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.muon.absorbers import absorbers
from lamarrpy.detailed.muon.cascade import cascade
from lamarrpy.detailed.muon.flight import Crossings, Flying, fly_muons, joined
from lamarrpy.detailed.muon.hits import fire
from lamarrpy.detailed.muon.matching import closest, in_field, is_muon, mean_distance, shared
from lamarrpy.detailed.muon.stations import stations
from lamarrpy.detailed.reconstruction.paths import CALORIMETER, Line, Paths
from lamarrpy.detailed.transport import Arrivals
from lamarrpy.draws import Draws

Array = NDArray[np.float64]
Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]

MUON = 13


class MuonAnswer(NamedTuple):
    """What is known of m tracks, each array of shape (m,) but for the last.

    Attributes
    ----------
    in_acceptance : ndarray of bool
        Whether the straight way goes through M1 and M5, outside their holes.
    is_muon : ndarray of bool
        Whether enough stations have hits around it.
    d2 : ndarray
        Mean square distance of the closest hits in half pads; NaN if no station has any, or out of acceptance.
    region : ndarray of int
        0 to 3 for R1 to R4 of M2, the nearest one at its edges; -1 out of acceptance.
    p : ndarray, MeV
        Momentum.
    n_shared : ndarray of int
        Other tracks with isMuon that share one of its hits; 0 without isMuon.
    has_hit : ndarray of bool, shape (m, stations)
        Whether M2 to M5 have a hit in the field of interest.
    """

    in_acceptance: Mask
    is_muon: Mask
    d2: Array
    region: Ids
    p: Array
    n_shared: Ids
    has_hit: Mask


def observe(arrivals: Arrivals, paths: Paths, events: Ids, draws: Draws) -> MuonAnswer:
    """Let particles fly through the muon system, and look for hits around tracks.

    Parameters
    ----------
    arrivals : Arrivals
        Everything that gets to the end of RICH2.
    paths : Paths
        Where the m tracks go.
    events : ndarray of int, shape (e,)
        event_id of all events, with or without tracks.
    draws : Draws
        The random numbers.
    """
    system, order = stations(), np.sort(events)
    pads = fire(fly(arrivals, draws.stage("muon_flight")), arrivals.event_id, order, system, draws.stage("muon_hits"))
    line, inside = paths.calorimeter, np.zeros(len(paths.p), np.bool_)
    inside[:] = system.accepts(line.at(system.first_z), line.at(float(system.z[-1])))
    near = np.flatnonzero(inside)
    lines = Line(line.z, *(column[near] for column in line.columns))
    found = in_field(lines, np.searchsorted(order, paths.event_id[near]), paths.p[near], pads, system)
    least = np.full((len(inside), len(system.z)), np.nan)
    least[near] = closest(found, len(near))
    has_hit = np.isfinite(least)
    muon = is_muon(has_hit, paths.p, system)
    found = found._replace(track=near[found.track])
    region = np.where(inside, system.nearest_region(0, *line.at(float(system.z[0]))), -1)
    return MuonAnswer(inside, muon, mean_distance(least), region, paths.p, shared(found, muon), has_hit)


def fly(arrivals: Arrivals, draws: Draws) -> Crossings:
    """Where charged particles go through stations: muons, hadrons, and what comes out of their showers."""
    matter, system = absorbers(), stations()
    zero, z = np.zeros(len(arrivals.p), np.int64), np.full(len(arrivals.p), CALORIMETER)
    ids = (arrivals.event_id, arrivals.particle_id, arrivals.number, zero, arrivals.pid)
    flying = Flying(*ids, z, arrivals.x, arrivals.y, arrivals.tx, arrivals.ty, arrivals.p)
    kind = np.abs(arrivals.pid)
    shower = cascade(flying.at(kind > 100), matter, system, draws)
    muons = Flying._make(joined([flying.at(kind == MUON), shower.muons]))
    return Crossings._make(joined([shower.crossings, fly_muons(muons, matter, system, draws)]))
