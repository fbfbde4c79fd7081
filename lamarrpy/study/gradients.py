"""Gradients while a network learns: how long they are in each layer, and whether the parts of the loss agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from lamarrpy.train.extrapolation.learner import ExtrapolatorLearner
from lamarrpy.train.loop import Batch

GRADIENT = "gradient/"
"""What the names of the figures begin with, before the layer's."""

COMPETITION = "competition"
"""Name of the cosine of the gradients of data and equation of motion: -1 if they pull in opposite directions."""

PARTS: dict[str, tuple[str, ...]] = {"mlp": ("data",), "pinn": ("data", "pde", "ic"), "rk_pinn": ("data", "pde")}
"""Parts of the loss that each family has."""

_TINY = 1e-30


class Watched(ExtrapolatorLearner):
    """A learner that tells its gradients too; it learns as one that does not."""

    def step(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """One update on a batch.

        Returns
        -------
        dict of str to tf.Tensor
            What the learner tells, with ``gradient/<layer>``, the norm of the loss's gradient in the weights of each
            layer, ``gradient/all``, and ``competition`` if data and equation of motion both have a weight.
        """
        variables, weights = self._network.trainable_variables, vars(self.weights)
        names = [name for name in PARTS[self.shape.family] if weights[name] > 0.0]
        with tf.GradientTape(persistent=True) as tape:
            found = self.losses(batch, seed)
        by_part = {name: _gradient(tape, found[name], variables) for name in names}
        gradient = [tf.add_n([weights[name] * by_part[name][i] for name in names]) for i in range(len(variables))]
        self.optimizer.apply(gradient, variables)
        told = found | norms(gradient, [layer_of(variable) for variable in variables])
        if {"data", "pde"} <= set(names):
            told[COMPETITION] = cosine(by_part["data"], by_part["pde"])
        return told


def _gradient(tape: tf.GradientTape, value: tf.Tensor, variables: Sequence[Any]) -> list[tf.Tensor]:
    found: list[tf.Tensor] = tape.gradient(value, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return found


def layer_of(variable: Any) -> str:
    """Name of the layer that a variable belongs to."""
    return str(variable.path).split("/")[-2]


def norms(gradient: Sequence[tf.Tensor], layers: Sequence[str]) -> dict[str, tf.Tensor]:
    """Length of the gradient of each layer, and of all of them, by the names of the figures."""
    squares: dict[str, list[tf.Tensor]] = {}
    for part, layer in zip(gradient, layers, strict=True):
        squares.setdefault(f"{GRADIENT}{layer}", []).append(tf.reduce_sum(tf.square(part)))
    squares[f"{GRADIENT}all"] = [value for values in list(squares.values()) for value in values]
    return {name: tf.sqrt(tf.add_n(values)) for name, values in squares.items()}


def cosine(a: Sequence[tf.Tensor], b: Sequence[tf.Tensor]) -> tf.Tensor:
    """Cosine of the angle between two gradients; 0 if one of them vanishes."""

    def dot(one: Sequence[tf.Tensor], other: Sequence[tf.Tensor]) -> tf.Tensor:
        return tf.add_n([tf.reduce_sum(x * y) for x, y in zip(one, other, strict=True)])

    return dot(a, b) / tf.maximum(tf.sqrt(dot(a, a) * dot(b, b)), _TINY)
