"""The table that is learned from: its columns in memory, and which rows are for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.errors import DomainError, SchemaError, did_you_mean
from lamarrpy.io.hashes import fingerprint
from lamarrpy.io.inputs import open_tables
from lamarrpy.tables.arrow import to_numpy

PARTS = ("training", "validation", "test")


@dataclass(frozen=True)
class Table:
    """Some columns of a table.

    Attributes
    ----------
    columns : dict of str to ndarray of shape (n,)
        By name, in the dtypes of the data.
    units : dict of str to str
        Where the data say so.
    source : dict
        Where it is from: file names, table, rows, fingerprint.
    """

    columns: dict[str, NDArray[Any]]
    units: dict[str, str]
    source: dict[str, Any]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def take(self, rows: NDArray[np.intp]) -> Table:
        """Some of the rows."""
        return Table({name: values[rows] for name, values in self.columns.items()}, self.units, self.source)


def read_table(
    source: Path | Sequence[Path], wanted: Sequence[str], optional: Sequence[str] = (), table: str | None = None
) -> Table:
    """Read some columns of a file, or of several.

    Parameters
    ----------
    source : path or sequence of paths
        Parquet, ROOT, SQLite or CSV.
    wanted : sequence of str
        Columns that are needed.
    optional : sequence of str
        Columns that are read if they are there.
    table : str, optional
        Which one, of a file with several.

    Raises
    ------
    InputError
        If there is nothing to read.
    SchemaError
        If a column is missing, is not of numbers, or has nulls.
    """
    where = str(source) if isinstance(source, str | Path) else ", ".join(map(str, source))
    with open_tables(source) as tables:
        name = table or (next(iter(tables)) if len(tables) == 1 else _with_all(tables, wanted, where))
        stored = tables[name]
        there = stored.schema.names
        missing = [column for column in wanted if column not in there]
        if missing:
            raise SchemaError(
                f"{where}: expected the columns {', '.join(wanted)}; missing: {', '.join(missing)}"
                f"{did_you_mean(missing[0], there)}; it has: {', '.join(there)}"
            )
        names = list(dict.fromkeys([*wanted, *(column for column in optional if column in there)]))
        data = stored.slice(0, stored.rows, names)
        columns = {column: _plain(data.column(column), column, where) for column in names}
        metadata = {column: data.schema.field(column).metadata or {} for column in names}
        files = [file.name for file in tables.files]
        origin = {"files": files, "table": name, "rows": stored.rows, "sha256": fingerprint(tables)}
    units = {column: known[b"unit"].decode() for column, known in metadata.items() if b"unit" in known}
    return Table(columns, units, origin)


def _with_all(tables: Mapping[str, Any], wanted: Sequence[str], source: str) -> str:
    for name, table in tables.items():
        if set(wanted) <= set(table.schema.names):
            return name
    raise SchemaError(
        f"{source}: expected one table with the columns {', '.join(wanted)}, got the tables {', '.join(tables)}, of"
        " which none has them all"
    )


def _plain(column: Any, name: str, source: str) -> NDArray[Any]:
    if column.null_count:
        raise SchemaError(
            f"{source}: column {name!r}: expected a value in every row, got {column.null_count:,} nulls: choose the"
            " rows for which it is defined"
        )
    kind = column.type
    if not (pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise SchemaError(f"{source}: column {name!r}: expected numbers, got {kind}: encode them as numbers first")
    return to_numpy(column)


def split(table: Table, shares: Sequence[float], group: str | None, seed: int) -> dict[str, Table]:
    """Training, validation and test rows.

    Where a row goes depends on its number, or on the number of its group, and on the seed alone: rows of one event
    never end in two parts, and nothing that is learned sees the test.

    Parameters
    ----------
    table : Table
        All rows.
    shares : sequence of float
        Of training, validation and test.
    group : str or None
        Column of rows that stay together.
    seed : int
        Of the choice.

    Raises
    ------
    DomainError
        If a part that should have rows gets none.
    """
    keys = np.arange(len(table)) if group is None else np.unique(table[group], return_inverse=True)[1]
    order = np.argsort(Draws(seed, "split").rows(np.arange(int(keys.max(initial=-1)) + 1)).bits(0), kind="stable")
    place = np.empty(len(order))
    place[order] = (np.arange(len(order)) + 0.5) / max(len(order), 1)
    ends = np.cumsum(shares)
    part = np.searchsorted(ends, place[keys], "right")
    parts = {name: table.take(np.flatnonzero(part == number)) for number, name in enumerate(PARTS)}
    for name, share in zip(PARTS, shares, strict=True):
        if share > 0.0 and not len(parts[name]):
            raise DomainError(
                f"expected rows for {name} ({100 * share:.0f} % of them), got none out of {len(table)} rows"
                f" in {len(order)} groups: use more data, or set the share to 0"
            )
    return parts
