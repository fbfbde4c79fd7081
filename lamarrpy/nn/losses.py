"""What the players of an adversarial game want: losses as functions of the discriminator's outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import tensorflow as tf

from lamarrpy.errors import ConfigError

SMALL = 1e-12
"""Added to squared lengths: the derivative of a length of exactly zero is not a number."""


class Scores(NamedTuple):
    """The discriminator's outputs on rows that share their conditions, each of shape (n, outputs), float32.

    Attributes
    ----------
    real : tf.Tensor
        On the real targets.
    generated : tf.Tensor
        On generated ones.
    second : tf.Tensor or None
        On other generated ones of the same conditions, for losses with ``draws`` = 2.
    """

    real: tf.Tensor
    generated: tf.Tensor
    second: tf.Tensor | None = None


class Loss(Protocol):
    """The two players' losses; weights have shape (n,), and a row of weight 2 counts as two rows."""

    draws: ClassVar[int]
    """Generated rows for each condition."""

    generator_sees_real: ClassVar[bool]
    """Whether the generator's loss needs the outputs on the real rows."""

    @property
    def outputs(self) -> int:
        """Columns of the discriminator's output."""
        ...

    def discriminator(self, scores: Scores, weights: tf.Tensor) -> tf.Tensor:
        """What the discriminator minimises, a scalar."""
        ...

    def generator(self, scores: Scores, weights: tf.Tensor) -> tf.Tensor:
        """What the generator minimises, a scalar."""
        ...

    def critic(self, outputs: tf.Tensor, scores: Scores) -> tf.Tensor:
        """The function whose slope the penalties limit, shape (n,), from outputs on any rows of the same conditions."""
        ...


