"""Candidates side by side, as the track fit works on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.hits import Hits
from lamarrpy.detailed.reconstruction.candidates import Candidates, TrackType
from lamarrpy.propagation import BeamLine, State

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

PARTS = {"velo": 1, "tt": 2, "it": 3, "ot": 3}
"""Parts of the tracking system whose chi2 is told apart, by subdetector; 0 is for what measures nothing."""


@dataclass
class Block:
    """Some candidates, those with most hits first, and how each stands.

    Attributes
    ----------
    start : State
        Where the references start: the present idea of the state closest to the beam.
    fixed : ndarray of bool, shape (n,)
        Whether the momentum is taken as it is.
    place : two ndarrays of int, shape (k,)
        Place and track of each hit, in the arrays of shape (m, n), in which the last hit comes first.
    variance : ndarray, shape (m, n), mm^2
        Of the hits.
    part : ndarray of int, shape (m, n)
        Of the detector, see PARTS; 0 where there is no hit.
    half : ndarray of int, shape (n,)
        Hits behind the magnet.
    aside : ndarray, shape (4, n)
        By how much the track behind the material has other parameters than the one at the beam.
    used : ndarray of bool, shape (m, n)
        Hits that take part.
    sensible : ndarray of bool, shape (n,)
        Whether all is well so far.
    """

    candidates: Candidates
    counts: Rows
    start: State
    fixed: NDArray[np.bool_]
    place: tuple[Rows, Rows]
    variance: Array
    part: NDArray[np.int64]
    half: Rows
    aside: Array
    used: NDArray[np.bool_]
    sensible: NDArray[np.bool_]

    @staticmethod
    def of(candidates: Candidates, rows: Rows, parts: NDArray[np.int64]) -> Block:
        """The candidates of some rows."""
        some = _select(candidates, rows)
        counts = np.diff(some.first)
        shape = (int(counts.max(initial=0)), len(rows))
        track = np.repeat(np.arange(len(rows)), counts)
        place = (np.repeat(some.first[1:], counts) - 1 - np.arange(len(track)), track)
        variance, part, used = np.ones(shape), np.zeros(shape, np.int64), np.zeros(shape, bool)
        variance[place], part[place], used[place] = some.hits.error**2, parts[some.hits.plane], True
        fixed = some.track_type == TrackType.velo
        half = (part == PARTS["ot"]).sum(axis=0)
        aside, sensible = np.zeros((4, len(rows))), np.ones(len(rows), bool)
        return Block(some, counts, some.seed, fixed, place, variance, part, half, aside, used, sensible)


def _select(candidates: Candidates, rows: Rows) -> Candidates:
    counts = np.diff(candidates.first)[rows]
    first = np.concatenate([[0], np.cumsum(counts)])
    hits = np.repeat(candidates.first[rows] - first[:-1], counts) + np.arange(first[-1])
    return Candidates(
        candidates.event_id[rows],
        candidates.row[rows],
        candidates.track_type[rows],
        candidates.seed.at(rows),
        BeamLine(*(np.broadcast_to(part, candidates.event_id.shape)[rows] for part in candidates.beam)),
        first,
        Hits._make(column[hits] for column in candidates.hits),
    )
