"""The beam line and the state of a particle closest to it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lamarrpy.propagation.state import Array, Extrapolator, State
from lamarrpy.propagation.straight_line import StraightLine

NEAR = 20.0
"""Way [mm] along which a particle in the fringe field is straight: 2 um of sagitta at 1 GeV and 0.04 T."""

CARRIED = (-1000.0, 2500.0)
"""z [mm] between which particles are carried through the field: from before the VELO to the magnet's entrance."""


class BeamLine(NamedTuple):
    """The line along which collisions happen, one for all particles or one for each.

    Attributes
    ----------
    x, y : float or ndarray of shape (n,), mm
        Where it crosses z = 0.
    tx, ty : float or ndarray of shape (n,)
        Its slopes.
    """

    x: float | Array
    y: float | Array
    tx: float | Array = 0.0
    ty: float | Array = 0.0


def approach(state: State, line: BeamLine) -> Array:
    """Where the tangent to each particle's path is closest to the beam line, in the transverse plane.

    Parameters
    ----------
    state : State
        n states.
    line : BeamLine
        The beam line.

    Returns
    -------
    ndarray, shape (n,), mm
        z; that of the state itself if it is parallel to the line.
    """
    tx, ty = state.tx - line.tx, state.ty - line.ty
    x = state.x - line.x - line.tx * state.z
    y = state.y - line.y - line.ty * state.z
    square = tx * tx + ty * ty
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(square > 0.0, state.z - (x * tx + y * ty) / square, state.z)


def closest_to_beam(start: State, line: BeamLine, extrapolator: Extrapolator | None = None) -> State:
    """The true states closest to the beam line, as if the particles came from there.

    The point of closest approach is that of the tangent, at the z where the transverse distance to the
    line is smallest: what LHCb calls ClosestToBeam. For prompt particles and the daughters of b and c
    hadrons it lies within millimetres of the origin, and the tangent is exact to nanometres. The
    daughters of Ks and Lambda are born up to metres away, in the fringe of the magnet, whose 0.04 T
    bend 1 GeV by 12 mrad in a metre: these are carried back through the field to the point of closest
    approach, which is then found again (twice), between z = -1 m and the entrance of the magnet.
    Particles born beyond, and those that would curl on the way, keep their tangent.

    Parameters
    ----------
    start : State
        n particles at their origins.
    line : BeamLine
        The beam line.
    extrapolator : Extrapolator, optional
        Whose ``carry`` is the way through the field; straight lines if absent.

    Returns
    -------
    State
        n states; a particle parallel to the beam line stays where it is.
    """
    straight = StraightLine()
    closest = straight.carry(start, approach(start, line))
    if extrapolator is None:
        return closest
    far = np.flatnonzero(
        (np.abs(closest.z - start.z) > NEAR) & (start.z > CARRIED[0]) & (start.z < CARRIED[1]) & (start.qop != 0.0)
    )
    if not len(far):
        return closest
    lines = BeamLine(*(np.broadcast_to(part, start.x.shape)[far] for part in line))
    bent = start.at(far)
    for _ in range(2):
        carried = extrapolator.carry(bent, np.clip(approach(bent, lines), *CARRIED))
        bent = State(*(np.where(np.isfinite(carried.x), new, old) for new, old in zip(carried, bent, strict=True)))
    bent = straight.carry(bent, approach(bent, lines))
    out = State(*(column.copy() for column in closest))
    for column, values in zip(out, bent, strict=True):
        column[far] = values
    return out
