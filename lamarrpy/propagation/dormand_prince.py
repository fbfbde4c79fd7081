"""Integration of eighth order with error control: the truth that faster methods are measured against."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lamarrpy.field.model import MagneticField
from lamarrpy.propagation.motion import KAPPA, turn
from lamarrpy.propagation.state import LARGEST_SINE, Array, Crossings, Planes, State, direction, slopes

_FIRST, _SHORTEST = 0.05, 1e-7
"""First and shortest step, as fractions of the way to the next plane."""

BLOCK = 256
"""Particles that share their steps: few, so that one difficult track does not slow all others down."""

_SLOPE_ERROR = 1e-3
"""Error of a direction [1/mm] that weighs as much as one of position [mm]: a metre of lever arm."""


def dormand_prince(start: State, planes: Planes, field: MagneticField, tolerance: float = 1e-6) -> Crossings:
    """Integrate the equation of motion by the method of Dormand and Prince, of order 8(5,3).

    Some hundred particles of similar momentum take the same fractions of their way; the error of a step
    is the largest of theirs, so results depend, below the tolerance, on the company. Coefficients and
    error estimate are those of `scipy.integrate.DOP853` (E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary
    Differential Equations I, section II.10).

    Parameters
    ----------
    start : State
        n particles.
    planes : sequence of float or ndarray of shape (n,), mm
        Where to, one after the other, forwards or backwards.
    field : MagneticField
        The field between.
    tolerance : float, mm
        Largest error of a step in position, and in direction times a metre.

    Returns
    -------
    Crossings
        Particles that curl (|t| > 5 after a step, or in need of endlessly short steps) do not reach
        what lies beyond.
    """
    out = Crossings.empty(len(planes), len(start.x))
    order = np.argsort(np.abs(start.qop), kind="stable")
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        for first in range(0, len(order), BLOCK):
            rows = order[first : first + BLOCK]
            own = [np.broadcast_to(np.asarray(plane, np.float64), start.z.shape)[rows] for plane in planes]
            for i, (states, reaches) in enumerate(_integrate(start.at(rows), own, field, tolerance)):
                out.put(i, rows, states, reaches)
    return out


def _integrate(
    start: State, planes: list[Array], field: MagneticField, tolerance: float
) -> Iterator[tuple[tuple[Array, Array, Array, Array], NDArray[np.bool_]]]:
    """x, y, tx, ty of a block of particles at one plane after the other, and who gets there."""
    track = np.array([start.x, start.y, *direction(start.tx, start.ty)], np.float64)
    alive = track[2] ** 2 + track[3] ** 2 <= LARGEST_SINE**2
    z = np.asarray(start.z, np.float64)
    for plane in planes:
        rows = np.flatnonzero(alive)
        leg = _Leg(z[rows], plane[rows] - z[rows], KAPPA * start.qop[rows], field, tolerance)
        track[:, rows], alive[rows] = leg.integrate(track[:, rows])
        z = plane
        yield (track[0], track[1], *slopes(track[2], track[3])), alive


class _Leg:
    """The way of some particles from one z to the next; their position on it is a fraction from 0 to 1."""

    def __init__(self, z: Array, way: Array, bend: Array, field: MagneticField, tolerance: float) -> None:
        from scipy.integrate import DOP853  # a second of import that only those who want the truth pay

        self.z, self.way, self.bend, self.field, self.tolerance = z, way, bend, field, tolerance
        self.scheme = DOP853

    def _slope(self, at: float, track: Array) -> Array:
        field = self.field(track[0], track[1], self.z + at * self.way)
        return self.way * np.array(turn(track[2], track[3], self.bend, field))

    def _try(self, at: float, step: float, track: Array) -> tuple[Array, Array]:
        """The track after a step, shape (4, n), and the error of each particle in units of the tolerance, (n,)."""
        k = [self._slope(at, track)]
        for row, c in zip(self.scheme.A[1:], self.scheme.C[1:], strict=True):
            k.append(self._slope(at + c * step, track + step * _weighted(row, k)))
        after = track + step * _weighted(self.scheme.B, k)
        k.append(self._slope(at + step, after))
        scale = self.tolerance * np.array([[1.0], [1.0], [_SLOPE_ERROR], [_SLOPE_ERROR]])
        five, three = (
            np.sqrt(np.sum((_weighted(e, k) / scale) ** 2, axis=0)) for e in (self.scheme.E5, self.scheme.E3)
        )
        return after, abs(step) * five**2 / np.sqrt(five**2 + 0.01 * three**2 + np.finfo(float).tiny)

    def integrate(self, track: Array) -> tuple[Array, NDArray[np.bool_]]:
        """The track at the end of the leg, shape (4, n), and who gets there, shape (n,)."""
        alive = np.ones(track.shape[1], bool)
        at, step = 0.0, _FIRST
        while at < 1.0:
            step = min(step, 1.0 - at)
            after, error = self._try(at, step, track)
            worst = np.max(np.where(np.isnan(error), np.inf, error), where=alive, initial=0.0)
            if worst > 1.0 and step > _SHORTEST:
                step *= max(0.2, 0.9 * worst**-0.125)
                continue
            at, track = at + step, after
            alive &= track[2] ** 2 + track[3] ** 2 <= LARGEST_SINE**2
            step *= min(5.0, 0.9 * max(worst, 1e-6) ** -0.125)
        return track, alive


def _weighted(weights: Array, k: list[Array]) -> Array:
    total = np.zeros_like(k[0])
    for weight, slope in zip(weights, k, strict=False):
        if weight != 0.0:
            total += weight * slope
    return total
