"""What keeps a discriminator from being too steep: clipped weights, gradient and adversarial Lipschitz penalties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import tensorflow as tf

from lamarrpy.errors import ConfigError
from lamarrpy.nn.losses import length, weighted_mean

Critic = Callable[[tf.Tensor], tf.Tensor]
"""Of targets (n, t) under the batch's conditions: the function whose slope is limited, (n,)."""


class Pairs(NamedTuple):
    """Real and generated targets of the same conditions, and what the discriminator says of them.

    Attributes
    ----------
    real, generated : tf.Tensor, shape (n, t)
        The targets, as the discriminator saw them.
    real_value, generated_value : tf.Tensor, shape (n,)
        The critic there.
    weights : tf.Tensor, shape (n,)
        Weight of each pair.
    """

    real: tf.Tensor
    generated: tf.Tensor
    real_value: tf.Tensor
    generated_value: tf.Tensor
    weights: tf.Tensor


class Penalty(Protocol):
    """A term of the discriminator's loss, and what is done to its weights after each update."""

    def __call__(self, critic: Critic, pairs: Pairs, seed: tf.Tensor) -> tf.Tensor:
        """The term, a scalar; seed is int32 of shape (2,)."""
        ...

    def after(self, variables: Sequence[Any]) -> None:
        """Mend the discriminator's trainable variables after an update."""
        ...


@dataclass(frozen=True)
class NoPenalty:
    """Nothing is limited."""

    def __call__(self, critic: Critic, pairs: Pairs, seed: tf.Tensor) -> tf.Tensor:
        """Zero."""
        return tf.zeros(())

    def after(self, variables: Sequence[Any]) -> None:
        """Nothing."""


@dataclass(frozen=True)
class WeightClipping:
    """All weights and biases stay within a range (M. Arjovsky et al., arXiv:1701.07875).

    Attributes
    ----------
    bound : float
        The largest size of a weight. A wide and deep network needs more than the paper's 0.01: weights of about
        1 / sqrt(neurons) pass a signal on, much smaller ones let it die out layer by layer.
    """

    bound: float = 0.01

    def __post_init__(self) -> None:
        _positive(bound=self.bound)

    def __call__(self, critic: Critic, pairs: Pairs, seed: tf.Tensor) -> tf.Tensor:
        """Zero: it acts after the update."""
        return tf.zeros(())

    def after(self, variables: Sequence[Any]) -> None:
        """Clip them."""
        for variable in variables:
            variable.assign(tf.clip_by_value(variable, -self.bound, self.bound))


@dataclass(frozen=True)
class GradientPenalty:
    """The slope between real and generated targets is drawn to one (I. Gulrajani et al., arXiv:1704.00028).

    strength * mean (|grad f(y)| - 1)^2 at y = e * real + (1 - e) * generated with e uniform, where both have the same
    conditions: the gradient is that by the targets, for the distance is one between distributions of these.

    Attributes
    ----------
    strength : float
        Factor of the term.
    sides : int
        2 to penalise every slope but one, 1 to penalise only slopes above one.
    target : float
        The slope wanted.
    """

    strength: float = 10.0
    sides: Literal[1, 2] = 2
    target: float = 1.0

    def __post_init__(self) -> None:
        _positive(strength=self.strength, target=self.target)
        if self.sides not in (1, 2):
            raise ConfigError(f"expected a gradient penalty of 1 or 2 sides, got {self.sides}")

    def __call__(self, critic: Critic, pairs: Pairs, seed: tf.Tensor) -> tf.Tensor:
        """The term."""
        excess = self.slopes(critic, pairs, seed) - self.target
        if self.sides == 1:
            excess = tf.nn.relu(excess)
        return self.strength * weighted_mean(excess * excess, pairs.weights)

    def slopes(self, critic: Critic, pairs: Pairs, seed: tf.Tensor) -> tf.Tensor:
        """Length of the critic's gradient between each real and generated row, shape (n,)."""
        part = tf.random.stateless_uniform((tf.shape(pairs.real)[0], 1), seed)
        between = pairs.generated + part * (pairs.real - pairs.generated)
        return length(_gradient(critic, between))

    def after(self, variables: Sequence[Any]) -> None:
        """Nothing."""


