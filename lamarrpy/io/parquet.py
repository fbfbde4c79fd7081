"""Parquet: the native format of inputs and outputs, one file a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lamarrpy.errors import InputError
from lamarrpy.io.staging import BLOCK_ROWS, Staging
from lamarrpy.io.stored import StoredTable

LARGEST_ROW_GROUP = 1 << 21
"""Rows; a file with larger row groups is staged in smaller blocks, to bound memory."""


class ParquetTable(StoredTable):
    """One Parquet file; its blocks are the row groups.

    Parameters
    ----------
    file : Path
        The file.

    Raises
    ------
    InputError
        If it is cut off or not a Parquet file.
    """

    def __init__(self, file: Path) -> None:
        metadata, schema = _footer(file)
        rows = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        super().__init__(file, schema, np.cumsum([0, *rows]))

    def open(self) -> pq.ParquetFile:
        """Open the file."""
        return pq.ParquetFile(self.file)

    def load(self, block: int, columns: tuple[str, ...]) -> pa.Table:
        """Decode one row group."""
        try:
            data = self.handle().read_row_group(block, columns=list(columns), use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self.file, error) from error
        return data.select(list(columns))


def _footer(file: Path) -> tuple[pq.FileMetaData, pa.Schema]:
    try:
        with pq.ParquetFile(file) as parquet:
            return parquet.metadata, parquet.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from error


def _damaged(file: Path, error: Exception) -> InputError:
    return InputError(
        f"{file}: expected a complete Parquet file, but it is cut off or damaged ({error}); make or copy it again"
    )


def open_parquet(file: Path, staging: Staging) -> dict[str, StoredTable]:
    """The table of a Parquet file, under the name of the file."""
    table = ParquetTable(file)
    if len(table.starts) > 1 and int(np.diff(table.starts).max()) > LARGEST_ROW_GROUP:
        blocks = ({file.stem: rows} for rows in _small_blocks(file))
        return staging.stage(file, {file.stem: table.schema}, blocks)
    return {file.stem: table}


def _small_blocks(file: Path) -> Iterator[pa.Table]:
    try:
        with pq.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20) as parquet:
            for batch in parquet.iter_batches(BLOCK_ROWS, use_threads=False):
                yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from error


class ParquetWriter:
    """Writes tables as Parquet files into a folder, or one table as one file.

    Floats are neither dictionary-encoded nor summarised: both cost more than they give for numbers
    that hardly repeat.

    Parameters
    ----------
    path : Path
        Folder (one file a table) or file (one table).
    provenance : str
        JSON put into the metadata of every file, under the key ``lamarrpy``.
    one_file : bool
        Whether ``path`` is the file itself.
    """

    def __init__(self, path: Path, provenance: str, one_file: bool = False) -> None:
        self._path, self._provenance, self._one_file = path, provenance, one_file
        self._writers: dict[str, pq.ParquetWriter] = {}
        if not one_file:
            path.mkdir()

    def write(self, table: str, data: pa.Table) -> None:
        """Append rows as one row group."""
        if table not in self._writers:
            self._writers[table] = self._create(table, data.schema)
        if data.num_rows:
            self._writers[table].write_table(data, row_group_size=data.num_rows)

    def _create(self, table: str, schema: pa.Schema) -> pq.ParquetWriter:
        repeating: Any = [field.name for field in schema if not pa.types.is_floating(field.type)]
        return pq.ParquetWriter(
            self._path if self._one_file else self._path / f"{table}.parquet",
            schema.with_metadata({b"lamarrpy": self._provenance.encode()}),
            compression="snappy",
            use_dictionary=repeating or False,
            write_statistics=["event_id"] if "event_id" in schema.names else False,
        )

    def close(self) -> None:
        """Finish the files."""
        while self._writers:
            self._writers.popitem()[1].close()


def read_provenance(file: Path) -> str | None:
    """The JSON that an output carries about how it was made, or None."""
    metadata = _footer(file)[0].metadata or {}
    text = metadata.get(b"lamarrpy")
    return None if text is None else text.decode()
