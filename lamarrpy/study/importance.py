"""Which of a track's numbers an extrapolator looks at: by shuffling each of them, and by derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from lamarrpy.field import MagneticField
from lamarrpy.nn.extrapolators.tracks import OUTPUTS as COUNT
from lamarrpy.propagation import State, runge_kutta
from lamarrpy.tracks.accuracy import MICRO, OUTPUTS, accuracy

Array = NDArray[np.float64]
Answer = Callable[[NDArray[np.float32]], NDArray[np.floating[Any]]]
"""From tracks, shape (n, 7), to deviations from the straight line, shape (n, 4)."""

FEATURES = ("x", "y", "z", "tx", "ty", "qop", "dz")
"""Columns of a track."""

STEPS = 40
"""Of the Runge-Kutta integration that tells the true derivatives."""

_SHIFT = 1e-2
"""By how much of its spread a column is moved for them: derivatives are central differences."""


def permuted(answer: Answer, tracks: NDArray[np.float32], true: Array, seed: int) -> dict[str, dict[str, float]]:
    """How wrong an extrapolator gets if it is given the numbers of other tracks in one column.

    Parameters
    ----------
    answer : callable
        The extrapolator.
    tracks : ndarray of float32, shape (n, 7)
        Tracks.
    true : ndarray, shape (n, 4)
        Their true deviations from the straight line.
    seed : int
        Of the order of the shuffled tracks.

    Returns
    -------
    dict
        By feature: ``plain_um``, ``permuted_um``, below which 68 % of the distances in x and y lie before and after
        (L. Breiman, Mach. Learn. 45 (2001) 5).
    """
    order = np.random.default_rng(seed).permutation(len(tracks))
    plain = accuracy(answer(tracks), true)["distance_68"]
    out = {}
    for column, name in enumerate(FEATURES):
        mixed = tracks.copy()
        mixed[:, column] = tracks[order, column]
        out[name] = {"plain_um": plain, "permuted_um": accuracy(answer(mixed), true)["distance_68"]}
    return out


def spreads(tracks: NDArray[np.floating[Any]]) -> Array:
    """Standard deviation of each column, shape (7,): zero for one that is the same for all."""
    spread: Array = tracks.astype(np.float64).std(axis=0)
    steady = np.ptp(tracks, axis=0) == 0.0
    return np.where(steady, 0.0, spread)


def derivatives(network: keras.Model, tracks: NDArray[np.float32]) -> Array:
    """How much each output of a network changes with each feature: mean of |d output / d feature| times its spread.

    Parameters
    ----------
    network : keras.Model
        The extrapolator.
    tracks : ndarray of float32, shape (n, 7)
        Where.

    Returns
    -------
    ndarray, shape (7, 4), um and urad
    """
    given = tf.constant(tracks)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(given)
        columns = [tf.reduce_sum(network(given, training=False)[:, i]) for i in range(COUNT)]
    slopes = [np.abs(np.asarray(tape.gradient(column, given), np.float64)).mean(axis=0) for column in columns]
    found: Array = np.stack(slopes, axis=1) * spreads(tracks)[:, None] * MICRO
    return found


def true_derivatives(tracks: NDArray[np.floating[Any]], field: MagneticField) -> Array:
    """The same of the truth, by central differences of Runge-Kutta integration; shape (7, 4), um and urad."""
    at, spread = tracks.astype(np.float64), spreads(tracks)
    found = np.zeros((len(FEATURES), COUNT))
    for column in np.flatnonzero(spread > 0.0):
        shift = np.zeros(len(FEATURES))
        shift[column] = _SHIFT * spread[column]
        change = (_deviations(at + shift, field) - _deviations(at - shift, field)) / (2.0 * _SHIFT)
        found[column] = np.nanmean(np.abs(change), axis=0)
    scaled: Array = found * MICRO
    return scaled


def _deviations(tracks: Array, field: MagneticField) -> Array:
    start, dz = State(*tracks[:, :6].T), tracks[:, 6]
    there = runge_kutta(start, [start.z + dz], field, STEPS)
    x, y = there.x[0] - start.x - start.tx * dz, there.y[0] - start.y - start.ty * dz
    return np.stack([x, y, there.tx[0] - start.tx, there.ty[0] - start.ty], axis=1)


def by_output(row: Array) -> dict[str, float]:
    """Four numbers by the name of the output."""
    return dict(zip(OUTPUTS, map(float, row), strict=True))
