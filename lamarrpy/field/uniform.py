"""The same field everywhere: where every trajectory is a helix with a closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lamarrpy.field.model import Array, MagneticField


@dataclass(frozen=True, kw_only=True)
class Uniform(MagneticField):
    """A uniform field.

    Parameters
    ----------
    bx, by, bz : float, T
        Its components in the MagUp polarity; MagDown turns all three round.
    """

    bx: float = 0.0
    by: float = 1.0
    bz: float = 0.0

    def mag_up(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        """Bx, By, Bz [T] of the MagUp polarity."""
        return np.full(x.shape, self.bx), np.full(x.shape, self.by), np.full(x.shape, self.bz)


@dataclass(frozen=True, kw_only=True)
class NoField(MagneticField):
    """No field: the magnet is off, whatever the polarity."""

    def mag_up(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        """Bx, By, Bz [T], all zero."""
        return np.zeros(x.shape), np.zeros(x.shape), np.zeros(x.shape)
