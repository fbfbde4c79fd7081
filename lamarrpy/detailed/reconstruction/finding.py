"""Pattern recognition: which particles are found from the hits they left, and as what."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector
from lamarrpy.detailed.hits import Hits
from lamarrpy.detailed.reconstruction.acceptance import in_acceptance
from lamarrpy.detailed.reconstruction.assembly import Draft, in_event_order, joined, lines_of, piece, states_at_hits
from lamarrpy.detailed.reconstruction.candidates import WITH_VELO, Candidates, TrackType
from lamarrpy.detailed.reconstruction.combinations import Event, random_combinations
from lamarrpy.detailed.reconstruction.confusion import Picked, crossing_of_hits, pick, roads
from lamarrpy.detailed.reconstruction.layers import Mask, layers_of
from lamarrpy.detailed.reconstruction.matching import Matches, match, measured_parts
from lamarrpy.detailed.reconstruction.neighbours import pool_of, take, with_more
from lamarrpy.detailed.reconstruction.noise import noise_hits
from lamarrpy.detailed.reconstruction.search import Search, shipped_search
from lamarrpy.detailed.reconstruction.secondary_segments import secondary_segments
from lamarrpy.detailed.reconstruction.segments import Segments, find_segments, mixed_t
from lamarrpy.detailed.transport import Truth
from lamarrpy.draws import Draws
from lamarrpy.field.model import MagneticField
from lamarrpy.propagation import BeamLine, State

VELO_PT, VELO_LARGEST_P = 400.0, 1e5
"""Transverse momentum [MeV] that LHCb assumes of tracks that are found in the VELO only, and largest momentum."""


class Found(NamedTuple):
    """What pattern recognition makes of n particles.

    Attributes
    ----------
    candidates : Candidates
        Tracks to be fitted: VELO, Long, Upstream, Downstream, and random combinations, ordered by
        event, those of particles first.
    in_acceptance : ndarray of bool, shape (n,)
        Whether the particle's way leads through enough of the tracking system.
    track_type : ndarray of int, shape (n,)
        The `TrackType` that it was found as.
    """

    candidates: Candidates
    in_acceptance: Mask
    track_type: NDArray[np.int64]


def find_tracks(
    truth: Truth, hits: Hits, beam: BeamLine, detector: Detector, field: MagneticField, draws: Draws
) -> Found:
    """Find tracks in the hits of events.

    Parameters
    ----------
    truth : Truth
        n particles and where they went.
    hits : Hits
        What the sensors saw of them, by row and then along z.
    beam : BeamLine
        The line of the collision of each particle, shape (n,).
    detector, field : Detector, MagneticField
        What they went through.
    draws : Draws
        The random numbers of this stage.

    Returns
    -------
    Found
        The tracks, and what became of each particle.
    """
    search, n = shipped_search(), len(truth.particles.pid)
    own = draws.rows(truth.particles.event_id, truth.particles.particle_id)
    events = np.unique(truth.particles.event_id)
    above = truth.crossings.y[crossing_of_hits(truth, hits.row, hits.plane, len(detector.planes))] > 0.0
    alone = pool_of(hits, above, events, detector)
    pool = with_more(alone, *noise_hits(alone, detector, search, draws), events, detector)
    keys = draws.rows(hits.event_id, hits.particle_id, hits.plane)
    held = pick(pool, len(hits.row), roads(truth, hits, detector, search), search, keys)
    segments = find_segments(held, n, detector, search.purity)
    mixed = mixed_t(held, n, detector, search.purity)
    parts = measured_parts(truth, held, detector, own)
    matches = match(parts, field, search)
    hard = hard_enough(parts.velo.state, search)
    track_type = classify(segments, matches, hard)
    rank = np.searchsorted(events, truth.particles.event_id)
    secondary = secondary_segments(truth, (segments.t, parts.t.state), held, (detector, field, search), draws)
    own_distance = np.where(track_type == TrackType.long, matches.distance, np.inf)
    event = Event(truth, held, pool, rank, segments, mixed, parts, secondary, own_distance, track_type)
    ghosts, listed, taken = random_combinations(event, beam, detector, field, search)
    track_type = classify(segments, matches._replace(velo_t=matches.velo_t & ~taken), hard)
    particles = of_particles(truth, held, beam, detector, track_type, matches.velo_tt)
    candidates = in_event_order([particles, *ghosts], listed)
    return Found(candidates, in_acceptance(truth, detector, field), track_type)


def classify(segments: Segments, matches: Matches, hard: Mask) -> NDArray[np.int64]:
    """The one `TrackType` of each particle, shape (n,).

    Long if the VELO and T segments match, else Upstream if VELO and TT do, else Downstream if TT and T
    do, else what there is by itself.

    Parameters
    ----------
    segments, matches : Segments, Matches
        What is found, shape (n,).
    hard : ndarray of bool, shape (n,)
        Whether momentum and transverse momentum are what a Long track needs.
    """
    velo, tt, t = segments
    chosen = (velo & t & matches.velo_t & hard, velo & tt & matches.velo_tt, tt & t & matches.tt_t, velo, t)
    kinds = (TrackType.long, TrackType.upstream, TrackType.downstream, TrackType.velo, TrackType.t)
    return np.select(chosen, [np.int64(kind) for kind in kinds], np.int64(TrackType.none))


def hard_enough(state: State, search: Search) -> Mask:
    """Whether momentum and transverse momentum are what a Long track needs, shape (n,)."""
    p, square = 1.0 / np.abs(state.qop), state.tx**2 + state.ty**2
    return (p > search.least_p) & (p * np.sqrt(square / (1.0 + square)) > search.least_pt)


def of_particles(
    truth: Truth, held: Picked, beam: BeamLine, detector: Detector, track_type: NDArray[np.int64], tt: Mask
) -> Draft:
    """The tracks of particles that were found with their VELO, or better.

    Parameters
    ----------
    truth, held : Truth, Picked
        n particles and the hits held for them.
    beam, detector : BeamLine, Detector
        Of each particle; whose planes they are in.
    track_type : ndarray of int, shape (n,)
        What each was found as.
    tt : ndarray of bool, shape (n,)
        Whether the TT hits lie on the way of the VELO segment, and so belong to a Long track.
    """
    row = np.flatnonzero(np.isin(track_type, (*WITH_VELO, TrackType.downstream)))
    part = _used(held, detector, track_type, tt)
    first, hit = joined([piece(held, part, row)], held.hits.z, len(row))
    seed = states_at_hits(truth, row, take(held.hits, hit[first[:-1]]), detector)
    only_velo = track_type[row] == TrackType.velo
    assumed = np.sqrt((seed.tx**2 + seed.ty**2) / (1.0 + seed.tx**2 + seed.ty**2)) / VELO_PT
    seed = seed._replace(qop=np.where(only_velo, np.maximum(assumed, 1.0 / VELO_LARGEST_P), seed.qop))
    lines = lines_of(beam, row, len(track_type))
    return Draft(truth.particles.event_id[row], row, track_type[row], seed, lines, first, hit)


def _used(held: Picked, detector: Detector, track_type: NDArray[np.int64], tt: Mask) -> Mask:
    """Whether each hit belongs to the part of the detector that the track of its particle was found in."""
    layers, plane, own = layers_of(detector), held.hits.plane, track_type[held.row]
    in_tt = np.isin(own, (TrackType.upstream, TrackType.downstream)) | ((own == TrackType.long) & tt[held.row])
    used: Mask = np.isin(own, WITH_VELO) & layers.velo[plane]
    used |= in_tt & layers.tt[plane]
    used |= np.isin(own, (TrackType.long, TrackType.downstream)) & layers.t[plane]
    return used
