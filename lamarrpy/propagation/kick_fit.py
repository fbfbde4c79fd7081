"""The single kick of a field: the shipped one, and the fit that finds it."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from lamarrpy.constants import constants
from lamarrpy.field import MagneticField, magnetic_field
from lamarrpy.propagation.runge_kutta import runge_kutta
from lamarrpy.propagation.single_kick import Kick, single_kick
from lamarrpy.propagation.state import Array, State, direction
from lamarrpy.tables.schemas import PLANES

DOWNSTREAM = 9410.0
"""z [mm] of the end of the T stations, where LHCb's state EndT is: behind it the field hardly bends."""

HALF_WIDTH, HALF_HEIGHT = 2980.0, 2420.0
"""Active half sizes [mm] of the Outer Tracker: the fit uses what can become a Long track."""

MOMENTA = np.geomspace(2000.0, 100_000.0, 24)
"""Momenta [MeV] of the tracks of the fit, from the origin, of both charges, 2 < eta < 5."""

_ETAS, _ANGLES = np.linspace(2.05, 4.95, 12), 2.0 * np.pi * (np.arange(16) + 0.5) / 16
_STEPS = 60


def fan(momenta: Array = MOMENTA) -> State:
    """Tracks from the origin over the acceptance: each momentum, pseudorapidity, azimuth and charge once."""
    p, eta, phi, q = np.array(list(product(momenta, _ETAS, _ANGLES, (-1.0, 1.0)))).T
    zero, slope = np.zeros(len(p)), 1.0 / np.sinh(eta)
    return State(zero, zero, zero, slope * np.cos(phi), slope * np.sin(phi), q / p)


def fit_single_kick(field: MagneticField) -> Kick:
    """Fit momentum change and position of the kick to a field.

    Tracks from the origin are integrated to the end of the T stations. dpx is the median change of px
    of those inside the T stations; z_kick, where the tangents at both ends cross, is fitted by least
    squares with a parabola in q/p (M. Barbetti, CERN-THESIS-2024-108, equation 4.3 and figure 4.7).

    Parameters
    ----------
    field : MagneticField
        Any field; the result holds for its polarity.

    Returns
    -------
    Kick
        No kick at all for a field that does not bend.
    """
    start = fan()
    end = runge_kutta(start, [DOWNSTREAM], field, _STEPS)
    inside = end.reaches[0] & (np.abs(end.x[0]) < HALF_WIDTH) & (np.abs(end.y[0]) < HALF_HEIGHT)
    start, x, tx, ty = start.at(inside), end.x[0, inside], end.tx[0, inside], end.ty[0, inside]
    bend = start.tx - tx
    if not np.any(np.abs(bend) > 1e-9):
        return Kick(0.0, (0.5 * DOWNSTREAM, 0.0, 0.0))
    dpx = np.median((direction(tx, ty)[0] - direction(start.tx, start.ty)[0]) / start.qop)
    z_kick = (x - start.x + start.z * start.tx - DOWNSTREAM * tx) / bend
    powers = np.stack([np.ones(len(z_kick)), start.qop * 1e3, (start.qop * 1e3) ** 2], axis=1)
    b0, b1, b2 = np.linalg.lstsq(powers, z_kick, rcond=None)[0]
    return Kick(float(dpx), (float(b0), float(b1 * 1e3), float(b2 * 1e6)))


def kick_residuals(field: MagneticField, kick: Kick, plane: str, momentum: float) -> tuple[float, float]:
    """How far in x [mm] the kick takes tracks of a momentum [MeV] from where the field takes them, at a plane.

    Returns
    -------
    float, float
        68 % and 95 % quantiles of the distance, over the tracks of ``fan`` inside the T stations.
    """
    start, z = fan(np.array([momentum])), [PLANES[plane]]
    kicked, true = single_kick(start, z, kick), runge_kutta(start, z, field, _STEPS)
    inside = true.reaches & kicked.reaches & (np.abs(true.x) < HALF_WIDTH) & (np.abs(true.y) < HALF_HEIGHT)
    near, far = np.quantile(np.abs(kicked.x - true.x)[inside], (0.68, 0.95))
    return float(near), float(far)


@cache
def _shipped_kicks() -> dict[str, Kick]:
    table = constants("kick")["fields"]
    return {kind: Kick(dpx=entry["dpx"], z_kick=tuple(entry["z_kick"])) for kind, entry in table.items()}


@cache
def kick_of(field: MagneticField) -> Kick:
    """The kick of a field, with the sign of its polarity: the shipped fit if there is one, else fitted now."""
    for kind, kick in _shipped_kicks().items():
        if field == magnetic_field(kind, field.polarity):
            return kick if field.polarity == "MagUp" else kick.reversed()
    return fit_single_kick(field)