def weighted_mean(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The mean over rows of weight times value; the weights of a sample have mean one, those of a batch about one.

    Dividing by the batch's own sum of weights instead would make small batches forget their weights.
    """
    return tf.reduce_mean(values * weights)


@dataclass(frozen=True)
class _OneScore:
    """What losses of a single score have in common."""

    draws: ClassVar[int] = 1
    generator_sees_real: ClassVar[bool] = False

    @property
    def outputs(self) -> int:
        """One score."""
        return 1

    def critic(self, outputs: tf.Tensor, scores: Scores) -> tf.Tensor:
        """The score itself, before any sigmoid."""
        return outputs[:, 0]


@dataclass(frozen=True)
class Minimax(_OneScore):
    """The original game for D = sigmoid(score) (I. Goodfellow et al., arXiv:1406.2661).

    The discriminator minimises -log D(real) - log(1 - D(generated)).

    Attributes
    ----------
    form : str
        The generator minimises log(1 - D(generated)) if it is ``minimax``, -log D(generated) if ``non_saturating``.
    """

    form: Literal["minimax", "non_saturating"] = "non_saturating"

    def __post_init__(self) -> None:
        if self.form not in ("minimax", "non_saturating"):
            raise ConfigError(f"expected a generator's form out of minimax, non_saturating, got {self.form!r}")

    def discriminator(self, scores: Scores, weights: tf.Tensor) -> tf.Tensor:
        """-log D(real) - log(1 - D(generated))."""
        return weighted_mean(tf.math.softplus(-scores.real[:, 0]) + tf.math.softplus(scores.generated[:, 0]), weights)

    def generator(self, scores: Scores, weights: tf.Tensor) -> tf.Tensor:
        """In the chosen form."""
        generated = scores.generated[:, 0]
        terms = -tf.math.softplus(generated) if self.form == "minimax" else tf.math.softplus(-generated)
        return weighted_mean(terms, weights)


@dataclass(frozen=True)
class CrossEntropy(_OneScore):
    """Binary cross-entropy with smoothed labels (equations 4.6 and 4.7 of the thesis).

    The label y becomes y (1 - s) + s / 2, in both players' losses: L_D = (BCE(1, D(real)) + BCE(0, D(generated))) / 2,
    L_G = BCE(1, D(generated)).

    Attributes
    ----------
    smoothing : float
        s, within [0, 1).
    """

    smoothing: float = 0.05

    def __post_init__(self) -> None:
        if not 0.0 <= self.smoothing < 1.0:
            raise ConfigError(f"expected a label smoothing within [0, 1), got {self.smoothing}")

    def _entropy(self, label: float, scores: tf.Tensor) -> tf.Tensor:
        smoothed = label * (1.0 - self.smoothing) + self.smoothing / 2.0
        # -y log D - (1 - y) log(1 - D) for D = sigmoid(score), without either logarithm.
        return tf.math.softplus(scores[:, 0]) - smoothed * scores[:, 0]

    def discriminator(self, scores: Scores, weights: tf.Tensor) -> tf.Tensor:
        """Half the cross-entropy of real rows as 1 and generated ones as 0."""
        return 0.5 * weighted_mean(self._entropy(1.0, scores.real) + self._entropy(0.0, scores.generated), weights)

    def generator(self, scores: Scores, weights: tf.Tensor) -> tf.Tensor:
        """The cross-entropy of generated rows as 1."""
        return weighted_mean(self._entropy(1.0, scores.generated), weights)


@dataclass(frozen=True)
class LeastSquares(_OneScore):
    """Squared distances to labels (X. Mao et al., arXiv:1611.04076).

    L_D = ((D(real) - b)^2 + (D(generated) - a)^2) / 2 and L_G = (D(generated) - c)^2 / 2. With b - c = 1 and
    b - a = 2 the generator minimises the Pearson chi2 divergence between (p + q) and 2 q, hence (-1, 1, 0); the 0-1
    labels (0, 1, 1) are the paper's other setting.

    Attributes
    ----------
    a, b, c : float
        Label of generated rows, of real ones, and what the generator wants the discriminator to say.
    """

    a: float = 0.0
    b: float = 1.0
    c: float = 1.0

    def discriminator(self, scores: Scores, weights: tf.Tensor) -> tf.Tensor:
        """Squared distance of real rows to b and generated ones to a."""
        terms = (scores.real[:, 0] - self.b) ** 2 + (scores.generated[:, 0] - self.a) ** 2
        return 0.5 * weighted_mean(terms, weights)

    def generator(self, scores: Scores, weights: tf.Tensor) -> tf.Tensor:
        """Squared distance of generated rows to c."""
        return 0.5 * weighted_mean((scores.generated[:, 0] - self.c) ** 2, weights)


@dataclass(frozen=True)
class Wasserstein(_OneScore):
    """The Wasserstein distance by its dual, for a discriminator of limited slope.

    L_D = D(generated) - D(real), L_G = -D(generated), where a penalty has to limit the slope (M. Arjovsky et al.,
    arXiv:1701.07875).
    """

    def discriminator(self, scores: Scores, weights: tf.Tensor) -> tf.Tensor:
        """Minus the distance found so far."""
        return weighted_mean(scores.generated[:, 0] - scores.real[:, 0], weights)

    def generator(self, scores: Scores, weights: tf.Tensor) -> tf.Tensor:
        """Minus the score of generated rows."""
        return -weighted_mean(scores.generated[:, 0], weights)


@dataclass(frozen=True)
class Energy:
    """The energy distance in a space that the discriminator chooses (M. Bellemare et al., arXiv:1705.10743).

    With the discriminator's outputs h, a real row x and two generated ones g, g' of the same conditions,
    L_G = |h(x) - h(g)| + |h(x) - h(g')| - |h(g) - h(g')|, whose mean has its minimum where both distributions are the
    same; the discriminator maximises f(x) - f(g) with f(y) = |h(y) - h(g')| - |h(y)|, as only one real row is known
    for each condition. The distance is taken row by row, so one row is enough.

    Attributes
    ----------
    outputs : int
        Columns of h.
    """

    outputs: int = 64
    draws: ClassVar[int] = 2
    generator_sees_real: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.outputs < 1:
            raise ConfigError(f"expected at least one output to measure the energy distance in, got {self.outputs}")

    def discriminator(self, scores: Scores, weights: tf.Tensor) -> tf.Tensor:
        """f(g) - f(x)."""
        return weighted_mean(self.critic(scores.generated, scores) - self.critic(scores.real, scores), weights)

    def generator(self, scores: Scores, weights: tf.Tensor) -> tf.Tensor:
        """The energy distance but for the part of real rows alone."""
        real, one, other = scores.real, scores.generated, _second(scores)
        return weighted_mean(length(real - one) + length(real - other) - length(one - other), weights)

    def critic(self, outputs: tf.Tensor, scores: Scores) -> tf.Tensor:
        """f(y) = |h(y) - h(g')| - |h(y)|."""
        return length(outputs - _second(scores)) - length(outputs)


def length(vectors: tf.Tensor) -> tf.Tensor:
    """Euclidean length of each row, shape (n,), with a finite derivative at zero."""
    return tf.sqrt(tf.reduce_sum(vectors * vectors, axis=1) + SMALL)


def _second(scores: Scores) -> tf.Tensor:
    if scores.second is None:
        raise ConfigError("expected two generated rows for each condition for the energy distance, got one")
    return scores.second


LOSSES: dict[str, Callable[..., Any]] = {
    "minimax": Minimax,
    "bce": CrossEntropy,
    "least_squares": LeastSquares,
    "wasserstein": Wasserstein,
    "energy": Energy,
}
"""Losses by name."""
