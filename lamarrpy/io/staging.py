"""A temporary folder for inputs that can only be read from front to back."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from lamarrpy.io.stored import StoredTable

BLOCK_ROWS = 1 << 16
"""Rows of a staged block: small against memory, large against the cost of a block."""


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked worker must not take the folder away from its parent
        shutil.rmtree(folder, ignore_errors=True)


class Staging:
    """A temporary folder, made when first needed and removed on ``close`` or at exit.

    A pickled copy, as a worker gets it, leaves the folder alone.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._finalizer: weakref.finalize[[Path, int], Staging] | None = None
        self._tables = 0

    def __reduce__(self) -> tuple[type[Staging], tuple[()]]:
        return Staging, ()

    def close(self) -> None:
        """Remove the folder."""
        if self._finalizer is not None:
            self._finalizer()
        self._folder = self._finalizer = None

    def stage(self, file: Path, schema: pa.Schema, blocks: Iterable[pa.Table]) -> StagedTable:
        """Write a stream of rows where blocks of it can be read in any order.

        Parameters
        ----------
        file : Path
            The input that the rows come from, as messages name it.
        schema : pyarrow.Schema
            Columns of the rows.
        blocks : iterable of pyarrow.Table
            The rows, in pieces of any size.
        """
        path = self._next_path()
        starts = [0]
        with pa.OSFile(str(path), "wb") as stream, pa.ipc.new_file(stream, schema) as writer:
            for rows in blocks:
                for batch in rows.combine_chunks().to_batches(max_chunksize=BLOCK_ROWS):
                    writer.write_batch(batch)
                    starts.append(starts[-1] + batch.num_rows)
        return StagedTable(file, path, schema, starts)

    def _next_path(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="lamarrpy-"))
            self._finalizer = weakref.finalize(self, _remove, self._folder, os.getpid())
        self._tables += 1
        return self._folder / f"{self._tables}.arrow"


class StagedTable(StoredTable):
    """A table in a temporary Arrow file.

    Parameters
    ----------
    file : Path
        The input it was staged from.
    path : Path
        The Arrow file.
    schema, starts
        As for `StoredTable`.
    """

    def __init__(self, file: Path, path: Path, schema: pa.Schema, starts: list[int]) -> None:
        super().__init__(file, schema, starts)
        self._path = path

    def open(self) -> pa.ipc.RecordBatchFileReader:
        """Open the Arrow file; not memory-mapped, so that pages read do not count as memory."""
        return pa.ipc.open_file(pa.OSFile(str(self._path), "rb"))

    def load(self, block: int, columns: tuple[str, ...]) -> pa.Table:
        """Read one record batch."""
        batch = self.handle().get_batch(block)
        return pa.Table.from_batches([batch]).select(list(columns))
