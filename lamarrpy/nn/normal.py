"""The normal distribution in graphs that also run as ONNX: rank of a number, and number of a rank."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

_SMALLEST = 1e-30
"""Of ranks."""

_ABOVE = (
    220.206867912376,
    221.213596169931,
    112.079291497871,
    33.912866078383,
    6.37396220353165,
    0.700383064443688,
    3.52624965998911e-2,
)
_BELOW = (
    440.413735824752,
    793.826512519948,
    637.333633378831,
    296.564248779674,
    86.7807322029461,
    16.064177579207,
    1.75566716318264,
    8.83883476483184e-2,
)
"""Coefficients of numerator and denominator, constant first: J. F. Hart et al., Computer Approximations (1968)."""

_CENTRE = (
    (3.3871327179e0, 5.0434271938e1, 1.5929113202e2, 5.9109374720e1),
    (1.7895169469e1, 7.8757757664e1, 6.7187563600e1),
)
_MIDDLE = ((1.4234372777e0, 2.7568153900e0, 1.3067284816e0, 1.7023821103e-1), (7.3700164250e-1, 1.2021132975e-1))
_TAIL = ((6.6579051150e0, 3.0812263860e0, 4.2868294337e-1, 1.7337203997e-2), (2.4197894225e-1, 1.2258202635e-2))
"""Coefficients of numerators, and of denominators after their leading one: M. J. Wichura, Applied Statistics 37 (1988)
477, algorithm AS 241, PPND7."""


def tail(distance: tf.Tensor) -> tf.Tensor:
    """Probability of a standard normal number below minus some distance, elementwise; small ones to six digits too.

    Formula: algorithm 5666 of J. F. Hart et al., Computer Approximations (1968), in the form of G. West, Wilmott
    magazine, May 2005, 70, for distances from 0 to 7.
    """
    bounded = tf.clip_by_value(distance, 0.0, 7.0)
    return tf.exp(-0.5 * bounded**2) * _polynomial(_ABOVE, bounded) / _polynomial(_BELOW, bounded)


def rank(numbers: tf.Tensor) -> tf.Tensor:
    """Cumulative probability of standard normal numbers, elementwise."""
    below = tail(tf.abs(numbers))
    return tf.where(numbers > 0.0, 1.0 - below, below)


def number(ranks: tf.Tensor) -> tf.Tensor:
    """Standard normal number with a cumulative probability, elementwise, to six digits; best for small ranks.

    Formula: M. J. Wichura, Applied Statistics 37 (1988) 477, algorithm AS 241.
    """
    bounded = tf.clip_by_value(ranks, _SMALLEST, np.nextafter(np.float32(1.0), np.float32(0.0)))
    off = bounded - 0.5
    central = off * _ratio(_CENTRE, 0.180625 - off * off)
    depth = tf.sqrt(-tf.math.log(tf.minimum(bounded, 1.0 - bounded)))
    outer = tf.where(depth <= 5.0, _ratio(_MIDDLE, depth - 1.6), _ratio(_TAIL, depth - 5.0))
    return tf.where(tf.abs(off) <= 0.425, central, tf.sign(off) * outer)


def _ratio(coefficients: tuple[Sequence[float], Sequence[float]], at: tf.Tensor) -> tf.Tensor:
    above, below = coefficients
    return _polynomial(above, at) / _polynomial((1.0, *below), at)


def _polynomial(coefficients: Sequence[float], at: tf.Tensor) -> tf.Tensor:
    value = tf.zeros_like(at)
    for coefficient in reversed(coefficients):
        value = value * at + coefficient
    return value
