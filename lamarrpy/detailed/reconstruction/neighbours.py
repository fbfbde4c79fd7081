"""The hits of events in order: by event, plane, and the coordinate along which they can be confused."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector, Kind, Sensor
from lamarrpy.detailed.geometry.shapes import Box
from lamarrpy.detailed.hits import Hits
from lamarrpy.detailed.reconstruction.layers import Mask, Rows

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

SECTIONS = 8
"""Parts of a plane that do not share hits.

45 degree sectors of R strips, zones of phi strips, upper and lower halves of all else, and monolayers of straws."""

STRIP_ANGLE = 1000.0
"""The coordinate of phi strips is so many mm for each radian."""

_BITS, _SPAN = 31, 4096.0
"""Bits of a key for the coordinate [mm], which lies between -_SPAN and _SPAN: steps of 4 nm."""


class PlaneTable(NamedTuple):
    """What is known of the sensors of every plane, each array of shape (planes,).

    Attributes
    ----------
    z : ndarray, mm
        Where.
    inner, outer : ndarray, mm
        Least and largest radius of VELO sensors; the latter for others the largest |x| of their areas.
    border : ndarray, mm
        Radius where the inner strips of phi sensors end.
    tilt : ndarray, shape (2, planes), rad
        Of inner and outer phi strips to the radius.
    side : ndarray of int
        +1 or -1 for the half of the VELO.
    pitch : ndarray, mm
        Of the wires of straws.
    """

    z: Array
    inner: Array
    outer: Array
    border: Array
    tilt: Array
    side: NDArray[np.int64]
    pitch: Array


@lru_cache(maxsize=8)
def planes_of(detector: Detector) -> PlaneTable:
    """The table of a detector's sensors."""
    n = len(detector.planes)
    table = PlaneTable(
        np.array([plane.z for plane in detector.planes]),
        np.zeros(n),
        np.zeros(n),
        np.zeros(n),
        np.zeros((2, n)),
        np.zeros(n, np.int64),
        np.ones(n),
    )
    for number, plane in enumerate(detector.planes):
        if plane.sensor is not None:
            _fill(table, number, plane.sensor)
    return table


def _fill(table: PlaneTable, number: int, sensor: Sensor) -> None:
    shape = sensor.inside[0]
    if isinstance(shape, Box):
        table.outer[number] = max(s.x[1] for s in sensor.inside if isinstance(s, Box))
    else:
        table.inner[number], table.outer[number], table.side[number] = *shape.r, shape.side
    if sensor.kind is Kind.velo_phi:
        table.border[number], table.tilt[:, number] = sensor.pitch[0][1], sensor.stereo
    if sensor.straw is not None:
        table.pitch[number] = sensor.straw[0]


def polar(hits: Hits, detector: Detector) -> tuple[Array, Array]:
    """Radius [mm] and azimuth of VELO hits, phi hits being where their particle crossed the strip."""
    table, angle = planes_of(detector), np.arctan2(hits.sin, hits.cos)
    r_hit = hits.kind == Kind.velo_r
    # a phi hit measures -r sin(tilt), and the tilts of the two zones differ in sign
    inner = table.tilt[0][hits.plane]
    tilt = np.where(hits.measurement * inner < 0.0, inner, table.tilt[1][hits.plane])
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.where(r_hit, hits.measurement, -hits.measurement / np.sin(tilt))
    return r, np.where(r_hit, angle, angle - 0.5 * np.pi - tilt)


class Coordinate(NamedTuple):
    """Where hits can be confused, each of shape (k,).

    Attributes
    ----------
    section : ndarray of int
        Part of the plane, 0 ... SECTIONS - 1.
    along : ndarray, mm
        Coordinate in it.
    scale : ndarray
        Distance in mm for one of the coordinate.
    """

    section: Counts
    along: Array
    scale: Array


def coordinate_of(hits: Hits, above: Mask, detector: Detector) -> Coordinate:
    """The coordinate along which each hit has its neighbours.

    Strips and straws: what they measure, in their upper or lower half. R strips: the radius, within a
    sector of 45 degrees. Phi strips: the azimuth where the strip, made longer, meets the border of the
    two zones, within a zone.

    Parameters
    ----------
    hits : Hits
        k hits.
    above : ndarray of bool, shape (k,)
        Whether each was left at y > 0.
    detector : Detector
        Whose hits they are.
    """
    table = planes_of(detector)
    section = section_of(above, (hits.kind == Kind.straw) & (hits.z > table.z[hits.plane]))
    along, scale = hits.measurement.copy(), np.ones(len(hits.row))
    velo = np.flatnonzero((hits.kind == Kind.velo_r) | (hits.kind == Kind.velo_phi))
    some = take(hits, velo)
    r, azimuth = polar(some, detector)
    is_phi = some.kind == Kind.velo_phi
    turns = np.floor(azimuth / (0.25 * np.pi)).astype(np.int64) % SECTIONS
    border = table.border[some.plane]
    section[velo] = np.where(is_phi, r > border, turns)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = np.arctan2(some.sin, some.cos) - 0.5 * np.pi + np.arcsin(np.clip(some.measurement / border, -1, 1))
    crossing -= 2.0 * np.pi * np.round(crossing / (2.0 * np.pi))
    along[velo] = np.where(is_phi, STRIP_ANGLE * crossing, r)
    scale[velo] = np.where(is_phi, r / STRIP_ANGLE, 1.0)
    return Coordinate(section, along, scale)


