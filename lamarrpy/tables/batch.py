"""A batch of whole events: the water in the river."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from lamarrpy.errors import SchemaError
from lamarrpy.tables.arrow import to_arrow, to_numpy
from lamarrpy.tables.column import Schema


class EventBatch:
    """Some whole events as immutable Arrow tables.

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
        The tables by name, each with its key columns.
    """

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        self._tables = dict(tables)

    @property
    def tables(self) -> Mapping[str, pa.Table]:
        """The tables by name, read-only."""
        return MappingProxyType(self._tables)

    def __getitem__(self, table: str) -> pa.Table:
        if table not in self._tables:
            known = ", ".join(sorted(self._tables)) or "none"
            raise SchemaError(f"the batch has no table {table!r}; it has: {known}")
        return self._tables[table]

    def __contains__(self, table: object) -> bool:
        return table in self._tables

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}: {t.num_rows} x {t.num_columns}" for name, t in self._tables.items())
        return f"EventBatch({sizes})"

    def array(self, table: str, column: str) -> NDArray[Any]:
        """One column as a read-only NumPy array, shape (n,); null becomes NaN.

        Raises
        ------
        SchemaError
            If the table or the column is not there.
        """
        data = self[table]
        if column not in data.column_names:
            raise SchemaError(f"table {table!r} has no column {column!r}; it has: {', '.join(data.column_names)}")
        return to_numpy(data.column(column))

    def arrays(self, table: str, *columns: str) -> tuple[NDArray[Any], ...]:
        """Several columns, as ``array`` gives them, in the order asked for."""
        return tuple(self.array(table, column) for column in columns)

    def with_columns(self, schema: Schema, values: Mapping[str, ArrayLike]) -> EventBatch:
        """A new batch in which a table has further columns.

        Parameters
        ----------
        schema : Schema
            The table, and the columns to add, each of which must be in ``values``.
        values : mapping of str to array_like, shape (n,)
            One value a row of the table, in the order of its rows.

        Raises
        ------
        SchemaError
            If names, lengths, dtypes or finiteness do not fit the schema.
        """
        data = self[schema.table]
        for name, array in _columns(schema, values, data.num_rows):
            at = data.column_names.index(name) if name in data.column_names else None
            field = schema[name].field
            data = data.append_column(field, array) if at is None else data.set_column(at, field, array)
        return EventBatch({**self._tables, schema.table: data})

    def with_table(self, schema: Schema, values: Mapping[str, ArrayLike]) -> EventBatch:
        """A new batch with a table made anew from arrays; raises as ``with_columns`` does."""
        n = len(np.asarray(values[schema.key[0]]))
        arrays = [array for _, array in _columns(schema, values, n)]
        return EventBatch({**self._tables, schema.table: pa.Table.from_arrays(arrays, schema=schema.arrow)})

    def select_events(self, events: NDArray[np.int64]) -> EventBatch:
        """The batch with only these events, rows in their old order."""
        chosen = np.unique(events)

        def keep(table: pa.Table) -> pa.Table:
            ids = to_numpy(table.column("event_id"))
            at = np.minimum(np.searchsorted(chosen, ids), max(len(chosen) - 1, 0))
            found = chosen[at] == ids if len(chosen) else np.zeros(len(ids), bool)
            return table.take(to_arrow_index(np.flatnonzero(found)))

        return EventBatch({name: keep(table) for name, table in self._tables.items()})

    @staticmethod
    def concat(batches: list[EventBatch]) -> EventBatch:
        """Several batches of different events as one, tables joined end to end."""
        names = list(dict.fromkeys(name for batch in batches for name in batch))
        return EventBatch(
            {name: pa.concat_tables([batch[name] for batch in batches]).combine_chunks() for name in names}
        )


def to_arrow_index(rows: NDArray[np.integer[Any]]) -> pa.Array:
    """Row numbers as an Arrow array that ``Table.take`` accepts."""
    index = np.ascontiguousarray(rows, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(index), [None, pa.py_buffer(index)])


def _columns(schema: Schema, values: Mapping[str, ArrayLike], rows: int) -> Iterator[tuple[str, pa.Array]]:
    if set(values) != set(schema.names):
        missing, extra = sorted(set(schema.names) - set(values)), sorted(set(values) - set(schema.names))
        raise SchemaError(
            f"table {schema.table!r}: expected columns {schema.names}; missing {missing}, not declared {extra}"
        )
    for name in schema.names:
        array = to_arrow(schema[name], values[name])
        if len(array) != rows:
            raise SchemaError(f"table {schema.table!r}, column {name!r}: expected {rows} rows, got {len(array)}")
        yield name, array