@dataclass(frozen=True)
class AdversarialLipschitzPenalty:
    """The steepest step from a row is kept from being steeper than allowed (D. Terjek, arXiv:1907.05681).

    strength * mean (|f(y) - f(y + r)| / |r| - K)_+^2, where y is a real or a generated row by the toss of a coin, and
    r = radius * d a step in the direction d in which f changes most: a random one, made better by power iteration,
    d <- the direction of grad |f(y) - f(y + reach * d)| (T. Miyato et al., arXiv:1704.03976).

    Attributes
    ----------
    strength : float
        Factor of the term.
    bound : float
        K, the slope allowed.
    iterations : int
        Power iterations.
    reach : float
        How far they look, in standard deviations of the targets.
    shortest, longest : float
        The radius is uniform between these.
    """

    strength: float = 100.0
    bound: float = 1.0
    iterations: int = 1
    reach: float = 1.0
    shortest: float = 0.1
    longest: float = 1.0

    def __post_init__(self) -> None:
        _positive(strength=self.strength, bound=self.bound, reach=self.reach, shortest=self.shortest)
        if self.iterations < 0 or self.longest < self.shortest:
            raise ConfigError(
                "expected iterations >= 0 and longest >= shortest, got"
                f" {self.iterations} iterations from {self.shortest} to {self.longest}"
            )

    def __call__(self, critic: Critic, pairs: Pairs, seed: tf.Tensor) -> tf.Tensor:
        """The term."""
        excess = tf.nn.relu(self.quotients(critic, pairs, seed) - self.bound)
        return self.strength * weighted_mean(excess * excess, pairs.weights)

    def quotients(self, critic: Critic, pairs: Pairs, seed: tf.Tensor) -> tf.Tensor:
        """|f(y) - f(y + r)| / |r| of each row, shape (n,)."""
        coin, radius = _uniforms(tf.shape(pairs.real)[0], seed)
        start = tf.where(coin[:, None] < 0.5, pairs.real, pairs.generated)
        value = tf.where(coin < 0.5, pairs.real_value, pairs.generated_value)
        size = self.shortest + (self.longest - self.shortest) * radius
        step = size[:, None] * self._steepest(critic, tf.stop_gradient(start), tf.stop_gradient(value), seed)
        return tf.abs(value - critic(start + tf.stop_gradient(step))) / size

    def _steepest(self, critic: Critic, start: tf.Tensor, value: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Directions of length one in which the critic changes most."""
        first = tf.random.stateless_normal(tf.shape(start), tf.random.experimental.stateless_fold_in(seed, 1))
        direction = _unit(first, otherwise=first + 1.0)
        for _ in range(self.iterations):
            slope = _gradient(lambda there: tf.abs(value - critic(there)), start + self.reach * direction)
            direction = _unit(slope, otherwise=direction)
        return direction

    def after(self, variables: Sequence[Any]) -> None:
        """Nothing."""


def _gradient(critic: Critic, targets: tf.Tensor) -> tf.Tensor:
    """The gradient of each row's value by its targets, shape (n, t)."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(targets)
        value = critic(targets)
    return tape.gradient(value, targets)


def _unit(vectors: tf.Tensor, otherwise: tf.Tensor) -> tf.Tensor:
    """Rows of length one; where a row is zero, the other one as it is."""
    size = tf.norm(vectors, axis=1, keepdims=True)
    return tf.where(size > 0.0, tf.math.divide_no_nan(vectors, size), otherwise)


def _uniforms(count: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    both = tf.random.stateless_uniform((2, count), seed)
    return both[0], both[1]


def _positive(**numbers: float) -> None:
    for name, number in numbers.items():
        if not 0.0 < number < float("inf"):
            raise ConfigError(f"expected {name} above zero, got {number}")


PENALTIES: dict[str, Callable[..., Any]] = {
    "none": NoPenalty,
    "clip": WeightClipping,
    "gradient": GradientPenalty,
    "adversarial": AdversarialLipschitzPenalty,
}
"""Penalties by name."""
