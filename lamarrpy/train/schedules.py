"""How weights go down a loss: optimizers and learning-rate schedules by name, from plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from lamarrpy.errors import ConfigError, did_you_mean

OPTIMIZERS: dict[str, tuple[Callable[..., Any], frozenset[str]]] = {
    "adam": (keras.optimizers.Adam, frozenset({"beta_1", "beta_2", "epsilon", "clipnorm", "global_clipnorm"})),
    "adamw": (
        keras.optimizers.AdamW,
        frozenset({"beta_1", "beta_2", "epsilon", "weight_decay", "clipnorm", "global_clipnorm"}),
    ),
    "rmsprop": (keras.optimizers.RMSprop, frozenset({"rho", "momentum", "epsilon", "clipnorm", "global_clipnorm"})),
    "sgd": (keras.optimizers.SGD, frozenset({"momentum", "clipnorm", "global_clipnorm"})),
}
"""Optimizers by name, and the numbers that each of them knows besides the learning rate."""


@dataclass(frozen=True)
class Descent:
    """An optimizer and its learning rate, as plain numbers: one player's, or one network's.

    Attributes
    ----------
    optimizer : str
        One of `OPTIMIZERS`.
    rate : float
        The learning rate, at its highest.
    schedule : str
        One of `SCHEDULES`: ``constant``; ``cosine``, from zero to the rate in ``warmup`` updates, then along half a
        cosine down to ``last`` times the rate (I. Loshchilov, F. Hutter, arXiv:1608.03983); ``exponential``, times
        ``decay`` every ``steps`` updates, continuously.
    steps : int
        Updates until the cosine ends, those of the warm-up included, or of one exponential decay. A player that is
        updated less often than once a batch counts its own updates.
    warmup : int
        Updates of a cosine's warm-up.
    last : float
        Where a cosine ends, in units of the rate.
    decay : float
        Factor of an exponential decay.
    options : mapping of str to float
        Numbers of the optimizer, such as ``beta_1``, ``weight_decay`` (of kernels, never of biases), ``clipnorm``.

    Raises
    ------
    ConfigError
        If a name is unknown, or a number is out of its range.
    """

    optimizer: str = "adam"
    rate: float = 1e-3
    schedule: str = "constant"
    steps: int = 0
    warmup: int = 0
    last: float = 0.0
    decay: float = 0.1
    options: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _known("an optimizer", self.optimizer, OPTIMIZERS)
        _known("a learning-rate schedule", self.schedule, SCHEDULES)
        for name in self.options:
            _known(f"a number of {self.optimizer}", name, sorted(OPTIMIZERS[self.optimizer][1]))
        if not 0.0 < self.rate < float("inf"):
            raise ConfigError(f"expected a learning rate above zero, got {self.rate}")
        if self.schedule != "constant" and not 0 <= self.warmup < self.steps:
            raise ConfigError(
                f"expected steps of a {self.schedule} schedule, more of them than the warm-up's, got steps"
                f" {self.steps} and warmup {self.warmup}: set steps to the updates that the training has"
            )
        if not (0.0 <= self.last <= 1.0 and 0.0 < self.decay <= 1.0):
            raise ConfigError(
                f"expected last within [0, 1] and decay within (0, 1], got {self.last} and {self.decay}: both are"
                " fractions of the rate"
            )

    def build(self, variables: Sequence[Any]) -> Any:
        """The optimizer of some variables, with all its own variables made: they can be saved and restored at once.

        Parameters
        ----------
        variables : sequence of keras.Variable
            What it will change, always in this order.

        Returns
        -------
        keras.optimizers.Optimizer
            To be used as ``optimizer.apply(gradients, variables)``.
        """
        made = OPTIMIZERS[self.optimizer][0](learning_rate=SCHEDULES[self.schedule](self), **self.options)
        if self.optimizer == "adamw":
            made.exclude_from_weight_decay(var_names=["bias"])
        made.build(list(variables))
        return made


def _constant(descent: Descent) -> float:
    return descent.rate


def _cosine(descent: Descent) -> Any:
    falling = descent.steps - descent.warmup
    if not descent.warmup:
        return keras.optimizers.schedules.CosineDecay(descent.rate, falling, alpha=descent.last)
    return keras.optimizers.schedules.CosineDecay(
        0.0, falling, alpha=descent.last, warmup_target=descent.rate, warmup_steps=descent.warmup
    )


def _exponential(descent: Descent) -> Any:
    return keras.optimizers.schedules.ExponentialDecay(descent.rate, descent.steps, descent.decay)


SCHEDULES: dict[str, Callable[[Descent], Any]] = {
    "constant": _constant,
    "cosine": _cosine,
    "exponential": _exponential,
}
"""Learning-rate schedules by name."""


def _known(what: str, name: object, known: Any) -> None:
    if name not in known:
        raise ConfigError(f"expected {what} out of {', '.join(known)}, got {name!r}{did_you_mean(name, known)}")
