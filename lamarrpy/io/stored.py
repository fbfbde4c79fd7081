"""Tables that lie in files, read by blocks of rows so that memory stays bounded."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lamarrpy.errors import SchemaError


def arrow_array(values: NDArray[Any], nulls: NDArray[np.bool_] | None = None) -> pa.Array:
    """Any one-dimensional NumPy array as an Arrow array, shape (n,), null where ``nulls``."""
    validity = None if nulls is None or not nulls.any() else pa.py_buffer(np.packbits(~nulls, bitorder="little"))
    if values.dtype.kind == "b":
        bits = np.packbits(values, bitorder="little")
        return pa.Array.from_buffers(pa.bool_(), len(values), [validity, pa.py_buffer(bits)])
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    kind = pa.from_numpy_dtype(native.dtype)
    return pa.Array.from_buffers(kind, len(native), [validity, pa.py_buffer(native)])


class StoredTable(ABC):
    """One table of an input, in blocks that are decoded one at a time.

    Handles are opened when first needed, once a process, so that a table can be pickled and read
    by several workers.

    Parameters
    ----------
    file : Path
        The file, as messages name it.
    schema : pyarrow.Schema
        The columns as they are stored.
    starts : ndarray of int64, shape (blocks + 1,)
        First row of each block, and the number of rows.
    """

    null_value: float | None = None
    """What stands for a missing value where the format has no nulls."""

    def __init__(self, file: Path, schema: pa.Schema, starts: Sequence[int] | NDArray[np.int64]) -> None:
        self.file = file
        self.schema = schema
        self.starts = np.asarray(starts, np.int64)
        self._cached: tuple[tuple[int, tuple[str, ...]], pa.Table] | None = None
        self._handle: tuple[int, Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cached": None, "_handle": None}

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.starts[-1])

    def where(self, row: int) -> tuple[str, int]:
        """File and row number in it, the first row being 0, of a row of the table."""
        return str(self.file), row

    @abstractmethod
    def load(self, block: int, columns: tuple[str, ...]) -> pa.Table:
        """Decode these columns of one block."""

    def handle(self) -> Any:
        """The open file of this process."""
        if self._handle is None or self._handle[0] != os.getpid():
            self._handle = os.getpid(), self.open()
        return self._handle[1]

    def open(self) -> Any:
        """Open the file; only for tables that keep one open."""
        raise NotImplementedError

    def blocks(self, columns: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
        """All blocks in order, each with its first row."""
        for block in range(len(self.starts) - 1):
            yield int(self.starts[block]), self.load(block, tuple(columns))

    def slice(self, start: int, stop: int, columns: Sequence[str]) -> pa.Table:
        """Rows [start, stop) of these columns; the last block stays decoded for the next call."""
        names = tuple(columns)
        pieces = []
        while start < stop:
            block = int(np.searchsorted(self.starts, start, "right")) - 1
            first, last = self.starts[block : block + 2].tolist()
            upto = min(stop, last)
            pieces.append(self._block(block, names).slice(start - first, upto - start))
            start = upto
        if not pieces:
            return pa.schema([self.schema.field(name) for name in names]).empty_table()
        return pieces[0] if len(pieces) == 1 else pa.concat_tables(pieces)

    def _block(self, block: int, columns: tuple[str, ...]) -> pa.Table:
        if self._cached is None or self._cached[0] != (block, columns):
            self._cached = None  # let go of the old block before the new one is decoded
            self._cached = (block, columns), self.load(block, columns)
        return self._cached[1]

    def gather(self, first: NDArray[np.int64], count: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
        """The rows ``first[i] ... first[i] + count[i] - 1`` of every i, in the order asked for.

        Rows are fetched in the order of the file, so that every block is decoded once.
        """
        asked = np.flatnonzero(count)
        order = asked[np.argsort(first[asked], kind="stable")]
        start, size = first[order], count[order]
        breaks = np.flatnonzero(start[1:] != start[:-1] + size[:-1]) + 1
        runs = zip(np.r_[order[:1], order[breaks]], np.r_[order[breaks - 1], order[-1:]], strict=True)
        pieces = [self.slice(int(first[a]), int(first[b] + count[b]), columns) for a, b in runs]
        data = pa.concat_tables(pieces) if pieces else self.slice(0, 0, columns)
        if np.array_equal(order, asked):
            return data
        offset = np.zeros(len(first), np.int64)
        offset[order] = np.cumsum(size) - size
        return data.take(arrow_array(expand(offset[asked], count[asked])))


def expand(first: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers ``first[i] ... first[i] + count[i] - 1`` of every i, end to end."""
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(first - (ends - count), count) + np.arange(total)


