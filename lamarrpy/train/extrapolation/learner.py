"""Data, equation of motion and initial condition: the losses of the three families, and one learner for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from lamarrpy.errors import ConfigError
from lamarrpy.field import magnetic_field
from lamarrpy.nn.extrapolators.families import GUESS, PATH, SWEEPS, Shape, build
from lamarrpy.nn.extrapolators.fields import tensor_field
from lamarrpy.nn.extrapolators.lorentz import residual
from lamarrpy.nn.extrapolators.tracks import GEV, OUTPUTS, fold
from lamarrpy.propagation.motion import KAPPA
from lamarrpy.train.loop import Batch
from lamarrpy.train.schedules import Descent

FINE = (0.01, 0.01, 1e-5, 1e-5)
"""Units of the RK-PINN's data loss: 10 um and 10 urad, beyond which it grows linearly."""

SOFT = 2.0 * GEV
"""Momentum [MeV] whose bending is one in the physics loss of an RK-PINN."""

FLOOR = 0.1
"""Weight of the force on a straight track there."""


@dataclass(frozen=True)
class Weights:
    """The parts of the loss: L = data L_data + pde L_pde + ic L_ic.

    Attributes
    ----------
    data : float
        Of the difference to the true end.
    pde : float
        Of the difference to the equation of motion.
    ic : float
        Of the difference to the given start.

    Raises
    ------
    ConfigError
        If one is negative, or all are zero.
    """

    data: float = 1.0
    pde: float = 0.0
    ic: float = 0.0

    def __post_init__(self) -> None:
        if min(self.data, self.pde, self.ic) < 0.0 or self.data + self.pde == 0.0:
            raise ConfigError(
                f"expected weights of the loss that are not negative, and one of data and pde above zero, got {self}"
            )


class ExtrapolatorLearner:
    """A neural extrapolator and the optimizer of its loss.

    Parameters
    ----------
    shape : Shape
        How it is made up.
    weights : Weights
        Of the parts of its loss.
    unit : sequence of float
        What counts as one of x, y [mm], tx, ty in the losses of MLP and PINN: the spread of the deviations in a sample.
    descent : Descent
        Optimizer and learning rate.
    points : int
        Points of each track where a PINN's residual is asked for, drawn anew each step.
    network : keras.Model, optional
        One of the same shape that has learned already, in another field say: its weights are the first ones.

    Raises
    ------
    ConfigError
        If the family has nothing to learn.
    """

    def __init__(
        self,
        shape: Shape,
        weights: Weights,
        unit: Sequence[float],
        descent: Descent,
        points: int = 1,
        network: keras.Model | None = None,
    ) -> None:
        if shape.family == "picard":
            raise ConfigError("expected a family that learns (mlp, pinn, rk_pinn), got picard: it has no network")
        self.shape, self.weights, self.points = shape, weights, points
        self._network = build(shape)
        if network is not None:
            self._network.set_weights(network.get_weights())
        self.unit = tf.constant([list(unit)], tf.float32)
        self.optimizer = descent.build(self._network.trainable_variables)
        self._parts = {"mlp": self._mlp, "pinn": self._pinn, "rk_pinn": self._rk_pinn}[shape.family]
        if shape.family == "pinn":
            self._field = tensor_field(magnetic_field(**shape.field))
        if shape.family == "rk_pinn":
            self._guess = keras.Model(self._network.inputs, self._network.get_layer(GUESS).output)

    def step(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """One update on a batch.

        Parameters
        ----------
        batch : Batch
            ``conditions`` are tracks, shape (b, 7); ``targets`` deviations from the straight line at their ends,
            shape (b, 4).
        seed : tf.Tensor of int32, shape (2,)
            Of the points of a PINN.

        Returns
        -------
        dict of str to tf.Tensor
            ``loss``, and its parts ``data``, ``pde``, ``ic`` without their weights.
        """
        variables = self._network.trainable_variables
        with tf.GradientTape() as tape:
            parts = self.losses(batch, seed)
        self.optimizer.apply(tape.gradient(parts["loss"], variables), variables)
        return parts

    def losses(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """The loss of a batch and its parts; parts that the family does not have are zero."""
        zero = tf.zeros(())
        found = {"data": zero, "pde": zero, "ic": zero} | self._parts(batch, seed)
        wanted = self.weights
        loss = wanted.data * found["data"] + wanted.pde * found["pde"] + wanted.ic * found["ic"]
        return {"loss": tf.debugging.check_numerics(loss, "expected a finite loss"), **found}

    def _mlp(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        out = self._network(batch.conditions, training=True)
        differ = (out[:, :OUTPUTS] - batch.targets) / self.unit
        if not self.shape.spread:
            return {"data": tf.reduce_mean(tf.square(differ))}
        # the negative logarithm of a normal density (D. Nix, A. Weigend, ICNN 1994), without its constant
        error = out[:, OUTPUTS:]
        return {"data": tf.reduce_mean(0.5 * tf.square(differ) * tf.exp(-2.0 * error) + error)}

    def _pinn(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        path, tracks = self._network.get_layer(PATH), batch.conditions
        ends = (self._network(tracks, training=True) - batch.targets) / self.unit
        found = {"data": tf.reduce_mean(tf.square(ends))}
        if self.weights.pde:
            many = tf.repeat(tracks, self.points, axis=0)
            part = tf.random.stateless_uniform((tf.shape(many)[0], 1), seed)
            found["pde"] = tf.reduce_mean(tf.square(residual(path, many, part, self._field) / self.unit))
        if self.weights.ic:
            start = path([tracks, tf.zeros_like(tracks[:, :1])], training=True) / self.unit
            found["ic"] = tf.reduce_mean(tf.square(start))
        return found

    def _rk_pinn(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """The guess learns the force that its own sweeps arrive at, node by node: no true track is needed for that.

        The initial condition holds by construction.
        """
        sweeps, start = self._network.get_layer(SWEEPS), fold(batch.conditions, KAPPA)
        guess = tf.transpose(self._guess(batch.conditions, training=True))
        way = sweeps.way(start)
        force = way.swept(guess, sweeps.sweeps)
        found = {}
        if self.weights.data:
            mirror = tf.concat([start.sign_x, start.sign_y, start.sign_x, start.sign_y], axis=0)
            differ = (way.end(force) * mirror - tf.transpose(batch.targets)) / tf.constant(FINE)[:, None]
            found["data"] = tf.reduce_mean(tf.sqrt(1.0 + tf.square(differ)) - 1.0)
        importance = FLOOR + start.bend * (SOFT / KAPPA)
        found["pde"] = tf.reduce_mean(tf.square(importance * (guess - tf.stop_gradient(force))))
        return found

    @property
    def variables(self) -> Sequence[Any]:
        """The network's, then the optimizer's."""
        return [*self._network.variables, *self.optimizer.variables]

    def network(self) -> keras.Model:
        """The extrapolator as it stands."""
        return self._network
