"""What a study consists of, as plain keys: samples of tracks, families of networks, experiments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.shipped import find, shipped_files
from lamarrpy.strict import Strict
from lamarrpy.tracks import TrackRecipe, load_track_recipe
from lamarrpy.yaml_file import read_yaml

FAMILIES = ("mlp", "pinn", "rk_pinn")
"""Families of networks."""

PARTS = ("train", "validation", "test")
"""Samples of a set of tracks: to learn from, to keep the best weights by, to measure with."""

MAIN = "main"
"""Name of the set that every study has."""


class Sizes(Strict):
    """How many tracks the samples of a set have."""

    train: int = Field(100_000, ge=2)
    validation: int = Field(5_000, ge=2)
    test: int = Field(20_000, ge=2)


class TrackSet(Strict):
    """Tracks of one kind: three samples of a recipe, with seeds of their own."""

    recipe: str | dict[str, Any] = Field(description="a recipe of tracks: its content, a file, or a shipped one's name")
    changes: dict[str, Any] = Field({}, description="keys of the recipe that are to be others")
    tracks: Sizes | None = Field(None, description="sizes, if others than those of the study")

    def made(self) -> TrackRecipe:
        """The recipe, changed.

        Raises
        ------
        ConfigError
            If it makes no sense.
        """
        recipe = load_track_recipe(self.recipe)
        return load_track_recipe(merged(recipe.as_data(), self.changes)) if self.changes else recipe


class StudyConfig(Strict):
    """A study."""

    name: str = Field(description="what it is called")
    description: str = Field("", description="what it is for")
    tracks: Sizes = Sizes()
    sets: dict[str, TrackSet] = Field(description="tracks by name; 'main' is what most networks learn from")
    families: dict[str, dict[str, Any]] = Field(
        {}, description="what the recipes of mlp, pinn and rk_pinn begin with: architecture, loss, training"
    )
    experiments: dict[str, dict[str, Any]] = Field(
        {}, description="settings of experiments by name; all run unless --only says otherwise"
    )
    without: tuple[str, ...] = Field((), description="names of experiments and jobs that are left out")
    seed: int = Field(1, ge=0, description="of the tracks and of the networks")

    @field_validator("families")
    @classmethod
    def _expect_families(cls, families: dict[str, Any]) -> dict[str, Any]:
        for name in families:
            if name not in FAMILIES:
                raise ValueError(f"expected {', '.join(FAMILIES)}, got {name!r}{did_you_mean(name, FAMILIES)}")
        return families

    @model_validator(mode="after")
    def _expect_main(self) -> Self:
        if MAIN not in self.sets:
            raise ValueError(f"sets: expected one that is called {MAIN!r}, got {', '.join(self.sets) or 'none'}")
        return self

    def sizes(self, name: str) -> Sizes:
        """How many tracks the samples of a set have."""
        return self.sets[name].tracks or self.tracks


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with some keys changed, mappings within it likewise; a part of another ``kind`` is replaced."""
    out = dict(base)
    for key, value in changes.items():
        before = out.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        if both and value.get("kind", before.get("kind")) == before.get("kind"):  # type: ignore[union-attr]
            out[key] = merged(before, value)  # type: ignore[arg-type]
        else:
            out[key] = value
    return out


def shipped_studies() -> dict[str, Path]:
    """The configurations that ship with lamarrpy, by name."""
    return shipped_files("models", "extrapolator", "studies")


def load_study(config: StudyConfig | Mapping[str, Any] | str | Path) -> StudyConfig:
    """Read and check a study's configuration.

    Parameters
    ----------
    config : StudyConfig, mapping, str or Path
        One, its content, a YAML file, or the name of a shipped one.

    Raises
    ------
    ConfigError
        With the path of the key that is wrong.
    """
    if isinstance(config, StudyConfig):
        return config
    where, content = "study", config
    if not isinstance(config, Mapping):
        path = find("study", config, shipped_studies())
        where, content = str(path), read_yaml(path)
        if not isinstance(content, dict):
            raise ConfigError(f"{path}: expected a mapping with the keys of a study, got {type(content).__name__}")
        content = {"name": path.stem, **content}
    try:
        made = StudyConfig.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{where}: {'; '.join(explained(error))}") from None
    for track_set in made.sets.values():
        track_set.made()
    return made


def explained(error: ValidationError) -> list[str]:
    """What is wrong, each with the path of its key."""
    told = []
    for item in error.errors():
        path = ".".join(map(str, item["loc"]))
        message = item["msg"].removeprefix("Value error, ")
        told.append(f"{path}: {message}" if path else message)
    return told
