"""The networks inside a flow: from what is given to the numbers that say what a block does to its targets."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Mask = NDArray[np.float32]


class Conditioner(keras.layers.Layer):  # type: ignore[misc]
    """A network of residual layers, whose last layer begins with zeros: the block around it with the identity.

    ``h = act(W x + b)``, then ``h = h + act(W h + b)`` for each further hidden layer, then ``W h + b``; the activation
    is SiLU.

    Parameters
    ----------
    sizes : tuple of int
        Inputs, units of each hidden layer, outputs.
    seed : int
        Of the first weights.
    masks : list of ndarray of float32, optional
        Which connections there are, ones and zeros, for each layer; all of them if not given.
    """

    def __init__(self, sizes: tuple[int, ...], seed: int, masks: list[Mask] | None = None) -> None:
        super().__init__()
        self.masks = masks
        self.kernels, self.biases = [], []
        last = len(sizes) - 2
        for number, shape in enumerate(pairwise(sizes)):
            first = "zeros" if number == last else keras.initializers.GlorotUniform(seed + number)
            self.kernels.append(self.add_weight(shape=shape, initializer=first, name=f"kernel_{number}"))
            self.biases.append(self.add_weight(shape=shape[1:], initializer="zeros", name=f"bias_{number}"))
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """The outputs for each row.

        Parameters
        ----------
        inputs : tf.Tensor, shape (n, inputs)

        Returns
        -------
        tf.Tensor, shape (n, outputs)
            In the precision of the inputs.
        """
        hidden = inputs
        for number in range(len(self.kernels) - 1):
            new = activate(self._layer(hidden, number))
            hidden = hidden + new if number else new
        return self._layer(hidden, -1)

    def _layer(self, inputs: tf.Tensor, number: int) -> tf.Tensor:
        kernel, bias = (tf.cast(part, inputs.dtype) for part in (self.kernel(number), self.biases[number]))
        return tf.matmul(inputs, kernel) + bias

    def kernel(self, number: int) -> Any:
        """The weights of a layer, with zeros where there is no connection."""
        return self.kernels[number] if self.masks is None else self.kernels[number] * self.masks[number]


def activate(values: tf.Tensor) -> tf.Tensor:
    """What each hidden layer ends with."""
    return tf.nn.silu(values)