def section_of(above: Mask, later: Mask) -> Counts:
    """The section of hits of strips and straws: which half, and which monolayer."""
    return 2 * above.astype(np.int64) + later


class Pool(NamedTuple):
    """All hits of some events in order.

    Attributes
    ----------
    hits : Hits
        k hits.
    above : ndarray of bool, shape (k,)
        Whether each was left at y > 0.
    at : Coordinate
        Theirs.
    key : ndarray of int, shape (k,)
        Event, plane and section of each hit, and then its coordinate, as one number; sorted.
    order : ndarray of int, shape (k,)
        The hits in the order of the keys.
    """

    hits: Hits
    above: Mask
    at: Coordinate
    key: Counts
    order: Rows

    def group_at(self, positions: Any) -> Counts:
        """Event, plane and section of some of the keys (mask, index array or slice)."""
        group: Counts = self.key[positions] >> _BITS
        return group


def group_of(event: Counts, plane: Rows, section: Counts, planes: int) -> Counts:
    """One number for the event (its rank in the batch), plane and section of hits."""
    return (event * planes + plane) * SECTIONS + section


def key_of(group: Counts, along: Array) -> Counts:
    """One number for a group and a coordinate in it."""
    step = (np.clip(along / _SPAN, -1.0, 1.0) + 1.0) * (2.0 ** (_BITS - 1) - 1.0)
    return (group << _BITS) + step.astype(np.int64)


def pool_of(hits: Hits, above: Mask, events: Counts, detector: Detector) -> Pool:
    """Put hits in order.

    Parameters
    ----------
    hits : Hits
        k hits.
    above : ndarray of bool, shape (k,)
        Whether each was left at y > 0.
    events : ndarray of int
        All event numbers, sorted, none twice.
    detector : Detector
        Whose hits they are.
    """
    return _sorted(hits, above, coordinate_of(hits, above, detector), events, detector)


def with_more(pool: Pool, hits: Hits, above: Mask, events: Counts, detector: Detector) -> Pool:
    """A pool with more hits, put behind those that it has, and all sorted."""
    more = coordinate_of(hits, above, detector)
    at = Coordinate._make(np.concatenate(columns) for columns in zip(pool.at, more, strict=True))
    return _sorted(join(pool.hits, hits), np.concatenate([pool.above, above]), at, events, detector)


def _sorted(hits: Hits, above: Mask, at: Coordinate, events: Counts, detector: Detector) -> Pool:
    event = np.searchsorted(events, hits.event_id)
    key = key_of(group_of(event, hits.plane, at.section, len(detector.planes)), at.along)
    order = np.argsort(key, kind="stable")
    return Pool(hits, above, at, key[order], order)


def join(first: Hits, second: Hits) -> Hits:
    """Two sets of hits end to end."""
    return Hits._make(np.concatenate(columns) for columns in zip(first, second, strict=True))


def take(hits: Hits, which: Any) -> Hits:
    """Some of the hits (mask, index array or slice)."""
    return Hits._make(column[which] for column in hits)


def nearest(pool: Pool, group: Counts, along: Array, road: Array) -> Rows:
    """The hit nearest to a coordinate in a group, within a road.

    Parameters
    ----------
    pool : Pool
        All hits.
    group : ndarray of int, shape (n,)
        As `group_of` makes them.
    along, road : ndarray, shape (n,), mm
        Coordinate that is wanted, and largest distance.

    Returns
    -------
    ndarray of int, shape (n,)
        Positions in ``pool.hits``, -1 where there is none.
    """
    if not len(pool.key):
        return np.full(len(group), -1)
    behind = np.searchsorted(pool.key, key_of(group, along))
    best, chosen = np.asarray(road, np.float64), np.full(len(group), -1)
    for there in (np.maximum(behind - 1, 0), np.minimum(behind, len(pool.key) - 1)):
        hit = pool.order[there]
        off = np.abs(pool.at.along[hit] - along) * pool.at.scale[hit]
        nearer = (pool.group_at(there) == group) & (off < best)
        best, chosen = np.where(nearer, off, best), np.where(nearer, hit, chosen)
    return chosen


def wires(hits: Hits, which: Rows) -> Array:
    """Coordinate [mm] of the wires of some hits of straws."""
    return hits.measurement[which] - hits.side[which] * hits.drift[which]


def same_straw(first: Array, second: Array) -> Mask:
    """Whether two wires [mm] are one."""
    return np.abs(first - second) < 1.0
