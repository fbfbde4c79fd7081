"""Columns and schemas: the names, dtypes, units and meaning of everything that flows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from lamarrpy.errors import SchemaError

DType = Literal["int64", "int32", "float64", "float32", "bool"]


@dataclass(frozen=True)
class Column:
    """One physical quantity of a table.

    Attributes
    ----------
    name : str
        Plain snake_case; truth is prefixed ``true_``.
    dtype : {"int64", "int32", "float64", "float32", "bool"}
        Storage type.
    unit : str
        MeV, mm, ns or a combination of them; empty for a pure number.
    doc : str
        What it is, in one sentence.
    valid_under : str or None
        Name of the boolean column of the same table that must be true for the value to mean
        anything. Only such columns may hold nulls; elsewhere a null is an error.
    optional : bool
        Whether an input may leave the column out.
    """

    name: str
    dtype: DType
    unit: str = ""
    doc: str = ""
    valid_under: str | None = None
    optional: bool = False

    @property
    def nullable(self) -> bool:
        """Whether rows without a value are allowed."""
        return self.valid_under is not None

    @property
    def numpy_dtype(self) -> np.dtype[Any]:
        """The NumPy dtype of the values."""
        return np.dtype(self.dtype)

    @property
    def field(self) -> pa.Field:
        """The Arrow field, with unit and meaning in its metadata."""
        metadata = {"unit": self.unit, "doc": self.doc}
        if self.valid_under is not None:
            metadata["valid_under"] = self.valid_under
        kind = pa.bool_() if self.dtype == "bool" else pa.from_numpy_dtype(self.numpy_dtype)
        return pa.field(self.name, kind, nullable=self.nullable, metadata=metadata)


@dataclass(frozen=True)
class Schema:
    """The columns of one table, in order; the first ones are its key.

    Attributes
    ----------
    table : str
        Name of the table.
    columns : tuple of Column
        Its columns.
    key : tuple of str
        Names of the columns that together are unique for each row.
    """

    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: object) -> bool:
        return any(column.name == name for column in self.columns)

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        known = ", ".join(self.names)
        raise SchemaError(f"table {self.table!r} has no column {name!r}; it has: {known}")

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    def only(self, *names: str) -> Schema:
        """The same table with these columns alone, in the order asked for.

        Raises
        ------
        SchemaError
            If one of the names is not a column of the table.
        """
        return replace(self, columns=tuple(self[name] for name in names))

    def plus(self, columns: Iterable[Column]) -> Schema:
        """The same table with further columns; one that is already there is replaced."""
        merged = {column.name: column for column in (*self.columns, *columns)}
        return replace(self, columns=tuple(merged.values()))

    @property
    def arrow(self) -> pa.Schema:
        """The Arrow schema, with units and docs in the field metadata."""
        return pa.schema([column.field for column in self.columns])
