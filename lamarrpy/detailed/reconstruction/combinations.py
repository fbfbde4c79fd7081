"""Ghosts: tracks put together from segments of different particles that happen to fit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector
from lamarrpy.detailed.hits import Hits
from lamarrpy.detailed.reconstruction.assembly import Draft, Piece, joined, lines_of, piece, states_at_hits
from lamarrpy.detailed.reconstruction.candidates import TrackType
from lamarrpy.detailed.reconstruction.confusion import Picked
from lamarrpy.detailed.reconstruction.layers import Mask, Rows, layers_of
from lamarrpy.detailed.reconstruction.matching import (
    MID_T,
    MID_TT,
    Parts,
    Ways,
    carry,
    pull,
    straight_to,
    tt_t_distance,
    velo_t_distance,
)
from lamarrpy.detailed.reconstruction.neighbours import Pool, join, take
from lamarrpy.detailed.reconstruction.pairs import Pairs, best, hard, near_in_y, through_magnet
from lamarrpy.detailed.reconstruction.search import Search
from lamarrpy.detailed.reconstruction.secondary_segments import SecondarySegments
from lamarrpy.detailed.reconstruction.segments import Segments
from lamarrpy.detailed.reconstruction.tt_hits import tt_hits
from lamarrpy.detailed.transport import Truth
from lamarrpy.field.model import MagneticField
from lamarrpy.propagation import BeamLine, State, kick_of

Array = NDArray[np.float64]

TT_SHARE = 0.14
"""A track that scatters is so much of its distance in y at mid T off at mid TT already, on average of all tracks."""

_REFERENCE_QOP = 1.0 / 5000.0
"""q/p [1/MeV] of the tracks that tell how far the fringe field moves a track at TT."""


class Event(NamedTuple):
    """All there is to combine: the story, the hits, the segments of n particles, and what was found.

    Attributes
    ----------
    truth : Truth
        The particles.
    held : Picked
        Hits held for them.
    pool : Pool
        All hits.
    rank : ndarray of int, shape (n,)
        Of the event of each particle in the batch.
    segments, mixed_t : Segments, ndarray of bool of shape (n,)
        Segments of the particles, and T segments that are nobody's, along their way.
    parts : Parts
        Their measured ends.
    secondary : SecondarySegments
        T segments of nobody, which are numbered from n on.
    own : ndarray, shape (n,)
        Distance of the VELO and T segments of particles found as Long, infinite for others.
    track_type : ndarray of int, shape (n,)
        What was found.
    """

    truth: Truth
    held: Picked
    pool: Pool
    rank: NDArray[np.int64]
    segments: Segments
    mixed_t: Mask
    parts: Parts
    secondary: SecondarySegments
    own: Array
    track_type: NDArray[np.int64]

    @property
    def t(self) -> State:
        """At mid T, of all T segments: those of particles, and behind them the secondary ones."""
        both = zip(self.parts.t.state, self.secondary.state, strict=True)
        return State._make(np.concatenate(columns) for columns in both)

    @property
    def ranks(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of the event of each particle, and of each T segment."""
        return self.rank, self.rank[self.source]

    @property
    def source(self) -> Rows:
        """The particle that each T segment is of, or comes from."""
        return np.concatenate([np.arange(len(self.rank)), self.secondary.source])


