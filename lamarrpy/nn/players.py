"""The networks of the game and of classification: generator, discriminator, referee, classifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from lamarrpy.errors import ConfigError, did_you_mean

HIDDEN = "hidden"
"""Name of a network's last hidden layer, the one whose activations feature matching compares."""

LATENTS = "latents"
"""Name of the input for random numbers."""

ACTIVATIONS: dict[str, Callable[[], Any]] = {
    "leaky_relu": lambda: keras.layers.LeakyReLU(negative_slope=0.1),
    "relu": keras.layers.ReLU,
    "silu": lambda: keras.layers.Activation("silu"),
    "gelu": lambda: keras.layers.Activation("gelu"),
    "elu": lambda: keras.layers.Activation("elu"),
    "softplus": lambda: keras.layers.Activation("softplus"),
    "tanh": lambda: keras.layers.Activation("tanh"),
}
"""Activations of hidden layers by name."""


@dataclass(frozen=True)
class Body:
    """The hidden layers of a network.

    Attributes
    ----------
    widths : tuple of int
        Neurons of each hidden layer: ``(128,) * 5`` is five layers of 128.
    residual : bool
        Whether each layer but the first adds to what comes into it, where both are as wide: y = x + a(W x + b)
        (K. He et al., arXiv:1512.03385).
    activation : str
        One of `ACTIVATIONS`.
    l2 : float
        Strength of the squared kernels in the loss.
    dropout : float
        Part of the neurons left out in training.
    seed : int
        Of the first weights, and of the neurons left out.

    Raises
    ------
    ConfigError
        If a name is unknown, or a number is out of its range.
    """

    widths: tuple[int, ...] = (128,) * 5
    residual: bool = True
    activation: str = "leaky_relu"
    l2: float = 0.0
    dropout: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.widths or min(self.widths) < 1:
            raise ConfigError(f"expected at least one hidden layer, each of at least one neuron, got {self.widths}")
        if self.activation not in ACTIVATIONS:
            raise ConfigError(
                f"expected an activation out of {', '.join(ACTIVATIONS)}, got {self.activation!r}"
                f"{did_you_mean(self.activation, ACTIVATIONS)}"
            )
        if self.l2 < 0.0 or not 0.0 <= self.dropout < 1.0:
            raise ConfigError(f"expected l2 >= 0 and dropout within [0, 1), got {self.l2} and {self.dropout}")

    def __call__(self, inputs: Any, role: str) -> Any:
        """The last hidden layer's output for symbolic inputs; other roles get other first weights."""
        flow = inputs
        for index, width in enumerate(self.widths):
            out = ACTIVATIONS[self.activation]()(self.dense(width, f"dense_{index}", role)(flow))
            if self.dropout:
                out = keras.layers.Dropout(self.dropout, seed=_seed(self.seed, role, f"dropout_{index}"))(out)
            skips = self.residual and index > 0 and flow.shape[-1] == width
            flow = keras.layers.Add()([flow, out]) if skips else out
        return keras.layers.Identity(name=HIDDEN)(flow)

    def dense(self, width: int, name: str, role: str, zero: bool = False) -> Any:
        """A layer of neurons without activation, whose first kernel depends on seed, role and name alone, or is 0."""
        first = keras.initializers.GlorotUniform(seed=_seed(self.seed, role, name))
        return keras.layers.Dense(
            width,
            name=name,
            kernel_initializer="zeros" if zero else first,
            kernel_regularizer=keras.regularizers.L2(self.l2) if self.l2 else None,
        )


def generator(
    conditions: int,
    latents: int,
    targets: int,
    body: Body | None = None,
    shortcut: bool = False,
    name: str = "generator",
) -> keras.Model:
    """A network that turns random numbers into targets, under given conditions.

    Parameters
    ----------
    conditions, latents, targets : int
        How many columns there are of each.
    body : Body, optional
        The hidden layers.
    shortcut : bool
        Whether it only adds to the random numbers, as many as there are targets: t = z + f(c, z). What it adds is
        zero before the first step, so it begins with independent standard normal targets.
    name : str
        Of the model; another one has other first weights.

    Returns
    -------
    keras.Model
        [conditions (n, c), latents (n, l)] to targets (n, t).

    Raises
    ------
    ConfigError
        If there is a shortcut, and not one random number for each target.
    """
    if shortcut and latents != targets:
        raise ConfigError(
            f"expected one latent for each of the {targets} targets of a generator with a shortcut, got {latents}:"
            f" set latents to {targets} or leave the shortcut out"
        )
    body = body or Body()
    given, random = _input(conditions, "conditions"), _input(latents, LATENTS)
    hidden = body(keras.layers.Concatenate()([given, random]), name)
    output = body.dense(targets, "output", name, zero=shortcut)(hidden)
    if shortcut:
        output = keras.layers.Add(name="shortcut")([random, output])
    return keras.Model([given, random], output, name=name)


