"""What is special to a stage: a function in the ``train.py`` beside its recipe, between the data and the training."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import ConfigError, DomainError, SchemaError
from lamarrpy.train.recipe import RECIPE, Recipe
from lamarrpy.train.table import Table

SCRIPT = "train.py"

Columns = Mapping[str, NDArray[Any]]
Prepare = Callable[[Columns], Columns]


def preparation_of(recipe: Path) -> Prepare | None:
    """The function ``prepare`` of the ``train.py`` beside a file ``recipe.yaml``; None if there is none.

    Raises
    ------
    ConfigError
        If there is a ``train.py`` without it.
    """
    script = recipe.with_name(SCRIPT)
    if recipe.name != RECIPE or not script.is_file():
        return None
    spec = importlib.util.spec_from_file_location(f"lamarrpy_stage_{recipe.parent.name}", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    prepare: Prepare | None = getattr(module, "prepare", None)
    if prepare is None:
        raise ConfigError(f"{script}: expected a function prepare(columns) that returns columns, found none")
    return prepare


def prepared(table: Table, prepare: Prepare | None, recipe: Recipe) -> Table:
    """A table as a stage wants it: other columns, or fewer rows.

    Raises
    ------
    SchemaError
        If a column that the recipe needs is not there then, or the columns differ in length.
    DomainError
        If a number in it is not finite.
    """
    columns = {**table.columns} if prepare is None else {n: np.asarray(c) for n, c in prepare(table.columns).items()}
    missing = [name for name in recipe.columns if name not in columns]
    if missing:
        raise SchemaError(
            f"{recipe.name}: expected the columns {', '.join(recipe.columns)}; missing after preparation:"
            f" {', '.join(missing)}; there are: {', '.join(columns)}"
        )
    sizes = {name: len(values) for name, values in columns.items()}
    if len(set(sizes.values())) != 1:
        raise SchemaError(f"{recipe.name}: expected columns of one length after preparation, got {sizes}")
    for name in recipe.columns:
        bad = np.flatnonzero(~np.isfinite(columns[name]))
        if len(bad):
            raise DomainError(
                f"column {name!r}: expected finite numbers, got {len(bad):,} others, the first {columns[name][bad[0]]}"
                f" in row {bad[0]:,}: choose the rows for which it is defined"
            )
    return Table(columns, table.units, table.source)
