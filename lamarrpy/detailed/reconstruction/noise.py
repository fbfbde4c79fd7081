"""Hits that no transported particle left: secondaries, spill-over, electronic noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector, Kind
from lamarrpy.detailed.hits import Hits
from lamarrpy.detailed.reconstruction.layers import Mask, Rows
from lamarrpy.detailed.reconstruction.neighbours import SECTIONS, Pool, join, planes_of, polar, take
from lamarrpy.detailed.reconstruction.search import Search
from lamarrpy.draws import Draws, RowDraws

Array = NDArray[np.float64]

_PARTNER, _FIRST, _SECOND = range(3)
"""Indices of the random numbers of a noise hit: which real one it stands near, and how far off."""

_NUMBER = -1
"""Third part of the key of the random number that says how many there are in a plane."""


def noise_hits(pool: Pool, detector: Detector, search: Search, draws: Draws) -> tuple[Hits, Mask]:
    """Add what real events have besides the transported particles.

    Secondaries of hadronic interactions, conversions of photons, delta rays, particles of the bunch
    crossings before and after, and electronic noise are not simulated one by one. They are stood in
    for by hits of their own, in proportion to those that the event has in the plane, each at a
    Gaussian distance from a random one of these, inside the active area. They do not line up to tracks.

    Parameters
    ----------
    pool : Pool
        The hits of particles.
    detector : Detector
        Whose planes they are in.
    search : Search
        How many and how far.
    draws : Draws
        The random numbers, used by rows of (event_id, plane, running number).

    Returns
    -------
    Hits, ndarray of bool
        With ``row`` and ``particle_id`` -1; and whether each is at y > 0.
    """
    shares = {name: getattr(search, f"noise_share_{name}") for name in ("velo", "tt", "it", "ot")}
    share = np.array([shares.get(system, 0.0) for system in detector.systems()])
    near, keys = _partners(pool, share, search, draws)
    in_velo = pool.hits.kind[near] <= Kind.velo_phi
    velo, tracker = np.flatnonzero(in_velo), np.flatnonzero(~in_velo)
    noise = join(
        _in_velo(take(pool.hits, near[velo]), detector, search, keys[velo]),
        _in_tracker(take(pool.hits, near[tracker]), detector, search, keys[tracker]),
    )
    none = np.full(len(near), -1)
    above = pool.above[np.concatenate([near[velo], near[tracker]])]
    return noise._replace(particle_id=none.astype(np.int64), row=none), above


def _partners(pool: Pool, share: Array, search: Search, draws: Draws) -> tuple[Rows, RowDraws]:
    """For each noise hit the real one that it stands near, and its random numbers."""
    in_plane = pool.group_at(slice(None)) // SECTIONS
    start = np.flatnonzero(np.diff(in_plane, prepend=-1))
    size = np.diff(start, append=len(in_plane))
    event, plane = (column[pool.order[start]] for column in (pool.hits.event_id, pool.hits.plane))
    mean = share[plane] * size + search.noise_constant
    spread = draws.rows(event, plane, np.full(len(start), _NUMBER)).normal(0)
    number = np.maximum(np.rint(mean + np.sqrt(mean) * spread), 0.0).astype(np.intp)
    which = np.repeat(np.arange(len(start)), number)
    running = np.arange(len(which)) - np.repeat(np.cumsum(number) - number, number)
    keys = draws.rows(event[which], plane[which], running)
    partner = start[which] + (keys.uniform(_PARTNER) * size[which]).astype(np.intp)
    return pool.order[partner], keys


def _reflect(value: Array, low: Array, high: Array) -> Array:
    """Values mirrored at the ends of their range, and cut there if that is not enough."""
    value = np.where(value > high, 2.0 * high - value, value)
    value = np.where(value < low, 2.0 * low - value, value)
    return np.clip(value, low, high)


def _in_velo(hits: Hits, detector: Detector, search: Search, draws: RowDraws) -> Hits:
    """VELO hits moved in radius and azimuth; those that leave their half keep the azimuth."""
    table, plane = planes_of(detector), hits.plane
    r, azimuth = polar(hits, detector)
    r = _reflect(r + search.noise_velo * draws.normal(_FIRST), table.inner[plane], table.outer[plane])
    turned = azimuth + search.noise_angle * draws.normal(_SECOND)
    azimuth = np.where(np.cos(turned) * table.side[plane] > 0.0, turned, azimuth)
    is_phi = hits.kind == Kind.velo_phi
    tilt = np.where(r < table.border[plane], table.tilt[0][plane], table.tilt[1][plane])
    direction = azimuth + np.where(is_phi, 0.5 * np.pi + tilt, 0.0)
    measurement = np.where(is_phi, -r * np.sin(tilt), r)
    return hits._replace(cos=np.cos(direction), sin=np.sin(direction), measurement=measurement)


def _in_tracker(hits: Hits, detector: Detector, search: Search, draws: RowDraws) -> Hits:
    """Strip and straw hits moved along their coordinate; straws go to the wire that is nearest there."""
    table, plane = planes_of(detector), hits.plane
    wide = table.outer[plane]
    measurement = _reflect(hits.measurement + search.noise_tracker * draws.normal(_FIRST), -wide, wide)
    straw, pitch = hits.kind == Kind.straw, table.pitch[plane]
    wire = hits.measurement - hits.side * hits.drift
    wire = wire + pitch * np.rint((measurement - wire) / pitch)
    side = np.where(measurement < wire, -1, 1)
    drift = np.abs(measurement - wire)
    return hits._replace(
        measurement=measurement, drift=np.where(straw, drift, 0.0), side=np.where(straw, side, 0).astype(np.int64)
    )
