"""What the commands that train share: recipes and their changes, where the rows are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lamarrpy.errors import ConfigError, InputError

if TYPE_CHECKING:
    from lamarrpy.train.preparation import Prepare
    from lamarrpy.train.recipe import Recipe


class Task(NamedTuple):
    """What a command is to learn from what.

    Attributes
    ----------
    recipe : Recipe
        How.
    prepare : callable or None
        What its stage does to the rows before.
    data : list of Path or Path
        The rows.
    """

    recipe: Recipe
    prepare: Prepare | None
    data: list[Path] | Path


def task_of(name: str, part: str | None, data: Path, changes: Sequence[str] | None) -> Task:
    """The recipe, preparation and files that are meant by a recipe or stage, a part of it, and a place of data.

    Raises
    ------
    ConfigError
        If there is no such recipe or part, or a change cannot be understood.
    InputError
        If there is no such file.
    """
    from lamarrpy.train.preparation import stage_of
    from lamarrpy.train.recipe import find_recipe, read_recipe

    recipe, stage = read_recipe(find_recipe(name, part), changes_of(changes)), stage_of(find_recipe(name))
    if stage is None:
        return Task(recipe, None, rows_of(data, part))
    prepare = stage.of_part(part)
    return Task(recipe, prepare, stage.files(data, part) or rows_of(data, part))


def changes_of(changes: Sequence[str] | None) -> Mapping[str, Any]:
    """``key=value`` pairs, values as YAML.

    Raises
    ------
    ConfigError
        If one is not.
    """
    import yaml

    out = {}
    for change in changes or ():
        key, equals, value = change.partition("=")
        if not equals or not key:
            raise ConfigError(f"expected a change such as training.steps=1000, got {change!r}")
        try:
            out[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"expected a change with a value in YAML, got {change!r}") from None
    return out


def rows_of(data: Path, part: str | None) -> Path:
    """The file of a part, such as a species, in a folder; or what was given.

    Raises
    ------
    InputError
        If there is no such file.
    """
    if part is None or not data.is_dir():
        return data
    path = data / f"{part}.parquet"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in data.glob("*.parquet"))) or "none"
        raise InputError(f"expected {path} for the part {part}, got: no such file; there are {known}")
    return path
