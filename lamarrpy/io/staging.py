"""A temporary folder for what is too large for memory and must be read in any order."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lamarrpy.errors import OutputError
from lamarrpy.io.integers import Integers, StoredArray
from lamarrpy.io.stored import StoredTable

BLOCK_ROWS = 1 << 16
"""Rows of a staged block: small against memory, large against the cost of a block."""

IN_MEMORY = 1 << 16
"""Length up to which a column of integers is kept in memory."""


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
        self._files = 0

    def __reduce__(self) -> tuple[type[Staging], tuple[()]]:
        return Staging, ()

    def close(self) -> None:
        """Remove the folder."""
        if self._finalizer is not None:
            self._finalizer()
        self._folder = self._finalizer = None

    def stage(
        self, file: Path, schemas: Mapping[str, pa.Schema], blocks: Iterable[Mapping[str, pa.Table]]
    ) -> dict[str, StoredTable]:
        """Write a stream of rows where blocks of it can be read in any order.

        Parameters
        ----------
        file : Path
            The input that the rows come from, as messages name it.
        schemas : mapping of str to pyarrow.Schema
            The tables and their columns.
        blocks : iterable of mapping of str to pyarrow.Table
            Rows of the tables, in pieces of any size.
        """
        paths = {name: self._next_path("arrow") for name in schemas}
        starts = {name: [0] for name in schemas}
        with ExitStack() as stack:
            writers = {}
            for name, schema in schemas.items():
                stream = stack.enter_context(pa.OSFile(str(paths[name]), "wb"))
                writers[name] = stack.enter_context(pa.ipc.new_file(stream, schema))
            for tables in blocks:
                for name, rows in tables.items():
                    for batch in rows.combine_chunks().to_batches(max_chunksize=BLOCK_ROWS):
                        writers[name].write_batch(batch)
                        starts[name].append(starts[name][-1] + batch.num_rows)
        return {name: StagedTable(file, paths[name], schema, starts[name]) for name, schema in schemas.items()}

    def keep(self, blocks: Iterable[NDArray[np.int64]]) -> list[Integers]:
        """Keep columns of integers: in memory if they are short, else each in a file.

        Parameters
        ----------
        blocks : iterable of ndarray of int64, shape (columns, n)
            The columns in pieces, at least one, of any length n.
        """
        rest = iter(blocks)
        held: list[NDArray[np.int64]] = []
        length = 0
        for block in rest:
            held.append(block)
            length += block.shape[1]
            if length > IN_MEMORY:
                return self._write(len(block), chain(held, rest))
        return list(np.concatenate(held, axis=1))

    def _write(self, columns: int, blocks: Iterable[NDArray[np.int64]]) -> list[Integers]:
        paths = [self._next_path("int64") for _ in range(columns)]
        length = 0
        with ExitStack() as stack:
            files = [stack.enter_context(path.open("wb")) for path in paths]
            for block in blocks:
                length += block.shape[1]
                for file, column in zip(files, block, strict=True):
                    _append(file, column)
        return [StoredArray(path, length) for path in paths]

    def _next_path(self, suffix: str) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="lamarrpy-"))
            self._finalizer = weakref.finalize(self, _remove, self._folder, os.getpid())
        self._files += 1
        return self._folder / f"{self._files}.{suffix}"


def _append(file: BinaryIO, numbers: NDArray[np.int64]) -> None:
    try:
        numbers.tofile(file)
    except OSError as error:
        raise OutputError(
            f"{file.name}: cannot keep where the events of the input are ({error}); expected 24 bytes an event and"
            " table to fit there; free space, or set TMPDIR to a folder that has more"
        ) from error


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
