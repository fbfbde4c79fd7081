"""The LHCb dipole: its profile on the axis, continued off the axis so that Maxwell's equations hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamarrpy.field.model import Array, FieldAtPlane, MagneticField
from lamarrpy.field.plane_polynomial import plane_polynomial

LOGISTICS: tuple[tuple[float, float, float], ...] = (
    (0.03383, 68.17, 400.0),
    (1.65448, 3490.09, 531.89),
    (6.0, 5730.94, 812.48),
    (-7.68831, 5774.17, 909.26),
)
"""(c [T], z [mm], w [mm]) of the terms c / (1 + exp(-(z - z_k) / w_k)) of the field on the axis, MagUp.

Our fit to the on-axis values of LHCb's official analytic parameterization (By_parameterization.cdf
of the Det/Magnet package), scaled by 0.994 to the measured map. Residual 4.0 mT rms, 12 mT at most
(the shielded plateau at z = 1 m); integral from 0 to 8.52 m 4.052 T m. The c add up to zero, so the
field vanishes on both sides.
"""

OPENING, MARGIN = 0.3, 100.0
"""The field is evaluated at |y| <= OPENING |z| + MARGIN [mm].

The continuation has poles at y = +-pi w_k beside z_k, where the coils are; the bounds keep away from
them (|B| <= 2.1 T inside) and leave out only what is outside the detector's acceptance. Beyond them
the field is that on the boundary.
"""

_Z_FAR = 50_000.0
"""|z| [mm] beyond which the field is taken there: it is less than 1e-15 T."""

PLANE_TOLERANCE = 1e-6
"""How well [T] the polynomials of ``at_plane`` reproduce the field."""


def _y_limit(z: Array) -> Array:
    return OPENING * np.abs(z) + MARGIN


def _continue(terms: tuple[tuple[float, float, float], ...], y: Array, z: Array) -> NDArray[np.complex128]:
    """F(z + i y) = By + i Bz: analytic, hence free of divergence and curl."""
    w = np.clip(z, -_Z_FAR, _Z_FAR) + 1j * y
    f = np.zeros(w.shape, np.complex128)
    for c, z_k, w_k in terms:
        f += c / (1.0 + np.exp((z_k - w) / w_k))
    return f


@dataclass(frozen=True, kw_only=True)
class Lhcb(MagneticField):
    """Field of the LHCb dipole, translation invariant in x: By + i Bz = F(z + i y), Bx = 0.

    F(w) = sum_k c_k / (1 + exp(-(w - z_k) / w_k)) is the profile on the axis with a complex argument.
    Its real and imaginary parts obey the Cauchy-Riemann equations, which are div B = 0 and
    curl B = 0 in the yz plane.

    Parameters
    ----------
    terms : tuple of (c [T], z [mm], w [mm])
        The logistic terms.
    """

    terms: tuple[tuple[float, float, float], ...] = LOGISTICS

    def mag_up(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        """Bx, By, Bz [T] of the MagUp polarity."""
        limit = _y_limit(z)
        f = _continue(self.terms, np.clip(y, -limit, limit), z)
        return np.zeros(f.shape), f.real, f.imag

    def at_plane(self, z: float) -> FieldAtPlane:
        """The field at one z as polynomials in y: By even, Bz odd, Bx = 0; to 1e-6 T."""
        at = np.asarray(z, np.float64)
        return plane_polynomial(
            lambda y: self.sign * _continue(self.terms, y, at), limit=float(_y_limit(at)), tolerance=PLANE_TOLERANCE
        )
