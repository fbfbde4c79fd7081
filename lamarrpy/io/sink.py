"""Sinks: where batches go, chunk by chunk, to appear under their name only when they are complete."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import pyarrow as pa

from lamarrpy.errors import OutputError
from lamarrpy.io.inputs import file_format
from lamarrpy.io.naming import Naming, from_canonical
from lamarrpy.io.target import check_output, check_table_count, place, writing
from lamarrpy.processes import is_running
from lamarrpy.tables import EventBatch

Selection = Mapping[str, Sequence[str] | None]
"""The tables to write, and their columns; None stands for all columns."""

_FLUSH_ROWS = 1 << 16
"""Smaller batches wait until there are so many rows: tiny row groups are slow to write and to read."""


class TableWriter(Protocol):
    """What a format does: append rows to tables of one output, then finish it.

    What the system says against writing (no space, no permission) is an OSError.
    """

    def write(self, table: str, data: pa.Table) -> None:
        """Append rows, the same columns each time."""

    def close(self) -> None:
        """Finish the output."""


class Sink:
    """An output under way, made by `open_sink`.

    A context manager: when it is left without an exception, the output gets its name; with one,
    nothing stays behind.

    Parameters
    ----------
    path : Path
        The output.
    provenance : mapping
        How the output is made; anything JSON can say.
    naming : {"lhcb"} or None
        Names of columns.
    tables : mapping of str to sequence of str or None
        The tables to write and their columns, in this order; all of the first batch by default.
    rntuple : bool
        RNTuples instead of TTrees in a ROOT file.
    """

    def __init__(
        self, path: Path, provenance: Mapping[str, Any], naming: Naming | None, tables: Selection | None, rntuple: bool
    ) -> None:
        self.path = path
        self._naming, self._tables = naming, None if tables is None else dict(tables)
        self._partial = path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}.partial")
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _remove_stale(path)
            self._writer = _writer(file_format(path), self._partial, json.dumps(provenance), rntuple)
        self._closed = False
        self._schemas: dict[str, pa.Schema] = {}
        self._waiting: dict[str, list[pa.Table]] = {}

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables it writes; none before the first batch."""
        return tuple(self._schemas)

    def append(self, batch: EventBatch) -> None:
        """Add the rows of a batch; its tables and columns must be those of the first one.

        Raises
        ------
        OutputError
            If a table or column is missing, the format cannot hold what is asked for, or there is
            no space left.
        """
        if not self._schemas:
            self._begin(batch)
        for table, schema in self._schemas.items():
            data = _select(batch, table, schema)
            self._waiting[table].append(data)
            if sum(len(rows) for rows in self._waiting[table]) >= _FLUSH_ROWS:
                self._flush(table)

    def _begin(self, batch: EventBatch) -> None:
        """Fix tables and columns by the first batch."""
        selection = self._tables if self._tables is not None else dict.fromkeys(batch)
        for table, columns in selection.items():
            if table not in batch:
                raise OutputError(f"{self.path}: expected a table {table!r}, the run has: {', '.join(batch)}")
            schema = batch[table].schema
            names = schema.names if columns is None else columns
            self._schemas[table] = pa.schema([_field(schema, table, name) for name in names])
            self._waiting[table] = []
        check_table_count(self.path, self._schemas)

    def _flush(self, table: str) -> None:
        """Write the rows of a table that wait, if any do."""
        if not self._waiting[table]:
            return
        schema = self._schemas[table]
        data = pa.concat_tables(self._waiting[table]).combine_chunks()
        self._waiting[table] = []
        names = from_canonical(table, schema.names, self._naming)
        with writing(self.path):
            self._writer.write(table, data.rename_columns(names))

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._commit()
        finally:
            self.abandon()

    def _commit(self) -> None:
        if not self._schemas:
            raise OutputError(f"{self.path}: expected at least one batch to write, got none")
        for table in self._schemas:
            self._flush(table)
        with writing(self.path):
            self._writer.close()
            self._closed = True
            place(self._partial, self.path)

    def abandon(self) -> None:
        """Remove what was written so far, unless it has got its name."""
        if not self._closed:
            self._closed = True
            with suppress(Exception):  # what cannot be finished is thrown away all the same
                self._writer.close()
        with suppress(OSError):  # the next sink of the same output tries again
            _remove(self._partial)


