"""Hits around the tracks: fields of interest, isMuon, how far off the hits are, and who shares them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.muon.hits import COLUMN, Pads
from lamarrpy.detailed.muon.stations import REGIONS, STATIONS, Stations
from lamarrpy.detailed.reconstruction.paths import Line

Array = NDArray[np.float64]
Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]


class InField(NamedTuple):
    """Pairs of a track and a pad in its field of interest, arrays of shape (pairs,).

    Attributes
    ----------
    track, pad : ndarray of int
        Rows of both.
    station : ndarray of int
        0 to 3.
    distance : ndarray
        (dx / half pad)^2 + (dy / half pad)^2.
    """

    track: Rows
    pad: Rows
    station: Ids
    distance: Array


def in_field(lines: Line, event: Ids, p: Array, pads: Pads, stations: Stations) -> InField:
    """Find the pads in the fields of interest of tracks.

    Parameters
    ----------
    lines : Line
        Straight ways of m tracks.
    event : ndarray of int, shape (m,)
        Position of the event of each, as in `Pads`.
    p : ndarray, shape (m,), MeV
        Momenta.
    pads : Pads
        All pads that fired.
    stations : Stations
        Where they are.
    """
    layer = pads.station * REGIONS + pads.region
    edges = np.searchsorted(layer, np.arange(STATIONS * REGIONS + 1))
    x_pad, y_pad = pads.centres(stations)
    parts = []
    for number in range(STATIONS * REGIONS):
        station, region = divmod(number, REGIONS)
        first, last = edges[number], edges[number + 1]
        x, y = lines.at(float(stations.z[station]))
        half_x, half_y = 0.5 * stations.pads[station, region]
        wide, high = stations.window(station, region, p)
        low, up = (np.floor((x + sign * wide) / (2.0 * half_x)) + COLUMN // 2 for sign in (-1.0, 1.0))
        keys = pads.event[first:last] * COLUMN + pads.place[first:last] // COLUMN
        # one column more on either side: rounding decides nothing, the comparison below does
        begin = np.searchsorted(keys, event * COLUMN + np.clip(low - 1, 0, COLUMN - 1).astype(np.int64))
        end = np.searchsorted(keys, event * COLUMN + np.clip(up + 1, 0, COLUMN - 1).astype(np.int64), side="right")
        track, pad = _expanded(begin, end)
        pad = pad + first
        dx, dy = np.abs(x_pad[pad] - x[track]), np.abs(y_pad[pad] - y[track])
        near = (dx < wide[track]) & (dy < high[track])
        track, pad, distance = track[near], pad[near], (dx[near] / half_x) ** 2 + (dy[near] / half_y) ** 2
        parts.append(InField(track, pad, np.full(len(track), station), distance))
    return InField._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


def _expanded(begin: Rows, end: Rows) -> tuple[Rows, Rows]:
    """All pairs of a row and a number from its begin to before its end."""
    size = np.maximum(end - begin, 0)
    row = np.repeat(np.arange(len(size)), size)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size) + begin[row]


def closest(found: InField, tracks: int) -> Array:
    """Distance of the closest hit in each station, shape (tracks, stations); NaN where there is none."""
    least = np.full((tracks, STATIONS), np.inf)
    np.minimum.at(least, (found.track, found.station), found.distance)
    return np.where(np.isinf(least), np.nan, least)


def is_muon(has_hit: Mask, p: Array, stations: Stations) -> Mask:
    """Whether enough stations have hits for the momentum, shape (m,).

    Parameters
    ----------
    has_hit : ndarray of bool, shape (m, stations)
        Whether there is a hit in the field of interest.
    p : ndarray, shape (m,), MeV
        Momentum: below 3 GeV never, up to 6 GeV with M2 and M3, up to 10 GeV with M4 or M5 besides, else all four.
    """
    two, three, four = stations.is_muon_p
    m2, m3, m4, m5 = has_hit.T
    needed = np.select([p < three, p < four], [m2 & m3, m2 & m3 & (m4 | m5)], m2 & m3 & m4 & m5)
    return np.asarray(needed & (p >= two), np.bool_)


def mean_distance(least: Array) -> Array:
    """D^2: the mean over stations with hits of the distance of the closest one, shape (m,); NaN if there are none."""
    there = np.isfinite(least)
    total = np.zeros(len(least))
    for station in range(STATIONS):
        total += np.where(there[:, station], least[:, station], 0.0)
    number = there.sum(axis=1)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def shared(found: InField, chosen: Mask) -> Ids:
    """How many other chosen tracks have one of the hits of each, shape (m,); 0 for those that are not chosen."""
    ours = chosen[found.track]
    track, pad = found.track[ours], found.pad[ours]
    order = np.argsort(pad, kind="stable")
    track, pad = track[order], pad[order]
    one, other = _expanded(np.searchsorted(pad, pad), np.searchsorted(pad, pad, side="right"))
    pairs = np.unique(track[one] * len(chosen) + track[other])
    mine, theirs = np.divmod(pairs, max(len(chosen), 1))
    return np.bincount(mine[mine != theirs], minlength=len(chosen))
