"""Monotone rational-quadratic splines (Durkan et al., arXiv:1906.04032), many at a time, one for each value."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

LEAST_BIN = 1e-3
"""Width and height below which no bin shrinks, as a share of the whole interval."""

LEAST_SLOPE = 1e-3
"""Slope at a knot below which it never falls."""

_SLOPE_ONE = math.log(math.expm1(1.0 - LEAST_SLOPE))


class Spline:
    """Splines on [-bound, bound] through knots, of slope 1 at both ends; outside, values stay what they are.

    Parameters
    ----------
    bins : int
        Pieces of a spline.
    bound : float
        Where it ends.

    Attributes
    ----------
    sizes : tuple of int
        How many numbers say the spline of one value: logarithms of the widths of its bins, each up to a constant, of
        their heights, then the slopes at the inner knots before a softplus. All zeros are the identity.
    """

    def __init__(self, bins: int, bound: float) -> None:
        self.bins, self.bound = bins, bound
        self.sizes = (bins, bins, bins - 1)

    def forward(self, values: tf.Tensor, raw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """What splines make of values, and the logarithms of their slopes there (equations 4 and 5 of the paper).

        Parameters
        ----------
        values : tf.Tensor, shape (n, t)
        raw : tf.Tensor, shape (n, t * sum(sizes))
            The widths for all values, then their heights, then their slopes.

        Returns
        -------
        tuple of two tf.Tensor, shape (n, t)
        """
        within = tf.clip_by_value(values, -self.bound, self.bound)
        at = self._bin_of(within, raw, searched=0)
        share = (within - at.x) / at.width
        rest = share * (1.0 - share)
        below = at.slope + at.bend * rest
        images = at.y + at.height * (at.slope * share**2 + at.left * rest) / below
        above = at.right * share**2 + 2.0 * at.slope * rest + at.left * (1.0 - share) ** 2
        logs = tf.math.log(above) + 2.0 * tf.math.log(at.slope / below)
        outside = tf.abs(values) >= self.bound
        return tf.where(outside, values, images), tf.where(outside, tf.zeros_like(logs), logs)

    def inverse(self, images: tf.Tensor, raw: tf.Tensor) -> tf.Tensor:
        """The values that splines make images of: the root of a quadratic, in the form without cancellation (eq. 6-8).

        Parameters
        ----------
        images : tf.Tensor, shape (n, t)
        raw : tf.Tensor, shape (n, t * sum(sizes))
            As for `forward`.

        Returns
        -------
        tf.Tensor, shape (n, t)
        """
        within = tf.clip_by_value(images, -self.bound, self.bound)
        at = self._bin_of(within, raw, searched=1)
        rise = (within - at.y) / at.height
        b = at.left - rise * at.bend
        root = tf.sqrt(tf.maximum(b * b + 4.0 * (at.slope - b) * at.slope * rise, 0.0))
        values = at.x + at.width * 2.0 * at.slope * rise / (b + root)
        return tf.where(tf.abs(images) >= self.bound, images, values)

    def _bin_of(self, within: tf.Tensor, raw: tf.Tensor, searched: int) -> _Bin:
        """The bin each value lies in: of widths (searched 0) or heights (1), by counting the inner knots not above."""
        knots, slopes = self._knots(raw)
        inner = tf.stop_gradient(knots[:, searched, :, 1:-1])
        number = tf.reduce_sum(tf.cast(within[..., tf.newaxis] >= inner, tf.int32), axis=-1)
        both = tf.stack([number, number], axis=1)
        corner, opposite = tf.gather(knots, both, batch_dims=3), tf.gather(knots, both + 1, batch_dims=3)
        (x, y), (width, height) = tf.unstack(corner, axis=1), tf.unstack(opposite - corner, axis=1)
        left, right = (
            _softplus(tf.gather(slopes, number + end, batch_dims=2) + _SLOPE_ONE) + LEAST_SLOPE for end in (0, 1)
        )
        return _Bin(x, y, width, height, left, right)

    def _knots(self, raw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Where the knots are, (n, 2, t, bins + 1), ends included, and their slopes before the softplus, one less."""
        count = raw.shape[-1] // sum(self.sizes)
        sizes, slopes = tf.split(raw, [2 * self.bins * count, (self.bins - 1) * count], axis=-1)
        sums, start = (tf.constant(part, raw.dtype) for part in _summation(self.bins, self.bound))
        knots = tf.matmul(tf.nn.softmax(tf.reshape(sizes, (-1, 2, count, self.bins))), sums) + start
        return knots, tf.pad(tf.reshape(slopes, (-1, count, self.bins - 1)), ((0, 0), (0, 0), (1, 1)))


class _Bin(NamedTuple):
    """A bin for each value: its lower left corner, its size, the slopes at its ends; each (n, t)."""

    x: tf.Tensor
    y: tf.Tensor
    width: tf.Tensor
    height: tf.Tensor
    left: tf.Tensor
    right: tf.Tensor

    @property
    def slope(self) -> tf.Tensor:
        """Of the straight line from one end to the other."""
        return self.height / self.width

    @property
    def bend(self) -> tf.Tensor:
        """How much the slopes at the ends, together, exceed it."""
        return self.left + self.right - 2.0 * self.slope


def _softplus(values: tf.Tensor) -> tf.Tensor:
    """``ln(1 + e^x)`` by functions that onnxruntime knows in double precision too."""
    return tf.maximum(values, 0.0) + tf.math.log(1.0 + tf.exp(-tf.abs(values)))


def _summation(bins: int, bound: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What shares of an interval are multiplied by, and what is added, to get the ends of bins that are never empty."""
    least = LEAST_BIN * 2.0 * bound
    sums = np.triu(np.full((bins, bins + 1), 2.0 * bound - bins * least, np.float64), 1)
    return sums, least * np.arange(bins + 1, dtype=np.float64) - bound
