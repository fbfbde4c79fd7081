"""Conditional distributions whose density is known, and that make generators: flows and histograms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import keras
import tensorflow as tf

from lamarrpy.errors import ConfigError


class Density(Protocol):
    """A layer that maps conditions and latents to targets one to one, and knows how dense targets are.

    Attributes
    ----------
    conditions, targets : int
        How many columns there are of each.
    """

    conditions: int
    targets: int

    def log_density(self, targets: tf.Tensor, conditions: tf.Tensor) -> tf.Tensor:
        """The logarithm of the density of targets (n, t) given conditions (n, c), shape (n,)."""
        ...

    def __call__(self, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """The targets (n, t) of conditions (n, c) and standard normal latents (n, t)."""
        ...

    def get_config(self) -> dict[str, Any]:
        """How it was made, as plain data."""
        ...


def generator_of(density: Any) -> keras.Model:
    """A density as a generator: from conditions (n, c) and standard normal latents (n, t) to targets (n, t).

    Parameters
    ----------
    density : Density
        A layer of Keras.

    Returns
    -------
    keras.Model
        With the inputs ``conditions`` and ``latents``, float32, and the weights of the density itself, not copies.
    """
    conditions = keras.Input((density.conditions,), name="conditions")
    latents = keras.Input((density.targets,), name="latents")
    return keras.Model([conditions, latents], density([conditions, latents]), name="generator")


def density_of(generator: keras.Model) -> Any:
    """The density that a generator is made of, sharing its weights.

    Raises
    ------
    ConfigError
        If there is none.
    """
    for layer in generator.layers:
        if hasattr(layer, "log_density"):
            return layer
    raise ConfigError(
        f"expected a generator whose density is known, a flow or histograms, got {generator.name!r}, made of"
        f" {', '.join(type(layer).__name__ for layer in generator.layers)}: choose another score, or train such a one"
    )
