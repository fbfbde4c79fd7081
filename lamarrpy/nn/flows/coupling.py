"""Coupling blocks (Dinh et al., arXiv:1605.08803): some targets change, given the others, all at once."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from lamarrpy.nn.flows.conditioner import Conditioner
from lamarrpy.nn.flows.shape import FlowShape
from lamarrpy.nn.flows.transformers import transformer


class Coupling(keras.layers.Layer):  # type: ignore[misc]
    """Changes some targets by what the other ones and the conditions say.

    Parameters
    ----------
    shape : FlowShape
        Of the flow.
    targets, conditions : int
        How many.
    number : int
        Of the block, which says the targets that change (`changed_targets`).
    seed : int
        Of the first weights.
    """

    def __init__(self, shape: FlowShape, targets: int, conditions: int, number: int, seed: int) -> None:
        super().__init__()
        self.changed = changed_targets(targets, number)
        self.kept = tuple(sorted(set(range(targets)) - set(self.changed)))
        self.transformer = transformer(shape)
        outputs = len(self.changed) * sum(self.transformer.sizes)
        hidden = (shape.width,) * shape.layers
        self.conditioner = Conditioner((len(self.kept) + conditions, *hidden, outputs), seed)
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
        kept, changed = self._divide(values)
        images, logs = self.transformer.forward(changed, self._say(kept, conditions))
        return self._join(kept, images), tf.reduce_sum(logs, axis=-1)

    def inverse(self, images: tf.Tensor, conditions: tf.Tensor) -> tf.Tensor:
        """Undo `forward`: the same shapes."""
        kept, changed = self._divide(images)
        return self._join(kept, self.transformer.inverse(changed, self._say(kept, conditions)))

    def _say(self, kept: tf.Tensor, conditions: tf.Tensor) -> tf.Tensor:
        return self.conditioner.call(tf.concat([kept, conditions], axis=-1))

    def _divide(self, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        kept, changed = (np.array(part, np.int32) for part in (self.kept, self.changed))
        return tf.gather(values, kept, axis=-1), tf.gather(values, changed, axis=-1)

    def _join(self, kept: tf.Tensor, changed: tf.Tensor) -> tf.Tensor:
        back = np.argsort(np.array(self.kept + self.changed))
        return tf.gather(tf.concat([kept, changed], axis=-1), back, axis=-1)


def changed_targets(targets: int, number: int) -> tuple[int, ...]:
    """The targets that a block changes: those whose number has a certain bit, then those without it, then the next bit.

    So any two targets are on different sides of some block, after as few blocks as possible (Gao et al.,
    arXiv:2001.05486). One target alone is changed by every block.
    """
    if targets == 1:
        return (0,)
    bits = (targets - 1).bit_length()
    bit, wanted = (number // 2) % bits, 1 - number % 2
    return tuple(i for i in range(targets) if (i >> bit) & 1 == wanted)
