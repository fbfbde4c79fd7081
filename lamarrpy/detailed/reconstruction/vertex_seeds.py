"""Where primary vertices may be: peaks of the density of tracks along the beam."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d
from scipy.special import ndtr

from lamarrpy.detailed.tuning import tuning
from lamarrpy.propagation import BeamLine, State

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Rows = NDArray[np.intp]

_REACH = 3.0
"""Standard deviations of a track's z that its part of the density along the beam extends to."""

_EVENTS_AT_ONCE = 256
"""Events whose densities along the beam are held in memory together."""


_ROW, _COLUMN = np.triu_indices(4)
"""Order of the covariance's entries: xx, xy, xtx, xty, yy, ytx, yty, txtx, txty, tyty."""


@dataclass(frozen=True)
class VertexSearch:
    """How vertices are sought: the entries ``vertex_...`` of models/detailed/tuning.yaml, with their reasons there."""

    z_range: float
    bin_width: float
    beam_width: float
    largest_sigma_z: float
    largest_beam_chi2: float
    seed_window: float
    least_in_seed: float
    cut_off: float
    annealing: tuple[tuple[float, ...], ...]
    fewest_tracks: int
    fewest_own_tracks: int
    separation: float
    largest_radius: float
    match_sigmas: float
    match_distance: float


@cache
def vertex_search() -> VertexSearch:
    """The shipped settings of the search for vertices."""
    values = tuning("vertex")
    return VertexSearch(**values | {"annealing": tuple(tuple(steps) for steps in values["annealing"])})


class Lines(NamedTuple):
    """Straight tracks, by event: state, and the entries of its covariance; where the beam is."""

    event: Rows
    x: Array
    y: Array
    z: Array
    tx: Array
    ty: Array
    covariance: Array
    beam_x: Array
    beam_y: Array

    def at(self, rows: Rows) -> Lines:
        return Lines._make(column[..., rows] for column in self)


class Positions(NamedTuple):
    """Vertices while they are being fitted: number of the event, position, sums over tracks."""

    event: Rows
    x: Array
    y: Array
    z: Array

    def at(self, rows: NDArray[np.bool_] | Rows) -> Positions:
        return Positions._make(column[rows] for column in self)


def sorted_lines(event_id: Counts, state: State, covariance: Array, beam: BeamLine) -> tuple[Counts, Lines]:
    """The events, and the tracks by event, z and everything else, so that sums do not depend on their order."""
    x, y, z, tx, ty, _ = state
    entries = np.asarray(covariance, np.float64)[:, _ROW, _COLUMN].T
    order = np.lexsort((entries[0], ty, tx, y, x, z, event_id))
    events, number = np.unique(event_id, return_inverse=True)
    beam_x, beam_y = (np.broadcast_to(np.asarray(part, np.float64), x.shape) for part in (beam.x, beam.y))
    return events, Lines(number.astype(np.intp), x, y, z, tx, ty, entries, beam_x, beam_y).at(order)


def seeds(lines: Lines, n_events: int, search: VertexSearch) -> Positions:
    """Peaks of the density of tracks along the beam, event by event."""
    slope2 = np.maximum(lines.tx**2 + lines.ty**2, 1e-12)
    dx, dy = lines.x - lines.beam_x, lines.y - lines.beam_y
    z = lines.z - (dx * lines.tx + dy * lines.ty) / slope2
    xx, xy, _, _, yy = lines.covariance[:5]
    along = (xx * lines.tx**2 + 2.0 * xy * lines.tx * lines.ty + yy * lines.ty**2) / slope2 + search.beam_width**2
    across = (xx * lines.ty**2 - 2.0 * xy * lines.tx * lines.ty + yy * lines.tx**2) / slope2 + search.beam_width**2
    beam_chi2 = (dx * lines.ty - dy * lines.tx) ** 2 / slope2 / across
    sigma = np.sqrt(along / slope2)
    good = (sigma < search.largest_sigma_z) & (beam_chi2 < search.largest_beam_chi2)
    rows = np.flatnonzero(good & (np.abs(z) < search.z_range))
    first = np.searchsorted(lines.event[rows], np.arange(0, n_events + _EVENTS_AT_ONCE, _EVENTS_AT_ONCE))
    found = []
    for block, (begin, end) in enumerate(pairwise(first)):
        some, offset = rows[begin:end], block * _EVENTS_AT_ONCE
        event, peak = _peaks(lines.event[some] - offset, z[some], sigma[some], search)
        found.append((event + offset, peak))
    event = np.concatenate([np.zeros(0, np.intp), *(event for event, _ in found)])
    peak = np.concatenate([np.zeros(0), *(peak for _, peak in found)])
    near = np.minimum(np.searchsorted(lines.event, event), max(len(lines.event) - 1, 0))
    return Positions(event, lines.beam_x[near], lines.beam_y[near], peak)


def _peaks(event: Rows, z: Array, sigma: Array, search: VertexSearch) -> tuple[Rows, Array]:
    """Events and z of the bins whose density is the largest far and wide, and enough for a vertex."""
    width, n_bins = search.bin_width, round(2.0 * search.z_range / search.bin_width)
    n_events = int(event.max()) + 1 if len(event) else 0
    lowest = np.floor((z - _REACH * sigma + search.z_range) / width).astype(np.intp)
    count = np.floor((z + _REACH * sigma + search.z_range) / width).astype(np.intp) - lowest + 1
    track = np.repeat(np.arange(len(z)), count)
    bins = np.arange(len(track)) - np.repeat(np.cumsum(count) - count, count) + lowest[track]
    low = (bins * width - search.z_range - z[track]) / sigma[track]
    share = ndtr(low + width / sigma[track]) - ndtr(low)
    inside = (bins >= 0) & (bins < n_bins)
    cell = event[track[inside]] * n_bins + bins[inside]
    density = np.bincount(cell, share[inside], minlength=n_events * n_bins).reshape(n_events, n_bins)
    reach = round(search.seed_window / width)
    sums = np.cumsum(np.pad(density, ((0, 0), (reach + 1, reach))), axis=1)
    enough = sums[:, 2 * reach + 1 :] - sums[:, : -2 * reach - 1] > search.least_in_seed
    highest = density == maximum_filter1d(density, 2 * reach + 1, axis=1, mode="constant")
    found, peak = np.nonzero(enough & highest)
    return found.astype(np.intp), np.asarray((peak + 0.5) * width - search.z_range, np.float64)
