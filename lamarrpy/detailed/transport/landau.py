"""Fluctuation of the energy loss in thin layers: Landau's distribution, cut off where a single collision ends."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EULER = 0.5772156649015329


def landau(u: Array, w: Array) -> Array:
    """Landau-distributed numbers from uniform and exponential ones.

    Landau's law is the stable law of index 1 and skewness 1; the formula is that of J. Chambers,
    C. Mallows and B. Stuck, J. Am. Stat. Assoc. 71 (1976) 340, in Landau's scale and place.

    Parameters
    ----------
    u : ndarray, shape (n,)
        Uniform in (0, 1).
    w : ndarray, shape (n,)
        Exponential of mean 1.
    """
    angle = np.pi * (u - 0.5)
    reach = np.pi * u
    return reach * np.tan(angle) - np.log(w * np.cos(angle) / reach)


@cache
def _clipped_means() -> tuple[Array, Array]:
    """Limits m and the means of min(lambda, m), both increasing, shape (k,).

    The distribution function is the same formula averaged over its exponential variable: the mean over
    the angle of exp(-exp(a - m)); the mean below a limit is the integral of what is left of it.
    """
    angle = np.pi * ((np.arange(4000) + 0.5) / 4000 - 0.5)
    reach = angle + 0.5 * np.pi
    near = np.arange(-6.0, 30.0, 0.02)
    with np.errstate(over="ignore"):
        start = reach / np.cos(angle) * np.exp(np.minimum(reach * np.tan(angle), 700.0))
        below = np.array([np.exp(-start * np.exp(-m)).mean() for m in near])
    means = near - np.concatenate([[0.0], np.cumsum(0.5 * (below[1:] + below[:-1]) * 0.02)])
    far = np.geomspace(30.0, 1e8, 200)[1:]
    # the tail of Landau's law falls as 1/lambda, so the mean grows as the logarithm of the limit
    return np.concatenate([near, far]), np.concatenate([means, means[-1] + np.log(far / near[-1])])


def fluctuate(mean: Array, width: Array, beta2: Array, largest: Array, u: Array, w: Array) -> Array:
    """Energy lost by ionisation in one layer [MeV]: Landau's law with the mean of Bethe's formula.

    The mean of Landau's variable lambda is gamma_E - 1 - beta^2 + ln(W_max / xi) if no collision takes
    more than W_max (GEANT 3 manual, PHYS332); values beyond a limit are set to it, which is chosen such
    that the mean is right.

    Parameters
    ----------
    mean : ndarray, shape (n,), MeV
        Mean loss.
    width : ndarray, shape (n,), MeV
        Landau's xi.
    beta2 : ndarray, shape (n,)
        (v/c)^2.
    largest : ndarray, shape (n,), MeV
        W_max.
    u, w : ndarray, shape (n,)
        Uniform and exponential random numbers.
    """
    limits, means = _clipped_means()
    centre = np.clip(EULER - 1.0 - beta2 + np.log(largest / width), means[0], means[-1])
    limit = np.interp(centre, means, limits)
    return np.maximum(mean + width * (np.minimum(landau(u, w), limit) - centre), 0.0)
