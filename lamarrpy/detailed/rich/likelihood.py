"""The likelihood of each species, track by track, from the pixels that fired."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lamarrpy.detailed.rich.expectation import MASSES, PION, Expectation
from lamarrpy.detailed.rich.photons import Pixels, around
from lamarrpy.detailed.rich.radiators import Radiator
from lamarrpy.detailed.tuning import tuning

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

REACH = 4.0
"""Standard deviations from a ring beyond which a pixel says nothing of it."""

ROUNDS = 3
"""How often the hypotheses of all tracks are chosen anew: first all are pions."""

_TUBES, _RING_POINTS = 24, 8
"""Photon detectors in a row, more than there are, and points of a ring that are counted in them."""

_APART = 10.0
"""Between the events in a common search: more than any two directions of one event are."""


class _Pairs(NamedTuple):
    """k pairs of a track and a pixel near one of its rings, by track and then by pixel.

    Attributes
    ----------
    track, pixel : ndarray of int, shape (k,)
        Which.
    photons : ndarray, shape (k, 5)
        Expected in the pixel from the track, under each hypothesis.
    """

    track: Rows
    pixel: Rows
    photons: Array


def log_likelihoods(
    event: Rows, expectations: list[Expectation], pixels: list[Pixels], radiators: list[Radiator], events: int
) -> Array:
    """The logarithms of the likelihood of each species, less that of nothing at all.

    ln L = - mu + sum over pixels of ln(1 + a / b), mu being the photons expected of the track, a those in a pixel
    and b what is expected there from all other tracks and from background. The photons of a track count as
    independent, although they share the error of its direction, which is how the experiment does it and why its
    likelihoods are overconfident. All tracks of an event are pions at first, and what fits best in later rounds
    (R. Forty, O. Schneider, LHCb/98-040).

    Parameters
    ----------
    event : ndarray of int, shape (n,)
        The event of each track, counted from 0.
    expectations, pixels, radiators : list of one for each RICH
        What the tracks radiate, what has fired.
    events : int
        How many events there are.

    Returns
    -------
    ndarray, shape (n, 5)
        In the order of `expectation.HYPOTHESES`; exactly 0 for a species that radiates nothing.
    """
    pairs = [_pairs(event, *one) for one in zip(expectations, pixels, radiators, strict=True)]
    best = np.full(len(event), PION)
    total = np.zeros((len(event), len(MASSES)))
    for _ in range(ROUNDS):
        total = np.zeros_like(total)
        for one, expectation, fired, radiator in zip(pairs, expectations, pixels, radiators, strict=True):
            noise = _background(event, expectation, fired, best, radiator, events)
            total += _of_radiator(one, expectation, noise, best)
        best = np.argmax(total, axis=1)
    return total


def _of_radiator(pairs: _Pairs, expectation: Expectation, noise: Array, best: Rows) -> Array:
    """ln L of one RICH, shape (n, 5), the other tracks being what fits them best."""
    own = pairs.photons[np.arange(len(pairs.track)), best[pairs.track]]
    others = noise + np.bincount(pairs.pixel, own, minlength=len(noise))
    rest = np.maximum(others[pairs.pixel] - own, noise[pairs.pixel])
    out = -expectation.seen
    for species in range(len(MASSES)):
        gain = np.log1p(pairs.photons[:, species] / rest)
        out[:, species] += np.bincount(pairs.track, gain, minlength=len(best))
    return out


def _pairs(event: Rows, expectation: Expectation, pixels: Pixels, radiator: Radiator) -> _Pairs:
    """All pairs of a track and a pixel that is near the ring of one of the hypotheses."""
    used = np.flatnonzero(expectation.used)
    axis = np.stack([a[used] for a in expectation.axis], axis=1)
    light = np.stack([pixels.u, pixels.v, pixels.w], axis=1)
    track, pixel = _near(axis, event[used], light, pixels.event, _widest(expectation, used))
    away = axis[track] - light[pixel]
    theta = 2.0 * np.arcsin(np.minimum(0.5 * np.sqrt(away[:, 0] ** 2 + away[:, 1] ** 2 + away[:, 2] ** 2), 1.0))
    track = used[track]
    low, high = _annulus(expectation)
    keep = np.flatnonzero((theta > low[track]) & (theta < high[track]))
    track, pixel, theta = track[keep], pixel[keep], theta[keep]
    return _Pairs(track, pixel, _density(expectation, track, theta) * _area(pixels, pixel, theta, radiator)[:, None])


def _annulus(expectation: Expectation) -> tuple[Array, Array]:
    """Angles [rad] between which there is a ring of any hypothesis, each of shape (n,)."""
    radiates = expectation.full > 0.0
    reach = REACH * expectation.width
    low = np.where(radiates, expectation.angle - reach, np.inf).min(axis=1)
    return low, np.where(radiates, expectation.angle + reach, -np.inf).max(axis=1)


def _density(expectation: Expectation, track: Rows, theta: Array) -> Array:
    """Photons of a track for each rad of the angle to it, shape (k, 5): a Gaussian about the Cherenkov angle."""
    width = expectation.width[track]
    off = (theta[:, None] - expectation.angle[track]) / width
    shape = np.where(np.abs(off) < REACH, np.exp(-0.5 * off * off), 0.0) / (np.sqrt(2.0 * np.pi) * width)
    return np.asarray(expectation.full[track] * shape)


def _area(pixels: Pixels, pixel: Rows, theta: Array, radiator: Radiator) -> Array:
    """How much of the ring's circumference, times how much angle [rad], a pixel covers, shape (k,)."""
    around_axis = 2.0 * np.pi * np.sin(np.maximum(theta, radiator.pixel))
    return np.asarray(radiator.pixel**2 / pixels.w[pixel] / around_axis)


