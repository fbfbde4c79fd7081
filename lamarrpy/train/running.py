"""From a recipe and a file to a model in a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lamarrpy.parameterization.folder import check_replaceable
from lamarrpy.parameterization.manifest import digest
from lamarrpy.parameterization.parameterization import Parameterization
from lamarrpy.train.learned import Watch
from lamarrpy.train.learners import learn, learner
from lamarrpy.train.names import Names, read_named
from lamarrpy.train.preparation import Prepare, prepared
from lamarrpy.train.problem import make_problem
from lamarrpy.train.recipe import Recipe
from lamarrpy.train.saving import save
from lamarrpy.train.table import Table

CHECKPOINTS = ".training"


def checkpoints(folder: Path) -> Path:
    """Where the training of a model leaves its checkpoints: beside the model's folder, until it is done."""
    return folder.with_name(f".{folder.name}{CHECKPOINTS}")


def rows_for(
    recipe: Recipe,
    data: Path | Sequence[Path],
    table: str | None,
    prepare: Prepare | None,
    names: Names | None = None,
) -> Table:
    """The rows that a recipe wants of its data; parameters and errors as for `train`."""
    return prepared(read_named(data, recipe.needed, (recipe.group or "event_id",), table, names), prepare, recipe)


def train(
    recipe: Recipe,
    data: Path | Sequence[Path],
    output: Path,
    tell: Callable[[str, int, int, dict[str, float]], None] | None = None,
    table: str | None = None,
    prepare: Prepare | None = None,
    names: Names | None = None,
) -> Parameterization:
    """Train by a recipe, and write the model; a training that was stopped goes on where it was.

    Parameters
    ----------
    recipe : Recipe
        What is to be learned, and how.
    data : path or sequence of paths
        The table: Parquet, ROOT, SQLite or CSV.
    output : Path
        Folder of the model.
    tell : callable, optional
        Told the phase, the steps done, the steps in all, and the last figures.
    table : str, optional
        Which table, of a file with several.
    prepare : callable, optional
        Makes the columns of the recipe out of those that it reads.
    names : mapping, optional
        Names that columns have in the data.

    Returns
    -------
    Parameterization
        The model as it is opened from the folder.

    Raises
    ------
    ConfigError
        If the recipe asks for something that does not exist.
    InputError, SchemaError, DomainError
        If the data are not what the recipe needs.
    OutputError
        If the folder holds something else.
    """
    learner(recipe.algorithm)  # a wrong name is told before the data are read
    output = output.resolve()
    check_replaceable(output)
    rows = rows_for(recipe, data, table, prepare, names)
    problem = make_problem(recipe, rows)
    watch = Watch(checkpoints(output), _identity(recipe, rows), tell)
    learned = learn(problem, watch)
    model = save(output, problem, learned, watch)
    watch.clean()
    return model


def _identity(recipe: Recipe, rows: Table) -> str:
    """sha256 of a recipe and of every number that is learned from, whichever file or preparation it came from."""
    found = hashlib.sha256(digest(recipe.model_dump(mode="json")).encode())
    for name, values in sorted(rows.columns.items()):
        found.update(f"{name}\0{values.dtype.str}\0{len(values)}\0".encode())
        found.update(np.ascontiguousarray(values).data)
    return found.hexdigest()
