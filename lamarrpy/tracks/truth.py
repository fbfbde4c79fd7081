"""The true end of tracks: integration of the equation of motion until more steps change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import DomainError
from lamarrpy.field import Grid, Lhcb, MagneticField
from lamarrpy.field.lhcb import MARGIN, OPENING
from lamarrpy.field.model import FieldAtPlane
from lamarrpy.field.plane_polynomial import plane_polynomial
from lamarrpy.propagation.motion import KAPPA, runge_kutta_step
from lamarrpy.propagation.state import LARGEST_SINE, Array, State, direction, slopes

POSITION_TOLERANCE, SLOPE_TOLERANCE = 1e-5, 1e-8
"""How well position [mm] and slopes of the end are known by default: 0.01 um and 0.01 urad."""

SPACINGS: tuple[tuple[float, float], ...] = ((-np.inf, 1000.0), (2000.0, 500.0), (9000.0, 1000.0))
"""(z [mm] from which it holds, longest distance [mm] of neighbouring planes): the field varies between 2 and 9 m."""

FEWEST, MOST = 2, 512
"""Steps between neighbouring planes: of the first attempt, and of the last one."""

CURLS = 8
"""Steps from which on tracks that curl twice are believed: longer ones jump over the poles of the dipole pair."""

BLOCK = 4096
"""Tracks stepped together: as many as stay in the processor's cache."""

LONGEST = 1e5
"""Distance [mm] from the origin up to which tracks may start and end: anything in the cavern."""

PLANE_TOLERANCE = 1e-10
"""How well [T] the field in a plane is known: 2e-9 mm at 0.5 GeV, where the planes of a run are content with 1e-6."""

NEWTON = 4
"""Attempts at finding where a track crosses a border: 1e-2 mm would do, for the error goes as its square."""

_FOURTH_ORDER, _SECOND_ORDER = 1.0 / 15.0, 1.0 / 3.0
"""Error of the finer of two results over their difference, 1 / (2^order - 1): where the field is smooth, and in a map,
whose field has kinks in the faces of its cells."""

Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]


class Limits(NamedTuple):
    """Where tracks may end.

    Attributes
    ----------
    slope : float
        Largest |t| = sqrt(tx^2 + ty^2).
    x, y : float, mm
        Largest |x| and |y|.
    """

    slope: float
    x: float
    y: float

    def steep(self, track: Array, margin: Array | float = 0.0) -> Flags:
        """Which tracks x, y, tx, ty, shape (4, n), are too steep, by more than a margin in each of them."""
        tx, ty = np.maximum(np.abs(track) - margin, 0.0)[2:]
        steep: Flags = np.hypot(tx, ty) > self.slope
        return steep

    def outside(self, track: Array, margin: Array | float = 0.0) -> Flags:
        """Which tracks x, y, tx, ty, shape (4, n), lie too far out, by more than a margin in each of them."""
        x, y = (np.abs(track) - margin)[:2]
        outside: Flags = (x > self.x) | (y > self.y)
        return outside


class TrueEnd(NamedTuple):
    """Where n tracks end.

    Attributes
    ----------
    end : State
        n states at z = start.z + dz; NaN where `reaches` or `converged` is false.
    reaches : ndarray of bool, shape (n,)
        Whether the track gets there with |t| <= 5 on its whole way.
    converged : ndarray of bool, shape (n,)
        Whether the answer (the state, or that it curls) no longer depends on the steps.
    """

    end: State
    reaches: Flags
    converged: Flags


def true_end(
    start: State,
    dz: Array,
    field: MagneticField,
    *,
    planes: Sequence[float] = (),
    limits: Limits | None = None,
    position: float = POSITION_TOLERANCE,
    slope: float = SLOPE_TOLERANCE,
) -> TrueEnd:
    """Carry charged tracks through a field so exactly that the result counts as the truth.

    Runge-Kutta steps of fourth order between planes that all tracks share, and from and to each track's
    own z where that is none of them. Every distance of planes is passed in k steps and in 2k; where the
    two results differ by more than 15 tolerances in any coordinate, k is doubled. The end is extrapolated
    to steps of no length (L. F. Richardson, Phil. Trans. R. Soc. A 226 (1927) 299). Where a track crosses
    the border of the LHCb field, which has a kink there, a step ends at the border; in a field map, which
    is full of kinks, 3 tolerances take the place of 15 and nothing is extrapolated. The result of a track
    does not depend, bit for bit, on what other tracks are there.

    Parameters
    ----------
    start : State
        n tracks.
    dz : ndarray, shape (n,), mm
        How far each goes along z; not negative.
    field : MagneticField
        The field.
    planes : sequence of float, mm
        z where many tracks start or end; they become planes of the grid, which is faster.
    limits : Limits, optional
        Tracks that end beyond them are of no interest: they count as converged as soon as that is sure, with
        an end that is only so exact.
    position, slope : float, mm and 1
        Tolerances.

    Returns
    -------
    TrueEnd
        The ends.

    Raises
    ------
    DomainError
        If a dz is negative, a number is not finite, or a track starts or ends more than 100 m away.
    """
    _check(start, dz)
    if isinstance(field, Grid):
        planes = [*planes, *field.z]
    nodes = _nodes(
        tuple(sorted(set(map(float, planes)))),
        float(np.min(start.z, initial=0.0)),
        float(np.max(start.z + dz, initial=0.0)),
    )
    tolerance = np.array([[position], [position], [slope], [slope]])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        track, reaches, converged = _converge(start, start.z + dz, field, nodes, tolerance, limits)
    track[:, ~(reaches & converged)] = np.nan
    x, y, tx, ty = track
    return TrueEnd(State(x, y, start.z + dz, tx, ty, start.qop), reaches, converged)


