"""The Kalman filter and its smoother, for many tracks side by side.

The parameters are those of `lamarrpy.detailed.reconstruction.deviations`, in which the track goes from
plane to plane unchanged: what is left of the filter is to add the noise of the material and to weigh in one
measurement after the other, from the last to the first (R. Fruehwirth, Nucl. Instrum. Meth. A262 (1987) 444).
The smoother goes back the other way. It needs no inverse, because it carries the disturbances of the
measurements rather than states (P. de Jong, J. Am. Stat. Assoc. 84 (1989) 1085).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.reconstruction.pages import NOISE_TERMS, PARAMETERS, Linear

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Filtered(NamedTuple):
    """What the filter knows at the start of n references, and what it went through to get there.

    Attributes
    ----------
    parameters : ndarray, shape (5, n)
        Deviations from the references.
    covariance : ndarray, shape (5, 5, n)
        Theirs.
    innovation, spread : ndarray, shape (m, n)
        Measurement less prediction from the hits before, and its variance.
    gain : ndarray, shape (m, 5, n)
        Weight of each innovation in the parameters.
    halfway, halfway_covariance : ndarray, shape (5, n) and (5, 5, n)
        Parameters and covariance from the first ``half`` hits alone, before any noise that follows.
    """

    parameters: Array
    covariance: Array
    innovation: Array
    spread: Array
    gain: Array
    halfway: Array
    halfway_covariance: Array

    @property
    def chi2(self) -> Array:
        """What each hit adds to chi2 when it comes in, shape (m, n); 0 for hits that are not used."""
        return np.where(self.gain[:, 0] != 0.0, self.innovation**2 / self.spread, 0.0)


def run_filter(
    linear: Linear, variance: Array, used: Mask, counts: NDArray[np.intp], half: NDArray[np.intp], prior: Array
) -> Filtered:
    """Go from the last hit of each track to its start.

    Parameters
    ----------
    linear : Linear
        The measurements and the noise.
    variance : ndarray, shape (m, n), mm^2
        Of the measurements.
    used : ndarray of bool, shape (m, n)
        Whether a hit takes part.
    counts : ndarray of int, shape (n,)
        Hits of each track, in decreasing order; the rest of the m places is empty.
    half : ndarray of int, shape (n,)
        Hits after which to take down what is known so far.
    prior : ndarray, shape (5, n)
        Variance of the parameters before any hit: 0 for what is known.
    """
    m, n = linear.residual.shape
    state, p = np.zeros((PARAMETERS, n)), np.zeros((PARAMETERS, PARAMETERS, n))
    p[range(PARAMETERS), range(PARAMETERS)] = prior
    innovation, spread = np.zeros((m, n)), np.ones((m, n))
    gain = np.zeros((m, PARAMETERS, n))
    halfway, halfway_covariance = np.zeros_like(state), np.zeros_like(p)
    inside = np.searchsorted(-counts, -np.arange(m + 1), side="right")  # tracks with at least so many hits
    for step in range(m + 1):
        now = np.flatnonzero(half == step)
        halfway[:, now], halfway_covariance[..., now] = state[:, now], p[..., now]
        here = slice(0, int(inside[step]))
        _add_noise(p[..., here], linear.noise[step, :, here])
        if step == m:
            break
        here = slice(0, int(inside[step + 1]))
        some, h = p[..., here], linear.slope[step, :, here]
        ph = _times(some, h)
        inverse = used[step, here] / (_dot(h, ph) + variance[step, here])
        spread[step, here] = _dot(h, ph) + variance[step, here]
        innovation[step, here] = linear.residual[step, here] - _dot(h, state[:, here])
        k = ph * inverse
        gain[step, :, here] = k
        state[:, here] += k * innovation[step, here]
        for i in range(PARAMETERS):
            for j in range(i, PARAMETERS):
                some[i, j] -= k[i] * ph[j]
                some[j, i] = some[i, j]
    return Filtered(state, p, innovation, spread, gain, halfway, halfway_covariance)


class Smoothed(NamedTuple):
    """What all hits together say.

    Attributes
    ----------
    residual, variance : ndarray, shape (m, n), mm and mm^2
        Measurement less prediction from all other hits, and the variance of that; their ratio
        residual^2 / variance is what chi2 falls by if the hit is left out.
    halfway : ndarray, shape (5, n)
        Parameters of the track between the first ``half`` hits and the noise that follows.
    """

    residual: Array
    variance: Array
    halfway: Array


def run_smoother(linear: Linear, filtered: Filtered, counts: NDArray[np.intp], half: NDArray[np.intp]) -> Smoothed:
    """Go back from the start of each track to its last hit.

    Parameters
    ----------
    linear, counts, half
        As the filter had them.
    filtered : Filtered
        What it found.
    """
    m, n = filtered.innovation.shape
    residual, variance = np.zeros((m, n)), np.ones((m, n))
    r, big = np.zeros((PARAMETERS, n)), np.zeros((PARAMETERS, PARAMETERS, n))
    halfway = filtered.halfway.copy()
    inside = np.searchsorted(-counts, -np.arange(m + 1), side="right")
    for step in range(m - 1, -1, -1):
        here = slice(0, int(inside[step + 1]))
        h, k = linear.slope[step, :, here], filtered.gain[step, :, here]
        f, some = filtered.spread[step, here], big[..., here]
        nk = _times(some, k)
        used = k[0] != 0.0
        e = filtered.innovation[step, here] / f - _dot(k, r[:, here])
        d = 1.0 / f + _dot(k, nk)
        # a hit that is not used has no gain: e / d is its innovation, d its inverse variance, seen from one side
        residual[step, here], variance[step, here] = e / d, 1.0 / d
        # with L = 1 - k h: r -> L' r + h v / f and N -> L' N L + h h' / f
        e, d = np.where(used, e, 0.0), np.where(used, d, 0.0)
        r[:, here] += h * e
        for i in range(PARAMETERS):
            for j in range(i, PARAMETERS):
                some[i, j] += h[i] * h[j] * d - h[i] * nk[j] - nk[i] * h[j]
                some[j, i] = some[i, j]
        now = np.flatnonzero(half == step)
        halfway[:, now] += _times(filtered.halfway_covariance[..., now], r[:, now])
    return Smoothed(residual, variance, halfway)


def _add_noise(p: Array, noise: Array) -> None:
    for term, (i, j) in enumerate(NOISE_TERMS):
        p[i, j] += noise[term]
        if i != j:
            p[j, i] = p[i, j]


def _times(matrix: Array, vector: Array) -> Array:
    """Matrix times vector for each track, term by term in one order: no track depends on its neighbours."""
    total: Array = matrix[:, 0] * vector[0]
    for i in range(1, PARAMETERS):
        total += matrix[:, i] * vector[i]
    return total


def _dot(a: Array, b: Array) -> Array:
    total: Array = a[0] * b[0]
    for i in range(1, PARAMETERS):
        total += a[i] * b[i]
    return total
