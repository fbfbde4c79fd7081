"""Stored columns as the schema wants them, and the cells that do not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lamarrpy.errors import InputError, SchemaError
from lamarrpy.io.stored import StoredTable, arrow_array
from lamarrpy.tables import Column, Schema
from lamarrpy.tables.arrow import to_numpy


@dataclass(frozen=True)
class BadCells:
    """Cells of one column that fail for one reason.

    Attributes
    ----------
    reason : str
        Why, as it is counted.
    column : str
        The column.
    expected, got : str
        What should stand in the first of the cells, and what does.
    rows : ndarray of int, shape (n,)
        Rows of the batch, ascending, at least one.
    """

    reason: str
    column: str
    expected: str
    got: str
    rows: NDArray[np.intp]


def check_columns(table: StoredTable, schema: Schema) -> Schema:
    """Check names and dtypes; the schema less the optional columns that the table leaves out.

    Raises
    ------
    SchemaError
        If a column is missing, or its dtype cannot be widened to the wanted one without loss.
    """
    names = table.schema.names
    present = []
    for column in schema:
        if column.name in names:
            _check_dtype(table, schema, column)
            present.append(column.name)
        elif not column.optional:
            raise SchemaError(_missing(table, schema, column))
    return schema.only(*present)


def _missing(table: StoredTable, schema: Schema, column: Column) -> str:
    spare = {name.lower(): name for name in table.schema.names if name not in schema}
    close = get_close_matches(column.name.lower(), spare, n=1, cutoff=0.4)
    hint = f"the closest column there is {spare[close[0]]!r}: rename it, " if close else ""
    unit = f" [{column.unit}]" if column.unit else ""
    return (
        f"{table.file}: table {schema.table!r} has no column {column.name!r} ({column.doc}{unit}); {hint or 'add it, '}"
        f"or see `lamarrpy schema {schema.table}` for all that is expected"
    )


def _check_dtype(table: StoredTable, schema: Schema, column: Column) -> None:
    kind = table.schema.field(column.name).type
    wanted = column.numpy_dtype
    fits = {
        "i": pa.types.is_integer(kind),
        "f": pa.types.is_floating(kind) and kind.bit_width <= wanted.itemsize * 8,
        "b": pa.types.is_boolean(kind),
    }[wanted.kind]
    if not fits:
        found = _first_fraction(table, column.name) if wanted.kind == "i" and pa.types.is_floating(kind) else ""
        raise SchemaError(
            f"{table.file}: table {schema.table!r}, column {column.name!r}: expected {wanted}, got {kind}{found};"
            f" store it as {wanted}"
        )


def _first_fraction(table: StoredTable, column: str) -> str:
    """Where the first value is that no integer can hold, such as " (2.5 in row 7)"; empty if all are whole."""
    for first, block in table.blocks([column]):
        values = block.column(column)
        numbers = to_numpy(values)
        rows = np.flatnonzero(~np.isfinite(numbers) | (numbers != np.trunc(numbers)))
        if len(rows):
            at = int(rows[0])
            value = values[at].as_py()
            return f" ({'null' if value is None else value} in row {table.where(first + at)[1]})"
    return ""


def conform(data: pa.Table, schema: Schema, null_value: float | None = None) -> tuple[pa.Table, list[BadCells]]:
    """Give columns the dtypes, nulls and metadata of the schema.

    Parameters
    ----------
    data : pyarrow.Table
        Columns whose dtypes `check_columns` accepts; those that the schema does not have are kept.
    schema : Schema
        Columns of the schema that ``data`` has not are left out.
    null_value : float, optional
        What stands for null in nullable columns, where their flag is false.

    Returns
    -------
    data : pyarrow.Table
        Columns in the order of the schema. In bad cells a null is 0, other values are as they were.
    bad : list of BadCells
        Nulls where a value must be, numbers that are not finite, integers out of range.
    """
    fields, arrays, bad = [], [], []
    for column in schema:
        if column.name in data.column_names:
            values = data.column(column.name)
            array, cells = _CONFORM[column.numpy_dtype.kind](column, values, _flag(data, column), null_value)
            fields.append(column.field)
            arrays.append(array)
            bad.extend(cells)
    for name in data.column_names:
        if name not in schema:
            fields.append(data.schema.field(name))
            arrays.append(data.column(name))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields)), bad


def _flag(data: pa.Table, column: Column) -> NDArray[np.bool_] | None:
    """Where a nullable column must have a value, if its flag is among the columns."""
    if column.valid_under is None or column.valid_under not in data.column_names:
        return None
    return to_numpy(data.column(column.valid_under).fill_null(False))


def _nulls(column: Column, values: pa.ChunkedArray) -> list[BadCells]:
    return _empty(column, to_numpy(values.is_null())) if values.null_count else []


def _empty(column: Column, mask: NDArray[np.bool_]) -> list[BadCells]:
    rows = np.flatnonzero(mask)
    return [BadCells("null", column.name, _wanted(column), "null", rows)] if len(rows) else []


def _wanted(column: Column) -> str:
    if column.numpy_dtype.kind == "f":
        return "a finite number" + (f" in {column.unit}" if column.unit else "")
    return "true or false" if column.dtype == "bool" else f"an integer ({column.dtype})"


def _cells(reason: str, column: Column, mask: NDArray[np.bool_], values: NDArray[Any]) -> list[BadCells]:
    rows = np.flatnonzero(mask)
    return [BadCells(reason, column.name, _wanted(column), str(values[rows[0]]), rows)] if len(rows) else []


_Flag = NDArray[np.bool_] | None


def _integers(
    column: Column, values: pa.ChunkedArray, flag: _Flag, null_value: float | None
) -> tuple[pa.Array | pa.ChunkedArray, list[BadCells]]:
    bad = _nulls(column, values)
    if not bad and values.type == column.field.type:
        return values, bad
    stored = to_numpy(values.fill_null(0))
    narrowed = stored.astype(column.numpy_dtype)
    out_of_range = (narrowed != stored) | ((narrowed < 0) != (stored < 0))
    return arrow_array(narrowed), bad + _cells("out of range", column, out_of_range, stored)


def _booleans(
    column: Column, values: pa.ChunkedArray, flag: _Flag, null_value: float | None
) -> tuple[pa.Array | pa.ChunkedArray, list[BadCells]]:
    return values.fill_null(False) if values.null_count else values, _nulls(column, values)


def _floats(
    column: Column, values: pa.ChunkedArray, flag: _Flag, null_value: float | None
) -> tuple[pa.Array | pa.ChunkedArray, list[BadCells]]:
    if column.nullable:
        return _nullable_floats(column, values, flag, null_value)
    bad = _nulls(column, values)
    if bad or values.type != column.field.type:
        values = arrow_array(to_numpy(values.fill_null(0.0)).astype(column.numpy_dtype, copy=False))
    numbers = to_numpy(values)
    return values, bad + _cells("NaN or infinite", column, ~np.isfinite(numbers), numbers)


def _nullable_floats(
    column: Column, values: pa.ChunkedArray, flag: _Flag, null_value: float | None
) -> tuple[pa.Array, list[BadCells]]:
    numbers = to_numpy(values).astype(column.numpy_dtype, copy=False)
    missing = np.isnan(numbers)
    if null_value is not None:
        missing |= (numbers == null_value) & (True if flag is None else ~flag)
    bad = _cells("NaN or infinite", column, np.isinf(numbers), numbers)
    if flag is not None:
        bad += _empty(column, missing & flag)
    return arrow_array(np.where(missing, 0, numbers), missing), bad


_CONFORM: dict[str, Callable[..., tuple[Any, list[BadCells]]]] = {"i": _integers, "b": _booleans, "f": _floats}


def raise_first(
    bad: Iterable[BadCells], table: StoredTable, row_of: Callable[[int], int], keys: pa.Table, hint: str = ""
) -> None:
    """Raise an InputError that names file, row, key and column of the first bad cell, if there is one.

    Parameters
    ----------
    bad : iterable of BadCells
        What was found.
    table : StoredTable
        Where it stands.
    row_of : callable
        Row of the table from row of the batch.
    keys : pyarrow.Table
        The key columns of the batch.
    hint : str
        What else than mending the row can be done.
    """
    found = list(bad)
    if not found:
        return
    first = min(found, key=lambda cells: int(cells.rows[0]))
    at = int(first.rows[0])
    file, row = table.where(row_of(at))
    key = ", ".join(f"{name} {keys.column(name)[at].as_py()}" for name in keys.column_names)
    rows = len(np.unique(np.concatenate([cells.rows for cells in found])))
    others = f" ({rows} bad rows in this part of the input)" if rows > 1 else ""
    raise InputError(
        f"{file}, row {row} ({key}), column {first.column!r}: expected {first.expected}, got {first.got}{others};"
        f" mend the row{hint}"
    )
