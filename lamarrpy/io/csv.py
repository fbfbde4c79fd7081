"""CSV: one table a file, with a header line; an empty field is a missing value."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from lamarrpy.errors import InputError, OutputError
from lamarrpy.io.stored import StoredTable
from lamarrpy.tables import SCHEMAS

if TYPE_CHECKING:
    import pyarrow.csv as pacsv

    from lamarrpy.io.staging import Staging


def table_name(file: Path) -> str:
    """The table that a file holds: its name if that is one of the five tables, else particles."""
    stem = file.name.split(".", 1)[0]
    return stem if stem in SCHEMAS else "particles"


def open_csv(file: Path, staging: Staging) -> dict[str, StoredTable]:
    """The table of a CSV file (or .csv.gz), staged."""
    name = table_name(file)
    try:
        reader = _reader(file, name)
        blocks = ({name: pa.Table.from_batches([batch])} for batch in reader)
        return staging.stage(file, {name: reader.schema}, blocks)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, str(error), _header(file)) from error


def _reader(file: Path, table: str) -> pacsv.CSVStreamingReader:
    import pyarrow.csv as pacsv

    schemas = [*SCHEMAS.values(), SCHEMAS[table]]
    types = {column.name: _wide(column.field.type) for schema in schemas for column in schema}
    return pacsv.open_csv(
        file,
        read_options=pacsv.ReadOptions(use_threads=False, block_size=1 << 22),
        convert_options=pacsv.ConvertOptions(column_types=types, null_values=[""]),
    )


def _wide(kind: pa.DataType) -> pa.DataType:
    return pa.int64() if pa.types.is_integer(kind) else kind


def _header(file: Path) -> list[str]:
    """The column names, for messages; none if the file cannot be decompressed."""
    try:
        with pa.input_stream(str(file)) as stream:
            line = stream.read(1 << 16).split(b"\n", 1)[0]
    except OSError:
        return []
    return [name.strip(' "\r') for name in line.decode(errors="replace").split(",")]


def _damaged(file: Path, message: str, header: list[str]) -> InputError:
    """Say which row and column cannot be read; rows are counted from 0, without the header line."""
    row = re.search(r"Row #(\d+)", message)
    column = re.search(r"column #(\d+)", message)
    if row is None:
        return InputError(f"{file}: expected a complete CSV file, but it is cut off or damaged ({message})")
    name = f", column {header[int(column[1])]!r}" if column and int(column[1]) < len(header) else ""
    reason = message.split(f"{row[0]}: ")[-1]
    return InputError(f"{file}, row {int(row[1]) - 2} (line {row[1]}){name}: {reason}; mend the line")


class CSVWriter:
    """Writes one table as a CSV file, numbers with all their digits; null becomes an empty field.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._table: str | None = None
        self._writer: pacsv.CSVWriter | None = None

    def write(self, table: str, data: pa.Table) -> None:
        """Append rows."""
        import pyarrow.csv as pacsv

        if self._writer is None:
            self._table, self._writer = table, pacsv.CSVWriter(self._path, data.schema)
        if table != self._table:
            raise OutputError(f"a CSV file holds one table, got {self._table!r} and {table!r}")
        self._writer.write_table(data)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()
