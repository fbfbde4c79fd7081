"""A field without Bx that mirrors itself in y = 0, in one plane of constant z, as short polynomials in y."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lamarrpy.field.model import Array

_NODES = 20
"""Points in y^2 that the polynomials are made from: twice the longest that the LHCb field needs."""


@dataclass(frozen=True)
class PlanePolynomial:
    """By = sum_j even[j] y^(2j), Bz = y sum_j odd[j] y^(2j), Bx = 0.

    Parameters
    ----------
    limit : float, mm
        Beyond |y| = limit the field is that on the boundary.
    even, odd : tuple of float, T and powers of 1/mm
        The coefficients, at least two each.
    """

    limit: float
    even: tuple[float, ...]
    odd: tuple[float, ...]

    def __call__(self, x: Array, y: Array) -> tuple[float, Array, Array]:
        """Bx, By, Bz [T] at x, y [mm]."""
        y = np.minimum(np.maximum(y, -self.limit), self.limit)  # np.clip takes longer to get going
        square = y * y
        bz = _horner(self.odd, square)
        bz *= y
        return 0.0, _horner(self.even, square), bz


def _horner(coefficients: tuple[float, ...], s: Array) -> Array:
    value = s * coefficients[-1]
    value += coefficients[-2]
    for c in coefficients[-3::-1]:
        value *= s
        value += c
    return value


@cache
def _nodes() -> tuple[Array, Array, Array]:
    """Chebyshev points t in (0, 1), the matrix from values there to a Chebyshev series, and that to powers of t."""
    k = np.arange(_NODES)
    angle = np.pi * (k + 0.5) / _NODES
    to_series = 2.0 / _NODES * np.cos(np.outer(k, angle))
    to_series[0] /= 2.0
    to_powers = np.zeros((_NODES, _NODES))
    for order in range(_NODES):
        powers = np.polynomial.Chebyshev.basis(order, domain=(0.0, 1.0)).convert(kind=np.polynomial.Polynomial).coef
        to_powers[order, : len(powers)] = powers
    return 0.5 * (1.0 + np.cos(angle)), to_series, to_powers


def _shortest(values: Array, tolerance: float) -> Array:
    """Powers of t of the shortest Chebyshev series through the values, dropped terms adding up to the tolerance."""
    _, to_series, to_powers = _nodes()
    series = to_series @ values
    tail = np.cumsum(np.abs(series[::-1]))[::-1]
    length = max(2, int(np.count_nonzero(tail > tolerance)))
    powers: Array = series[:length] @ to_powers[:length, :length]
    return powers


def plane_polynomial(
    field: Callable[[Array], NDArray[np.complex128]], limit: float, tolerance: float
) -> PlanePolynomial:
    """Expand a field in one plane.

    Parameters
    ----------
    field : callable
        From y [mm], shape (n,), to By + i Bz [T]; By even and Bz odd in y.
    limit : float, mm
        The expansion holds for |y| <= limit.
    tolerance : float, T
        Largest error of either component there.
    """
    y = limit * np.sqrt(_nodes()[0])
    values = field(y)
    even = _shortest(values.real, tolerance)
    odd = _shortest(values.imag / y, tolerance / limit)
    return PlanePolynomial(limit, *(tuple((c * limit ** (-2.0 * np.arange(len(c)))).tolist()) for c in (even, odd)))
