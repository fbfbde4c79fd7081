"""What a whole extrapolator is made of: its legs, what they learn from, and what it is tested on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from lamarrpy.errors import ConfigError
from lamarrpy.propagation.neural import Leg, Legs
from lamarrpy.strict import Strict
from lamarrpy.train.extrapolation.recipe import Architecture, Losses, Training
from lamarrpy.yaml_file import read_yaml


class SampleRecipe(Strict):
    """Tracks that a leg learns from."""

    recipe: str | dict[str, Any] = Field(description="a recipe of `lamarrpy tracks`: shipped name, file, or content")
    tracks: int = Field(ge=1, description="how many")
    p: tuple[float, float] | None = Field(None, description="momenta [MeV] in place of the recipe's")


class LegRecipe(Leg):
    """A leg, its network, and what that learns from; nothing, if it has no network."""

    architecture: Architecture
    samples: tuple[SampleRecipe, ...] = ()
    same_as: str | None = Field(None, description="the leg whose weights it takes, for another part of the way")


class ExtrapolatorPlan(Strict):
    """A whole extrapolator."""

    name: str
    description: str
    field: dict[str, Any]
    legs: tuple[LegRecipe, ...] = Field(min_length=1)
    loss: Losses
    training: Training
    tests: dict[str, int] = Field(description="recipes of the tracks that it is tested on, and how many")
    seed: int = 0

    def as_legs(self) -> Legs:
        """What of it the folder needs to know when it runs."""
        names = tuple(Leg.model_fields)
        return Legs(field=self.field, legs=tuple(Leg(**{n: getattr(leg, n) for n in names}) for leg in self.legs))


def read_plan(path: Path, changes: Mapping[str, Any] | None = None) -> ExtrapolatorPlan:
    """The plan of an extrapolator.

    Parameters
    ----------
    path : Path
        A YAML file.
    changes : mapping, optional
        Keys of ``training`` and their values, in place of the file's.

    Raises
    ------
    ConfigError
        If a key is missing, unknown, or has a value that makes no sense.
    """
    content = read_yaml(path)
    try:
        plan = ExtrapolatorPlan.model_validate(content)
        return plan.model_copy(
            update={"training": Training.model_validate(plan.training.model_dump() | dict(changes or {}))}
        )
    except ValidationError as error:
        what = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise ConfigError(f"{path}: {what}") from None
