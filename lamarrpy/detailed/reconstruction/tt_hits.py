"""The TT hits that a combination of a VELO and a T segment takes up."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector
from lamarrpy.detailed.reconstruction.layers import Rows, layers_of
from lamarrpy.detailed.reconstruction.matching import straight_to
from lamarrpy.detailed.reconstruction.neighbours import Pool, group_of, key_of, nearest, section_of
from lamarrpy.detailed.reconstruction.search import Search
from lamarrpy.detailed.reconstruction.segments import LEAST_TT
from lamarrpy.propagation import State

Array = NDArray[np.float64]

NEIGHBOURS = 4
"""Hits tried on either side of the way in each x layer."""

MISSING = 9.0
"""chi2 that a layer without a hit counts as: that of a hit 3 standard deviations off."""

SIGMAS = 3.0
"""Half of the road in standard deviations."""


def tt_hits(
    pool: Pool, rank: NDArray[np.int64], way: State, qop: Array, detector: Detector, search: Search
) -> tuple[Rows, Rows]:
    """Pick up TT hits along the ways of tracks.

    Every hit of an x layer in the window of TT may be on the track; it says how far off the way is. In
    the other layers the hits nearest to the way moved so far are taken within a narrow road. Of all these
    combinations of hits the one that fits best counts, as in LHCb's PatAddTTCoord; fewer than three
    hits are none.

    Parameters
    ----------
    pool : Pool
        All hits.
    rank : ndarray of int, shape (n,)
        Of the event of each track in the batch.
    way : State
        Of the tracks at mid TT, shape (n,).
    qop : ndarray, shape (n,), 1/MeV
        Their charge over momentum.
    detector : Detector
        Whose layers they are.
    search : Search
        Window and road.

    Returns
    -------
    track, hit : ndarray of int, shape (k,)
        Which track takes up which hit of the pool.
    """
    layers = layers_of(detector)
    planes = [int(plane) for plane in np.flatnonzero(layers.tt)]
    window = np.hypot(search.tt_x, search.tt_x_soft * 1e3 * qop)
    road = np.hypot(search.tt_road, search.tt_road_soft * 1e3 * qop)
    best, lowest = np.full((len(planes), len(rank)), -1), np.full(len(rank), np.inf)
    for reference in (plane for plane in planes if not layers.stereo[plane]):
        spot = _spot(rank, way, reference, np.zeros(len(rank)), detector)
        for first in _candidates(pool, *spot) if len(pool.key) else ():
            off = np.where(first >= 0, pool.hits.measurement[first] - spot[1], np.inf)
            inside = np.abs(off) < window
            moved = np.where(inside, off, 0.0)
            hits, chi2 = _along(pool, rank, way, moved, np.where(inside, road, 0.0), detector)
            chi2 = chi2 + (SIGMAS * moved / window) ** 2
            better = (chi2 < lowest) & (np.count_nonzero(hits >= 0, axis=0) >= LEAST_TT)
            best, lowest = np.where(better, hits, best), np.where(better, chi2, lowest)
    layer, track = np.nonzero(best >= 0)
    return track, best[layer, track]


def _along(
    pool: Pool, rank: NDArray[np.int64], way: State, off: Array, road: Array, detector: Detector
) -> tuple[NDArray[np.intp], Array]:
    """The hits nearest to ways that are moved in x, within a road, layer by layer, -1 for none; and their chi2."""
    found, chi2 = [], np.zeros(len(rank))
    for plane in np.flatnonzero(layers_of(detector).tt):
        group, along = _spot(rank, way, int(plane), off, detector)
        hit = nearest(pool, group, along, road)
        pull = SIGMAS * (pool.at.along[hit] - along) / np.maximum(road, pool.hits.error[hit])
        chi2 = chi2 + np.where(hit >= 0, pull * pull, MISSING)
        found.append(hit)
    return np.array(found), chi2


def _spot(
    rank: NDArray[np.int64], way: State, plane: int, off: Array, detector: Detector
) -> tuple[NDArray[np.int64], Array]:
    """Where ways that are moved in x meet a plane: group of hits, and coordinate [mm]."""
    sensor = detector.planes[plane].sensor
    assert sensor is not None
    there = straight_to(way, detector.planes[plane].z)
    along = (there.x + off) * np.cos(sensor.stereo[0]) + there.y * np.sin(sensor.stereo[0])
    section = section_of(there.y > 0.0, np.zeros(len(along), bool))
    return group_of(rank, np.full(len(along), plane), section, len(detector.planes)), along


def _candidates(pool: Pool, group: NDArray[np.int64], along: Array) -> Iterator[Rows]:
    """The hits of groups next to coordinates, one of each at a time; -1 where there is none."""
    behind = np.searchsorted(pool.key, key_of(group, along))
    for step in range(-NEIGHBOURS, NEIGHBOURS):
        there = np.clip(behind + step, 0, len(pool.key) - 1)
        valid = (behind + step == there) & (pool.group_at(there) == group)
        yield np.where(valid, pool.order[there], -1)