def open_sink(
    path: str | Path,
    *,
    provenance: Mapping[str, Any],
    naming: Naming | None = None,
    tables: Selection | None = None,
    rntuple: bool = False,
    overwrite: bool = False,
) -> Sink:
    """Open an output; the format is chosen by the suffix.

    Parameters
    ----------
    path : path
        No known suffix: a folder, with one Parquet file a table. ``.root``: one TTree or RNTuple a
        table, null as -1000. ``.db``, ``.sqlite``: one SQL table a table. ``.parquet``, ``.csv``: one
        table.
    provenance : mapping
        How the output is made, kept as JSON in the metadata of Parquet files, a TObjString or an
        SQL table; CSV has no place for it.
    naming : {"lhcb"}, optional
        LHCb ntuple names for columns.
    tables : mapping of str to sequence of str or None, optional
        The tables to write and their columns (None for all).
    rntuple : bool
        RNTuples instead of TTrees in a ROOT file.
    overwrite : bool
        Replace an output that is there, once this one is complete. From a folder, the tables and the
        record of an earlier run go; other files stay.

    Returns
    -------
    Sink
        A context manager; ``append`` it the batches.

    Raises
    ------
    OutputError
        As `check_output` raises it, before anything is made.
    """
    where = Path(path)
    if rntuple and file_format(where) != "root":
        raise OutputError(f"{where}: only a .root file can hold RNTuples")
    check_output(path, tables or (), overwrite=overwrite)
    return Sink(where.absolute(), provenance, naming, tables, rntuple)


def _writer(kind: str | None, path: Path, provenance: str, rntuple: bool) -> TableWriter:
    """The writer of a format; libraries are imported when they are needed."""
    if kind in (None, "parquet"):
        from lamarrpy.io.parquet import ParquetWriter

        return ParquetWriter(path, provenance, one_file=kind is not None)
    if kind == "root":
        from lamarrpy.io.root import RootWriter

        return RootWriter(path, provenance, rntuple)
    if kind == "sqlite":
        from lamarrpy.io.sqlite import SQLiteWriter

        return SQLiteWriter(path, provenance)
    from lamarrpy.io.csv import CSVWriter

    return CSVWriter(path)


def _field(schema: pa.Schema, table: str, column: str) -> pa.Field:
    if column not in schema.names:
        close = get_close_matches(column, schema.names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise OutputError(f"table {table!r} has no column {column!r} to write; it has: {', '.join(schema.names)}{hint}")
    return schema.field(column)


def _select(batch: EventBatch, table: str, schema: pa.Schema) -> pa.Table:
    if table not in batch or any(name not in batch[table].column_names for name in schema.names):
        raise OutputError(
            f"table {table!r}: expected columns {', '.join(schema.names)} as in the first batch, got"
            f" {', '.join(batch[table].column_names) if table in batch else 'no such table'}"
        )
    data = batch[table].select(schema.names)
    if not data.schema.equals(schema):
        raise OutputError(f"table {table!r}: expected dtypes as in the first batch:\n{schema}\ngot\n{data.schema}")
    return data


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_stale(path: Path) -> None:
    """Remove what processes of this machine that were killed have left of the same output."""
    of_a_process = re.compile(re.escape(f".{path.name}.{platform.node()}.") + r"(\d{1,9})\.partial")
    for file in path.parent.iterdir():
        if (found := of_a_process.fullmatch(file.name)) and not is_running(int(found[1])):
            _remove(file)
