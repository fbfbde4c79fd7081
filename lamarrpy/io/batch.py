"""A whole input or output in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from lamarrpy.io.conform import check_columns, conform, raise_first
from lamarrpy.io.inputs import open_tables
from lamarrpy.io.stored import StoredTable
from lamarrpy.tables import SCHEMAS, EventBatch, Schema


def read_batch(source: str | Path | Sequence[str | Path]) -> EventBatch:
    """Read everything that an input or output holds at once, with canonical names and dtypes.

    Columns in LHCb's naming get their canonical names; columns and tables that lamarrpy does not
    know are kept as they are. Nothing is derived or dropped; for whole, checked generator-level
    events see `open_source`.

    Raises
    ------
    InputError
        If a file is cut off or damaged, or a value is missing or not finite where it must be.
    SchemaError
        If a column has the wrong dtype.
    """
    with open_tables(source) as tables:
        return EventBatch({name: read_table(name, tables[name]) for name in tables})


def read_table(name: str, table: StoredTable) -> pa.Table:
    """One table, whole."""
    return pa.concat_tables(
        [read_rows(name, table, 0, 0)]
        + [read_rows(name, table, *table.starts[i : i + 2].tolist()) for i in range(len(table.starts) - 1)]
    ).combine_chunks()


def read_rows(name: str, table: StoredTable, start: int, stop: int) -> pa.Table:
    """Rows [start, stop) of a table, with canonical dtypes, refused if a cell is bad."""
    schema = present_columns(name, table)
    data, bad = conform(table.slice(start, stop, table.schema.names), schema, table.null_value)
    keys = data.select([key for key in schema.key if key in data.column_names])
    raise_first(bad, table, lambda row: start + row, keys)
    return data


def present_columns(name: str, table: StoredTable) -> Schema:
    """The canonical columns that a table has; SchemaError if one has the wrong dtype."""
    known = SCHEMAS.get(name, Schema(name, (), ()))
    return check_columns(table, known.only(*(column for column in known.names if column in table.schema.names)))
