"""Multiple scattering: many small deflections, Gaussian in both projections."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HIGHLAND_ENERGY, HIGHLAND_LOG = 13.6, 0.038
"""MeV, and the weight of the logarithm (V. Highland; G. Lynch and O. Dahl, Nucl. Instrum. Meth. B58 (1991) 6)."""


def highland_angle(x_over_x0: Array, p: Array, beta: Array) -> Array:
    """Width theta_0 [rad] of the projected scattering angle of unit charges, shape (n,).

    Parameters
    ----------
    x_over_x0 : ndarray, shape (n,)
        Radiation lengths.
    p : ndarray, shape (n,), MeV
        Momentum.
    beta : ndarray, shape (n,)
        v/c.
    """
    return HIGHLAND_ENERGY / (beta * p) * np.sqrt(_grown(x_over_x0, beta))


def _grown(x: Array, beta: Array) -> Array:
    """x (1 + 0.038 ln(x / beta^2))^2, zero for x = 0."""
    safe = np.maximum(x, 1e-9)
    return x * (1.0 + HIGHLAND_LOG * np.log(safe / (beta * beta))) ** 2


def added_angle(seen: Array, x_over_x0: Array, p: Array, beta: Array) -> Array:
    """Width [rad] of the projected angle that a layer adds to what the particle has been through.

    The logarithm belongs to the whole path: two layers scatter as one of their thickness. Added in
    quadrature from its own thickness alone, thin layers would scatter too little (Lynch and Dahl).

    Parameters
    ----------
    seen, x_over_x0 : ndarray, shape (n,)
        Radiation lengths before the layer, and of it.
    p : ndarray, shape (n,), MeV
        Momentum.
    beta : ndarray, shape (n,)
        v/c.
    """
    more = _grown(seen + x_over_x0, beta) - _grown(seen, beta)
    return HIGHLAND_ENERGY / (beta * p) * np.sqrt(np.maximum(more, 0.0))


def deflect(u: Array, v: Array, a: Array, b: Array) -> tuple[Array, Array, Array]:
    """New direction cosines after a deflection, and pz/p.

    Parameters
    ----------
    u, v : ndarray, shape (n,)
        px/p and py/p before.
    a, b : ndarray, shape (n,)
        Tangents of the deflection in the plane of the momentum and x, and at right angles to it.

    Returns
    -------
    u, v, w : ndarray, shape (n,)
        px/p, py/p and pz/p; the last may be negative.
    """
    first, second = perpendicular(u, v)
    norm = 1.0 / np.sqrt(1.0 + a * a + b * b)
    before = (u, v, np.sqrt(1.0 - u * u - v * v))
    after = tuple((d + a * e + b * f) * norm for d, e, f in zip(before, first, second, strict=True))
    return after[0], after[1], after[2]


def perpendicular(u: Array, v: Array) -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array]]:
    """Two unit vectors at right angles to a direction and to each other, the first in its plane with x."""
    w = np.sqrt(1.0 - u * u - v * v)
    s = np.sqrt(u * u + w * w)
    return (w / s, np.zeros_like(u), -u / s), (-u * v / s, s, -v * w / s)


def displacement(u: Array, v: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """Shift in x and y [mm], at fixed z, of a path moved aside by a and b [mm] in the two perpendicular directions."""
    first, second = perpendicular(u, v)
    w = np.sqrt(1.0 - u * u - v * v)
    back = (a * first[2] + b * second[2]) / w
    return a * first[0] + b * second[0] - back * u, b * second[1] - back * v


__all__ = ["added_angle", "deflect", "displacement", "highland_angle", "perpendicular"]
