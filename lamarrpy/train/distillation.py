"""Distillation: a network that answers at once learns to say what a slower, better one says to the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from lamarrpy.parameterization.network import Network
from lamarrpy.parameterization.parameterization import CONDITIONS, LATENTS
from lamarrpy.train.export import converted
from lamarrpy.train.loop import Batch
from lamarrpy.train.rows import Float32s, Rows

_SCALE = 0.1
"""Where the pseudo-Huber loss turns from a square into a slope."""

_CHUNK = 65_536

_ASKED_AGAIN = 65_536
"""Questions asked twice, to see how far answers to the same one are apart."""

_NARROWEST = 0.01
"""Standard deviation that a combination of targets is taken to have at least."""


class Lessons(NamedTuple):
    """What a student learns from.

    Attributes
    ----------
    rows : Rows
        Whose conditions are those of the sample with the random numbers behind them.
    metric : ndarray of float32, shape (t, t)
        By which mistakes are multiplied: the inverse square root of the covariance that targets have, on average, at
        given conditions. Two targets that go closely together are then learned to go as closely.
    """

    rows: Rows
    metric: Float32s


def teach(teacher: keras.Model, conditions: Float32s, weights: Float32s, pairs: int, seed: int) -> Lessons:
    """Ask a teacher: conditions like those of the sample, random numbers, and its answers to both.

    Parameters
    ----------
    teacher : keras.Model
        [conditions (n, c), latents (n, t)] to targets (n, t), a deterministic map.
    conditions : ndarray of float32, shape (rows, c)
        Of the sample. Each is used as often as any other of the same weight, but for one.
    weights : ndarray of float32, shape (rows,)
    pairs : int
        How many answers are wanted.
    seed : int
        Of the choice and of the random numbers.

    Returns
    -------
    Lessons
    """
    random = np.random.default_rng((seed, 2))
    count, latents = teacher.inputs[0].shape[-1], teacher.inputs[1].shape[-1]
    network = Network(
        converted(teacher), {CONDITIONS: count, LATENTS: latents}, teacher.output.shape[-1], "the teacher"
    )

    def asked(given: Float32s, numbers: Float32s) -> Float32s:
        starts = range(0, len(given), _CHUNK)
        parts = [network(conditions=given[i : i + _CHUNK], latents=numbers[i : i + _CHUNK]) for i in starts]
        return np.concatenate(parts)

    chosen = conditions[_evenly(weights, pairs, random)]
    numbers = random.normal(size=(pairs, latents)).astype(np.float32)
    answers = asked(chosen, numbers)
    some = chosen[:_ASKED_AGAIN]
    again = asked(some, random.normal(size=(len(some), latents)).astype(np.float32))
    rows = Rows(np.concatenate([chosen, numbers], axis=1), answers, np.ones(pairs, np.float32))
    return Lessons(rows, _metric(answers[: len(some)] - again))


def _metric(differences: Float32s) -> Float32s:
    """The inverse square root of half the mean square of differences of two answers to the same question, (n, t)."""
    covariance = differences.T.astype(np.float64) @ differences / (2.0 * len(differences))
    squares, axes = np.linalg.eigh(covariance)
    metric: Float32s = ((axes / np.sqrt(np.maximum(squares, _NARROWEST**2))) @ axes.T).astype(np.float32)
    return metric


def _evenly(weights: Float32s, count: int, random: np.random.Generator) -> np.ndarray[Any, Any]:
    """Rows chosen by weight at even spacing, then shuffled: nothing is left to chance that need not be."""
    ends = np.cumsum(weights, dtype=np.float64)
    chosen = np.searchsorted(ends, (np.arange(count) + random.random()) / count * ends[-1], "right")
    return random.permutation(np.minimum(chosen, len(weights) - 1))


class RegressionLearner:
    """A generator that learns the answers to given random numbers.

    The loss is pseudo-Huber, s^2 (sqrt(1 + (d / s)^2) - 1) with s = 0.1 (P. Charbonnier et al., ICIP 1994), of mistakes
    in units of what is left open by the conditions: rare answers far away, at the edges of point masses, must not rule
    the rest.

    Parameters
    ----------
    student : keras.Model
        [conditions (n, c), latents (n, l)] to targets (n, t).
    optimizer : keras.optimizers.Optimizer
        Built for its weights.
    metric : ndarray of float32, shape (t, t)
        By which mistakes are multiplied.
    """

    def __init__(self, student: keras.Model, optimizer: Any, metric: Float32s) -> None:
        self.student, self.optimizer, self._metric = student, optimizer, tf.constant(metric)
        self._given = student.inputs[0].shape[-1]

    def step(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """One update; the conditions of the batch have the random numbers behind them, the seed is not used."""
        conditions, latents = batch.conditions[:, : self._given], batch.conditions[:, self._given :]
        weights = self.student.trainable_variables
        with tf.GradientTape() as tape:
            away = tf.matmul(self.student([conditions, latents], training=True) - batch.targets, self._metric) / _SCALE
            each = _SCALE**2 * tf.reduce_mean(tf.sqrt(1.0 + away**2) - 1.0, axis=1)
            loss = tf.reduce_mean(batch.weights * each)
            total = loss + sum(self.student.losses, tf.constant(0.0))  # squared kernels, if they are to stay small
        self.optimizer.apply(tape.gradient(total, weights), weights)
        return {"regression_loss": loss}

    @property
    def variables(self) -> Sequence[Any]:
        """The student's weights and what the optimizer remembers."""
        return [*self.student.variables, *self.optimizer.variables]

    def network(self) -> keras.Model:
        """The student."""
        return self.student
