"""What pattern recognition hands to the fit, and what the fit hands on."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.hits import Hits
from lamarrpy.propagation import BeamLine, State

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


class TrackType(IntEnum):
    """Which parts of the tracking system a track was found in, in the numbers of LHCb's software."""

    none = 0
    velo = 1
    long = 3
    upstream = 4
    downstream = 5
    t = 6


WITH_VELO = (TrackType.velo, TrackType.long, TrackType.upstream)
"""Types of tracks with a VELO segment."""


class Candidates(NamedTuple):
    """n tracks to be fitted.

    Attributes
    ----------
    event_id : ndarray of int, shape (n,)
        The event of each.
    row : ndarray of int, shape (n,)
        Of the particle in ``Truth.particles`` that it belongs to, -1 for a random combination of hits.
    track_type : ndarray of int, shape (n,)
        A `TrackType`.
    seed : State
        What pattern recognition thinks of each at its first hit, shape (n,): a start for the fit.
    beam : BeamLine
        The line that its closest approach is to be found to, one for each.
    first : ndarray of int, shape (n + 1,)
        The hits of candidate i are ``hits[first[i]:first[i + 1]]``, in increasing z.
    hits : Hits
        The hits of all candidates end to end; a hit may be used by several.
    """

    event_id: Counts
    row: NDArray[np.intp]
    track_type: Counts
    seed: State
    beam: BeamLine
    first: NDArray[np.intp]
    hits: Hits


class Part(NamedTuple):
    """What the fit says of one part of the tracking system: hits used, their chi2; each of shape (n,)."""

    hits: Counts
    chi2: Array

    def at(self, rows: Any) -> Part:
        """Of some of the tracks (mask, index array or slice)."""
        return Part(self.hits[rows], self.chi2[rows])


class FittedTracks(NamedTuple):
    """n fitted tracks.

    Attributes
    ----------
    state : State
        At the point closest to the beam line, shape (n,).
    covariance : ndarray, shape (n, 5, 5)
        Of x, y, tx, ty, q/p there, at that z; mm and 1/MeV.
    chi2 : ndarray, shape (n,)
        Of the fit.
    ndof : ndarray of int, shape (n,)
        Hits used less the parameters fitted.
    outliers : ndarray of int, shape (n,)
        Hits that were removed.
    velo, tt, t : Part
        Hits and chi2 by part of the detector.
    sensible : ndarray of bool, shape (n,)
        Whether the fit has converged to a track that can be.
    """

    state: State
    covariance: Array
    chi2: Array
    ndof: Counts
    outliers: Counts
    velo: Part
    tt: Part
    t: Part
    sensible: NDArray[np.bool_]

    def at(self, rows: Any) -> FittedTracks:
        """Some of the tracks (mask, index array or slice)."""
        covariance, chi2, ndof, outliers = (a[rows] for a in (self.covariance, self.chi2, self.ndof, self.outliers))
        velo, tt, t = (part.at(rows) for part in (self.velo, self.tt, self.t))
        return FittedTracks(self.state.at(rows), covariance, chi2, ndof, outliers, velo, tt, t, self.sensible[rows])

    def good(self, largest: float) -> NDArray[np.bool_]:
        """Whether each is sensible, and its chi2 per degree of freedom less than the largest that is kept."""
        return np.asarray(self.sensible & (self.ndof > 0) & (self.chi2 < largest * self.ndof))
