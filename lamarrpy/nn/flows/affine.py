"""Shifts and scales, many at a time, one for each value."""

from __future__ import annotations

import tensorflow as tf

MOST_LOG_SCALE = 6.0
"""Magnitude that the logarithm of a scale does not exceed, so that no row ever overflows."""


class Affine:
    """A scale and a shift of each value.

    Attributes
    ----------
    sizes : tuple of int
        How many numbers say the map of one value: the logarithm of its scale, softly bounded, and the shift. All zeros
        are the identity.
    """

    sizes = (1, 1)

    def forward(self, values: tf.Tensor, raw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Scaled and shifted values, and the logarithms of the scales.

        Parameters
        ----------
        values : tf.Tensor, shape (n, t)
        raw : tf.Tensor, shape (n, 2 * t)
            The scales for all values, then the shifts.

        Returns
        -------
        tuple of two tf.Tensor, shape (n, t)
        """
        log_scale, shift = _parts(raw)
        return values * tf.exp(log_scale) + shift, log_scale

    def inverse(self, images: tf.Tensor, raw: tf.Tensor) -> tf.Tensor:
        """The values that become images: what `forward` does, undone.

        Parameters
        ----------
        images : tf.Tensor, shape (n, t)
        raw : tf.Tensor, shape (n, 2 * t)
            As for `forward`.

        Returns
        -------
        tf.Tensor, shape (n, t)
        """
        log_scale, shift = _parts(raw)
        return (images - shift) * tf.exp(-log_scale)


def _parts(raw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    log_scale, shift = tf.split(raw, 2, axis=-1)
    return MOST_LOG_SCALE * tf.tanh(log_scale / MOST_LOG_SCALE), shift
