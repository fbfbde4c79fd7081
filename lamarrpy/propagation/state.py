"""Where a particle is and where it heads: the state before, and the states at the planes it crosses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEEPEST = 5.0
"""Slope |t| = sqrt(tx^2 + ty^2) beyond which a particle counts as curling, not as crossing planes of constant z."""

LARGEST_SINE = STEEPEST / np.sqrt(1.0 + STEEPEST**2)
"""The same as the sine of the angle to the z axis."""


class State(NamedTuple):
    """The states of n particles, each array of shape (n,), float64.

    Attributes
    ----------
    x, y, z : ndarray, mm
        Position; every particle has its own z.
    tx, ty : ndarray
        dx/dz and dy/dz; every particle moves towards larger z.
    qop : ndarray, 1/MeV
        Charge over momentum; 0 for neutral particles.
    """

    x: Array
    y: Array
    z: Array
    tx: Array
    ty: Array
    qop: Array

    def at(self, rows: Any) -> State:
        """The states of some of the particles (mask, index array or slice)."""
        return State(*(column[rows] for column in self))


class Crossings(NamedTuple):
    """The states of n particles at k planes of constant z.

    Attributes
    ----------
    x, y : ndarray, shape (k, n), mm
        Position in each plane; NaN where it is not reached.
    tx, ty : ndarray, shape (k, n)
        Slopes there; NaN where it is not reached.
    reaches : ndarray of bool, shape (k, n)
        Whether the particle gets to the plane with |t| <= 5.
    """

    x: Array
    y: Array
    tx: Array
    ty: Array
    reaches: NDArray[np.bool_]

    @classmethod
    def empty(cls, planes: int, particles: int) -> Crossings:
        """Crossings of particles that reach no plane, to be filled in."""
        x, y, tx, ty = (np.full((planes, particles), np.nan) for _ in range(4))
        return cls(x, y, tx, ty, np.zeros((planes, particles), bool))

    def put(self, plane: int, rows: Any, states: Sequence[Array], reaches: NDArray[np.bool_]) -> None:
        """Fill in x, y, tx, ty of some particles at one plane, where they reach it."""
        self.reaches[plane, rows] = reaches
        for column, values in zip(self[:4], states, strict=True):
            column[plane, rows] = np.where(reaches, values, np.nan)

    def state(self, plane: int, z: Array, qop: Array) -> State:
        """The states at one plane, for propagating further."""
        return State(self.x[plane], self.y[plane], z, self.tx[plane], self.ty[plane], qop)


Planes = Sequence[float | Array]
"""z [mm] of the planes: one number for all particles, or one for each of the n particles."""


class Extrapolator(Protocol):
    """A way of propagating particles from where they are to planes of constant z."""

    def __call__(self, start: State, planes: Sequence[float]) -> Crossings:
        """The states at planes of increasing z [mm], in one pass."""
        ...

    def carry(self, start: State, z: Array) -> State:
        """The states at a z [mm] of each particle's own, a short way from where it is, either way; NaN if it curls."""
        ...


def direction(tx: Array, ty: Array) -> tuple[Array, Array]:
    """Direction cosines u = px/p and v = py/p from the slopes, for pz > 0."""
    inverse = 1.0 / np.sqrt(1.0 + tx * tx + ty * ty)
    return tx * inverse, ty * inverse


def slopes(u: Array, v: Array) -> tuple[Array, Array]:
    """Slopes tx, ty from the direction cosines; NaN where u^2 + v^2 > 1."""
    inverse = 1.0 / np.sqrt(1.0 - u * u - v * v)
    return u * inverse, v * inverse
