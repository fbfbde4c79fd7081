"""What identifies data: a cheap fingerprint of input files, an exact digest of tables."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.io.conform import conform
from lamarrpy.io.inputs import StoredTables, open_tables
from lamarrpy.io.stored import StoredTable
from lamarrpy.tables import SCHEMAS, Column, Schema
from lamarrpy.tables.arrow import to_numpy

if TYPE_CHECKING:
    import pyarrow as pa

_WHOLE = 64 << 20
"""Bytes; larger files are sampled."""

_SAMPLES, _SAMPLE = 256, 1 << 14


def fingerprint(tables: StoredTables) -> str:
    """Identify an input, cheaply: sha256 over the names of its files, their sizes and contents.

    Of a file larger than 64 MiB, 256 pieces of 16 KiB, evenly spread from the first byte to the
    last, stand for the content. Tables in memory are hashed as `digest` does.
    """
    found = hashlib.sha256()
    for file in tables.files:
        name = file.relative_to(tables.root) if file.is_relative_to(tables.root) else file.name
        found.update(f"{name}\0{file.stat().st_size}\0".encode())
        _update_with_file(found, file)
    if not tables.files:
        for name in sorted(tables):
            found.update(f"{name}\0{_digest_table(name, tables[name])}".encode())
    return found.hexdigest()


def _update_with_file(found: Any, file: Path) -> None:
    size = file.stat().st_size
    with file.open("rb") as stream:
        if size <= _WHOLE:
            while piece := stream.read(1 << 20):
                found.update(piece)
            return
        for start in np.linspace(0, size - _SAMPLE, _SAMPLES).astype(int).tolist():
            stream.seek(start)
            found.update(stream.read(_SAMPLE))


def digest(source: str | Path | Sequence[str | Path]) -> dict[str, str]:
    """Hash every table of an input or output, whatever the order of its rows and the layout of its files.

    For each table, sha256 over its columns in alphabetical order: name, dtype, where it is null, and
    the bytes of the values, rows sorted by the key of the schema (by all columns, if the table has
    no schema or its key is not there or not unique). Dtypes are the canonical ones where a column
    is canonical, so that formats with fewer dtypes agree with those with more; -0.0 counts
    as 0.0, because SQLite forgets the sign of a zero (no other format changes a bit).

    Returns
    -------
    dict of str to str
        Hexadecimal digest by table, in alphabetical order.
    """
    with open_tables(source) as tables:
        return {name: _digest_table(name, tables[name]) for name in sorted(tables)}


def _digest_table(name: str, table: StoredTable) -> str:
    schema = SCHEMAS.get(name, Schema(name, (), ()))
    order = _order(table, schema)
    found = hashlib.sha256()
    for column in sorted(table.schema.names):
        values, nulls = _column(table, schema, column)
        found.update(f"{column}\0{values.dtype.str}\0{len(values)}\0".encode())
        for part in (nulls, values):
            found.update(np.ascontiguousarray(part[order]).data)
    return found.hexdigest()


def _order(table: StoredTable, schema: Schema) -> NDArray[np.intp] | slice:
    """The order of rows by key; rows in that order already stay where they are."""
    names = table.schema.names
    if schema.key and all(name in names for name in schema.key):
        keys = [_column(table, schema, name)[0] for name in schema.key]
        if _increasing(keys):
            return slice(None)
        order = np.lexsort(keys[::-1])
        if _increasing([key[order] for key in keys]):
            return order
    columns = [_bits(part) for name in sorted(names) for part in _column(table, schema, name)]
    return np.lexsort(columns[::-1]) if columns else slice(None)


def _bits(values: NDArray[Any]) -> NDArray[Any]:
    """Floats as integers, so that values which differ in a bit (of a NaN) differ in order too."""
    return values.view(f"i{values.dtype.itemsize}") if values.dtype.kind == "f" else values


def _increasing(keys: Sequence[NDArray[Any]]) -> bool:
    """Whether rows are strictly increasing by their keys, the first key first."""
    larger, equal = np.zeros(max(len(keys[0]) - 1, 0), bool), True
    for key in keys:
        larger |= equal & (key[1:] > key[:-1])
        equal = equal & (key[1:] == key[:-1])
    return bool(larger.all())


def _column(table: StoredTable, schema: Schema, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The values of a column, 0 where null and for -0, and where it is null."""
    column = next((column for column in schema if column.name == name), None)
    flag = column.valid_under if column is not None else None
    wanted = [name] if flag is None or flag not in table.schema.names else [name, flag]
    pieces = [_plain(block, column, name, table.null_value) for _, block in table.blocks(wanted)]
    if not pieces:
        empty = np.empty(0, column.numpy_dtype if column else table.schema.field(name).type.to_pandas_dtype())
        return empty, np.empty(0, bool)
    values, nulls = zip(*pieces, strict=True)
    joined = np.concatenate(values)
    unsigned_zeros = joined + 0.0 if joined.dtype.kind == "f" else joined
    return unsigned_zeros, np.concatenate(nulls)


def _plain(
    block: pa.Table, column: Column | None, name: str, null_value: float | None
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    if column is not None:
        flags = (c for c in (column.valid_under,) if c is not None and c in block.column_names)
        schema = Schema("", (column, *(Column(flag, "bool") for flag in flags)), ())
        block = conform(block, schema, null_value)[0]
    data = block.column(name)
    nulls = to_numpy(data.is_null())
    if not data.null_count:
        return to_numpy(data), nulls
    return to_numpy(data.fill_null(False if column and column.dtype == "bool" else 0)), nulls
