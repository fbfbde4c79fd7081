"""Where a reconstructed track goes through the detectors that identify it, as far as its fit can tell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry.detector import Detector
from lamarrpy.detailed.reconstruction.candidates import TrackType
from lamarrpy.detailed.transport import Truth
from lamarrpy.detailed.tuning import tuning
from lamarrpy.draws import Draws, RowDraws
from lamarrpy.field import MagneticField
from lamarrpy.propagation import SharedSteps, State

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Rows = NDArray[np.intp]

RICH1, RICH2, CALORIMETER = 1430.0, 10400.0, 11900.0
"""z [mm] of the places: the middle of the gas of RICH1 and of RICH2, and the end of RICH2."""

_BEHIND_T = (TrackType.long, TrackType.downstream)
"""Types of tracks that are known behind the magnet."""

_TAIL, _NORMALS, _NORMALS_BEHIND = 0, 2, 6
"""Index of the random numbers of a track: whether it is in a tail, before and behind the magnet, and its errors."""


class Line(NamedTuple):
    """A straight piece of m tracks: position [mm] at z and slopes, arrays of shape (m,); NaN where there is none."""

    z: float
    x: Array
    y: Array
    tx: Array
    ty: Array

    @property
    def columns(self) -> tuple[Array, Array, Array, Array]:
        """x, y, tx, ty."""
        return self.x, self.y, self.tx, self.ty

    def at(self, z: float | Array) -> tuple[Array, Array]:
        """x and y [mm] at another z [mm]."""
        return self.x + (z - self.z) * self.tx, self.y + (z - self.z) * self.ty


class Paths(NamedTuple):
    """m reconstructed tracks on their way through RICH, calorimeters and muon stations.

    Attributes
    ----------
    event_id : ndarray of int, shape (m,)
        The event of each.
    row : ndarray of int, shape (m,)
        Of the particle in ``Truth.particles``, -1 for a ghost.
    track_type : ndarray of int, shape (m,)
        Long, Upstream or Downstream, a `TrackType`.
    p : ndarray, shape (m,), MeV
        Reconstructed momentum.
    charge : ndarray of int, shape (m,)
        Reconstructed charge.
    rich1, rich2 : Line
        In the middle of the gas of either RICH: the mean direction there.
    calorimeter : Line
        At the end of RICH2, from where on it is extrapolated; NaN for Upstream tracks, as ``rich2``.
    """

    event_id: Counts
    row: Rows
    track_type: Counts
    p: Array
    charge: Counts
    rich1: Line
    rich2: Line
    calorimeter: Line

    @property
    def behind_magnet(self) -> NDArray[np.bool_]:
        """Whether each is known behind the magnet, shape (m,)."""
        return np.isfinite(self.calorimeter.x)


def paths_of(
    event_id: Counts, row: Rows, track_type: Counts, state: State, truth: Truth, detector: Detector,
    field: MagneticField, draws: Draws,
) -> Paths:  # fmt: skip
    """The ways of m tracks as the fit near each detector would know them.

    The fit of the tracks ends at the beam. What a smoother knows in RICH1 and behind the T stations is emulated: the
    truth there, with an error in direction and position from hits and scattering, the same for all photons of a
    track; from behind the T stations on it is carried through what is left of the field. What a particle does later,
    scatter or decay, no track knows. For ghosts, and particles that do not get there, it is the fitted track that
    is carried through the field.

    Parameters
    ----------
    event_id, row, track_type : ndarray of int, shape (m,)
        As in `Paths`.
    state : State
        Fitted, closest to the beam, shape (m,).
    truth : Truth
        What the particles did.
    detector, field : Detector, MagneticField
        What they went through.
    draws : Draws
        The random numbers, used by rows of (event_id, particle_id).
    """
    p, charge = 1.0 / np.abs(state.qop), np.where(state.qop < 0.0, -1, 1)
    lines = _carried(state, field, (RICH1, RICH2, CALORIMETER))
    true = np.flatnonzero(row >= 0)
    keys = draws.rows(event_id[true], truth.particles.particle_id[row[true]])
    before = _in_rich1(truth, detector, row[true])
    angle = _error_before(track_type[true], p[true]) * _tail(keys, 0)
    _put(lines[:1], true, [_smeared(before, angle, keys, _NORMALS)])
    behind = _behind_t(truth, detector, row[true])
    angle = _error_behind(p[true]) * _tail(keys, 1)
    start = _smeared(behind, angle, keys, _NORMALS_BEHIND)
    here = np.flatnonzero(np.isfinite(start.x))
    at = State(*(c[here] for c in (start.x, start.y, np.full(len(true), start.z), start.tx, start.ty, state.qop[true])))
    _put(lines[1:], true[here], _carried(at, field, (RICH2, CALORIMETER)))
    unknown = ~np.isin(track_type, _BEHIND_T)
    for line in lines[1:]:
        for column in line.columns:
            column[unknown] = np.nan
    return Paths(event_id, row, track_type, p, charge.astype(np.int64), *lines)


def _carried(state: State, field: MagneticField, places: tuple[float, ...]) -> list[Line]:
    """Tracks carried through the field to some places."""
    crossings = SharedSteps(field)(state, places)
    return [Line(z, *(column[i].copy() for column in crossings[:4])) for i, z in enumerate(places)]


def _put(lines: list[Line], rows: Rows, known: list[Line]) -> None:
    """Write what is known better into some rows; NaN is not known."""
    for line, better in zip(lines, known, strict=True):
        there = np.isfinite(better.x)
        for column, values in zip(line.columns, better.columns, strict=True):
            column[rows[there]] = values[there]


def _in_rich1(truth: Truth, detector: Detector, rows: Rows) -> Line:
    """The true way through RICH1: the mean of where it comes in and goes out; NaN if it does not go out."""
    begin, end = (truth.crossing_at(detector.plane_number(name))[rows] for name in ("rich1_begin", "rich1_end"))
    z = [detector.planes[detector.plane_number(name)].z for name in ("rich1_begin", "rich1_end")]
    begin = np.where(begin >= 0, begin, end)
    ends = [_at(truth, crossing, place) for crossing, place in zip((begin, end), z, strict=True)]
    positions = [one.at(RICH1) for one in ends]
    x, y = (0.5 * (positions[0][i] + positions[1][i]) for i in (0, 1))
    return Line(RICH1, x, y, 0.5 * (ends[0].tx + ends[1].tx), 0.5 * (ends[0].ty + ends[1].ty))


def _behind_t(truth: Truth, detector: Detector, rows: Rows) -> Line:
    """The true state behind the T stations; NaN if it does not get there."""
    number = detector.plane_number("rich2_begin")
    return _at(truth, truth.crossing_at(number)[rows], detector.planes[number].z)


def _at(truth: Truth, crossing: Rows, z: float) -> Line:
    """Crossings as lines, NaN for -1."""
    at, there = truth.crossings, crossing >= 0
    columns = [np.full(len(crossing), np.nan) for _ in range(4)]
    for out, values in zip(columns, (at.x, at.y, at.tx, at.ty), strict=True):
        out[there] = values[crossing[there]]
    return Line(z, *columns)


def hit_error_before(track_type: Counts) -> Array:
    """What hits leave unknown of each direction in RICH1 [mrad], by type of track, shape of ``track_type``."""
    tuned = tuning("path")
    kinds = {TrackType.upstream: tuned["rich1_upstream"], TrackType.downstream: tuned["rich1_downstream"]}
    return np.select([track_type == kind for kind in kinds], list(kinds.values()), tuned["rich1_long"])


def _error_before(track_type: Counts, p: Array) -> Array:
    """Error [rad] of each direction in RICH1: from hits, by type, and from scattering, which falls with momentum."""
    return np.asarray(1e-3 * np.hypot(hit_error_before(track_type), 1e3 * tuning("path")["rich1_soft"] / p))


def _error_behind(p: Array) -> Array:
    """The same behind the T stations."""
    tuned = tuning("path")
    return np.asarray(1e-3 * np.hypot(tuned["rich2"], 1e3 * tuned["rich2_soft"] / p))


def _tail(draws: RowDraws, place: int) -> Array:
    """How much worse than its error each direction is: most not at all, some by a wrong hit or a hard scatter."""
    tuned = tuning("path")
    return np.where(draws.uniform(_TAIL + place) < tuned["tail_share"][place], tuned["tail_width"], 1.0)


def _smeared(line: Line, angle: Array, draws: RowDraws, first: int) -> Line:
    """A line with errors in direction and position."""
    tuned = tuning("path")
    tx, ty = (slope + angle * draws.normal(first + 2 * i) for i, slope in enumerate((line.tx, line.ty)))
    x = line.x + tuned["shift_x"] * draws.normal(first + 1)
    return Line(line.z, x, line.y + tuned["shift_y"] * draws.normal(first + 3), tx, ty)
