"""A model over a whole file: conditions in, the same rows with its answers out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.errors import DomainError, OutputError, SchemaError, did_you_mean
from lamarrpy.io.inputs import StoredTables, file_format, open_tables
from lamarrpy.io.stored import StoredTable, arrow_array
from lamarrpy.io.target import check_output, writing
from lamarrpy.parameterization.manifest import Manifest
from lamarrpy.parameterization.parameterization import Classifier, Columns, Parameterization, load
from lamarrpy.tables.arrow import to_numpy

IN_DOMAIN = "in_domain"

_CHUNK = 262_144
"""Rows read, answered and written together; an answer does not depend on it."""


class Sampled(NamedTuple):
    """What came of it.

    Attributes
    ----------
    rows, outside : int
        Rows written, and those beyond the training domain.
    rate : float
        Rows a second.
    """

    rows: int
    outside: int
    rate: float


def sample_file(
    model: Path,
    conditions: Path,
    output: Path,
    *,
    seed: int = 0,
    table: str | None = None,
    threads: int = 1,
    overwrite: bool = False,
) -> Sampled:
    """Write a table with the targets of a model behind its own columns, row by row in the same order.

    The numbers of a row depend on the seed and on the number of the row alone.

    Parameters
    ----------
    model : Path
        Folder of a parameterization.
    conditions, output : Path
        A table that has its conditions; a Parquet file.
    seed : int
        Of the draws.
    table : str, optional
        Which table, of a file with several; by default the first that has the conditions.
    threads : int
        Threads at work.
    overwrite : bool
        Whether an output that is there may be replaced. Columns of targets that the table has already are replaced.

    Raises
    ------
    ArtifactError
        If the model is damaged.
    InputError, SchemaError, DomainError
        If the table has not what the model needs.
    OutputError
        If the output cannot be written.
    """
    if file_format(output) != "parquet":
        raise OutputError(f"{output}: expected a .parquet file to write; lamarrpy convert makes others of it")
    check_output(output, overwrite=overwrite)
    opened = load(model)
    started, outside = time.perf_counter(), 0
    with open_tables(conditions) as tables:
        stored = _chosen(tables, table, opened.manifest, conditions)
        with _appending(output) as append:
            for first in range(0, max(stored.rows, 1), _CHUNK):
                rows = stored.slice(first, min(first + _CHUNK, stored.rows), stored.schema.names)
                answered, beyond = _answer(opened, rows, first, seed, threads, conditions)
                append(answered.replace_schema_metadata(stored.schema.metadata))
                outside += beyond
        count = stored.rows
    return Sampled(count, outside, count / max(time.perf_counter() - started, 1e-9))


def _chosen(tables: StoredTables, name: str | None, manifest: Manifest, source: Path) -> StoredTable:
    """The table of that name, or the first that has all conditions."""
    wanted = [condition.name for condition in manifest.conditions]
    lacking = {key: [column for column in wanted if column not in table.schema.names] for key, table in tables.items()}
    chosen = name or min(lacking, key=lambda key: len(lacking[key]))
    stored = tables[chosen]
    if missing := lacking[chosen]:
        there = stored.schema.names
        where = f" in the table {chosen!r}" if len(tables) > 1 else ""
        raise SchemaError(
            f"{source}: expected the conditions {', '.join(wanted)} of model {manifest.name!r}{where};"
            f" missing: {', '.join(missing)}{did_you_mean(missing[0], there)}; it has: {', '.join(there)}"
        )
    return stored


@contextmanager
def _appending(output: Path) -> Iterator[Callable[[pa.Table], None]]:
    """What appends rows to a file that gets the name of the output if all goes well, and is removed if not."""
    partial = output.with_name(f".{output.name}.partial")
    writers: list[pq.ParquetWriter] = []

    def append(rows: pa.Table) -> None:
        with writing(output):
            if not writers:
                output.parent.mkdir(parents=True, exist_ok=True)
                writers.append(pq.ParquetWriter(partial, rows.schema))
            writers[0].write_table(rows)

    try:
        yield append
        with writing(output):
            writers[0].close()
            os.replace(partial, output)
    finally:
        with suppress(OSError):  # that the disk is full, say, has been told by then
            for writer in writers:
                writer.close()
        partial.unlink(missing_ok=True)


def _answer(
    model: Parameterization, rows: pa.Table, first: int, seed: int, threads: int, source: Path
) -> tuple[pa.Table, int]:
    """Some rows with the answers behind them, and how many are beyond the domain."""
    columns = {c.name: _numbers(rows.column(c.name), c.name, source) for c in model.manifest.conditions}
    draws = Draws(seed, "sample").rows(np.arange(first, first + rows.num_rows))
    try:
        answers = model(columns, draws, threads=threads)
    except DomainError as error:
        counted = f" (rows are counted from row {first} on)" if first else ""
        raise DomainError(f"{source}: {error}{counted}") from None
    answers |= _probabilities(model, columns)
    beyond = model.outside(columns)
    units = {target.name: target.unit for target in model.manifest.targets}
    for name, values in (answers | {IN_DOMAIN: ~beyond}).items():
        array = arrow_array(values)
        field = pa.field(name, array.type, metadata={"unit": units[name]} if name in units else None)
        at = rows.schema.get_field_index(name)
        rows = rows.append_column(field, array) if at < 0 else rows.set_column(at, field, array)
    return rows, int(beyond.sum())


def _numbers(column: pa.ChunkedArray, name: str, source: Path) -> NDArray[Any]:
    if not any(is_kind(column.type) for is_kind in (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)):
        raise SchemaError(f"{source}: column {name!r}: expected numbers, got {column.type}")
    if column.null_count:
        raise SchemaError(
            f"{source}: column {name!r}: expected a value in every row, got {column.null_count:,} nulls: choose the"
            " rows for which it is defined"
        )
    return to_numpy(column)


def _probabilities(model: Parameterization, columns: Columns) -> dict[str, NDArray[Any]]:
    """A column for each class of a classifier."""
    if not isinstance(model, Classifier):
        return {}
    (target,), probabilities = model.manifest.targets, model.probabilities(columns).T
    names = [f"{target.name}_probability_{label}" for label in model.manifest.class_names]
    return dict(zip(names, probabilities, strict=True))