def random_combinations(
    event: Event, beam: BeamLine, detector: Detector, field: MagneticField, search: Search
) -> tuple[list[Draft], Hits, Mask]:
    """Put segments of different particles together to Long, Upstream and Downstream tracks.

    Every VELO segment looks for the T segments of others, as LHCb's forward tracking does, which does
    not care whether they are used already. If one is closer than its own, or its own was lost, a ghost
    comes out, and the particle is not found as Long. A VELO segment that nothing was found for looks for
    TT segments of others, and so do T segments that nothing was found for. A pair gets the momentum
    that its bend says, and must lie in the window that particles have to; the best pair is kept.

    Parameters
    ----------
    event : Event
        What there is, of any number of events.
    beam : BeamLine
        The line of each of the n particles.
    detector, field : Detector, MagneticField
        Where they are.
    search : Search
        The windows.

    Returns
    -------
    drafts : list of Draft
        With ``row`` -1.
    hits : Hits
        The list of hits that they refer to, which begins with all that are held.
    taken : ndarray of bool, shape (n,)
        The particles whose VELO segment went to the T segment of another.
    """
    if abs(kick_of(field).dpx) < 1.0:
        return [], event.held.hits, np.zeros(len(event.rank), bool)
    listed = _Listed(event, detector)
    long, ways = _long_pairs(event, field, search)
    upstream = _upstream_pairs(event, field, search)
    downstream = _downstream_pairs(event, field, search)
    track, close = tt_hits(event.pool, event.rank[long.front], ways.tt, long.qop, detector, search)
    pieces = (
        [listed.velo(long.front), listed.add(track, take(event.pool.hits, close)), *listed.t(long.back)],
        [listed.velo(upstream.front), listed.tt(upstream.back)],
        [listed.tt(downstream.front), *listed.t(downstream.back)],
    )
    hits = listed.hits
    kinds = (TrackType.long, TrackType.upstream, TrackType.downstream)
    of_kind = zip((long, upstream, downstream), kinds, pieces, strict=True)
    taken = np.zeros(len(event.rank), bool)
    taken[long.front] = True
    return [_ghosts(event, pairs, kind, parts, hits, beam, detector) for pairs, kind, parts in of_kind], hits, taken


class _Listed:
    """The hits of all segments, and those that are added to them."""

    def __init__(self, event: Event, detector: Detector) -> None:
        layers, plane = layers_of(detector), event.held.hits.plane
        self._event, self.hits = event, event.held.hits
        self._velo, self._tt, self._t = (part[plane] for part in (layers.velo, layers.tt, layers.t))

    def velo(self, rows: Rows) -> Piece:
        """Those of the VELO segments of particles."""
        return piece(self._event.held, self._velo, rows)

    def tt(self, rows: Rows) -> Piece:
        """Those of the TT segments of particles."""
        return piece(self._event.held, self._tt, rows)

    def t(self, segments: Rows) -> list[Piece]:
        """Those of T segments, secondary ones among them."""
        n, secondary = len(self._event.rank), self._event.secondary
        others = segments >= n
        own, foreign = np.flatnonzero(~others), np.flatnonzero(others)
        real = piece(self._event.held, self._t, segments[own])
        made = piece(secondary.held, secondary.held.right, segments[foreign] - n)
        hits = take(secondary.held.hits, made.hit)
        return [Piece(own[real.track], real.hit), self.add(foreign[made.track], hits)]

    def add(self, track: Rows, hits: Hits) -> Piece:
        """Put more hits into the list."""
        first = len(self.hits.row)
        self.hits = join(self.hits, hits)
        return Piece(track, first + np.arange(len(track)))


def _ghosts(
    event: Event, pairs: Pairs, kind: TrackType, pieces: list[Piece], hits: Hits, beam: BeamLine, detector: Detector
) -> Draft:
    """Candidates from the hits of pairs; their seed is where the first particle really is."""
    n, particles = len(pairs.front), event.truth.particles
    first, hit = joined(pieces, hits.z, n)
    seed = states_at_hits(event.truth, pairs.front, take(hits, hit[first[:-1]]), detector)._replace(qop=pairs.qop)
    lines = lines_of(beam, pairs.front, len(particles.pid))
    return Draft(particles.event_id[pairs.front], np.full(n, -1), np.full(n, np.int64(kind)), seed, lines, first, hit)


