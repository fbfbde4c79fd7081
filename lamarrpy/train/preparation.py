"""What is special to a stage: a function in the ``train.py`` beside its recipe, between the data and the training."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import ConfigError, DomainError, InputError, SchemaError, did_you_mean
from lamarrpy.train.recipe import Recipe
from lamarrpy.train.table import Table

SCRIPT = "train.py"

Columns = Mapping[str, NDArray[Any]]
Prepare = Callable[[Columns], Columns]


class Stage(NamedTuple):
    """What a stage's folder ``models/<stage>`` says beside its recipes.

    Attributes
    ----------
    prepare : callable
        From the columns that a recipe reads, and the name of the part, to the columns that it learns from.
    sample : str or None
        The training sample it is about, a folder of ``lamarrpy training-samples``.
    parts : mapping of str to tuple of str
        The models it consists of, and the files of the sample that each learns from.
    """

    prepare: Callable[[Columns, str], Columns]
    sample: str | None
    parts: Mapping[str, tuple[str, ...]]

    def of_part(self, part: str | None) -> Prepare:
        """The preparation of one part.

        Raises
        ------
        ConfigError
            If there is no such part.
        """
        name = part or (next(iter(self.parts)) if len(self.parts) == 1 else "")
        if self.parts and name not in self.parts:
            raise ConfigError(
                f"expected a part out of {', '.join(self.parts)}, got {part!r}{did_you_mean(name, self.parts)}"
            )
        return lambda columns: self.prepare(columns, name)

    def files(self, data: Path, part: str | None) -> list[Path] | None:
        """The files of a folder of training samples that a part learns from; None if ``data`` is something else."""
        folder = data / self.sample if self.sample else data
        if not (self.sample and folder.is_dir()):
            return None
        name = part or next(iter(self.parts))
        files = [folder / f"{file}.parquet" for file in self.parts[name]]
        if absent := [file for file in files if not file.is_file()]:
            raise InputError(
                f"{absent[0]}: no such file; expected a folder of lamarrpy training-samples with"
                f" {self.sample}/{absent[0].name}"
            )
        return files


def stage_of(recipe: Path) -> Stage | None:
    """What the ``train.py`` beside a recipe says; None if there is none.

    It has a function ``prepare(columns, part)``, and for a stage of a pipeline ``SAMPLE`` and ``PARTS``.

    Raises
    ------
    ConfigError
        If there is a ``train.py`` without the function.
    """
    script = recipe.with_name(SCRIPT)
    if not script.is_file():
        return None
    spec = importlib.util.spec_from_file_location(f"lamarrpy_stage_{recipe.resolve().parent.name}", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    prepare: Callable[[Columns, str], Columns] | None = getattr(module, "prepare", None)
    if prepare is None:
        raise ConfigError(f"{script}: expected a function prepare(columns, part) that returns columns, found none")
    return Stage(prepare, getattr(module, "SAMPLE", None), getattr(module, "PARTS", {}))


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
