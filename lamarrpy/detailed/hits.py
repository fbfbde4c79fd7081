"""What the sensors say of the particles that cross them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector, Kind, Sensor
from lamarrpy.detailed.transport import PlaneCrossings, Truth
from lamarrpy.detailed.tuning import tuning
from lamarrpy.draws import Draws, RowDraws

Array = NDArray[np.float64]

_SEEN, _NOISE, _DRAWS_PER_LAYER, _TAIL = 0, 1, 2, 4
"""Indices of the random numbers of a crossing, whose key is (event_id, particle_id, plane), for each monolayer."""


class Hits(NamedTuple):
    """Measurements, one entry each, each array of shape (k,), by row of the particle and then along z.

    Every hit says that x cos + y sin of the track at z is ``measurement``.

    Attributes
    ----------
    event_id, particle_id : ndarray of int
        Of the particle that left it.
    row : ndarray of int
        Of the particle in ``Truth.particles``.
    plane : ndarray of int
        Of ``Detector.planes``.
    kind : ndarray of int
        A `Kind`.
    z : ndarray, mm
        Where; for straws the middle of the monolayer.
    cos, sin : ndarray
        The direction along which is measured. For R sensors that of the radius at the hit, since the
        strips are arcs; for phi sensors at right angles to the strip.
    measurement, error : ndarray, mm
        Position along that direction, and its standard deviation.
    drift : ndarray, mm
        Measured distance from the wire of a straw, slightly negative at worst; 0 for strips.
    side : ndarray of int
        +1 if the track passes the wire at larger x cos + y sin, -1 if at smaller; 0 for strips. That is
        the truth: a reconstruction that errs takes ``measurement - 2 side drift`` instead.
    """

    event_id: NDArray[np.int64]
    particle_id: NDArray[np.int64]
    row: NDArray[np.intp]
    plane: NDArray[np.intp]
    kind: NDArray[np.int64]
    z: Array
    cos: Array
    sin: Array
    measurement: Array
    error: Array
    drift: Array
    side: NDArray[np.int64]


@dataclass(frozen=True)
class _Seen:
    """The crossings of one plane, and their random numbers."""

    at: PlaneCrossings
    draws: RowDraws


class _Signals(NamedTuple):
    """What one plane measures of its crossings; ``which`` gives their positions."""

    which: NDArray[np.intp]
    z: Array
    cos: Array
    sin: Array
    measurement: Array
    error: Array
    drift: Array
    side: NDArray[np.int64]


def measure(truth: Truth, detector: Detector, draws: Draws) -> Hits:
    """Turn the crossings of active areas into hits: resolution, inefficiency, drift times.

    Parameters
    ----------
    truth : Truth
        Where the particles went.
    detector : Detector
        The detector that they went through.
    draws : Draws
        The random numbers, used by rows of (event_id, particle_id, plane).

    Returns
    -------
    Hits
        One for each strip sensor and each monolayer of straws that sees the particle.
    """
    at, particles = truth.crossings, truth.particles
    order = np.argsort(at.plane.astype(np.int16), kind="stable")
    ends = np.searchsorted(at.plane[order], np.arange(len(detector.planes) + 1))
    found = []
    for number, plane in enumerate(detector.planes):
        here = order[ends[number] : ends[number + 1]]
        if plane.sensor is None or not len(here):
            continue
        some = PlaneCrossings._make(column[here] for column in at)
        keys = draws.rows(particles.event_id[some.row], particles.particle_id[some.row], some.plane)
        signals = _MEASURE[plane.sensor.kind](_Seen(some, keys), plane.sensor, plane.z)
        found.append(_hits(truth, some, signals, plane.sensor.kind))
    return _in_order(found)


def _hits(truth: Truth, some: PlaneCrossings, signals: _Signals, kind: Kind) -> Hits:
    row, plane = some.row[signals.which], some.plane[signals.which]
    particles = truth.particles
    return Hits(
        particles.event_id[row],
        particles.particle_id[row],
        row,
        plane,
        np.full(len(row), int(kind)),
        *signals[1:],
    )


def _in_order(found: list[Hits]) -> Hits:
    """All hits by row and then along z."""
    if not found:
        ids, rows, numbers = np.zeros(0, np.int64), np.zeros(0, np.intp), np.zeros(0)
        return Hits(ids, ids, rows, rows, ids, numbers, numbers, numbers, numbers, numbers, numbers, ids)
    joined = Hits._make(np.concatenate(columns) for columns in zip(*found, strict=True))
    order = np.lexsort((joined.z, joined.row))
    return Hits._make(column[order] for column in joined)


def _pitch(sensor: Sensor, r: Array) -> tuple[Array, NDArray[np.intp]]:
    """Pitch [mm] of the strips at a radius, and the zone."""
    zone = np.searchsorted(np.array([z[1] for z in sensor.pitch[:-1]]), r, side="right")
    r0, r1, p0, p1 = np.array(sensor.pitch)[zone].T
    return p0 + (p1 - p0) * np.clip((r - r0) / (r1 - r0), 0.0, 1.0), zone


def _strips(seen: _Seen, sensor: Sensor, z: float, cos: Array, sin: Array, error: Array) -> _Signals:
    """The position along (cos, sin), smeared, of those that are seen."""
    which = np.flatnonzero(seen.draws.uniform(_SEEN) < sensor.efficiency)
    true = seen.at.x * cos + seen.at.y * sin
    smeared = true + error * _noise(seen.draws, 0)
    n = len(which)
    at = (np.full(n, z), cos[which], sin[which])
    return _Signals(which, *at, smeared[which], error[which], np.zeros(n), np.zeros(n, np.int64))


def _noise(draws: RowDraws, layer: int) -> Array:
    """Deviations in units of the resolution: Gaussian, but for the hits that delta electrons or others spoil."""
    tail = tuning("hit_tail")
    spoilt = draws.uniform(_TAIL + layer) < tail["share"]
    return draws.normal(_NOISE + _DRAWS_PER_LAYER * layer) * np.where(spoilt, tail["width"], 1.0)


def _velo_error(sensor: Sensor, pitch: Array, slope: Array) -> Array:
    """Resolution [mm] of VELO strips for tracks of a slope at right angles to them: best where charge is shared."""
    a, b, c = sensor.resolution
    return pitch * (a + b * np.exp(-((np.degrees(np.arctan(slope)) / c) ** 2)))


def _velo_r(seen: _Seen, sensor: Sensor, z: float) -> _Signals:
    """The radius: strips are arcs around the beam."""
    r = np.hypot(seen.at.x, seen.at.y)
    cos, sin = seen.at.x / r, seen.at.y / r
    error = _velo_error(sensor, _pitch(sensor, r)[0], seen.at.tx * cos + seen.at.ty * sin)
    return _strips(seen, sensor, z, cos, sin, error)


def _velo_phi(seen: _Seen, sensor: Sensor, z: float) -> _Signals:
    """The distance at right angles to a strip that is tilted to the radius."""
    r = np.hypot(seen.at.x, seen.at.y)
    pitch, zone = _pitch(sensor, r)
    strip = np.arctan2(seen.at.y, seen.at.x) + np.array(sensor.stereo)[zone]
    cos, sin = -np.sin(strip), np.cos(strip)
    return _strips(seen, sensor, z, cos, sin, _velo_error(sensor, pitch, seen.at.tx * cos + seen.at.ty * sin))


def _strip(seen: _Seen, sensor: Sensor, z: float) -> _Signals:
    """The distance at right angles to straight strips."""
    n = len(seen.at.x)
    cos, sin = np.full(n, np.cos(sensor.stereo[0])), np.full(n, np.sin(sensor.stereo[0]))
    return _strips(seen, sensor, z, cos, sin, np.full(n, sensor.resolution[0]))


def _straw(seen: _Seen, sensor: Sensor, z: float) -> _Signals:
    """The distance from the wire of a straw in each of two staggered monolayers, with the side of the wire."""
    assert sensor.straw is not None
    pitch, gap, radius, ionisation = sensor.straw
    cos, sin, error = np.cos(sensor.stereo[0]), np.sin(sensor.stereo[0]), sensor.resolution[0]
    layers = []
    for layer, offset in enumerate((-0.5 * gap, 0.5 * gap)):
        u = (seen.at.x + offset * seen.at.tx) * cos + (seen.at.y + offset * seen.at.ty) * sin
        wire = pitch * (np.floor(u / pitch + 0.5 * (1 - layer)) + 0.5 * layer)
        distance = np.abs(u - wire)
        path = 2.0 * np.sqrt(np.maximum(radius**2 - distance**2, 0.0))
        chance = seen.draws.uniform(_SEEN + _DRAWS_PER_LAYER * layer)
        which = np.flatnonzero(chance < -np.expm1(-path / ionisation))
        drift = np.clip(distance + error * _noise(seen.draws, layer), -3.0 * error, radius + 3.0 * error)[which]
        side = np.where(u < wire, -1, 1)[which]
        n = len(which)
        direction = (np.full(n, cos), np.full(n, sin))
        at = (np.full(n, z + offset), *direction, wire[which] + side * drift, np.full(n, error))
        layers.append(_Signals(which, *at, drift, side))
    return _Signals._make(np.concatenate(columns) for columns in zip(*layers, strict=True))


_MEASURE = {Kind.velo_r: _velo_r, Kind.velo_phi: _velo_phi, Kind.strip: _strip, Kind.straw: _straw}
"""How each kind of sensor measures."""
