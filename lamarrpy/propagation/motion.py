"""The equation of motion in a magnetic field, with z as the variable, and one Runge-Kutta step along it."""

from __future__ import annotations

import numpy as np

from lamarrpy.field.model import FieldAtPlane, FieldVector
from lamarrpy.propagation.state import Array

KAPPA = 0.299792458
"""Curvature of a unit charge: p [MeV] = KAPPA B [T] R [mm]; the speed of light in these units."""


def turn(u: Array, v: Array, bend: Array, field: FieldVector) -> tuple[Array, Array, Array, Array]:
    """How position and direction change with z in a magnetic field.

    With the direction cosines u = px/p and v = py/p instead of the slopes, the Lorentz force is
    du/dz = kappa q/p (ty Bz - By), dv/dz = kappa q/p (Bx - tx Bz): the field is integrated as it
    stands, and the momentum is conserved because nothing but u and v can change.

    Parameters
    ----------
    u, v : ndarray, shape (n,)
        Direction cosines.
    bend : ndarray, shape (n,), 1/(T mm)
        KAPPA q/p.
    field : Bx, By, Bz [T]
        The field where the particles are.

    Returns
    -------
    dx/dz, dy/dz, du/dz, dv/dz : ndarray, shape (n,)
        NaN where u^2 + v^2 > 1: the particle has turned round before it got here.
    """
    bx, by, bz = field
    inverse = u * u
    inverse += v * v
    np.subtract(1.0, inverse, out=inverse)
    np.sqrt(inverse, out=inverse)
    np.divide(1.0, inverse, out=inverse)
    tx, ty = u * inverse, v * inverse
    du = ty * bz
    du -= by
    du *= bend
    dv = bx - tx * bz
    dv *= bend
    return tx, ty, du, dv


def runge_kutta_step(
    track: tuple[Array, Array, Array, Array],
    bend: Array,
    step: float | Array,
    fields: tuple[FieldAtPlane, FieldAtPlane, FieldAtPlane],
) -> None:
    """Take particles one step in z, in place, by the classical Runge-Kutta method of fourth order.

    Parameters
    ----------
    track : x, y [mm], u, v, each of shape (n,)
        Positions and direction cosines; overwritten.
    bend : ndarray, shape (n,), 1/(T mm)
        KAPPA q/p.
    step : float or ndarray of shape (n,), mm
        Length of the step in z, for all particles or for each.
    fields : three functions of x, y
        The field at the beginning, the middle and the end of the step.
    """
    near, middle, far = fields
    x, y, u, v = track
    half = 0.5 * step
    k1 = turn(u, v, bend, near(x, y))
    x1, y1, u1, v1 = (a + half * k for a, k in zip(track, k1, strict=True))
    k2 = turn(u1, v1, bend, middle(x1, y1))
    x1, y1, u1, v1 = (a + half * k for a, k in zip(track, k2, strict=True))
    k3 = turn(u1, v1, bend, middle(x1, y1))
    x1, y1, u1, v1 = (a + step * k for a, k in zip(track, k3, strict=True))
    k4 = turn(u1, v1, bend, far(x1, y1))
    sixth = step / 6.0
    for a, b, c, d, e in zip(track, k1, k2, k3, k4, strict=True):
        c += d
        c *= 2.0
        c += b
        c += e
        c *= sixth
        a += c
