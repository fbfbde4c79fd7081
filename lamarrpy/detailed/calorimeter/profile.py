"""The lateral profile of electromagnetic showers: how much of one falls into a rectangle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from lamarrpy.detailed.calorimeter.description import described

Array = NDArray[np.float64]

_ROOT_TAU = float(np.sqrt(2.0 * np.pi))


def terms() -> list[tuple[float, float]]:
    """Weight and width [mm] of each Gaussian disc of which the profile is the sum."""
    numbers = described("profile")
    weights, widths = numbers["weights"], numbers["widths"]
    return [(float(a), float(w) * numbers["moliere_radius"]) for a, w in zip(weights, widths, strict=True)]


def within_radius(radius: Array) -> Array:
    """Share of a shower's energy within a radius [mm] of its axis."""
    outside = sum(a * np.exp(-0.5 * (radius / w) ** 2) for a, w in terms())
    return np.asarray(1.0 - outside)


def within_square(dx: Array, dy: Array, size: Array) -> Array:
    """Share of a shower's energy in a square.

    Parameters
    ----------
    dx, dy : ndarray, shape (n,), mm
        From the axis of the shower to the middle of the square.
    size : ndarray, shape (n,), mm
        Side of the square.

    Returns
    -------
    ndarray, shape (n,)
        Sum over the discs of weight times the products of differences of the normal distribution function.
    """
    total, half = np.zeros(np.broadcast(dx, dy, size).shape), 0.5 * size
    for weight, width in terms():
        in_x, in_y = ((ndtr((d + half) / width) - ndtr((d - half) / width)) for d in (dx, dy))
        total = total + weight * in_x * in_y
    return total


def slopes(dx: Array, dy: Array, size: Array) -> tuple[Array, Array, Array]:
    """Share of a shower's energy in a square, and how it changes when the shower's axis moves.

    Parameters
    ----------
    dx, dy, size : ndarray, shape (n,), mm
        As of `within_square`.

    Returns
    -------
    share, by_x, by_y : ndarray, shape (n,)
        The share, and its derivatives [1/mm] by the place of the axis.
    """
    out = [np.zeros(np.broadcast(dx, dy, size).shape) for _ in range(3)]
    half = 0.5 * size
    for weight, width in terms():
        edges = [((d - half) / width, (d + half) / width) for d in (dx, dy)]
        in_x, in_y = (ndtr(high) - ndtr(low) for low, high in edges)
        on_x, on_y = ((np.exp(-0.5 * a * a) - np.exp(-0.5 * b * b)) / (_ROOT_TAU * width) for a, b in edges)
        for total, term in zip(out, (in_x * in_y, on_x * in_y, in_x * on_y), strict=True):
            total += weight * term
    return out[0], out[1], out[2]
