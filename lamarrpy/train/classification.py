"""How a classifier learns probabilities: cross entropy in phases, the first one smoothed and fast, the last one exact.

M. Barbetti, CERN-THESIS-2024-108, sections 4.2.2 and 4.2.3: label smoothing and a high rate that decays protect the
start from numerical instabilities; the fine-tuning that follows has the loss function whose minimum is the probability.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.nn.players import with_probabilities
from lamarrpy.train.averaging import check_decay, follow
from lamarrpy.train.loop import Batch
from lamarrpy.train.rows import Rows

_BLOCK = 16384
"""Rows that a score looks at together."""

_SMALLEST = 1e-30
"""Probability that stands for one that float32 has rounded to zero."""


@dataclass(frozen=True)
class Phase:
    """A part of the training of a classifier.

    Attributes
    ----------
    share : float
        Of all steps; the shares of all phases sum to one.
    rate, final_rate : float
        Learning rate of Adam at its beginning, and what it has decayed to exponentially at its end.
    smoothing : float
        Part of each target that is handed out evenly to all classes, 0 to 1.
    l2 : float
        Factor of the sum of squares of the hidden kernels in the loss.

    Raises
    ------
    ConfigError
        If a number is not as said.
    """

    share: float
    rate: float
    final_rate: float
    smoothing: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        wrong = [name for name in ("share", "rate", "final_rate") if not 0.0 < getattr(self, name) < np.inf]
        wrong += ["share"] * (self.share > 1.0) + ["smoothing"] * (not 0.0 <= self.smoothing < 1.0)
        if wrong or not 0.0 <= self.l2 < np.inf:
            raise ConfigError(
                "expected a phase with 0 < share <= 1, rates above 0, 0 <= smoothing < 1 and l2 not below 0, got"
                f" {self}; mend its {', '.join(wrong or ['l2'])}"
            )


TWO_PHASES = (
    Phase(0.2, 1e-2, 1e-2, smoothing=0.05),
    Phase(0.8, 1e-2, 1e-5),
)
"""What ends calibrated after few steps: smoothed only as long as numbers are wild, then a long decay without it.

Measured on 200,000 rows of four conditions, 30 passes at batch 1024: cross entropy 1.0 millinats above that of the
true probabilities and a calibration slope of 1.006; with `THESIS_PHASES` 7.9 millinats and 1.047, because smoothing
and L2 make probabilities less sure than they are, and a short fine-tuning at a small rate does not take that back.
"""

THESIS_PHASES = (
    Phase(2 / 3, 1e-2, 1e-4, smoothing=0.05, l2=5e-4),
    Phase(1 / 3, 1e-4, 1e-4, smoothing=0.0, l2=5e-4),
)
"""The training of the acceptance in the thesis, table 4.1: 200 epochs, and 100 of fine-tuning."""


class Now(NamedTuple):
    """What holds at a step, as scalar tensors of float32: the fields of a `Phase`, the rate as it has decayed."""

    rate: tf.Tensor
    smoothing: tf.Tensor
    l2: tf.Tensor


class ClassificationLearner:
    """Fits the probability of each class by cross entropy; a `lamarrpy.train.loop.Learner`.

    The targets of its rows are the classes as one-hot columns, two of them (no, yes) for a yes-or-no question; rows
    that sum to one otherwise (probabilities) are learned from just as well.

    Parameters
    ----------
    model : keras.Model
        Conditions (n, c) -> logits (n, k) for k classes, or (n, 1): the logit of the second class of two.
    steps : int
        Of the whole training, as in its `Plan`; a training that goes on after them stays as it was in the last one.
    phases : sequence of Phase
        One after the other; one whose share is less than a step may be left out.
    average : float, optional
        Decay of a moving average of the weights (`lamarrpy.train.averaging`), which is then the network.

    Raises
    ------
    ConfigError
        If there are no steps, the shares do not sum to one, or the average is not between 0 and 1.
    DomainError
        If the model ends in probabilities, or does not answer with one row of logits for each of conditions.
    """

    def __init__(
        self,
        model: keras.Model,
        steps: int,
        phases: Sequence[Phase] = TWO_PHASES,
        average: float | None = None,
    ) -> None:
        check_decay(average)
        _check_logits(model)
        self.model = model
        self.classes = max(2, model.output_shape[1])
        self._phases, self._ends = tuple(phases), _ends(phases, steps)
        self._kernels = [kernel for kernel in model.trainable_variables if len(kernel.shape) > 1][:-1]
        self._optimizer = keras.optimizers.Adam(phases[0].rate)
        self._optimizer.build(model.trainable_variables)
        self._decay, self._averaged = average, model
        if average is not None:
            self._averaged = keras.models.clone_model(model)
            self._averaged.set_weights(model.get_weights())
        self._network = with_probabilities(self._averaged)

    def now(self, step: tf.Tensor | int) -> Now:
        """What holds at a step, counted from 0."""
        reached = tf.cast(step, tf.float32)
        ends = tf.constant(self._ends, tf.float32)
        phase = tf.reduce_sum(tf.cast(reached >= ends[:-1], tf.int32))
        begin = tf.gather(tf.concat([[0.0], ends], 0), phase)
        part = tf.clip_by_value((reached - begin) / tf.maximum(tf.gather(ends, phase) - begin, 1.0), 0.0, 1.0)
        rate, final, smoothing, l2 = (
            tf.gather(tf.constant([getattr(one, name) for one in self._phases], tf.float32), phase)
            for name in ("rate", "final_rate", "smoothing", "l2")
        )
        return Now(rate * (final / rate) ** part, smoothing, l2)

    def step(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Improve the weights once.

        Parameters
        ----------
        batch : Batch
            Conditions (b, c), one-hot targets (b, classes), weights (b,), of float32.
        seed : tf.Tensor of int32, shape (2,)
            Not used: only dropout is random here, which counts by itself, in the variables.

        Returns
        -------
        dict of str to tf.Tensor
            ``loss``: cross entropy without smoothing and L2; ``accuracy``; ``penalty``: what L2 added; ``rate``.
            Weighted means, for which the mean weight of every batch is taken as one.

        Raises
        ------
        DomainError
            If there is another number of classes in the targets.
        """
        self._check_targets(batch.targets)
        step = self._optimizer.iterations
        now = self.now(step)
        smoothed = batch.targets * (1.0 - now.smoothing) + now.smoothing / self.classes
        with tf.GradientTape() as tape:
            logits = _all_logits(self.model(batch.conditions, training=True))
            penalty = now.l2 * sum((tf.reduce_sum(tf.square(kernel)) for kernel in self._kernels), tf.constant(0.0))
            penalty += sum(self.model.losses, tf.constant(0.0))
            loss = _cross_entropy(smoothed, logits, batch.weights) + penalty
        weights = self.model.trainable_variables
        self._optimizer.learning_rate.assign(now.rate)
        gradients = tape.gradient(loss, weights)
        self._optimizer.apply(gradients, weights)
        if self._decay is not None:
            follow(self._averaged.weights, self.model.weights, self._decay, self._optimizer.iterations)
        right = tf.equal(tf.argmax(logits, axis=1), tf.argmax(batch.targets, axis=1))
        return {
            "loss": _cross_entropy(batch.targets, logits, batch.weights),
            "accuracy": tf.reduce_mean(batch.weights * tf.cast(right, tf.float32)),
            "penalty": penalty,
            "rate": now.rate,
        }

    @property
    def variables(self) -> list[Any]:
        """Weights, optimizer with its count of steps, and the average if there is one."""
        averaged = [] if self._decay is None else self._averaged.variables
        return [*self.model.variables, *self._optimizer.variables, *averaged]

    def network(self) -> keras.Model:
        """Conditions (n, c) -> probabilities (n, classes) that sum to one, two columns for a yes-or-no question.

        Always the same object, which shares its weights with what is trained, or with the average if there is one.
        """
        return self._network

    def _check_targets(self, targets: tf.Tensor) -> None:
        if targets.shape[-1] != self.classes:
            raise DomainError(
                f"expected targets as {self.classes} one-hot columns, got {targets.shape[-1]}; a yes-or-no question"
                " has two: no, yes"
            )


