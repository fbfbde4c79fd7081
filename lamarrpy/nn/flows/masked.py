"""Masked autoregressive blocks (Papamakarios et al., arXiv:1705.07057): each target changes, given those before it."""

from __future__ import annotations

from itertools import pairwise

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from lamarrpy.errors import ConfigError
from lamarrpy.nn.flows.conditioner import Conditioner, Mask, activate
from lamarrpy.nn.flows.shape import FlowShape
from lamarrpy.nn.flows.transformers import transformer

Degrees = NDArray[np.int64]


class Masked(keras.layers.Layer):  # type: ignore[misc]
    """Changes each target by what those before it and the conditions say, in one pass; undone one target at a time.

    The masks are those of MADE (Germain et al., arXiv:1502.03509), with units of degree zero that see the conditions
    alone. Units of a layer are sorted by degree, so that `inverse` never computes one twice: all its passes together
    cost as much as one pass forward.

    Parameters
    ----------
    shape : FlowShape
        Of the flow.
    targets, conditions : int
        How many.
    number : int
        Of the block: odd ones take the targets in the opposite order, if the shape says so.
    seed : int
        Of the first weights.

    Raises
    ------
    ConfigError
        If there are fewer units in a layer than targets.
    """

    def __init__(self, shape: FlowShape, targets: int, conditions: int, number: int, seed: int) -> None:
        super().__init__()
        if shape.width < targets:
            raise ConfigError(
                f"expected a width of a masked flow of at least {targets}, one unit for each target, got {shape.width}"
            )
        self.backwards = shape.reverse and number % 2 == 1
        self.transformer = transformer(shape)
        self.degrees = [
            np.concatenate([np.zeros(conditions, np.int64), np.arange(targets) + 1]),
            *[np.arange(shape.width) * targets // shape.width] * shape.layers,
            np.concatenate([np.repeat(np.arange(targets), size) for size in self.transformer.sizes]),
        ]
        masks = masks_of(self.degrees)
        self.conditioner = Conditioner(tuple(len(degree) for degree in self.degrees), seed, masks)
        self.built = True

    def forward(self, values: tf.Tensor, conditions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Values nearer to the latents, and the logarithm of the change of volume.

        Parameters
        ----------
        values : tf.Tensor of float32, shape (n, t)
        conditions : tf.Tensor of float32, shape (n, c)

        Returns
        -------
        tuple of tf.Tensor of float32, shapes (n, t) and (n,)
        """
        values = self._turn(values)
        raw = self.conditioner.call(tf.concat([conditions, values], axis=-1))
        images, logs = self.transformer.forward(values, raw)
        return self._turn(images), tf.reduce_sum(logs, axis=-1)

    def inverse(self, images: tf.Tensor, conditions: tf.Tensor) -> tf.Tensor:
        """Undo `forward`, the same shapes: a step for each target, in their order."""
        known = [conditions]
        hidden: list[list[tf.Tensor]] = [[] for _ in self.degrees[1:-1]]
        for place, image in enumerate(tf.split(self._turn(images), images.shape[-1], axis=-1)):
            known.append(self.transformer.inverse(image, self._step(place, known, hidden)))
        return self._turn(tf.concat(known[1:], axis=-1))

    def _turn(self, values: tf.Tensor) -> tf.Tensor:
        """Targets in the order of this block, or back."""
        return tf.gather(values, np.arange(values.shape[-1])[::-1], axis=-1) if self.backwards else values

    def _step(self, place: int, known: list[tf.Tensor], hidden: list[list[tf.Tensor]]) -> tf.Tensor:
        """Add the units of a degree to what is known of each hidden layer; the numbers for the target at a place."""
        inputs, new = known, None
        for number, layer in enumerate(hidden):
            fresh = activate(self._part(number, place, inputs))
            new = fresh if new is None else new + fresh
            layer.append(new)
            inputs = layer
        return self._part(len(hidden), place, inputs)

    def _part(self, number: int, degree: int, inputs: list[tf.Tensor]) -> tf.Tensor:
        """What a layer's units of one degree get from the units of no higher degree before it, the bias included."""
        rows = int(np.searchsorted(self.degrees[number], degree, side="right"))
        columns = np.flatnonzero(self.degrees[number + 1] == degree)
        given = tf.concat(inputs, axis=-1)
        kernel = tf.gather(self.conditioner.kernels[number][:rows], columns, axis=1)
        bias = tf.gather(self.conditioner.biases[number], columns)
        return tf.matmul(given, tf.cast(kernel, given.dtype)) + tf.cast(bias, given.dtype)


def masks_of(degrees: list[Degrees]) -> list[Mask]:
    """Which connections there are between layers, as ones and zeros: those from a unit to one of no lower degree.

    A degree is how many targets, from the first in the order, a unit may depend on: 0 for a condition, its place from
    one for a target, the number of targets before its own for an output.
    """
    return [(before[:, None] <= after[None, :]).astype(np.float32) for before, after in pairwise(degrees)]
