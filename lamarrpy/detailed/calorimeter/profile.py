"""The lateral profile of electromagnetic showers: how much of one falls into a rectangle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from lamarrpy.detailed.calorimeter.description import described

Array = NDArray[np.float64]


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
