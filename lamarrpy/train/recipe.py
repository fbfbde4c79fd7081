"""Recipes: what is to be learned from which columns, and how, as a YAML file says it."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import yaml
from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.shipped import find, shipped
from lamarrpy.strict import Strict
from lamarrpy.yaml_file import read_yaml

RECIPE = "recipe.yaml"

_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


def _with_numbers(options: Any) -> Any:
    """Options in which 1e-3 is a number, which it is not in YAML."""
    if not isinstance(options, Mapping):
        return options
    return {key: float(n) if isinstance(n, str) and _EXPONENT.fullmatch(n) else n for key, n in options.items()}


Options = Annotated[dict[str, Any], BeforeValidator(_with_numbers)]


class ConditionRecipe(Strict):
    """A column that is given."""

    transform: Any = Field(None, description="what the network sees: a kind of transform, a list, or a mapping")
    unit: str = Field("", description="its unit, if the data do not say")


class TargetRecipe(Strict):
    """A column that is to be learned."""

    unit: str = Field("", description="its unit, if the data do not say")
    integer: bool | None = Field(None, description="whole numbers only; columns of integers are, if left out")
    masses: Literal["auto", "all"] | tuple[float, ...] = Field(
        "auto", description="values of finite probability, reproduced exactly: auto finds those of 1 % of the rows"
    )
    low: float | None = Field(None, description="bound that no value is below")
    high: float | None = Field(None, description="bound that no value is above")


class Layers(NamedTuple):
    """Hidden layers of a network, nothing left out."""

    layers: int
    width: int
    activation: str
    residual: bool = True
    dropout: float = 0.0
    l2: float = 0.0
    latents: int = 0


class Schedule(NamedTuple):
    """How long and how fast something is trained, nothing left out."""

    steps: int
    batch: int
    rate: float
    optimizer: str = "adam"
    patience: int | None = None
    score: str | None = None


class NetworkRecipe(Strict):
    """Hidden layers of a network; what is left out is as usual for the algorithm."""

    layers: int | None = Field(None, ge=1, le=64)
    width: int | None = Field(None, ge=1, le=8192)
    residual: bool | None = None
    activation: str | None = None
    latents: int | None = Field(
        None, ge=1, le=1024, description="random numbers of a generator; one a target if left out"
    )
    dropout: float | None = Field(None, ge=0.0, lt=1.0)
    l2: float | None = Field(None, ge=0.0)

    def over(self, usual: Layers) -> Layers:
        """The usual layers, but for what the recipe says."""
        return usual._replace(**self.model_dump(exclude_none=True))


class TrainingRecipe(Strict):
    """How long, and how fast; what is left out is as usual for the algorithm."""

    steps: int | None = Field(None, ge=1, description="batches")
    batch: int | None = Field(None, ge=1, description="rows of a batch")
    rate: float | None = Field(None, gt=0.0, description="learning rate; of the generator in adversarial learning")
    optimizer: str | None = None
    patience: int | None = Field(None, ge=1, description="evaluations without progress after which it ends")
    score: str | None = Field(None, description="by which the best weights are kept, of `lamarrpy.train.scores`")

    def over(self, usual: Schedule) -> Schedule:
        """The usual training, but for what the recipe says."""
        return usual._replace(**self.model_dump(exclude_none=True))


class AdversarialRecipe(Strict):
    """The game of generator and discriminator; also what a student may be tuned by in the end."""

    loss: Options = Field({}, description="numbers of the loss, or another by name")
    penalty: Options = Field({}, description="numbers of the penalty, or another by name")
    matching: Options | None = Field(None, description="feature matching, if any")
    noise: float = Field(0.0, ge=0.0, description="width of the noise that the discriminator sees targets with")
    discriminator: NetworkRecipe = NetworkRecipe()
    discriminator_rate: float | None = Field(None, gt=0.0)
    discriminator_steps: int = Field(1, ge=1)
    average: float | None = Field(None, ge=0.0, lt=1.0, description="of the generator's weights over steps")
    referee: bool = True


class TeacherRecipe(Strict):
    """Whom a student learns from."""

    algorithm: str = "autoregressive"
    network: NetworkRecipe = NetworkRecipe()
    training: TrainingRecipe = TrainingRecipe()
    options: Options = Field({}, description="further numbers of its algorithm")
    pairs: int = Field(1_500_000, ge=1, description="answers that it gives")


class TuningRecipe(Strict):
    """Adversarial tuning of a student that has learned."""

    algorithm: str = "BceGAN"
    training: TrainingRecipe = TrainingRecipe()
    adversarial: AdversarialRecipe = AdversarialRecipe()


class SearchRecipe(Strict):
    """Where tuning looks for a value of the recipe: among choices, or in a range."""

    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    log: bool = Field(False, description="whether the logarithm is even over the range")
    integer: bool = False

    @model_validator(mode="after")
    def _check(self) -> SearchRecipe:
        ranged = self.low is not None and self.high is not None
        if ranged == bool(self.choices):
            raise ValueError("expected either choices, or low and high")
        if ranged and not (self.low < self.high and (self.low > 0.0 or not self.log)):  # type: ignore[operator]
            raise ValueError(f"expected low < high, and low > 0 with log, got {self.low} and {self.high}")
        return self


class Recipe(Strict):
    """What is to be learned, and how.

    A condition may be given as a transform alone (``p: log``), a list of columns stands for those with nothing said.
    """

    name: str = Field("model", min_length=1)
    description: str = ""
    conditions: dict[str, ConditionRecipe] = Field(min_length=1)
    targets: dict[str, TargetRecipe] = Field(min_length=1)
    reads: tuple[str, ...] = Field(
        (), description="columns of the data, if a train.py makes those of the recipe of them"
    )
    weight: str | None = Field(None, description="column of the weight of each row")
    group: str | None = Field(None, description="column of rows that stay together; event_id if the data have it")
    algorithm: str = "distilled"
    network: NetworkRecipe = NetworkRecipe()
    training: TrainingRecipe = TrainingRecipe()
    adversarial: AdversarialRecipe = AdversarialRecipe()
    teacher: TeacherRecipe = TeacherRecipe()
    tuning: TuningRecipe | None = None
    options: Options = Field({}, description="further numbers of the algorithm")
    auxiliary: tuple[str, ...] = Field((), description="formulas of targets that a discriminator sees too")
    score_bins: tuple[str, ...] = Field((), description="conditions in whose bins scores are taken; all, if empty")
    search: dict[str, SearchRecipe] = Field({}, description="what tuning may change, by dotted key of the recipe")
    seed: int = Field(0, ge=0)
    split: tuple[float, float, float] = (0.5, 0.1, 0.4)

    @field_validator("conditions", "targets", mode="before")
    @classmethod
    def _spell_out(cls, columns: Any) -> Any:
        return _columns(columns)

    @model_validator(mode="after")
    def _check(self) -> Recipe:
        if twice := sorted(set(self.conditions) & set(self.targets)):
            raise ValueError(f"expected different columns as conditions and targets, got {', '.join(twice)} as both")
        if min(self.split) < 0.0 or not 0.0 < sum(self.split) <= 1.0 + 1e-9 or self.split[0] <= 0.0:
            raise ValueError(f"expected shares of training, validation and test rows up to 1, got {self.split}")
        for name in self.score_bins:
            if name not in self.conditions:
                raise ValueError(f"score_bins: expected conditions, got {name!r}{did_you_mean(name, self.conditions)}")
        return self

    @property
    def needed(self) -> tuple[str, ...]:
        """Every column that the data must have."""
        return self.reads or self.columns

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is learned from."""
        extra = [name for name in (self.weight, self.group) if name]
        return tuple(dict.fromkeys([*self.conditions, *self.targets, *extra]))


