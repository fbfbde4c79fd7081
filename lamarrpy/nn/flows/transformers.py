"""What is done to one target, by name."""

from __future__ import annotations

from typing import Protocol

import tensorflow as tf

from lamarrpy.nn.flows.affine import Affine
from lamarrpy.nn.flows.shape import FlowShape
from lamarrpy.nn.flows.splines import Spline


class Transformer(Protocol):
    """Monotone maps of single values, each said by some numbers; all zeros are the identity."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many numbers of each sort say the map of one value."""
        ...

    def forward(self, values: tf.Tensor, raw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Images and the logarithms of the slopes, both (n, t), of values (n, t) and numbers (n, t * sum(sizes))."""
        ...

    def inverse(self, images: tf.Tensor, raw: tf.Tensor) -> tf.Tensor:
        """Values (n, t) of images (n, t) and numbers as for `forward`."""
        ...


def transformer(shape: FlowShape) -> Transformer:
    """The maps that a flow is made of."""
    return Affine() if shape.kind == "affine" else Spline(shape.bins, shape.bound)
