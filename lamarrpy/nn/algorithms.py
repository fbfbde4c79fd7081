"""Adversarial algorithms: a loss, a penalty and feature matching, put together; the well-known ones by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.nn.feature_matching import FeatureMatching
from lamarrpy.nn.losses import LOSSES, CrossEntropy, Energy, LeastSquares, Loss, Minimax, Wasserstein
from lamarrpy.nn.penalties import (
    PENALTIES,
    AdversarialLipschitzPenalty,
    GradientPenalty,
    NoPenalty,
    Penalty,
    WeightClipping,
)


@dataclass(frozen=True)
class Algorithm:
    """What the players of a game want.

    Attributes
    ----------
    loss : Loss
        One of `lamarrpy.nn.losses`.
    penalty : Penalty
        One of `lamarrpy.nn.penalties`.
    matching : FeatureMatching or None
        With any loss.
    """

    loss: Loss
    penalty: Penalty = field(default_factory=NoPenalty)
    matching: FeatureMatching | None = None


ALGORITHMS: dict[str, Algorithm] = {
    "GAN": Algorithm(Minimax()),
    "BceGAN": Algorithm(CrossEntropy()),
    "LSGAN": Algorithm(LeastSquares()),
    "WGAN": Algorithm(Wasserstein(), WeightClipping()),
    # Ten, as in the paper, outweighs distances below one, which are what remains between scaled targets: the critic
    # then keeps its slope and no longer follows the generator.
    "WGAN_GP": Algorithm(Wasserstein(), GradientPenalty(strength=1.0)),
    "CramerGAN": Algorithm(Energy(), GradientPenalty()),
    "WGAN_ALP": Algorithm(Wasserstein(), AdversarialLipschitzPenalty()),
    # One-sided: log-likelihood ratios get flat as the generator gets good, a slope of one would be asked in vain.
    "BceGAN_GP": Algorithm(CrossEntropy(), GradientPenalty(sides=1)),
    "BceGAN_ALP": Algorithm(CrossEntropy(), AdversarialLipschitzPenalty()),
}
"""The algorithms of table 4.5 of the thesis."""


def algorithm(
    name: str,
    loss: Mapping[str, Any] | None = None,
    penalty: Mapping[str, Any] | None = None,
    matching: Mapping[str, Any] | None = None,
) -> Algorithm:
    """An algorithm by name, with some of its numbers or parts changed: what a recipe says.

    Parameters
    ----------
    name : str
        One of `ALGORITHMS`, underscores or hyphens alike.
    loss, penalty : mapping, optional
        Numbers to change, such as ``{"smoothing": 0.1}``; a ``name`` among them takes another loss or penalty instead,
        out of `LOSSES` or `PENALTIES`.
    matching : mapping, optional
        Numbers of the feature matching; there is none without it.

    Raises
    ------
    ConfigError
        If a name is unknown, or a number is out of its range.
    """
    spelled = name.replace("-", "_")
    if spelled not in ALGORITHMS:
        raise ConfigError(
            f"expected an algorithm out of {', '.join(ALGORITHMS)}, got {name!r}{did_you_mean(name, ALGORITHMS)}"
        )
    known = ALGORITHMS[spelled]
    return Algorithm(
        _changed("loss", known.loss, loss or {}, LOSSES),
        _changed("penalty", known.penalty, penalty or {}, PENALTIES),
        None if matching is None else _changed("feature matching", FeatureMatching(), matching, {}),
    )


def _changed(what: str, part: Any, changes: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
    numbers = dict(changes)
    if known and "name" in numbers:
        name = numbers.pop("name")
        if name not in known:
            raise ConfigError(f"expected a {what} out of {', '.join(known)}, got {name!r}{did_you_mean(name, known)}")
        part = known[name]()
    for number in numbers:
        if number not in asdict(part):
            names = ", ".join(asdict(part)) or "none"
            raise ConfigError(
                f"{what}: expected numbers out of {names}, got {number!r}{did_you_mean(number, asdict(part))}"
            )
    try:
        return replace(part, **numbers)
    except TypeError:
        raise ConfigError(f"{what}: expected numbers of the kind that {asdict(part)} has, got {numbers}") from None