def _widest(expectation: Expectation, used: Rows) -> float:
    """Angle [rad] beyond which no pixel is near any ring."""
    if not len(used):
        return 0.0
    return float(np.max(expectation.angle[used] + REACH * expectation.width[used]))


def _near(axis: Array, of_track: Rows, light: Array, of_pixel: Rows, angle: float) -> tuple[Rows, Rows]:
    """Pairs of the same event that are less than about an angle [rad] apart, by track and then by pixel."""
    if not len(axis) or not len(light):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    tracks, pixels = (np.column_stack([a, _APART * e]) for a, e in ((axis, of_track), (light, of_pixel)))
    found = cKDTree(tracks).sparse_distance_matrix(cKDTree(pixels), angle * 1.001, output_type="ndarray")
    order = np.lexsort((found["j"], found["i"]))
    return found["i"][order].astype(np.intp), found["j"][order].astype(np.intp)


def _background(
    event: Rows, expectation: Expectation, pixels: Pixels, best: Rows, radiator: Radiator, events: int
) -> Array:
    """Photons expected in each pixel from what is no track: what its photon detector has seen beyond those."""
    tubes = _tube(pixels.u, pixels.v, pixels.event, radiator)
    tuned = tuning("rich")
    counted = np.bincount(tubes, minlength=events * _TUBES**2).astype(float)
    left = counted.copy()
    rows = np.flatnonzero(expectation.used)
    axis = (expectation.axis[0][rows], expectation.axis[1][rows], expectation.axis[2][rows])
    angle, seen = expectation.angle[rows, best[rows]], expectation.seen[rows, best[rows]]
    for point in range(_RING_POINTS):
        u, v, _ = around(axis, angle, np.full(len(rows), 2.0 * np.pi * point / _RING_POINTS))
        left -= np.bincount(_tube(u, v, event[rows], radiator), seen / _RING_POINTS, minlength=len(left))
    per_pixel = (radiator.pixel / radiator.photon_detector) ** 2
    left = np.maximum(left, tuned["least_background_share"] * counted)
    return np.asarray(np.maximum(left[tubes] * per_pixel, tuned["least_background"]))


def _tube(u: Array, v: Array, event: Rows, radiator: Radiator) -> Rows:
    """The photon detector, of all those of all events, that looks in a direction."""
    column, row = (
        np.clip(np.floor(a / radiator.photon_detector) + _TUBES // 2, 0, _TUBES - 1).astype(np.intp) for a in (u, v)
    )
    return np.asarray((event * _TUBES + column) * _TUBES + row)
