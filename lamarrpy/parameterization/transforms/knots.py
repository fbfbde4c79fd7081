"""Knots of a quantile function, and the two piecewise linear maps that they make: value to normal, and back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.parameterization.transforms.piecewise import Floats, Lines
from lamarrpy.parameterization.transforms.stored import Stored

EDGE = 10.0
"""Where a mass at the edge of the distribution ends: its range goes on for ever, but knots are finite."""


class Knots(NamedTuple):
    """The quantile function of a distribution: linear between knots, flat over each mass.

    Attributes
    ----------
    z, x : ndarray of float64, shape (b,)
        Position on the axis of a standard normal, and value; a mass has two knots of its value.
    masses : ndarray of float64, shape (m,)
        Rising values of finite probability.
    slopes : ndarray of float64, shape (2,)
        dx/dz below and above all knots; 0 where a mass is at the edge.
    """

    z: Floats
    x: Floats
    masses: Floats
    slopes: Floats

    @property
    def mass_ranges(self) -> Floats:
        """First and last knot of each mass on the axis of z, shape (m, 2)."""
        first = np.searchsorted(self.x, self.masses)
        return np.stack([self.z[first], self.z[first + 1]], axis=1)

    @property
    def flat(self) -> NDArray[np.bool_]:
        """Which of the b - 1 stretches between knots are masses."""
        flat: NDArray[np.bool_] = self.x[1:] == self.x[:-1]
        return flat

    @classmethod
    def of_json(cls, stored: Stored) -> Knots:
        """From the fields of the same names.

        Raises
        ------
        ArtifactError
            If they do not make a function that never falls.
        """
        z = stored.numbers("z", None)
        knots = cls(z, stored.numbers("x", len(z)), stored.numbers("masses", None), stored.numbers("slopes", 2))
        if len(z) < 2 or (np.diff(z) < 0.0).any() or np.abs(z).max() > EDGE:
            raise stored.wrong("z", f"two or more numbers within {EDGE:g} of 0 that never fall", z.tolist())
        flat = knots.flat
        if (np.diff(knots.x) < 0.0).any() or not np.array_equal(knots.x[:-1][flat], knots.masses):
            raise stored.wrong("x", "rising, with each of `masses` twice", knots.x.tolist())
        of_mass = np.isin(knots.x, knots.masses)
        if ((np.diff(z) == 0.0) & ~(~flat & of_mass[1:] & of_mass[:-1])).any():
            raise stored.wrong("z", "rising, but where one mass follows another", z.tolist())
        if not np.array_equal(knots.slopes == 0.0, flat[[0, -1]]) or (knots.slopes < 0.0).any():
            raise stored.wrong("slopes", "positive, and 0 beside a mass", knots.slopes.tolist())
        return knots


def to_normal(knots: Knots) -> Lines:
    """The map from x to z; what it gives for a mass itself is not defined."""
    return Lines(knots.x, *_lines(knots.x, knots.z, 1.0 / np.where(knots.slopes > 0.0, knots.slopes, np.inf)))


def from_normal(knots: Knots, clip: bool) -> Lines:
    """The map from z to x, inside the range of each mass the mass itself.

    Parameters
    ----------
    clip : bool
        Whether to give nothing but what was seen: the outermost values beyond them, and between a mass
        and the next value that one.
    """
    start, value, span, rise, top = _lines(knots.z, knots.x, knots.slopes)
    if clip:
        flat = np.concatenate([[False], knots.flat, [False]])
        above_mass, below_mass = ~flat & np.roll(flat, 1), ~flat & np.roll(flat, -1)
        value = np.where(above_mass, top, value)
        rise = np.where(above_mass | below_mass, 0.0, rise)
        rise[[0, -1]], value[[0, -1]] = 0.0, knots.x[[0, -1]]
    # The finite ends of masses at the edges are no ends.
    inner = slice(int(knots.slopes[0] == 0.0), len(knots.z) - int(knots.slopes[1] == 0.0))
    intervals = slice(inner.start, inner.stop + 1)
    return Lines(knots.z[inner], *(part[intervals] for part in (start, value, span, rise, top)))


def _lines(edges: Floats, values: Floats, slopes: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Start, value, span, rise and top of each interval: below all edges, between them, and above."""
    start, value = np.append(edges[0], edges), np.append(values[0], values)
    span = np.concatenate([[1.0], np.diff(edges), [1.0]])
    rise = np.concatenate([slopes[:1], np.diff(values), slopes[1:]])
    rise[span == 0.0], span[span == 0.0] = 0.0, 1.0
    return start, value, span, rise, np.append(values, np.inf)
