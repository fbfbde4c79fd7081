"""From a recipe and a sample of tracks to a neural extrapolator."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from lamarrpy.nn.extrapolators.tracks import OUTPUTS
from lamarrpy.propagation import State
from lamarrpy.tracks import TrackSample
from lamarrpy.train.extrapolation.learner import ExtrapolatorLearner
from lamarrpy.train.extrapolation.recipe import ExtrapolatorRecipe
from lamarrpy.train.loop import History, Progress, fit
from lamarrpy.train.rows import Rows

Array = NDArray[np.float64]

BLOCK = 8192
"""Tracks a network is asked for at once."""


@dataclass(frozen=True)
class Trained:
    """What a training has brought.

    Attributes
    ----------
    network : keras.Model
        From tracks, shape (n, 7), to deviations from the straight line, shape (n, 4).
    history : History
        Learning curves: ``loss``, ``data``, ``pde``, ``ic``, and ``score``, that on the validation tracks.
    learner : ExtrapolatorLearner
        What learned.
    wall, cpu : float, s
        Time that it took.
    """

    network: keras.Model
    history: History
    learner: ExtrapolatorLearner
    wall: float
    cpu: float


def rows_of(sample: TrackSample) -> Rows:
    """Tracks as a network sees them: the seven columns of the input, and the deviations from the straight line."""
    tracks = as_input(sample.start, sample.dz)
    return Rows(tracks, deviations(sample).astype(np.float32), np.ones(len(tracks), np.float32))


def as_input(start: State, dz: Array) -> NDArray[np.float32]:
    """x, y, z, tx, ty, q/p, dz as float32, shape (n, 7)."""
    return np.stack([*start, dz], axis=1).astype(np.float32)


def deviations(sample: TrackSample) -> Array:
    """x, y, tx, ty at the end, less those of the straight line, shape (n, 4)."""
    start, end, dz = sample.start, sample.end, sample.dz
    x, y = end.x - start.x - start.tx * dz, end.y - start.y - start.ty * dz
    return np.stack([x, y, end.tx - start.tx, end.ty - start.ty], axis=1)


def answers(network: keras.Model, tracks: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a network says of tracks, shape (n, 4) or (n, 8), block by block."""
    blocks = range(0, len(tracks), BLOCK)
    return np.concatenate([np.asarray(network(tf.constant(tracks[i : i + BLOCK]), training=False)) for i in blocks])


def train_extrapolator(
    recipe: ExtrapolatorRecipe,
    sample: TrackSample,
    validation: TrackSample,
    folder: Path | None = None,
    progress: Progress | None = None,
    begin_with: keras.Model | None = None,
) -> Trained:
    """Train a neural extrapolator.

    Parameters
    ----------
    recipe : ExtrapolatorRecipe
        What, and how.
    sample : TrackSample
        Tracks to learn from.
    validation : TrackSample
        Tracks for the learning curves, and to keep the best weights by.
    folder : Path, optional
        For the checkpoint; a training that was stopped goes on.
    progress : callable, optional
        Told the steps done and the last figures.
    begin_with : keras.Model, optional
        A network of the same shape whose weights are the first ones, instead of new ones.

    Returns
    -------
    Trained
        With the best weights by the score: the mean squared deviation of validation tracks in units of the spread.

    Raises
    ------
    DivergenceError
        If the loss is not finite any more.
    """
    rows, held_out = rows_of(sample), rows_of(validation)
    unit = np.maximum(rows.targets.std(axis=0), 1e-9)
    learner = ExtrapolatorLearner(
        recipe.shape(sample), recipe.weights, unit.tolist(), recipe.descent, recipe.training.points, begin_with
    )

    def score(network: keras.Model) -> float:
        differ = answers(network, held_out.conditions)[:, :OUTPUTS] - held_out.targets
        return float(np.mean((differ / unit) ** 2))

    wall, cpu = time.perf_counter(), time.process_time()
    history = fit(learner, rows, recipe.plan(), score, folder, progress)
    return Trained(learner.network(), history, learner, time.perf_counter() - wall, time.process_time() - cpu)
