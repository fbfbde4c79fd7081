"""What is to be learned from what: a recipe, what its stage does to the rows before, and where they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lamarrpy.errors import InputError
from lamarrpy.train.preparation import Prepare, stage_of
from lamarrpy.train.recipe import Recipe, find_recipe, read_recipe


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


def task_of(name: str, part: str | None, data: Path, changes: Mapping[str, Any]) -> Task:
    """The recipe, preparation and files that are meant by a recipe or stage, a part of it, and a place of data.

    Parameters
    ----------
    name : str
        A path, or a stage.
    part : str or None
        Which model of a stage, or which file of a folder.
    data : Path
        Training samples, a folder of files, or a file.
    changes : mapping of str to object
        Values by dotted key of the recipe, in the place of its own.

    Raises
    ------
    ConfigError
        If there is no such recipe or part.
    InputError
        If there is no such file.
    """
    recipe, stage = read_recipe(find_recipe(name, part), changes), stage_of(find_recipe(name))
    if stage is None:
        return Task(recipe, None, _rows_of(data, part))
    prepare = stage.of_part(part)
    return Task(recipe, prepare, stage.files(data, part) or _rows_of(data, part))


def _rows_of(data: Path, part: str | None) -> Path:
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
