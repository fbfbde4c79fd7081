"""Maximum likelihood: a flow, or histograms, learn to give the rows they are shown the highest density."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from lamarrpy.nn.density import generator_of
from lamarrpy.train.averaging import check_decay, follow
from lamarrpy.train.loop import Batch
from lamarrpy.train.schedules import Descent

CAREFUL = Descent("adam", 1e-3, options={"global_clipnorm": 5.0})
"""How it learns unless told otherwise: no single batch can throw it far."""

_LOST = "expected a finite negative log-likelihood and gradient: learn at a lower rate, or clip gradients"


class LikelihoodLearner:
    """A density and the optimizer of its weighted mean negative logarithm.

    Parameters
    ----------
    density : keras.Layer
        What learns, a `lamarrpy.nn.density.Density`; its weights are changed.
    descent : Descent, optional
        How: optimizer, learning rate, and the norm that gradients are clipped to. By default Adam at a constant 1e-3,
        all gradients together clipped to a norm of 5 (Pascanu et al., arXiv:1211.5063).
    average : float, optional
        Decay of a moving average of the weights (`lamarrpy.train.averaging`), near one, which then are those of
        `network`; None for none.

    Raises
    ------
    ConfigError
        If ``average`` is not between 0 and 1.
    """

    def __init__(self, density: Any, descent: Descent = CAREFUL, average: float | None = None) -> None:
        check_decay(average)
        self.density, self.average = density, average
        self.optimizer = descent.build(density.trainable_variables)
        self.averaged = density if average is None else _copy(density)
        self._network = generator_of(self.averaged)

    def step(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """One update on a batch; it draws no random numbers.

        Parameters
        ----------
        batch : Batch
            At least one row.
        seed : tf.Tensor of int32, shape (2,)
            Not used.

        Returns
        -------
        dict of str to tf.Tensor
            ``nll``, the weighted mean negative log density of the batch before the update.

        Raises
        ------
        tf.errors.InvalidArgumentError
            If it or its gradient is not finite any more, before a weight is changed.
        """
        weights = self.density.trainable_variables
        with tf.GradientTape() as tape:
            log_density = self.density.log_density(batch.targets, batch.conditions)
            nll = -tf.reduce_mean(batch.weights * log_density)
        gradients = tape.gradient(nll, weights)
        checked = [tf.debugging.check_numerics(part, _LOST) for part in (nll, tf.linalg.global_norm(gradients))]
        with tf.control_dependencies(checked):
            self.optimizer.apply(gradients, weights)
        if self.average is not None:
            trained = self.density.trainable_variables
            follow(self.averaged.trainable_variables, trained, self.average, self.optimizer.iterations)
        return {"nll": nll}

    @property
    def variables(self) -> Sequence[Any]:
        """The weights, the optimizer's variables, and the averages if there are any."""
        averages = [] if self.average is None else self.averaged.variables
        return [*self.density.variables, *self.optimizer.variables, *averages]

    def network(self) -> keras.Model:
        """The sampling network as it stands, of averaged weights if they are averaged."""
        return self._network


def _copy(density: Any) -> Any:
    """The same density with weights of its own."""
    copy = type(density).from_config(density.get_config())
    copy.set_weights(density.get_weights())
    return copy
