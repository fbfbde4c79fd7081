"""Weights averaged over the steps of a training: less noise than those of the last step.

An exponential moving average (B. Polyak and A. Juditsky, SIAM J. Control Optim. 30 (1992) 838). After n updates the
weight of the past is at most (1 + n) / (10 + n), so that the first weights are soon forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from lamarrpy.errors import ConfigError

_WARM_UP = 10.0


def check_decay(decay: float | None) -> None:
    """Refuse a weight of the past that is none.

    Raises
    ------
    ConfigError
        If it is not between 0 and 1.
    """
    if decay is not None and not 0.0 < decay < 1.0:
        raise ConfigError(f"expected the decay of an average within (0, 1), got {decay}; 0.999 is usual")


def follow(means: Sequence[Any], weights: Sequence[Any], decay: float, updates: Any) -> None:
    """Move averages a step towards weights.

    Parameters
    ----------
    means, weights : sequence of keras.Variable
        One mean for each of the weights.
    decay : float
        Weight of the past, once there is much of it.
    updates : tf.Tensor or keras.Variable of int, scalar
        How often the weights have been changed, this time included.
    """
    count = tf.cast(tf.convert_to_tensor(updates), tf.float32)
    past = tf.minimum(decay, (1.0 + count) / (_WARM_UP + count))
    for mean, weight in zip(means, weights, strict=True):
        mean.assign(weight + past * (mean - weight))
