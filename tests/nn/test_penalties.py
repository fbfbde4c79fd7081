"""Penalties on functions whose slope is known."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from lamarrpy.errors import ConfigError
from lamarrpy.nn.penalties import (
    PENALTIES,
    AdversarialLipschitzPenalty,
    GradientPenalty,
    NoPenalty,
    Pairs,
    WeightClipping,
)

SEED = tf.constant([3, 4])
RNG = np.random.default_rng(11)
ACROSS = tf.constant([[3.0], [4.0]])
"""A linear function along it has the slope 5."""


def _linear(targets: tf.Tensor) -> tf.Tensor:
    return (targets @ ACROSS)[:, 0]


def _cone(targets: tf.Tensor) -> tf.Tensor:
    return 3.0 * tf.norm(targets, axis=1)


def _pairs(critic: Any, rows: int = 64, weights: Any = None, apart: float = 1.0) -> Pairs:
    real, generated = (tf.constant(RNG.normal(size=(rows, 2)) + apart, tf.float32) for _ in range(2))
    weights = tf.ones(rows) if weights is None else tf.constant(weights, tf.float32)
    return Pairs(real, generated, critic(real), critic(generated), weights)


def test_every_penalty_is_named() -> None:
    assert {type(make()) for make in PENALTIES.values()} == {
        NoPenalty,
        WeightClipping,
        GradientPenalty,
        AdversarialLipschitzPenalty,
    }


@pytest.mark.parametrize("critic", [_linear, _cone])
def test_gradient_penalty_of_known_slopes(critic: Any) -> None:
    slope = 5.0 if critic is _linear else 3.0
    penalty = GradientPenalty(strength=10.0)
    pairs = _pairs(critic)
    np.testing.assert_allclose(penalty.slopes(critic, pairs, SEED), np.full(64, slope), rtol=1e-5)
    assert float(penalty(critic, pairs, SEED)) == pytest.approx(10.0 * (slope - 1.0) ** 2, rel=1e-5)


def test_gradient_is_taken_between_the_rows() -> None:
    pairs = _pairs(_linear)
    seen: list[Any] = []

    def spy(targets: tf.Tensor) -> tf.Tensor:
        seen.append(targets)
        return _linear(targets)

    GradientPenalty()(spy, pairs, SEED)
    part = (seen[0] - pairs.generated) / (pairs.real - pairs.generated)
    np.testing.assert_allclose(part[:, 0], part[:, 1], atol=1e-3)
    assert 0.0 <= np.min(part) < 0.1
    assert 0.9 < np.max(part) <= 1.0


@pytest.mark.parametrize(("sides", "flat", "steep"), [(1, 0.0, 40.0), (2, 2.5, 40.0)])
def test_sides_of_the_gradient_penalty(sides: Any, flat: float, steep: float) -> None:
    penalty = GradientPenalty(strength=10.0, sides=sides)
    for factor, expected in ((0.1, flat), (0.6, steep)):

        def critic(targets: tf.Tensor, factor: float = factor) -> tf.Tensor:
            return factor * _linear(targets)

        assert float(penalty(critic, _pairs(critic), SEED)) == pytest.approx(expected, rel=1e-4)


def test_power_iteration_finds_the_steepest_direction() -> None:
    pairs = _pairs(_linear)
    blind = AdversarialLipschitzPenalty(iterations=0).quotients(_linear, pairs, SEED)
    found = AdversarialLipschitzPenalty(iterations=1).quotients(_linear, pairs, SEED)
    np.testing.assert_allclose(found, np.full(64, 5.0), rtol=1e-3)
    assert np.mean(blind) < 4.0


def test_adversarial_penalty_of_a_linear_function() -> None:
    penalty = AdversarialLipschitzPenalty(strength=100.0, bound=2.0)
    assert float(penalty(_linear, _pairs(_linear), SEED)) == pytest.approx(900.0, rel=1e-3)
    assert float(AdversarialLipschitzPenalty(bound=5.1)(_linear, _pairs(_linear), SEED)) == 0.0


def test_adversarial_penalty_looks_at_real_and_generated_rows() -> None:
    # Steep on the right, where the real rows are, flat on the left.
    def critic(targets: tf.Tensor) -> tf.Tensor:
        return 4.0 * tf.nn.relu(targets[:, 0])

    real, generated = (tf.constant([[shift, 0.0]] * 2000, tf.float32) for shift in (5.0, -5.0))
    pairs = Pairs(real, generated, critic(real), critic(generated), tf.ones(2000))
    quotients = np.asarray(AdversarialLipschitzPenalty().quotients(critic, pairs, SEED))
    assert np.mean(quotients > 3.9) == pytest.approx(0.5, abs=0.05)
    assert np.mean(quotients < 0.1) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("make", [GradientPenalty, AdversarialLipschitzPenalty])
def test_weights_and_slopes_of_the_penalty(make: Any) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)])
    model.set_weights([np.random.default_rng(2).normal(size=w.shape) * 2.0 for w in model.get_weights()])

    def critic(targets: tf.Tensor) -> tf.Tensor:
        return model(targets)[:, 0]

    one, none = make(), _pairs(critic, 3, np.zeros(3))
    assert float(one(critic, none, SEED)) == 0.0
    single = _pairs(critic, 1)
    assert float(one(critic, single._replace(weights=tf.constant([2.0])), SEED)) == pytest.approx(
        2.0 * float(one(critic, single, SEED)), rel=1e-5
    )
    with tf.GradientTape() as tape:
        value = one(critic, _pairs(critic, 50), SEED)
    slopes = tape.gradient(value, [w.value for w in model.trainable_variables[:1]])
    assert np.isfinite(slopes[0]).all()
    assert np.abs(slopes[0]).max() > 0.0


def test_constant_function_has_finite_penalties() -> None:
    def critic(targets: tf.Tensor) -> tf.Tensor:
        return 0.0 * targets[:, 0]

    pairs = _pairs(critic)
    assert float(AdversarialLipschitzPenalty()(critic, pairs, SEED)) == 0.0
    assert float(GradientPenalty(1.0)(critic, pairs, SEED)) == pytest.approx(1.0, rel=1e-4)


def test_clipping() -> None:
    variable = keras.Variable(np.array([-3.0, 0.004, 0.5], "f"))
    WeightClipping(0.01).after([variable])
    np.testing.assert_allclose(variable, [-0.01, 0.004, 0.01])


@pytest.mark.parametrize(
    "make",
    [
        lambda: WeightClipping(0.0),
        lambda: GradientPenalty(strength=-1.0),
        lambda: GradientPenalty(sides=3),  # type: ignore[arg-type]
        lambda: AdversarialLipschitzPenalty(shortest=1.0, longest=0.5),
        lambda: AdversarialLipschitzPenalty(bound=float("inf")),
    ],
)
def test_refused(make: Any) -> None:
    with pytest.raises(ConfigError, match="expected"):
        make()
