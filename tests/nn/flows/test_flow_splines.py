"""Rational-quadratic splines: through their knots, monotone, smooth, the identity outside, and undone exactly."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from lamarrpy.nn.flows.splines import LEAST_BIN, LEAST_SLOPE, Spline

BOUND = 3.0
SPLINE = Spline(6, BOUND)
NUMBERS = sum(SPLINE.sizes)


def numbers_of(seed, rows, size=1.5, targets=1):
    """Random splines in float64, one for each value."""
    return tf.constant(np.random.default_rng(seed).normal(0.0, size, (rows, targets * NUMBERS)))


def knots_of(raw):
    """Knots of one spline by hand, in NumPy: abscissas, ordinates, slopes."""
    widths, heights, slopes = np.split(np.asarray(raw).ravel(), np.cumsum(SPLINE.sizes)[:2])
    x, y = (
        -BOUND
        + 2 * BOUND * np.cumsum([0.0, *(LEAST_BIN + (1 - LEAST_BIN * len(part)) * np.exp(part) / np.exp(part).sum())])
        for part in (widths, heights)
    )
    inner = LEAST_SLOPE + np.log1p(np.exp(slopes + np.log(np.expm1(1 - LEAST_SLOPE))))
    return x, y, np.array([1.0, *inner, 1.0])


def test_passes_through_its_knots_with_their_slopes():
    raw = numbers_of(0, 1)
    x, y, slopes = knots_of(raw)
    everywhere = tf.repeat(raw, len(x), axis=0)
    images, logs = SPLINE.forward(tf.constant(x[:, None]), everywhere)
    np.testing.assert_allclose(images[:, 0], y, atol=1e-12)
    np.testing.assert_allclose(logs[:, 0], np.log(slopes), atol=1e-10)
    np.testing.assert_allclose(SPLINE.inverse(tf.constant(y[:, None]), everywhere)[:, 0], x, atol=1e-10)


def test_is_the_same_from_both_sides_of_a_knot():
    raw = numbers_of(1, 1)
    x = knots_of(raw)[0]
    for side in (-1e-9, 1e-9):
        images, logs = SPLINE.forward(tf.constant(x[:, None] + side), tf.repeat(raw, len(x), axis=0))
        here, slope = SPLINE.forward(tf.constant(x[:, None]), tf.repeat(raw, len(x), axis=0))
        np.testing.assert_allclose(images, here, atol=1e-7)
        np.testing.assert_allclose(logs, slope, atol=1e-6)


@pytest.mark.parametrize("value", [-1e30, -7.5, -BOUND, BOUND, 3.000001, 1e30])
def test_leaves_alone_what_is_outside(value):
    raw, here = numbers_of(2, 1), tf.constant([[value]], tf.float64)
    images, logs = SPLINE.forward(here, raw)
    assert images.numpy().item() == value
    assert logs.numpy().item() == 0.0
    assert SPLINE.inverse(here, raw).numpy().item() == value


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.floats(0.0, 4.0))
def test_rises_and_is_undone(seed, size):
    values = np.linspace(-1.5 * BOUND, 1.5 * BOUND, 201)[:, None]
    raw = tf.repeat(numbers_of(seed, 1, size), len(values), axis=0)
    images, logs = SPLINE.forward(tf.constant(values), raw)
    assert (np.diff(images, axis=0) > 0.0).all()
    assert np.isfinite(logs).all()
    np.testing.assert_allclose(SPLINE.inverse(images, raw), values, atol=1e-8)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_reports_the_slope_that_autodiff_finds(seed):
    values = tf.constant(np.random.default_rng(seed).normal(0.0, 2.0, (50, 1)))
    raw = numbers_of(seed, 50)
    with tf.GradientTape() as tape:
        tape.watch(values)
        images, logs = SPLINE.forward(values, raw)
    np.testing.assert_allclose(tf.math.log(tape.gradient(images, values)), logs, atol=1e-9)


def test_every_value_has_its_own_spline():
    raw = numbers_of(3, 4, targets=3)
    values = tf.constant(np.random.default_rng(4).uniform(-2.0, 2.0, (4, 3)))
    images, logs = SPLINE.forward(values, raw)
    parts = [np.reshape(part, (4, 3, -1)) for part in np.split(raw.numpy(), 3 * np.cumsum(SPLINE.sizes)[:2], axis=1)]
    for target in range(3):
        own = tf.constant(np.concatenate([part[:, target] for part in parts], axis=1))
        image, log = SPLINE.forward(values[:, target : target + 1], own)
        np.testing.assert_allclose(images[:, target], image[:, 0], atol=1e-12)
        np.testing.assert_allclose(logs[:, target], log[:, 0], atol=1e-12)


def test_zeros_are_the_identity():
    values = tf.constant(np.linspace(-2.9, 2.9, 31)[:, None])
    images, logs = SPLINE.forward(values, tf.zeros((31, NUMBERS), tf.float64))
    np.testing.assert_allclose(images, values, atol=1e-12)
    np.testing.assert_allclose(logs, 0.0, atol=1e-12)


def test_extreme_numbers_stay_finite_in_float32():
    raw = tf.constant(np.random.default_rng(5).normal(0.0, 200.0, (500, NUMBERS)), tf.float32)
    values = tf.constant(np.random.default_rng(6).uniform(-3.5, 3.5, (500, 1)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(raw)
        images, logs = SPLINE.forward(values, raw)
        total = tf.reduce_sum(logs) + tf.reduce_sum(images)
    assert np.isfinite(images).all()
    assert np.isfinite(logs).all()
    assert np.isfinite(tape.gradient(total, raw)).all()
    assert np.isfinite(SPLINE.inverse(values, raw)).all()