def discriminator(
    conditions: int,
    targets: int,
    body: Body | None = None,
    auxiliary: Any = None,
    outputs: int = 1,
    name: str = "discriminator",
) -> keras.Model:
    """A network that tells real targets from generated ones, under given conditions.

    Parameters
    ----------
    conditions, targets : int
        How many columns there are of each.
    body : Body, optional
        The hidden layers.
    auxiliary : keras.Layer, optional
        What it is shown besides, as a function of the targets: `lamarrpy.nn.auxiliary.AuxiliaryFeatures`.
    outputs : int
        Columns of its output: one score, or as many as the energy distance is measured in.
    name : str
        Of the model; another one has other first weights.

    Returns
    -------
    keras.Model
        [conditions (n, c), targets (n, t)] to scores (n, outputs) without activation: logits.
    """
    body = body or Body()
    given, shown = _input(conditions, "conditions"), _input(targets, "targets")
    seen = [given, shown] if auxiliary is None else [given, shown, auxiliary(shown)]
    hidden = body(keras.layers.Concatenate()(seen), name)
    return keras.Model([given, shown], body.dense(outputs, "output", name)(hidden), name=name)


def referee(conditions: int, targets: int, body: Body | None = None, auxiliary: Any = None) -> keras.Model:
    """A discriminator that only watches: the same network, with other first weights.

    Parameters
    ----------
    conditions, targets, body, auxiliary
        As those of `discriminator`.

    Returns
    -------
    keras.Model
        [conditions (n, c), targets (n, t)] to a logit (n, 1).
    """
    return discriminator(conditions, targets, body, auxiliary, name="referee")


def classifier(conditions: int, classes: int, body: Body | None = None) -> keras.Model:
    """A network that says how probable each class is.

    Parameters
    ----------
    conditions : int
        How many columns are given.
    classes : int
        How many classes there are; for two there is one output, of the second class.
    body : Body, optional
        The hidden layers.

    Returns
    -------
    keras.Model
        conditions (n, c) to logits (n, 1) for two classes, else (n, classes).

    Raises
    ------
    ConfigError
        If there are fewer than two classes.
    """
    if classes < 2:
        raise ConfigError(f"expected at least two classes, got {classes}")
    body = body or Body()
    given = _input(conditions, "conditions")
    output = body.dense(1 if classes == 2 else classes, "output", "classifier")(body(given, "classifier"))
    return keras.Model(given, output, name="classifier")


def with_probabilities(model: keras.Model) -> keras.Model:
    """The same network with softmax probabilities in the place of logits; weights are shared.

    Parameters
    ----------
    model : keras.Model
        Conditions (n, c) -> logits (n, k), or (n, 1) for two classes.

    Returns
    -------
    keras.Model
        Conditions (n, c) -> probabilities (n, max(2, k)) that sum to one; made of layers of Keras alone.
    """
    conditions = keras.Input(model.input_shape[1:], name="conditions")
    logits = model(conditions)
    if model.output_shape[1] > 1:
        return keras.Model(conditions, keras.layers.Softmax(name="probabilities")(logits))
    # The sigmoid of each sign: 1 - p would lose the small probabilities of the first class.
    yes = keras.layers.Activation("sigmoid")(logits)
    no = keras.layers.Activation("sigmoid")(keras.layers.Rescaling(-1.0)(logits))
    return keras.Model(conditions, keras.layers.Concatenate(name="probabilities")([no, yes]))


def _input(columns: int, name: str) -> Any:
    if columns < 1:
        raise ConfigError(f"expected at least one column of {name}, got {columns}")
    return keras.Input((columns,), name=name)


def _seed(seed: int, role: str, layer: str) -> int:
    """A seed of its own for each layer of each network."""
    words = np.random.SeedSequence([abs(seed), *role.encode(), 0, *layer.encode()]).generate_state(1)
    return int(words[0] >> 1)
