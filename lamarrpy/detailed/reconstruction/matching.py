"""Matching of segments across field and material: VELO with TT and T, TT with T."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector
from lamarrpy.detailed.reconstruction.confusion import Picked
from lamarrpy.detailed.reconstruction.layers import Layers, Mask, Rows, layers_of
from lamarrpy.detailed.reconstruction.search import Search
from lamarrpy.detailed.transport import Truth
from lamarrpy.draws import RowDraws
from lamarrpy.field.model import MagneticField
from lamarrpy.particles import charge
from lamarrpy.propagation import SharedSteps, State

Array = NDArray[np.float64]

MID_TT, MAGNET, MID_T = 2485.0, 5280.0, 8520.0
"""z [mm] where VELO and TT segments meet, where the field acts as one kick, and where tracks are compared with T."""

LAST_T = 8720.0
"""z [mm] behind the second T station, in which T segments are taken."""

POOREST_SLOPE = 0.02
"""Slope error [rad] of a segment whose hits hardly measure one."""

_SLOPES, _POSITIONS = (0, 1), (2, 3)
_DRAWS_PER_PART = 4
"""Indices of the random numbers of a particle: x and y slope, x and y position, for VELO, TT and T in turn."""


class Ends(NamedTuple):
    """Where n segments end, as they are measured.

    Attributes
    ----------
    state : State
        At the crossing that they are taken at, shape (n,); q/p is the particle's there.
    exists : ndarray of bool, shape (n,)
        Whether the particle has such a crossing; the state is without meaning if not.
    """

    state: State
    exists: Mask


def crossing_of(truth: Truth, part: Mask, z: Array, last: bool = True) -> tuple[State, Mask]:
    """The true state of every particle at its last (or first) crossing of some planes.

    Parameters
    ----------
    truth : Truth
        n particles and their k crossings.
    part : ndarray of bool, shape (k,)
        The crossings that count.
    z : ndarray, mm
        Where the planes of the detector are.
    last : bool
        The last one, or the first.

    Returns
    -------
    State, ndarray of bool, each of shape (n,)
        And whether there is one; those without have the state of some crossing, 1 TeV and z = 0.
    """
    at, n = truth.crossings, len(truth.particles.pid)
    which = np.flatnonzero(part)
    chosen = np.full(n, -1)
    order = which if last else which[::-1]
    chosen[at.row[order]] = order
    exists = chosen >= 0
    return state_at(truth, chosen, z), exists


def state_at(truth: Truth, crossing: Rows, z: Array) -> State:
    """The true states of all particles at crossings of theirs, straight ahead from z = 0 if there is none (-1)."""
    at = truth.crossings
    exists = crossing >= 0

    def take(column: Array, otherwise: float) -> Array:
        out = np.full(len(crossing), otherwise)
        out[exists] = column[crossing[exists]]
        return out

    qop = charge(truth.particles.pid) / take(at.p, 1e6)
    planes = np.zeros(len(crossing))
    planes[exists] = z[at.plane[crossing[exists]]]
    return State(take(at.x, 0.0), take(at.y, 0.0), planes, take(at.tx, 0.0), take(at.ty, 0.0), qop)


def straight_line_errors(row: Rows, z: Array, weight: Array, n: int) -> tuple[Array, Array]:
    """What the hits of each segment measure of a straight line in one projection.

    Least squares in two parameters: with the sums S of weights 1/sigma^2 and of their products with z,
    the variance of the position in the middle is 1/S and that of the slope S / (S Szz - Sz^2).

    Parameters
    ----------
    row : ndarray of int, shape (k,)
        Segment of each hit.
    z, weight : ndarray, shape (k,)
        Where, mm, and cos^2 / error^2 of the projection, 1/mm^2.
    n : int
        Number of segments.

    Returns
    -------
    position, slope : ndarray, shape (n,)
        Errors, mm and rad; 0 mm and `POOREST_SLOPE` if nothing is measured.
    """
    s, sz, szz = (np.bincount(row, weight * power, minlength=n) for power in (np.ones(len(z)), z, z * z))
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = szz - sz * sz / s
        slope = np.where((s > 0.0) & (spread > 0.0), 1.0 / np.sqrt(spread), POOREST_SLOPE)
        return np.where(s > 0.0, 1.0 / np.sqrt(s), 0.0), np.minimum(slope, POOREST_SLOPE)


def measured(state: State, held: Picked, part: Mask, draws: RowDraws, first: int) -> State:
    """True states smeared by what the hits of a segment measure: position and slope in x and y.

    Parameters
    ----------
    state : State
        n true states.
    held : Picked
        The hits held for the particles.
    part : ndarray of bool
        Those of the segment.
    draws : RowDraws
        Of the particles.
    first : int
        Index of the first of four random numbers.
    """
    n = len(state.x)
    hits = held.hits
    row, z, weight = held.row[part], hits.z[part], 1.0 / hits.error[part] ** 2
    x, tx = straight_line_errors(row, z, weight * hits.cos[part] ** 2, n)
    y, ty = straight_line_errors(row, z, weight * hits.sin[part] ** 2, n)
    return state._replace(
        x=state.x + x * draws.normal(first + _POSITIONS[0]),
        y=state.y + y * draws.normal(first + _POSITIONS[1]),
        tx=state.tx + tx * draws.normal(first + _SLOPES[0]),
        ty=state.ty + ty * draws.normal(first + _SLOPES[1]),
    )


class Ways(NamedTuple):
    """Where segments lead to: the states at mid TT and mid T, each State of shape (n,), NaN where they curl."""

    tt: State
    t: State


def carry(state: State, field: MagneticField, rows: Rows) -> Ways:
    """Carry the states of some of n particles through the field to mid TT and mid T, without any material."""
    n = len(state.x)
    there = SharedSteps(field)(state.at(rows), [MID_TT, MID_T])
    ways = []
    for number, z in enumerate((MID_TT, MID_T)):
        columns = []
        for column in (there.x, there.y, there.tx, there.ty):
            full = np.full(n, np.nan)
            full[rows] = column[number]
            columns.append(full)
        ways.append(State(columns[0], columns[1], np.full(n, z), columns[2], columns[3], state.qop))
    return Ways(*ways)


def straight_to(state: State, z: float) -> State:
    """States moved along their tangents to a z [mm]."""
    way = z - state.z
    return state._replace(x=state.x + state.tx * way, y=state.y + state.ty * way, z=np.full(len(way), z))


def pull(residual: Array, constant: float, soft: float, qop: Array) -> Array:
    """Residuals over half the window: a constant and one in proportion to 1/p, added in quadrature.

    Parameters
    ----------
    residual : ndarray, shape (n,), mm
        NaN stays NaN.
    constant, soft : float, mm
        Half widths for straight tracks, and to be added at 1 GeV.
    qop : ndarray, shape (n,), 1/MeV
        Charge over momentum.
    """
    return np.abs(residual) / np.sqrt(constant**2 + (soft * 1e3 * qop) ** 2)


def within(residual: Array, constant: float, soft: float, qop: Array) -> Mask:
    """Whether residuals lie in a window, as `pull` measures them; NaN does not."""
    return pull(residual, constant, soft, qop) < 1.0


def kink_residuals(from_upstream: State, segment: State) -> tuple[Array, Array]:
    """How well two segments can be one bent track: distances in y at mid T and in x at the centre of the magnet.

    A wrong momentum moves a track in x and slope together, as if it were turned about the centre of
    the magnet; so the difference in x, carried back there, does not depend on what is not known yet.
    """
    dx, dy = segment.x - from_upstream.x, segment.y - from_upstream.y
    return dy, dx - (segment.tx - from_upstream.tx) * (MID_T - MAGNET)


class Parts(NamedTuple):
    """The measured ends of the segments of n particles: last in the VELO and in TT, and in the second T station."""

    velo: Ends
    tt: Ends
    t: Ends


def measured_parts(truth: Truth, held: Picked, detector: Detector, draws: RowDraws) -> Parts:
    """Where the segments of all particles end, as their hits measure it; T segments are moved to mid T.

    Parameters
    ----------
    truth : Truth
        n particles.
    held : Picked
        The hits held for them.
    detector : Detector
        Whose planes they are in.
    draws : RowDraws
        Of the particles.
    """
    layers = layers_of(detector)
    velo = _end(truth, held, layers.velo, layers, draws, 0)
    tt = _end(truth, held, layers.tt, layers, draws, _DRAWS_PER_PART)
    t = _end(truth, held, layers.t & (layers.z < LAST_T), layers, draws, 2 * _DRAWS_PER_PART)
    return Parts(velo, tt, Ends(straight_to(t.state, MID_T), t.exists))


def _end(truth: Truth, held: Picked, planes: Mask, layers: Layers, draws: RowDraws, first: int) -> Ends:
    """The measured end of a segment in some planes."""
    state, exists = crossing_of(truth, planes[truth.crossings.plane], layers.z)
    return Ends(measured(state, held, planes[held.hits.plane], draws, first), exists)


class Matches(NamedTuple):
    """Which segments of n particles find each other, each of shape (n,).

    Attributes
    ----------
    velo_t, velo_tt, tt_t : ndarray of bool
        Whether they are in each other's window.
    distance : ndarray
        Of VELO and T segments, over half the window; infinite where there are not both.
    """

    velo_t: Mask
    velo_tt: Mask
    tt_t: Mask
    distance: Array


def match(parts: Parts, field: MagneticField, search: Search) -> Matches:
    """Match the segments of each particle.

    The state at the end of one segment, smeared by what its hits measure, goes through the field as
    if there were nothing in its way, with the momentum it has there; the other segment, where the particle
    really crosses, has to lie within a window. A particle that scatters hard, radiates, or changes
    direction in a decay leaves it.

    Parameters
    ----------
    parts : Parts
        Of n particles.
    field : MagneticField
        What they go through.
    search : Search
        The windows.
    """
    velo, tt, t = parts
    ways = carry(velo.state, field, np.flatnonzero(velo.exists & (tt.exists | t.exists)))
    distance = velo_t_distance(ways.t, t.state, velo.state.qop, search)
    distance = np.where(t.exists & np.isfinite(distance), distance, np.inf)
    velo_t = distance < 1.0
    at_tt, qop = straight_to(tt.state, MID_TT), velo.state.qop
    velo_tt = tt.exists & within(at_tt.y - ways.tt.y, search.tt_y, search.tt_y_soft, qop)
    velo_tt &= within(at_tt.x - ways.tt.x, search.tt_x, search.tt_x_soft, qop)
    way = carry(tt.state, field, np.flatnonzero(~velo_t & tt.exists & t.exists)).t
    tt_t = t.exists & (tt_t_distance(way, t.state, tt.state.qop, search) < 1.0)
    return Matches(velo_t, velo_tt, tt_t, distance)


def velo_t_distance(way: State, segment: State, qop: Array, search: Search) -> Array:
    """How far VELO segments carried to mid T are from T segments; less than 1 within the window, NaN if they curl."""
    dy, dx = kink_residuals(way, segment)
    y = pull(dy, search.match_y, search.match_y_soft, qop)
    return np.maximum(y, pull(dx, search.match_x, search.match_x_soft, qop))


def tt_t_distance(way: State, segment: State, qop: Array, search: Search) -> Array:
    """How far TT segments carried to mid T are from T segments; less than 1 within the window, NaN if they curl."""
    dy, dx = kink_residuals(way, segment)
    y = pull(dy, search.down_y, search.down_y_soft, qop)
    return np.maximum(y, pull(dx, search.down_x, search.down_x_soft, qop))
