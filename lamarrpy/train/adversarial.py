"""The adversarial game: a generator and a discriminator that learn from each other, and a referee who watches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from lamarrpy.errors import ConfigError
from lamarrpy.nn.algorithms import ALGORITHMS, Algorithm
from lamarrpy.nn.losses import CrossEntropy, Scores
from lamarrpy.nn.penalties import NoPenalty, Pairs, WeightClipping
from lamarrpy.train.averaging import check_decay, follow
from lamarrpy.train.loop import Batch
from lamarrpy.train.schedules import Descent

LATENTS, NOISE, PENALTY = range(3)
"""Streams of a step's random numbers."""


@dataclass(frozen=True)
class Game:
    """How the players learn.

    Attributes
    ----------
    generator, discriminator, referee : Descent
        The optimizer of each; those of the thesis are the default.
    discriminator_steps : int
        Updates of the discriminator, each on other rows, for one of the generator.
    average : float or None
        Decay of a moving average of the generator's weights (`lamarrpy.train.averaging`), near one; None for none.
    noise : float
        Standard deviation of normal noise on all targets, real and generated, that the discriminator sees
        (M. Arjovsky, L. Bottou, arXiv:1701.04862).

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    generator: Descent = field(default_factory=lambda: Descent("rmsprop", 1e-4))
    discriminator: Descent = field(default_factory=lambda: Descent("rmsprop", 2e-4))
    referee: Descent = field(default_factory=lambda: Descent("adam", 1e-3))
    discriminator_steps: int = 1
    average: float | None = None
    noise: float = 0.0

    def __post_init__(self) -> None:
        if self.discriminator_steps < 1 or not 0.0 <= self.noise < float("inf"):
            raise ConfigError(
                f"expected discriminator_steps >= 1 and noise >= 0, got {self.discriminator_steps} and {self.noise}"
            )
        check_decay(self.average)


class _Shown(NamedTuple):
    """What the discriminator is shown in one step, real and generated rows under the same conditions."""

    conditions: tf.Tensor
    real: tf.Tensor
    generated: tuple[tf.Tensor, ...]
    weights: tf.Tensor


class AdversarialLearner:
    """A generator and a discriminator at play: a `lamarrpy.train.loop.Learner`.

    Each row of a batch serves as a real one and, by its conditions, for a generated one (two, for the energy
    distance). Generated rows are drawn once a step and serve the updates of all players; the generator then hears
    what the discriminator says of them after its own update.

    Parameters
    ----------
    generator : keras.Model
        [conditions, latents] to targets; a new one of `lamarrpy.nn.players`, or one that has learned already.
    discriminator : keras.Model
        [conditions, targets] to as many outputs as the loss of the algorithm asks for.
    algorithm : Algorithm, optional
        What they want; BceGAN by default.
    game : Game, optional
        How they learn.
    referee : keras.Model, optional
        [conditions, targets] to a logit: learns by cross-entropy to tell real rows from generated ones, without noise,
        and nobody listens.

    Raises
    ------
    ConfigError
        If the networks do not fit each other or the algorithm.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        algorithm: Algorithm = ALGORITHMS["BceGAN"],
        game: Game | None = None,
        referee: keras.Model | None = None,
    ) -> None:
        self.generator, self.discriminator, self.referee = generator, discriminator, referee
        self.algorithm, self.game = algorithm, game or Game()
        self._check_fit()
        self._latents = generator.inputs[1].shape[-1]
        self._watched = algorithm.matching.watched(discriminator) if algorithm.matching else None
        self._drops = any(isinstance(layer, keras.layers.Dropout) for layer in discriminator.layers)
        self._optimizers = [descent.build(model.trainable_variables) for descent, model in self._players()]
        self._averaged = None
        if self.game.average is not None:
            self._averaged = keras.models.clone_model(generator)
            self._averaged.set_weights(generator.get_weights())

    def _players(self) -> list[tuple[Descent, keras.Model]]:
        players = [(self.game.generator, self.generator), (self.game.discriminator, self.discriminator)]
        return players if self.referee is None else [*players, (self.game.referee, self.referee)]

    def _check_fit(self) -> None:
        for model in (self.generator, self.discriminator, *([self.referee] if self.referee else [])):
            if len(model.inputs) != 2 or len(model.outputs) != 1:
                raise ConfigError(
                    f"{model.name}: expected two inputs and one output, got others: see lamarrpy.nn.players"
                )
        mine = (self.generator.inputs[0].shape[-1], self.generator.output.shape[-1])
        wanted = {self.discriminator: self.algorithm.loss.outputs} | ({self.referee: 1} if self.referee else {})
        for model, outputs in wanted.items():
            found = tuple(tensor.shape[-1] for tensor in model.inputs)
            if found != mine or model.output.shape[-1] != outputs:
                raise ConfigError(
                    f"{model.name}: expected {mine[0]} conditions, {mine[1]} targets and {outputs} outputs, got {found}"
                    f" and {model.output.shape[-1]}: make it for the generator's targets and the algorithm's loss"
                )

    @property
    def variables(self) -> Sequence[Any]:
        """All weights, averages, and what the optimizers remember."""
        models = [model for _, model in self._players()]
        if self._averaged is not None:
            models.append(self._averaged)
        return [variable for owner in (*models, *self._optimizers) for variable in owner.variables]

    def network(self) -> keras.Model:
        """The generator, with averaged weights if they are averaged."""
        return self.generator if self._averaged is None else self._averaged

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def step(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Let each player learn from a batch of any size.

        Parameters
        ----------
        batch : Batch
            The rows.
        seed : tf.Tensor of int32, shape (2,)
            Of the latents, the noise and the penalty.

        Returns
        -------
        dict of str to tf.Tensor
            ``discriminator_loss`` and ``generator_loss``, without penalties; ``penalty`` if there is one;
            ``referee_loss`` and ``referee_auc`` if there is a referee: 0.5 where it cannot tell them apart.
        """
        weights = _values(self.generator.trainable_variables)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            drawn = self._draw(batch.conditions, _stream(seed, LATENTS))
            decay = _regularization(self.generator)
        shown = self._show(batch, drawn, _stream(seed, NOISE))
        figures = self._teach_discriminator(shown, _stream(seed, PENALTY))
        figures["generator_loss"] = self._teach_generator(shown, tape, (*drawn, decay))
        if self.referee is not None:
            figures |= self._teach_referee(self.referee, batch, drawn[0])
        return figures

    def _draw(self, conditions: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Generated targets, as many for each condition as the loss asks for."""
        draws = self.algorithm.loss.draws
        given = tf.concat([conditions] * draws, axis=0)
        latents = tf.random.stateless_normal((tf.shape(given)[0], self._latents), seed)
        return tuple(tf.split(self.generator([given, latents], training=True), draws))

    def _show(self, batch: Batch, drawn: tuple[tf.Tensor, ...], seed: tf.Tensor) -> _Shown:
        """The rows with their noise."""
        targets = [batch.targets, *(tf.stop_gradient(some) for some in drawn)]
        if self.game.noise:
            normal = tf.random.stateless_normal((len(targets), *tf.unstack(tf.shape(batch.targets))), seed)
            targets = [some + self.game.noise * noise for some, noise in zip(targets, tf.unstack(normal), strict=True)]
        return _Shown(batch.conditions, targets[0], tuple(targets[1:]), batch.weights)

    def _judge(self, conditions: tf.Tensor, targets: Sequence[tf.Tensor]) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """The discriminator's outputs on several sets of targets, and its activations if they are matched.

        One pass for each: twice as many rows at once are slower by 5%, as they leave the processor's cache.
        """
        if self._watched is None:
            return [self.discriminator([conditions, some], training=True) for some in targets], []
        both = [self._watched([conditions, some], training=True) for some in targets]
        return [scores for scores, _ in both], [hidden for _, hidden in both]

    def _teach_discriminator(self, shown: _Shown, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        weights = _values(self.discriminator.trainable_variables)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            outputs, hidden = self._judge(shown.conditions, (shown.real, *shown.generated))
            scores = Scores(*outputs)
            loss = self.algorithm.loss.discriminator(scores, shown.weights)
            penalty = self._penalty(shown, scores, seed)
            total = (
                loss + penalty + self._matching("discriminator", hidden, shown) + _regularization(self.discriminator)
            )
        self._optimizers[1].apply(tape.gradient(total, weights), self.discriminator.trainable_variables)
        self.algorithm.penalty.after(self.discriminator.trainable_variables)
        free = isinstance(self.algorithm.penalty, NoPenalty | WeightClipping)
        return {"discriminator_loss": loss} if free else {"discriminator_loss": loss, "penalty": penalty}

    def _penalty(self, shown: _Shown, scores: Scores, seed: tf.Tensor) -> tf.Tensor:
        """The penalty's term, of the discriminator with all its neurons."""

        def critic(targets: tf.Tensor) -> tf.Tensor:
            outputs = self.discriminator([shown.conditions, targets], training=False)
            return self.algorithm.loss.critic(outputs, scores)

        of = self.algorithm.loss.critic
        real, generated = of(scores.real, scores), of(scores.generated, scores)
        if self._drops:
            real, generated = critic(shown.real), critic(shown.generated[0])
        pairs = Pairs(shown.real, shown.generated[0], real, generated, shown.weights)
        return self.algorithm.penalty(critic, pairs, seed)

    def _matching(self, player: str, hidden: list[tf.Tensor], shown: _Shown) -> Any:
        matching = self.algorithm.matching
        if matching is None or matching.player != player:
            return 0.0
        return matching(hidden[0], hidden[1], shown.weights)

    def _teach_generator(self, shown: _Shown, drawing: tf.GradientTape, made: tuple[tf.Tensor, ...]) -> tf.Tensor:
        """Go on from the tape on which the rows were drawn: the loss's slope at each row, then back to the weights."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(shown.generated)
            loss, matching = self._deceive(shown)
            total = loss + matching

        def update() -> tf.Tensor:
            slopes = tape.gradient(total, shown.generated)
            weights = _values(self.generator.trainable_variables)
            gradients = drawing.gradient(made, weights, output_gradients=[*slopes, tf.ones(())])
            self._optimizers[0].apply(gradients, self.generator.trainable_variables)
            if self._averaged is not None and self.game.average is not None:
                updates = self._optimizers[0].iterations
                follow(self._averaged.weights, self.generator.weights, self.game.average, updates)
            return loss

        if self.game.discriminator_steps == 1:
            return update()
        due = self._optimizers[1].iterations % self.game.discriminator_steps == 0
        return tf.cond(due, update, lambda: loss)

    def _deceive(self, shown: _Shown) -> tuple[tf.Tensor, tf.Tensor]:
        """The generator's loss and its term of feature matching."""
        rule, matching = self.algorithm.loss, self.algorithm.matching
        needs_real = rule.generator_sees_real or (matching is not None and matching.player == "generator")
        real = (shown.real,) if needs_real else ()
        outputs, hidden = self._judge(shown.conditions, (*real, *shown.generated))
        scores = Scores(*outputs) if needs_real else Scores(outputs[0], *outputs)
        return rule.generator(scores, shown.weights), self._matching("generator", hidden, shown)

    def _teach_referee(self, referee: keras.Model, batch: Batch, generated: tf.Tensor) -> dict[str, tf.Tensor]:
        """Its figures are those before its update."""
        weights = _values(referee.trainable_variables)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            inputs = [tf.concat([batch.conditions] * 2, 0), tf.concat([batch.targets, tf.stop_gradient(generated)], 0)]
            scores = Scores(*tf.split(referee(inputs, training=True), 2))
            loss = CrossEntropy(0.0).discriminator(scores, batch.weights)
            total = loss + _regularization(referee)
        self._optimizers[2].apply(tape.gradient(total, weights), referee.trainable_variables)
        return {"referee_loss": loss, "referee_auc": two_sample_auc(scores, batch.weights)}


def two_sample_auc(scores: Scores, weights: tf.Tensor) -> tf.Tensor:
    """The probability that a real row gets a higher score than a generated one, ties counting half.

    Parameters
    ----------
    scores : Scores
        Of one column.
    weights : tf.Tensor, shape (n,)
        Of real and generated rows alike; one half comes out if all are zero.

    Returns
    -------
    tf.Tensor
        A scalar within [0, 1].
    """
    order = tf.argsort(scores.generated[:, 0])
    generated = tf.gather(scores.generated[:, 0], order)
    below = tf.concat([tf.zeros((1,)), tf.cumsum(tf.gather(weights, order))], axis=0)
    sides = [tf.gather(below, tf.searchsorted(generated, scores.real[:, 0], side=side)) for side in ("left", "right")]
    won = tf.reduce_sum(weights * (sides[0] + sides[1])) / 2.0
    total = tf.reduce_sum(weights) ** 2
    return tf.where(total > 0.0, tf.math.divide_no_nan(won, total), 0.5)


def _regularization(model: keras.Model) -> tf.Tensor:
    """The sum of squared kernels, as far as they are to stay small."""
    return tf.add_n(model.losses) if model.losses else tf.zeros(())


def _values(variables: Sequence[Any]) -> list[tf.Variable]:
    return [variable.value for variable in variables]


def _stream(seed: tf.Tensor, number: int) -> tf.Tensor:
    return tf.random.experimental.stateless_fold_in(seed, number)
