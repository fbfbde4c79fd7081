"""Confusion: where hits are dense, pattern recognition takes one that another particle left."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector, Kind
from lamarrpy.detailed.hits import Hits
from lamarrpy.detailed.reconstruction.layers import Mask, Rows, layers_of
from lamarrpy.detailed.reconstruction.neighbours import Pool, planes_of, same_straw, take, wires
from lamarrpy.detailed.reconstruction.search import Search
from lamarrpy.detailed.transport import Truth
from lamarrpy.detailed.transport.scattering import added_angle
from lamarrpy.draws import RowDraws
from lamarrpy.particles import mass

Array = NDArray[np.float64]

LEAST_IN_VELO = 6
"""Hits in the VELO that a segment has at least: three R and three phi."""

_PREDICTION, _SIDE, _DRAWS_PER_MONOLAYER = 0, 1, 2
"""Indices of the random numbers of a hit, whose key is (event_id, particle_id, plane), for each monolayer."""


class Picked(NamedTuple):
    """The hits that pattern recognition holds for particles, each array of shape (h,).

    Attributes
    ----------
    row : ndarray of int
        The particle that each is held for, sorted.
    hits : Hits
        The hits, whosever they are, in increasing z for each particle.
    right : ndarray of bool
        Whether each is the particle's own.
    """

    row: Rows
    hits: Hits
    right: Mask


def crossing_of_hits(truth: Truth, row: Rows, plane: Rows, planes: int) -> Rows:
    """The crossing that belongs to a particle and a plane; crossings come by row and then by plane."""
    at = truth.crossings
    return np.searchsorted(at.row * planes + at.plane, row * planes + plane)


def roads(truth: Truth, hits: Hits, detector: Detector, search: Search) -> Array:
    """How well each hit can be predicted from those before it, standard deviations [mm], shape (k,).

    The error of the hit itself, that of a prediction as good as one hit, and the scattering since the
    layer before: sigma^2 = 2 error^2 + (theta_0 dz)^2, with Highland's theta_0 of the material
    between. Where the layer before is far, as behind the magnet, a track is first built up within
    the new station, so that dz has a limit. What has left too few hits in the VELO for a segment is sought in
    TT from behind, through the magnet, which predicts far worse.
    """
    at, planes = truth.crossings, planes_of(detector)
    which = crossing_of_hits(truth, hits.row, hits.plane, len(detector.planes))
    before = np.maximum(which - 1, 0)
    alone = at.row[before] != hits.row
    seen = np.where(alone, 0.0, at.x_over_x0[before])
    lever = np.where(alone, 0.0, planes.z[hits.plane] - planes.z[at.plane[before]])
    p, m = at.p[which], mass(truth.particles.pid)[hits.row]
    beta = p / np.sqrt(p * p + m * m)
    angle = added_angle(seen, at.x_over_x0[which] - seen, p, beta)
    scattered = angle * np.minimum(lever, search.longest_lever)
    layers = layers_of(detector)
    in_velo = np.bincount(hits.row[layers.velo[hits.plane]], minlength=len(truth.particles.pid))
    behind = layers.tt[hits.plane] & (in_velo[hits.row] < LEAST_IN_VELO)
    blind = np.where(behind, search.tt_from_behind, 0.0)
    road: Array = np.sqrt(2.0 * hits.error**2 + scattered**2 + blind**2)
    return road


def pick(pool: Pool, own: int, road: Array, search: Search, draws: RowDraws) -> Picked:
    """Pick a hit in every layer where a particle left one.

    The prediction misses the true position by a Gaussian of the road's width; of the particle's own
    hit and the nearest ones of others on either side, the one closest to the prediction is taken. A
    straw tells only the first of the signals in it: an own hit with the longer drift is not there to
    be taken, and if no other is within the road the layer stays empty. Close to the wire, the side on
    which a track passed is a toss of a coin. Clusters of strips that merge are kept apart.

    Parameters
    ----------
    pool : Pool
        All hits, of which the first ``own`` are those of particles.
    own : int
        How many these are.
    road : ndarray, shape (own,), mm
        Width of the prediction of each.
    search : Search
        Limits.
    draws : RowDraws
        Of each own hit, keyed by (event_id, particle_id, plane).
    """
    later = pool.at.section[:own] * (pool.hits.kind[:own] == Kind.straw) > 0
    miss = road * _per_monolayer(draws, later, _PREDICTION, normal=True)
    best, chosen = np.abs(miss), np.arange(own)
    hidden = np.zeros(own, bool)
    neighbours = _neighbours(pool, own)
    for other, _ in neighbours:
        hidden |= _hides(pool.hits, other, own)
    best = np.where(hidden, search.road * road, best)
    chosen[hidden] = -1
    for other, distance in neighbours:
        off = np.abs(distance - miss)
        nearer = (other >= 0) & (off < best)
        best, chosen = np.where(nearer, off, best), np.where(nearer, other, chosen)
    held = np.flatnonzero(chosen >= 0)
    chosen = chosen[held]
    hits = take(pool.hits, chosen)
    toss = _per_monolayer(draws[held], later[held], _SIDE, normal=False) < 0.5
    wrong = toss & (hits.kind == Kind.straw) & (hits.drift < search.side_drift)
    return Picked(pool.hits.row[held], _mirrored(hits, wrong), chosen == held)


def _per_monolayer(draws: RowDraws, later: Mask, index: int, normal: bool) -> Array:
    """One random number a hit, from another index for the second monolayer."""
    draw = draws.normal if normal else draws.uniform
    out = draw(index)
    out[later] = (draws[later].normal if normal else draws[later].uniform)(index + _DRAWS_PER_MONOLAYER)
    return out


def _neighbours(pool: Pool, own: int) -> tuple[tuple[Rows, Array], tuple[Rows, Array]]:
    """The hit before and behind each own one along its coordinate, -1 if none, and the signed distance [mm]."""
    position = np.empty(len(pool.order), np.intp)
    position[pool.order] = np.arange(len(pool.order))
    here = position[:own]
    group = pool.group_at(here)
    found = []
    for step in (-1, 1):
        there = np.clip(here + step, 0, len(position) - 1)
        valid = (pool.group_at(there) == group) & (there != here)
        other = np.where(valid, pool.order[there], -1)
        distance = (pool.at.along[other] - pool.at.along[:own]) * pool.at.scale[:own]
        found.append((other, distance))
    return found[0], found[1]


def _hides(hits: Hits, other: Rows, own: int) -> Mask:
    """Whether another hit is in the same straw as an own one and was there first."""
    hidden = np.zeros(own, bool)
    here = np.flatnonzero((hits.kind[:own] == Kind.straw) & (other >= 0))
    first, second = wires(hits, here), wires(hits, other[here])
    hidden[here] = same_straw(first, second) & (hits.drift[other[here]] < hits.drift[here])
    return hidden


def _mirrored(hits: Hits, wrong: Mask) -> Hits:
    """Hits of straws, some of them taken on the wrong side of the wire."""
    measurement = np.where(wrong, hits.measurement - 2.0 * hits.side * hits.drift, hits.measurement)
    return hits._replace(measurement=measurement, side=np.where(wrong, -hits.side, hits.side))
