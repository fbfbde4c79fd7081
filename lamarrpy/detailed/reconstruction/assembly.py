"""Candidates put together from the hits of segments."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector
from lamarrpy.detailed.hits import Hits
from lamarrpy.detailed.reconstruction.candidates import Candidates
from lamarrpy.detailed.reconstruction.confusion import Picked, crossing_of_hits
from lamarrpy.detailed.reconstruction.layers import Mask, Rows, layers_of
from lamarrpy.detailed.reconstruction.neighbours import take
from lamarrpy.detailed.transport import Truth
from lamarrpy.particles import charge
from lamarrpy.propagation import BeamLine, State

Array = NDArray[np.float64]


class Piece(NamedTuple):
    """Hits for some tracks, each array of shape (k,): the track's number, and the position of the hit in a list."""

    track: Rows
    hit: Rows


class Draft(NamedTuple):
    """Candidates as `Candidates` has them, with positions in a list of hits instead of the hits."""

    event_id: NDArray[np.int64]
    row: Rows
    track_type: NDArray[np.int64]
    seed: State
    beam: BeamLine
    first: Rows
    hit: Rows


def ranges(begin: Rows, length: Rows) -> Rows:
    """The numbers begin ... begin + length - 1 of each range, end to end."""
    first = np.cumsum(length) - length
    return np.repeat(begin - first, length) + np.arange(int(length.sum()))


def piece(held: Picked, part: Mask, rows: Rows) -> Piece:
    """The hits held for the particles in some rows, one row for each track, in one part of the detector.

    Parameters
    ----------
    held : Picked
        Hits held for all particles; the positions are in these.
    part : ndarray of bool
        Those of them that count.
    rows : ndarray of int, shape (n,)
        A particle for each track; it may stand there several times.
    """
    which = np.flatnonzero(part)
    row = held.row[which]
    begin, end = np.searchsorted(row, rows), np.searchsorted(row, rows, side="right")
    return Piece(np.repeat(np.arange(len(rows)), end - begin), which[ranges(begin, end - begin)])


def joined(pieces: list[Piece], z: Array, n: int) -> tuple[Rows, Rows]:
    """The hits of n tracks, track by track and along z.

    Parameters
    ----------
    pieces : list of Piece
        Their parts; a single one is in order already.
    z : ndarray, mm
        Where all hits are.
    n : int
        Number of tracks.

    Returns
    -------
    first, hit : ndarray of int, shape (n + 1,) and (k,)
        Where those of each track begin; their positions in the list.
    """
    track, hit = (np.concatenate(columns) for columns in zip(*pieces, strict=True))
    if len(pieces) > 1:
        hit = hit[np.lexsort((z[hit], track))]
    return np.concatenate([np.zeros(1, np.intp), np.cumsum(np.bincount(track, minlength=n))]), hit


def states_at_hits(truth: Truth, row: Rows, hits: Hits, detector: Detector) -> State:
    """The true state of the particles in some rows where they cross the plane of a hit, moved to its z."""
    at = truth.crossings
    which = crossing_of_hits(truth, row, hits.plane, len(detector.planes))
    x, y, tx, ty = at.x[which], at.y[which], at.tx[which], at.ty[which]
    way = hits.z - layers_of(detector).z[hits.plane]
    return State(x + way * tx, y + way * ty, hits.z, tx, ty, charge(truth.particles.pid[row]) / at.p[which])


def lines_of(beam: BeamLine, row: Rows, n: int) -> BeamLine:
    """The beam lines of some of n particles."""
    return BeamLine(*(np.broadcast_to(np.asarray(part, np.float64), (n,))[row] for part in beam))


def in_event_order(drafts: list[Draft], hits: Hits) -> Candidates:
    """Candidates end to end, ordered by event, and within an event as they come."""
    event, row, track_type = (np.concatenate(columns) for columns in list(zip(*drafts, strict=True))[:3])
    order = np.argsort(event, kind="stable")
    length = np.concatenate([np.diff(draft.first) for draft in drafts])
    begin = np.cumsum(length) - length
    hit = np.concatenate([draft.hit for draft in drafts])[ranges(begin[order], length[order])]
    return Candidates(
        event[order],
        row[order],
        track_type[order],
        State._make(np.concatenate(parts)[order] for parts in zip(*(draft.seed for draft in drafts), strict=True)),
        BeamLine(*(np.concatenate(parts)[order] for parts in zip(*(draft.beam for draft in drafts), strict=True))),
        np.concatenate([np.zeros(1, np.intp), np.cumsum(length[order])]),
        take(hits, hit),
    )
