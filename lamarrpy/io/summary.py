"""What an input or output holds: rows, events, species and the range of every column."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lamarrpy.io.inputs import open_tables
from lamarrpy.io.naming import RENAMED
from lamarrpy.io.stored import StoredTable
from lamarrpy.tables import SCHEMAS
from lamarrpy.tables.arrow import to_numpy

_SPECIES = ("pid", "true_pid")


@dataclass
class ColumnSummary:
    """Range of one column.

    Attributes
    ----------
    name, dtype, unit, doc : str
        As stored; unit and meaning from the file or the canonical schema.
    low, high : float or int or bool or None
        Smallest and largest value, None without values.
    nulls, not_finite : int
        Rows without a value (null, or what the format uses for it), and with NaN or infinity.
    """

    name: str
    dtype: str
    unit: str
    doc: str
    low: Any = None
    high: Any = None
    nulls: int = 0
    not_finite: int = 0


@dataclass
class TableSummary:
    """Rows and events of one table.

    Attributes
    ----------
    name : str
        The table.
    rows, events : int
        Number of rows, and of different event ids (0 without such a column).
    columns : list of ColumnSummary
        Its columns.
    species : Counter of int
        Rows by PDG number; empty without such a column.
    """

    name: str
    rows: int
    events: int
    columns: list[ColumnSummary]
    species: Counter[int]


@dataclass(frozen=True)
class Summary:
    """All tables of an input, and what there is to note."""

    tables: list[TableSummary]
    notes: tuple[str, ...]


def summarise(source: str | Path) -> Summary:
    """Read an input or output once, in blocks, and say what it holds; nothing is checked."""
    with open_tables(source) as tables:
        notes = (*tables.notes, RENAMED) if tables.has_lhcb_names else tables.notes
        return Summary([_table(name, tables[name]) for name in tables], notes)


def _table(name: str, table: StoredTable) -> TableSummary:
    columns = {field.name: _column(name, field) for field in table.schema}
    flat = [field.name for field in table.schema if pa.types.is_primitive(field.type)]
    species: Counter[int] = Counter()
    events = [np.empty(0, np.int64)]
    for _, block in table.blocks(flat):
        for column in flat:
            _add(columns[column], block.column(column), table.null_value)
        for column in set(_SPECIES) & set(flat):
            values, counts = np.unique(to_numpy(block.column(column).drop_null()), return_counts=True)
            species.update(dict(zip(values.astype(int).tolist(), counts.tolist(), strict=True)))
        if "event_id" in flat:
            events.append(np.unique(to_numpy(block.column("event_id").drop_null())))
    return TableSummary(name, table.rows, len(np.unique(np.concatenate(events))), list(columns.values()), species)


def _column(table: str, field: pa.Field) -> ColumnSummary:
    schema = SCHEMAS.get(table, ())
    metadata = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    if field.name in schema:
        known = SCHEMAS[table][field.name]
        metadata = {"unit": known.unit, "doc": known.doc, **metadata}
    return ColumnSummary(field.name, str(field.type), metadata.get("unit", ""), metadata.get("doc", ""))


def _add(column: ColumnSummary, values: pa.ChunkedArray, null_value: float | None) -> None:
    if null_value is not None and pa.types.is_floating(values.type):
        values = pc.if_else(pc.equal(values, null_value), None, values)
    column.nulls += values.null_count
    if pa.types.is_floating(values.type):
        finite = pc.is_finite(values)
        column.not_finite += len(values) - values.null_count - (pc.sum(finite).as_py() or 0)
        values = values.filter(finite)
    found = pc.min_max(values).as_py()
    lows = [v for v in (column.low, found["min"]) if v is not None]
    highs = [v for v in (column.high, found["max"]) if v is not None]
    column.low, column.high = min(lows, default=None), max(highs, default=None)
