"""The magnet as one kick: a straight line, one change of direction, another straight line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lamarrpy.propagation.state import LARGEST_SINE, Array, Crossings, State, direction, slopes
from lamarrpy.propagation.straight_line import StraightLine


@dataclass(frozen=True)
class Kick:
    """The effect of the magnet in one point.

    Parameters
    ----------
    dpx : float, MeV
        Change of the momentum along x of a particle of charge +1.
    z_kick : three floats, mm, mm MeV, mm MeV^2
        Coefficients of the parabola z_kick = b0 + b1 q/p + b2 (q/p)^2.
    """

    dpx: float
    z_kick: tuple[float, float, float]

    def z(self, qop: Array) -> Array:
        """Where particles of a q/p [1/MeV] are kicked, mm."""
        b0, b1, b2 = self.z_kick
        return b0 + qop * (b1 + qop * b2)

    def reversed(self) -> Kick:
        """The kick of the other polarity: what the opposite charge gets in this one."""
        b0, b1, b2 = self.z_kick
        return Kick(-self.dpx, (b0, -b1, b2))


def single_kick(start: State, planes: Sequence[float], kick: Kick) -> Crossings:
    """Propagate particles through the magnet by the single-kick approximation.

    At z_kick, a parabola in q/p, the momentum along x changes by a constant times the charge; py and
    the size of the momentum stay as they are, so pz follows (M. Barbetti, CERN-THESIS-2024-108,
    section 4.2.1). Planes before z_kick are reached along the straight line from the origin.

    Parameters
    ----------
    start : State
        n particles; those that start beyond z_kick, and neutral ones, go straight.
    planes : sequence of float, mm
        Where to.
    kick : Kick
        Momentum change and position, for the field's polarity.

    Returns
    -------
    Crossings
        What lies beyond z_kick is not reached where the kick leaves no pz, or |t| > 5.
    """
    out = Crossings.empty(len(planes), len(start.x))
    z_kick = kick.z(start.qop)
    u, v = direction(start.tx, start.ty)
    before = u * u + v * v <= LARGEST_SINE**2
    kicked = (start.z < z_kick) & (start.qop != 0.0)
    u = u + np.where(kicked, kick.dpx * start.qop, 0.0)
    beyond = before & (u * u + v * v <= LARGEST_SINE**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        tx, ty = slopes(u, v)
    x = start.x + (start.tx - tx) * (z_kick - start.z)
    y = start.y + (start.ty - ty) * (z_kick - start.z)
    for i, plane in enumerate(planes):
        way = plane - start.z
        bent = kicked & (z_kick < plane)
        out.put(
            i,
            slice(None),
            (
                np.where(bent, x + tx * way, start.x + start.tx * way),
                np.where(bent, y + ty * way, start.y + start.ty * way),
                np.where(bent, tx, start.tx),
                np.where(bent, ty, start.ty),
            ),
            np.where(bent, beyond, before),
        )
    return out


@dataclass(frozen=True)
class SingleKick:
    """The single-kick extrapolator.

    Parameters
    ----------
    kick : Kick
        Momentum change and position, for the field's polarity.
    """

    kick: Kick

    def __call__(self, start: State, planes: Sequence[float]) -> Crossings:
        """The states at planes of increasing z [mm]."""
        return single_kick(start, planes, self.kick)

    def carry(self, start: State, z: Array) -> State:
        """The states at a z [mm] of each particle's own: straight, since the field is all in the kick."""
        return StraightLine().carry(start, z)