def probabilities(network: keras.Model, conditions: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What a network answers, in blocks of rows.

    Parameters
    ----------
    network : keras.Model
        As `ClassificationLearner.network` gives it.
    conditions : ndarray of float32, shape (n, c)

    Returns
    -------
    ndarray of float32, shape (n, classes)
    """
    parts = [
        np.asarray(network(tf.constant(conditions[first : first + _BLOCK], tf.float32), training=False))
        for first in range(0, len(conditions), _BLOCK)
    ]
    return np.concatenate(parts) if parts else np.empty((0, network.output_shape[1]), np.float32)


def validation_cross_entropy(rows: Rows) -> Callable[[keras.Model], float]:
    """A score for the choice of the best weights: the weighted cross entropy of rows that are not trained on.

    Parameters
    ----------
    rows : Rows
        Conditions and one-hot targets.

    Returns
    -------
    callable
        Of a network that answers with probabilities: nats per row, the lower the better.
    """

    def score(network: keras.Model) -> float:
        p = np.maximum(probabilities(network, rows.conditions).astype(np.float64), _SMALLEST)
        return float(-np.average((rows.targets * np.log(p)).sum(axis=1), weights=rows.weights))

    return score


def _cross_entropy(targets: tf.Tensor, logits: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(weights * tf.nn.softmax_cross_entropy_with_logits(targets, logits))


def _all_logits(logits: tf.Tensor) -> tf.Tensor:
    """Logits of all classes: the sigmoid of one is the softmax of zero and it."""
    return tf.pad(logits, [[0, 0], [1, 0]]) if logits.shape[1] == 1 else logits


def _ends(phases: Sequence[Phase], steps: int) -> list[int]:
    """The step after the last one of each phase."""
    total = sum(phase.share for phase in phases)
    if abs(total - 1.0) > 1e-6:
        raise ConfigError(f"expected phases whose shares sum to one, got {total:g} from {len(phases)}; mend the shares")
    if steps < 1:
        raise ConfigError(f"expected one step or more, got {steps}")
    return [round(steps * float(share / total)) for share in np.cumsum([phase.share for phase in phases])]


def _check_logits(model: keras.Model) -> None:
    shape = model.output_shape
    if not isinstance(shape, tuple) or len(shape) != 2 or not isinstance(model.input_shape, tuple):
        raise DomainError(f"expected a model from conditions (n, c) to logits (n, k), got outputs of shape {shape}")
    last = model.layers[-1]
    bounded = (keras.activations.sigmoid, keras.activations.softmax)
    if isinstance(last, keras.layers.Softmax) or getattr(last, "activation", None) in bounded:
        raise DomainError(
            f"expected a model that ends in logits, got one whose last layer {last.name!r} gives probabilities: leave"
            " its activation out; the network for export gets them by itself"
        )