def _columns(columns: Any) -> Any:
    """Columns by name, from a list or a mapping of them."""
    if isinstance(columns, list):
        each = [item if isinstance(item, Mapping) else {str(item): None} for item in columns]
        columns = {name: content for item in each for name, content in item.items()}
    if not isinstance(columns, Mapping):
        return columns
    return {name: _column(content) for name, content in columns.items()}


def _column(content: Any) -> Any:
    """A column with nothing said, or a transform alone, spelled out."""
    if content is None:
        return {}
    return {"transform": content} if isinstance(content, str | list) else content


def read_recipe(path: Path, changes: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe in a YAML file.

    Parameters
    ----------
    path : Path
        The file.
    changes : mapping, optional
        Values by dotted key, such as ``{"training.steps": 100}``, in the place of those of the file.

    Raises
    ------
    ConfigError
        If the file is not a recipe.
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a recipe with conditions and targets, got {type(content).__name__}")
    content.setdefault("name", path.resolve().parent.name if path.name == RECIPE else path.stem)
    content |= {part: _columns(content[part]) for part in ("conditions", "targets") if part in content}
    return make_recipe(changed(content, changes or {}), str(path))


def changed(content: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data of a recipe with other values at some dotted keys.

    Raises
    ------
    ConfigError
        If a key goes through a value.
    """
    out = copy.deepcopy(dict(content))
    for key, value in changes.items():
        _set(out, key, value)
    return out


def make_recipe(content: Mapping[str, Any], where: str = "recipe") -> Recipe:
    """A recipe from plain data.

    Raises
    ------
    ConfigError
        If a key or a value is not one of a recipe, with the place.
    """
    try:
        return Recipe.model_validate(dict(content))
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()
        )
        raise ConfigError(f"{where}: expected a recipe, got: {found}") from None


def find_recipe(name: str, part: str | None = None) -> Path:
    """The recipe that is meant by a path, or by the name of a stage: ``models/<stage>/recipe.yaml``.

    Parameters
    ----------
    name : str
        A path, or a stage.
    part : str, optional
        Takes ``recipe_<part>.yaml`` of the stage where there is one, or else the one of the longest ending of its name:
        ``recipe_is_muon.yaml`` for ``kaon_is_muon``.

    Raises
    ------
    ConfigError
        If there is none.
    """
    known = {path.parent.name: path for path in sorted(shipped("models").glob(f"*/{RECIPE}"))}
    path = find("recipe", name, known)
    words = part.split("_") if part else []
    own = [path.with_stem("_".join([path.stem, *words[first:]])) for first in range(len(words))]
    return next((recipe for recipe in own if recipe.is_file()), path)


def as_yaml(recipe: Recipe) -> str:
    """The recipe as YAML, without what is as usual."""
    content = {"name": recipe.name} | recipe.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(content, sort_keys=False)


def checked_options(algorithm: str, options: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an algorithm, once each is known to be one of the usual ones, and of its kind.

    Raises
    ------
    ConfigError
        If one is not.
    """
    for name, value in options.items():
        if name not in usual:
            known = f"options out of {', '.join(usual)}" if usual else "no options"
            raise ConfigError(f"{algorithm}: expected {known}, got {name!r}{did_you_mean(name, usual)}")
        kind = type(usual[name])
        number = not isinstance(value, bool) and isinstance(value, int | float if kind is float else kind)
        if not number and type(value) is not kind:
            raise ConfigError(f"{algorithm}: expected {name} as {kind.__name__} such as {usual[name]!r}, got {value!r}")
    return dict(options)


def _set(content: dict[str, Any], key: str, value: Any) -> None:
    *outer, last = key.split(".")
    for name in outer:
        content = content.setdefault(name, {})
        if not isinstance(content, dict):
            raise ConfigError(f"expected a key of a recipe such as training.steps, got {key!r}: {name} holds no keys")
    content[last] = value
