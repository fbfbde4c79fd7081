"""Two point dipoles above and below the beam: the toy behind the field map of the extrapolator protocol."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lamarrpy.field.model import Array, MagneticField


@dataclass(frozen=True, kw_only=True)
class DipolePair(MagneticField):
    """Field of two equal point dipoles along y at (0, +-a, z0).

    Exactly free of divergence and curl, but a toy: wider than LHCb's field, symmetric about z0, and with
    poles at (0, +-a, z0), where it is not a number. It reproduces the statistics of the map "twodip.rtf"
    (G. Scriven, Experimental Protocol: Neural Network Track Extrapolators for LHCb, 2026), whose By is
    negative between the dipoles: that map is the MagDown polarity here.

    Parameters
    ----------
    moment : float, T mm^3
        Strength of each dipole.
    height : float, mm
        Distance a of the dipoles from the axis.
    centre : float, mm
        Their position z0 along the axis.
    """

    moment: float = 1.6512e10
    height: float = 4000.0
    centre: float = 5000.0

    def mag_up(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        """Bx, By, Bz [T] of the MagUp polarity: By > 0 between the dipoles."""
        dz = z - self.centre
        bx, by, bz = (np.zeros(x.shape) for _ in range(3))
        with np.errstate(divide="ignore", invalid="ignore"):
            for dy in (y - self.height, y + self.height):
                square = x * x + dy * dy + dz * dz
                h = -self.moment / (square * np.sqrt(square))
                g = -3.0 * h * dy / square
                bx += g * x
                by += g * dy + h
                bz += g * dz
        return bx, by, bz
