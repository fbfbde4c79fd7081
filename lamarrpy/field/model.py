"""What a magnetic field is: a function of position, for one of the two polarities of the magnet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
FieldVector = tuple[Any, Any, Any]
"""Bx, By, Bz [T]: arrays, or scalars that broadcast against the positions."""

FieldAtPlane = Callable[[Array, Array], FieldVector]
"""The field in a plane of constant z, as a function of x and y [mm]."""

Polarity = Literal["MagUp", "MagDown"]

SIGN: dict[str, float] = {"MagUp": 1.0, "MagDown": -1.0}
"""MagUp: By > 0 between the poles, so that positive particles bend towards -x; MagDown: the opposite.

Every model is written down for MagUp; this table is the only place that knows the other polarity.
"""


@dataclass(frozen=True, kw_only=True)
class MagneticField(ABC):
    """A magnetic field [T] as a function of position [mm].

    Parameters
    ----------
    polarity : {"MagUp", "MagDown"}
        Direction of the field; the two are each other's exact negative.
    """

    polarity: Polarity = "MagUp"

    @property
    def sign(self) -> float:
        """+1 for MagUp, -1 for MagDown."""
        return SIGN[self.polarity]

    @abstractmethod
    def mag_up(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        """The field of the MagUp polarity at broadcast float64 arrays of one shape."""

    def __call__(self, x: ArrayLike, y: ArrayLike, z: ArrayLike) -> tuple[Array, Array, Array]:
        """The field at a place.

        Parameters
        ----------
        x, y, z : array_like, mm
            Positions; they broadcast against each other.

        Returns
        -------
        Bx, By, Bz : ndarray, float64, T
            In the broadcast shape.
        """
        at = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in (x, y, z)))
        bx, by, bz = self.mag_up(*at)
        return (bx, by, bz) if self.polarity == "MagUp" else (-bx, -by, -bz)

    def at_plane(self, z: float) -> FieldAtPlane:
        """The field in one plane of constant z [mm], where a model may have a faster way than in space.

        The integrator that steps all tracks through the same planes asks for it once a plane. The
        function returned takes x and y [mm] and gives Bx, By, Bz [T], which may be scalars.
        """
        return lambda x, y: self(x, y, z)