def _long_pairs(event: Event, field: MagneticField, search: Search) -> tuple[Pairs, Ways]:
    """VELO segments with T segments of others, or with mixed ones of their own, that are closer than their own."""
    velo, t = event.parts.velo.state, event.t
    back = np.concatenate([event.segments.t | event.mixed_t, np.ones(len(event.secondary.source), bool)])
    reach = 2.0 * np.hypot(search.match_y, search.match_y_soft * 1e3 / search.least_p)
    pairs = near_in_y(event.ranks, event.segments.velo, back, straight_to(velo, MID_T).y, t.y, reach)
    pairs = pairs.at(_strangers(event, pairs))
    pairs, ways = through_magnet(pairs, velo, t, search.match_y_soft, field, search)
    pairs = pairs._replace(distance=velo_t_distance(ways.t, t.at(pairs.back), pairs.qop, search))
    close = np.flatnonzero(pairs.distance < np.minimum(event.own[pairs.front], 1.0))
    close = close[best(pairs.at(close), pairs.front[close])]
    pairs, tt, way = pairs.at(close), ways.tt.at(close), ways.t.at(close)
    # the T segment says, too, where the track is in y at TT
    drawn = TT_SHARE * (t.y[pairs.back] - way.y)
    return pairs, Ways(tt._replace(y=tt.y + drawn), way)


def _strangers(event: Event, pairs: Pairs) -> Mask:
    """Whether the two are of different particles, or mixed; the image of its own segment is not by chance near one."""
    source, secondary = event.source[pairs.back], pairs.back >= len(event.rank)
    image = np.concatenate([np.zeros(len(event.rank), bool), event.secondary.image])[pairs.back]
    own = (source == pairs.front) & (image | ~secondary)
    strangers: Mask = ~own | (event.mixed_t[source] & ~secondary)
    return strangers


def _upstream_pairs(event: Event, field: MagneticField, search: Search) -> Pairs:
    """VELO segments that are all that was found, with the TT segments of others."""
    velo, tt = event.parts.velo.state, straight_to(event.parts.tt.state, MID_TT)
    front = event.track_type == TrackType.velo
    ahead = straight_to(velo, MID_TT)
    reach = float(np.hypot(search.tt_y, search.tt_y_soft * 1e3 / search.least_p))
    pairs = near_in_y(event.ranks, front, event.segments.tt, ahead.y, tt.y, reach)
    pairs = pairs.at(pairs.front != pairs.back)
    reference = carry(velo._replace(qop=np.full(len(velo.x), _REFERENCE_QOP)), field, np.flatnonzero(front)).tt
    one, two, line, bent = velo.at(pairs.front), tt.at(pairs.back), ahead.at(pairs.front), reference.at(pairs.front)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (two.x - line.x) / (bent.x - line.x)
    share = np.where(np.isfinite(share), share, 0.0)
    pairs = pairs._replace(qop=share * _REFERENCE_QOP)
    off = (two.tx - one.tx - share * (bent.tx - one.tx)) * (MID_TT - one.z)
    y = pull(two.y - line.y, search.tt_y, search.tt_y_soft, pairs.qop)
    pairs = pairs._replace(distance=np.maximum(y, pull(off, search.tt_x, search.tt_x_soft, pairs.qop)))
    pairs = pairs.at((pairs.distance < 1.0) & hard(pairs, velo, search))
    return pairs.at(best(pairs, pairs.front))


def _downstream_pairs(event: Event, field: MagneticField, search: Search) -> Pairs:
    """T segments that are all that was found, with the TT segments of others that are no part of a track."""
    tt, t = event.parts.tt.state, event.t
    back = np.concatenate([event.track_type == TrackType.t, np.ones(len(event.secondary.source), bool)])
    reach = 2.0 * np.hypot(search.down_y, search.down_y_soft * 1e3 / search.least_p)
    free = event.segments.tt & np.isin(event.track_type, (TrackType.velo, TrackType.t, TrackType.none))
    pairs = near_in_y(event.ranks, free, back, straight_to(tt, MID_T).y, t.y, reach)
    pairs = pairs.at(pairs.front != pairs.back)
    pairs, ways = through_magnet(pairs, tt, t, search.down_y + search.down_y_soft, field, search)
    pairs = pairs._replace(distance=tt_t_distance(ways.t, t.at(pairs.back), pairs.qop, search))
    pairs = pairs.at(pairs.distance < 1.0)
    return pairs.at(best(pairs, pairs.back))
