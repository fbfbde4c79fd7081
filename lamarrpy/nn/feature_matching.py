"""Generated rows should excite a hidden layer as real ones do, on average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import keras
import tensorflow as tf

from lamarrpy.errors import ConfigError
from lamarrpy.nn.players import HIDDEN


@dataclass(frozen=True)
class FeatureMatching:
    """A term of a player's loss: the distance of mean activations in the discriminator (arXiv:1606.03498).

    strength * mean over neurons of (E[h(real)] - E[h(generated)])^2. T. Salimans et al. give it to the generator; given
    to the discriminator it keeps that from telling all by one hidden layer, as PIDGAN does.

    Attributes
    ----------
    strength : float
        Factor of the term.
    player : str
        Whose loss it is a part of: ``generator`` or ``discriminator``.
    layer : str
        The hidden layer; `lamarrpy.nn.players.HIDDEN` is the last one, ``dense_0`` and so on the others before their
        activation.
    """

    strength: float = 1.0
    player: Literal["generator", "discriminator"] = "generator"
    layer: str = HIDDEN

    def __post_init__(self) -> None:
        if not 0.0 < self.strength < float("inf"):
            raise ConfigError(f"expected a strength above zero, got {self.strength}")
        if self.player not in ("generator", "discriminator"):
            raise ConfigError(f"expected a player out of generator, discriminator, got {self.player!r}")

    def watched(self, discriminator: keras.Model) -> keras.Model:
        """The discriminator with two outputs: its scores, and the activations of the layer.

        Raises
        ------
        ConfigError
            If it has no such layer.
        """
        names = [layer.name for layer in discriminator.layers]
        if self.layer not in names:
            raise ConfigError(f"expected a layer out of {', '.join(names)}, got {self.layer!r}")
        return keras.Model(discriminator.inputs, [discriminator.output, discriminator.get_layer(self.layer).output])

    def __call__(self, real: tf.Tensor, generated: tf.Tensor, weights: tf.Tensor) -> Any:
        """The term, a scalar, from activations of shape (n, neurons) and weights of shape (n,)."""
        difference = tf.reduce_mean((real - generated) * weights[:, None], axis=0)
        return self.strength * tf.reduce_mean(difference * difference)