class MemoryTable(StoredTable):
    """An Arrow table in memory, as one block.

    Parameters
    ----------
    name : str
        What messages call it.
    data : pyarrow.Table
        The rows.
    """

    def __init__(self, name: str, data: pa.Table) -> None:
        super().__init__(Path(f"table {name!r} in memory"), data.schema, [0, data.num_rows])
        self._data = data.combine_chunks()

    def load(self, block: int, columns: tuple[str, ...]) -> pa.Table:
        """Select the columns."""
        return self._data.select(list(columns))


class JoinedTable(StoredTable):
    """One table whose rows lie in several files, end to end.

    Parameters
    ----------
    parts : sequence of StoredTable
        The parts in order.

    Raises
    ------
    SchemaError
        If the parts do not have the same columns.
    """

    def __init__(self, parts: Sequence[StoredTable]) -> None:
        first = parts[0]
        for part in parts[1:]:
            _check_same_columns(first, part)
        rows = np.cumsum([0] + [part.rows for part in parts])
        starts = [part.starts[:-1] + row for part, row in zip(parts, rows, strict=False)]
        super().__init__(first.file, first.schema, np.concatenate([*starts, rows[-1:]]))
        self.null_value = first.null_value
        self._parts = tuple(parts)
        self._first_row = rows
        self._first_block = np.cumsum([0] + [len(part.starts) - 1 for part in parts])

    def load(self, block: int, columns: tuple[str, ...]) -> pa.Table:
        """Decode a block of the part it belongs to."""
        part = int(np.searchsorted(self._first_block, block, "right")) - 1
        return self._parts[part].load(block - int(self._first_block[part]), columns)

    def where(self, row: int) -> tuple[str, int]:
        """File and row number in it."""
        part = int(np.searchsorted(self._first_row, row, "right")) - 1
        return self._parts[part].where(row - int(self._first_row[part]))


def _check_same_columns(first: StoredTable, part: StoredTable) -> None:
    expected, got = (dict(zip(p.schema.names, p.schema.types, strict=True)) for p in (first, part))
    if expected == got:
        return
    name = next(n for n in {**expected, **got} if expected.get(n) != got.get(n))
    raise SchemaError(
        f"{part.file}: column {name!r} is {got.get(name, 'missing')}, but {expected.get(name, 'missing')} in"
        f" {first.file}; expected every part of a table to have the same columns; convert the parts one by one"
    )


class RenamedTable(StoredTable):
    """A table whose columns go by other names in the file.

    Parameters
    ----------
    table : StoredTable
        The table as it is stored.
    names : mapping of str to str
        Name in the file -> name here; others keep theirs.
    """

    def __init__(self, table: StoredTable, names: Mapping[str, str]) -> None:
        fields = [field.with_name(names.get(field.name, field.name)) for field in table.schema]
        super().__init__(table.file, pa.schema(fields, table.schema.metadata), table.starts)
        self.null_value = table.null_value
        self._table = table
        self._stored = {names.get(name, name): name for name in table.schema.names}

    def load(self, block: int, columns: tuple[str, ...]) -> pa.Table:
        """Decode a block and rename its columns."""
        data = self._table.load(block, tuple(self._stored[name] for name in columns))
        return data.rename_columns(list(columns))

    def where(self, row: int) -> tuple[str, int]:
        """File and row number in it."""
        return self._table.where(row)
