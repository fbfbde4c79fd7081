"""SQLite databases: one SQL table a table, null where a value does not exist."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lamarrpy.errors import InputError
from lamarrpy.io.staging import BLOCK_ROWS, Staging
from lamarrpy.io.stored import StoredTable, arrow_array
from lamarrpy.tables.arrow import to_numpy

PROVENANCE = "provenance"
"""The table that tells how an output was made: columns key and value (JSON)."""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file.resolve()))}?mode=ro", uri=True)


def open_sqlite(file: Path, staging: Staging) -> dict[str, StoredTable]:
    """The tables and views of a database by name, staged."""
    try:
        _check_size(file)
        with closing(_connect(file)) as base:
            names = [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
            return {name: _stage(base, file, name, staging) for name in names if name != PROVENANCE}
    except sqlite3.DatabaseError as error:
        raise InputError(
            f"{file}: expected a complete SQLite database, but it is cut off or damaged ({error}); make it again"
        ) from error


def _check_size(file: Path) -> None:
    """See that all pages are there: SQLite itself reads a page that is cut off as if it ended in zeros.

    Offsets as in sqlite.org/fileformat2.html#the_database_header; the page count holds if the change
    counter equals the version-valid-for number.
    """
    with file.open("rb") as stream:
        header = stream.read(100)
    page, changes, pages, valid_for = (int.from_bytes(header[a:b]) for a, b in ((16, 18), (24, 28), (28, 32), (92, 96)))
    expected = pages * (65536 if page == 1 else page)
    if changes == valid_for and file.stat().st_size < expected:
        raise sqlite3.DatabaseError(f"{expected} bytes expected, {file.stat().st_size} there")


def _stage(base: sqlite3.Connection, file: Path, table: str, staging: Staging) -> StoredTable:
    declared = base.execute(f"PRAGMA table_info({_quoted(table)})").fetchall()
    kinds = {row[1]: _arrow_type(row[2]) for row in declared}
    schema = pa.schema(list(kinds.items()))
    blocks = ({table: rows} for rows in _blocks(base, file, table, kinds))
    return staging.stage(file, {table: schema}, blocks)[table]


def _arrow_type(declared: str) -> pa.DataType:
    """The type that SQLite's affinity rules give a declared type (sqlite.org/datatype3.html)."""
    name = declared.upper()
    if "BOOL" in name:
        return pa.bool_()
    return pa.int64() if "INT" in name else pa.float64()


def _blocks(base: sqlite3.Connection, file: Path, table: str, kinds: dict[str, pa.DataType]) -> Iterator[pa.Table]:
    cursor = base.execute(f"SELECT {', '.join(map(_quoted, kinds))} FROM {_quoted(table)}")
    first = 0
    while rows := cursor.fetchmany(BLOCK_ROWS):
        columns = zip(kinds.items(), zip(*rows, strict=True), strict=True)
        arrays = [_column(values, kind, f"{file}: table {table!r}", first, name) for (name, kind), values in columns]
        yield pa.table(arrays, names=list(kinds))
        first += len(rows)


def _column(values: tuple[Any, ...], kind: pa.DataType, where: str, first: int, name: str) -> pa.Array:
    wanted: tuple[type, ...] = (int, float) if pa.types.is_floating(kind) else (int,)
    bad = next((i for i, value in enumerate(values) if value is not None and type(value) not in wanted), None)
    if bad is not None:
        raise InputError(
            f"{where}, row {first + bad}, column {name!r}: expected a value of type {kind}, got {values[bad]!r};"
            " mend the row"
        )
    nulls = np.array([value is None for value in values])
    filled = [0 if value is None else value for value in values] if nulls.any() else values
    return arrow_array(np.array(filled, kind.to_pandas_dtype()), nulls)


class SQLiteWriter:
    """Writes tables into one database.

    Parameters
    ----------
    path : Path
        The file.
    provenance : str
        JSON object, kept as rows of the table ``provenance``.
    """

    def __init__(self, path: Path, provenance: str) -> None:
        import json

        pairs = [(key, json.dumps(value)) for key, value in json.loads(provenance).items()]
        with _writing():
            self._base = sqlite3.connect(path, isolation_level=None)
            for effort in ("synchronous", "journal_mode"):  # the file gets its name only when it is complete
                self._base.execute(f"PRAGMA {effort} = OFF")
            self._base.execute("BEGIN")
            self._base.execute(f"CREATE TABLE {PROVENANCE} (key TEXT PRIMARY KEY, value TEXT)")
            self._base.executemany(f"INSERT INTO {PROVENANCE} VALUES (?, ?)", pairs)
        self._created: set[str] = set()

    def write(self, table: str, data: pa.Table) -> None:
        """Append rows."""
        with _writing():
            if table not in self._created:
                columns = ", ".join(f"{_quoted(field.name)} {_sql_type(field.type)}" for field in data.schema)
                self._base.execute(f"CREATE TABLE {_quoted(table)} ({columns})")
                self._created.add(table)
            marks = ", ".join("?" * data.num_columns)
            rows = zip(*(_values(column) for column in data.columns), strict=True)
            self._base.executemany(f"INSERT INTO {_quoted(table)} VALUES ({marks})", rows)

    def close(self) -> None:
        """Finish the file."""
        with closing(self._base), _writing():
            if self._base.in_transaction:
                self._base.execute("COMMIT")


@contextmanager
def _writing() -> Iterator[None]:
    """Let SQLite say of a full disk and the like what the other formats say."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from error


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    return "INTEGER" if pa.types.is_integer(kind) else "REAL"


def _values(column: pa.ChunkedArray) -> list[Any]:
    """The values as Python numbers, None where null."""
    if not column.null_count:
        return to_numpy(column).tolist()  # type: ignore[no-any-return]
    nulls: NDArray[np.bool_] = to_numpy(column.is_null())
    values = to_numpy(column).astype(object)
    values[nulls] = None
    return values.tolist()  # type: ignore[no-any-return]


def read_provenance(file: Path) -> str | None:
    """The JSON that an output carries about how it was made, or None."""
    import json

    with closing(_connect(file)) as base:
        try:
            rows = base.execute(f"SELECT key, value FROM {PROVENANCE}").fetchall()
        except sqlite3.OperationalError:
            return None
    return json.dumps({key: json.loads(value) for key, value in rows})