def _check(start: State, dz: Array) -> None:
    for name, column in zip((*State._fields, "dz"), (*start, dz), strict=True):
        if not np.isfinite(column).all():
            raise DomainError(f"expected finite tracks, got {name} = {column[~np.isfinite(column)][0]}")
    if np.any(dz < 0.0):
        raise DomainError(f"expected tracks towards larger z, dz >= 0, got dz = {np.min(dz):g} mm")
    far = np.maximum(np.abs(start.z), np.abs(start.z + dz))
    if np.any(far > LONGEST):
        raise DomainError(f"expected tracks within |z| <= {LONGEST:g} mm, got z = {np.max(far):g} mm")


def _spacing(z: float) -> float:
    return next(length for first, length in reversed(SPACINGS) if z >= first)


@lru_cache(maxsize=64)
def _nodes(planes: tuple[float, ...], low: float, high: float) -> Array:
    """The planes of the grid between low and high: the given ones and, evenly spread between them, others.

    Beyond the given planes they go on at the longest spacing. The grid depends on the planes alone, low
    and high only cut it off; so a track meets the same nodes in any company.
    """
    longest = max(length for _, length in SPACINGS)
    first, last = (planes[0], planes[-1]) if planes else (0.0, 0.0)
    before = int(max(0.0, first - low) // longest) + 1
    after = int(max(0.0, high - last) // longest) + 1
    borders = sorted(
        {
            *(first - i * longest for i in range(1, before + 1)),
            first,
            *planes,
            *(last + i * longest for i in range(1, after + 1)),
        }
    )
    nodes = borders[:1]
    for near, far in pairwise(borders):
        count = int(np.ceil((far - near) / min(_spacing(near), _spacing(0.5 * (near + far)))))
        nodes += [near + (far - near) * i / count for i in range(1, count)] + [far]
    return np.array(nodes)


def _converge(
    start: State, z_end: Array, field: MagneticField, nodes: Array, tolerance: Array, limits: Limits | None
) -> tuple[Array, Flags, Flags]:
    """x, y, tx, ty at the end, shape (4, n), who gets there and whose answer is settled."""
    n = len(z_end)
    end, reaches, converged = np.full((4, n), np.nan), np.zeros(n, bool), np.zeros(n, bool)
    rows, steps, before, smooth = np.arange(n), FEWEST, np.full(n, np.inf), not isinstance(field, Grid)
    coarse, coarse_there = _ends(start, z_end, field, nodes, steps)
    while len(rows) and steps < MOST:
        steps *= 2
        fine, there = _ends(start.at(rows), z_end[rows], field, nodes, steps)
        change = fine - coarse
        size = np.max(np.abs(change) / tolerance, axis=0)
        there_twice = there & coarse_there
        error = _FOURTH_ORDER * size if smooth else _SECOND_ORDER * np.maximum(size, 0.25 * before)
        settled = there_twice & (error <= 1.0)
        if limits is not None:
            far = limits.steep(fine, np.abs(change)) | limits.outside(fine, np.abs(change))
            settled |= there_twice & far
        end[:, rows[settled]] = (fine + (_FOURTH_ORDER if smooth else 0.0) * change)[:, settled]
        reaches[rows] = there
        if steps >= CURLS:
            settled |= ~there & ~coarse_there
        converged[rows] = settled
        rows, coarse, coarse_there, before = (
            rows[~settled],
            fine[:, ~settled],
            there[~settled],
            np.where(there_twice, size, np.inf)[~settled],
        )
    return end, reaches, converged


def _ends(start: State, z_end: Array, field: MagneticField, nodes: Array, steps: int) -> tuple[Array, Flags]:
    """x, y, tx, ty at the end with so many steps between neighbouring nodes, and who gets there."""
    track, there = np.empty((4, len(z_end))), np.empty(len(z_end), bool)
    for first in range(0, len(z_end), BLOCK):
        block = slice(first, first + BLOCK)
        track[:, block], there[block] = _Flight(start.at(block), field, steps).to(z_end[block], nodes)
    return track, there


class _Flight:
    """A block of tracks under way; `track` holds x, y [mm] and the direction cosines u, v, shape (4, n)."""

    def __init__(self, start: State, field: MagneticField, steps: int) -> None:
        self.track = np.array([start.x, start.y, *direction(start.tx, start.ty)], np.float64)
        self.bend, self.z = KAPPA * start.qop, np.asarray(start.z, np.float64)
        self.field, self.steps = field, steps
        self.alive = self.track[2] ** 2 + self.track[3] ** 2 <= LARGEST_SINE**2

    def to(self, z_end: Array, nodes: Array) -> tuple[Array, Flags]:
        """Fly to each track's own end."""
        first = np.searchsorted(nodes, self.z, side="left")
        last = np.searchsorted(nodes, z_end, side="right") - 1
        between = first <= last
        self._own_leg(self.z, np.where(between, nodes[np.minimum(first, len(nodes) - 1)], z_end))
        for node in range(int(first.min()), int(last.max())):
            self._shared_leg(np.flatnonzero(self.alive & (first <= node) & (node < last)), nodes[node : node + 2])
        self._own_leg(np.where(between, nodes[last], z_end), z_end)
        x, y, u, v = self.track
        return np.array([x, y, *slopes(u, v)]), self.alive

    def _own_leg(self, near: Array, far: Array) -> None:
        """Steps of each track's own length, which only those that are not yet there make."""
        rows = np.flatnonzero(self.alive & (near < far))
        if len(rows):
            self._leg(rows, near[rows], far[rows], self._own_steps)

    def _shared_leg(self, rows: Rows, ends: Array) -> None:
        """Steps that all tracks make together, from one plane to the next."""
        if len(rows):
            self._leg(rows, float(ends[0]), float(ends[1]), self._shared_steps)

    def _leg(self, rows: Rows, near: Any, far: Any, steps: Callable[[Array, Array, Any, Any], Flags]) -> None:
        """Take some tracks from near to far, with a halt where they cross a border of the field."""
        before = self.track[:, rows]
        track, bend = before.copy(), self.bend[rows]
        alive = steps(track, bend, near, far)
        if isinstance(self.field, Lhcb):
            crosses = np.flatnonzero(alive & ((_beyond(before[1], near) > 0.0) != (_beyond(track[1], far) > 0.0)))
            if len(crosses):
                near, far = (np.broadcast_to(z, alive.shape)[crosses] for z in (near, far))
                track[:, crosses], alive[crosses] = self._across(before[:, crosses], bend[crosses], near, far)
        self.track[:, rows], self.alive[rows] = track, alive

    def _across(self, before: Array, bend: Array, near: Array, far: Array) -> tuple[Array, Flags]:
        """Take tracks from near to the border of the field, which Newton's method finds, and from there to far."""
        z, border, alive = near, before, np.ones(len(bend), bool)
        for _ in range(NEWTON):
            _, y, u, v = border
            rate = slopes(u, v)[1] * np.sign(y) - OPENING * np.sign(z)
            step = np.nan_to_num(_beyond(y, z) / rate, nan=0.0, posinf=0.0, neginf=0.0)
            z, border = np.clip(z - step, near, far), before.copy()
            alive = self._own_steps(border, bend, near, z)
        return border, self._own_steps(border, bend, z, far) & alive

    def _own_steps(self, track: Array, bend: Array, near: Array, far: Array) -> Flags:
        step = (far - near) / self.steps

        def field_at(i: int, part: float) -> FieldAtPlane:
            return _field_at(self.field, near + (i + part) * step)

        fields = (tuple(field_at(i, part) for part in (0.0, 0.5, 1.0)) for i in range(self.steps))
        return _fly(track, bend, step, fields)

    def _shared_steps(self, track: Array, bend: Array, near: float, far: float) -> Flags:
        step = (far - near) / self.steps
        planes = [_plane(self.field, near + 0.5 * i * step) for i in range(2 * self.steps + 1)]
        return _fly(track, bend, step, (tuple(planes[i : i + 3]) for i in range(0, 2 * self.steps, 2)))


def _fly(track: Array, bend: Array, step: float | Array, fields: Iterable[tuple[FieldAtPlane, ...]]) -> Flags:
    """Step tracks, in place, through the fields at the beginning, middle and end of each step; who stays flat."""
    x, y, u, v = track
    alive = np.ones(len(bend), bool)
    for near, middle, far in fields:
        runge_kutta_step((x, y, u, v), bend, step, (near, middle, far))
        alive &= u * u + v * v <= LARGEST_SINE**2
    return alive


def _beyond(y: Array, z: Array | float) -> Array:
    """How far [mm] beyond the border of the LHCb field, from where on it is taken as on the border."""
    return np.abs(y) - (OPENING * np.abs(z) + MARGIN)


def _field_at(field: MagneticField, z: Array) -> FieldAtPlane:
    return lambda x, y: field(x, y, z)


@lru_cache(maxsize=1 << 14)
def _plane(field: MagneticField, z: float) -> FieldAtPlane:
    """The field in a plane of constant z, to `PLANE_TOLERANCE`."""
    if not isinstance(field, Lhcb):
        return field.at_plane(z)

    def continued(y: Array) -> NDArray[np.complex128]:
        _, by, bz = field(0.0, y, z)
        return by + 1j * bz

    return plane_polynomial(continued, limit=OPENING * abs(z) + MARGIN, tolerance=PLANE_TOLERANCE)
