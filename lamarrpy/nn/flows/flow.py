"""Conditional normalizing flows: from targets to normal latents, given conditions, and back."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.nn.flows.coupling import Coupling
from lamarrpy.nn.flows.masked import Masked
from lamarrpy.nn.flows.shape import FlowShape

BLOCKS: dict[str, type[Coupling] | type[Masked]] = {"coupling": Coupling, "masked": Masked}
"""What a flow is a chain of, by structure."""


@keras.saving.register_keras_serializable(package="lamarrpy")
class Flow(keras.layers.Layer):  # type: ignore[misc]
    """An invertible map between targets and latents for each value of some conditions; at first, the identity.

    The density of targets is the one of independent standard normal latents times the change of volume (Papamakarios
    et al., arXiv:1912.02762). As a layer it maps conditions and latents to targets.

    Parameters
    ----------
    targets, conditions : int
        How many; at least one of each.
    shape : FlowShape or dict
        How it is made up.
    seed : int
        Of the first weights.

    Raises
    ------
    ConfigError
        If there are no targets or no conditions, or the shape does not fit them.
    """

    def __init__(
        self, targets: int, conditions: int, shape: FlowShape | dict[str, Any], seed: int = 0, **base: Any
    ) -> None:
        super().__init__(**base)
        if targets < 1 or conditions < 1:
            raise ConfigError(
                f"expected a flow of at least one target and one condition, got {targets} and {conditions}"
            )
        self.shape = shape if isinstance(shape, FlowShape) else FlowShape(**shape)
        self.targets, self.conditions, self.seed = targets, conditions, seed
        seeds = np.random.SeedSequence(seed).generate_state(self.shape.blocks) >> 8
        block = BLOCKS[self.shape.structure]
        self.chain = [block(self.shape, targets, conditions, i, int(first)) for i, first in enumerate(seeds)]
        self.built = True

    def forward(self, targets: tf.Tensor, conditions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The latents of targets, and the logarithm of the change of volume.

        Parameters
        ----------
        targets : tf.Tensor of float32, shape (n, t)
        conditions : tf.Tensor of float32, shape (n, c)

        Returns
        -------
        latents : tf.Tensor of float32, shape (n, t)
        log_volume : tf.Tensor of float32, shape (n,)
            Logarithm of the determinant of the derivatives of latents by targets.

        Raises
        ------
        DomainError
            If the numbers of columns are not those of this flow.
        """
        self._check(targets, conditions)
        values, log_volume = targets, tf.zeros_like(targets[:, 0])
        for block in self.chain:
            values, more = block.forward(values, conditions)
            log_volume += more
        return values, log_volume

    def inverse(self, latents: tf.Tensor, conditions: tf.Tensor) -> tf.Tensor:
        """The targets that latents stand for: what `forward` does, undone.

        Parameters
        ----------
        latents : tf.Tensor of float32, shape (n, t)
        conditions : tf.Tensor of float32, shape (n, c)

        Returns
        -------
        tf.Tensor of float32, shape (n, t)

        Raises
        ------
        DomainError
            If the numbers of columns are not those of this flow.
        """
        self._check(latents, conditions)
        values = latents
        for block in reversed(self.chain):
            values = block.inverse(values, conditions)
        return values

    def log_density(self, targets: tf.Tensor, conditions: tf.Tensor) -> tf.Tensor:
        """The logarithm of the density of targets given conditions, exact.

        Parameters
        ----------
        targets : tf.Tensor of float32, shape (n, t)
        conditions : tf.Tensor of float32, shape (n, c)

        Returns
        -------
        tf.Tensor of float32, shape (n,)

        Raises
        ------
        DomainError
            If the numbers of columns are not those of this flow.
        """
        latents, log_volume = self.forward(targets, conditions)
        return log_volume - 0.5 * (tf.reduce_sum(latents**2, axis=-1) + self.targets * math.log(2.0 * math.pi))

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        """The targets of conditions (n, c) and latents (n, t).

        In double precision inside: where a map is steep, the rounding of float32, different in each program that adds
        it up, would be seen.
        """
        conditions, latents = (tf.cast(column, tf.float64) for column in inputs)
        return tf.cast(self.inverse(latents, conditions), tf.float32)

    def compute_output_shape(self, shapes: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        """That of the latents."""
        return tuple(shapes[1])

    def get_config(self) -> dict[str, Any]:
        """How it was made, as plain data."""
        config: dict[str, Any] = super().get_config()
        config |= {"targets": self.targets, "conditions": self.conditions, "seed": self.seed}
        return config | {"shape": self.shape.as_json()}

    def _check(self, values: tf.Tensor, conditions: tf.Tensor) -> None:
        got = tuple(values.shape[1:]), tuple(conditions.shape[1:])
        if got != ((self.targets,), (self.conditions,)):
            raise DomainError(
                f"expected {self.targets} targets or latents and {self.conditions} conditions in each row, got arrays"
                f" of shapes {tuple(values.shape)} and {tuple(conditions.shape)}"
            )
