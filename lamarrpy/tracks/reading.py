"""Tracks from a file: all of them, some, or block by block."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lamarrpy.errors import InputError
from lamarrpy.propagation.state import Array
from lamarrpy.tables.arrow import to_numpy
from lamarrpy.tracks.files import METADATA, SUFFIXES
from lamarrpy.tracks.sample import COLUMNS, TrackSample, concatenate

BLOCK = 1 << 17
"""Tracks read at a time."""


def read_tracks(path: str | Path, rows: int | slice | None = None) -> TrackSample:
    """The tracks of a file, in memory.

    Parameters
    ----------
    path : path
        ``.parquet`` or ``.npz``, as ``lamarrpy tracks`` writes it.
    rows : int or slice, optional
        So many from the beginning, or a slice without a step; all by default.

    Raises
    ------
    InputError
        If the file is not there, damaged, lacks a column, or holds numbers that are not finite.
    """
    return concatenate(list(iter_tracks(path, rows=rows)))


def iter_tracks(path: str | Path, block: int = BLOCK, rows: int | slice | None = None) -> Iterator[TrackSample]:
    """The tracks of a file, some at a time, so that memory does not grow with their number.

    Parameters
    ----------
    path, rows
        As for `read_tracks`.
    block : int
        Largest number of tracks at a time.

    Yields
    ------
    TrackSample
        The tracks in the order of the file.

    Raises
    ------
    InputError
        As `read_tracks`.
    """
    if block < 1:
        raise InputError(f"expected blocks of at least one track, got {block}")
    file = _existing(path)
    columns_of = _parquet_blocks if file.suffix == ".parquet" else _npz_blocks
    try:
        first, last = _bounds(number_of_tracks(file), rows)
        for at, columns in columns_of(file, first, last, block):
            _check_finite(file, at, columns)
            yield TrackSample.from_columns(columns)
    except (pa.ArrowException, OSError, zipfile.BadZipFile, EOFError) as error:
        raise _damaged(file, error) from error


def number_of_tracks(path: str | Path) -> int:
    """How many tracks a file holds; raises as `read_tracks`."""
    file = _existing(path)
    try:
        if file.suffix == ".parquet":
            with pq.ParquetFile(file) as parquet:
                _expect_columns(file, parquet.schema_arrow.names)
                return int(parquet.metadata.num_rows)
        with ExitStack() as stack:
            lengths = {name: length for name, (_, _, length) in _members(stack, file).items()}
    except (pa.ArrowException, OSError, zipfile.BadZipFile, EOFError) as error:
        raise _damaged(file, error) from error
    if len(set(lengths.values())) > 1:
        raise InputError(f"{file}: expected columns of one length, got {lengths}")
    return lengths["x"]


def track_metadata(path: str | Path) -> dict[str, Any]:
    """What a file says of its tracks: recipe, seed, units, what became of the drawn ones.

    Returns
    -------
    dict
        Empty if the file was written by something else; raises as `read_tracks`.
    """
    file = _existing(path)
    try:
        if file.suffix == ".parquet":
            with pq.ParquetFile(file) as parquet:
                text = (parquet.metadata.metadata or {}).get(METADATA.encode(), b"{}").decode()
        else:
            with zipfile.ZipFile(file) as archive:
                text = _text(archive) if f"{METADATA}.npy" in archive.namelist() else "{}"
        content: dict[str, Any] = json.loads(text)
    except (pa.ArrowException, OSError, zipfile.BadZipFile, EOFError, ValueError) as error:
        raise _damaged(file, error) from error
    return content


def _text(archive: zipfile.ZipFile) -> str:
    with archive.open(f"{METADATA}.npy") as member:
        return str(np.lib.format.read_array(member, allow_pickle=False))


def _existing(path: str | Path) -> Path:
    file = Path(path)
    if file.suffix not in SUFFIXES:
        raise InputError(f"{file}: expected a file of tracks, {' or '.join(SUFFIXES)}, got {file.suffix!r}")
    if not file.is_file():
        raise InputError(f"{file}: expected a file of tracks, but there is none; make it with `lamarrpy tracks`")
    return file


def _damaged(file: Path, error: Exception) -> InputError:
    return InputError(
        f"{file}: expected a complete file of tracks, but it is cut off or damaged ({error}); make or copy it again"
    )


def _bounds(total: int, rows: int | slice | None) -> tuple[int, int]:
    chosen = slice(rows) if isinstance(rows, int) else rows or slice(None)
    if isinstance(rows, int) and not 0 <= rows <= total:
        raise InputError(f"expected at most the {total} tracks of the file, got {rows}")
    first, last, step = chosen.indices(total)
    if step != 1:
        raise InputError(f"expected a slice without a step, got {chosen}")
    return first, max(first, last)


def _expect_columns(file: Path, names: list[str]) -> None:
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise InputError(f"{file}: expected the columns {', '.join(COLUMNS)}, got none called {', '.join(missing)}")


def _check_finite(file: Path, first: int, columns: dict[str, Array]) -> None:
    for name, values in columns.items():
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise InputError(f"{file}: expected finite numbers, got {name} = {values[bad[0]]} in row {first + bad[0]}")


def _expect_numbers(file: Path, schema: pa.Schema) -> None:
    for name in COLUMNS:
        kind = schema.field(name).type
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
            raise InputError(f"{file}: column {name!r}: expected numbers, got {kind}")


def _as_float(file: Path, name: str, values: Any) -> Array:
    if values.dtype.kind not in "fi":
        raise InputError(f"{file}: column {name!r}: expected numbers, got {values.dtype}")
    return np.asarray(values, np.float64)


def _parquet_blocks(file: Path, first: int, last: int, block: int) -> Iterator[tuple[int, dict[str, Array]]]:
    """First row and columns of one block after the other."""
    with pq.ParquetFile(file) as parquet:
        meta = parquet.metadata
        edges = np.cumsum([0, *(meta.row_group(i).num_rows for i in range(meta.num_row_groups))]).tolist()
        for group, (begin, end) in enumerate(pairwise(edges)):
            if end <= first or begin >= last:
                continue
            _expect_numbers(file, parquet.schema_arrow)
            table = parquet.read_row_group(group, columns=list(COLUMNS), use_threads=False)
            columns = {name: _as_float(file, name, to_numpy(table.column(name))) for name in COLUMNS}
            stop = min(end, last)
            for at in range(max(begin, first), stop, block):
                part = slice(at - begin, min(at + block, stop) - begin)
                yield at, {name: values[part] for name, values in columns.items()}


def _npz_blocks(file: Path, first: int, last: int, block: int) -> Iterator[tuple[int, dict[str, Array]]]:
    """First row and columns of one block after the other."""
    with ExitStack() as stack:
        members = _members(stack, file)
        for stream, dtype, _ in members.values():
            stream.seek(first * dtype.itemsize, 1)
        for at in range(first, last, block):
            count = min(block, last - at)
            yield at, {name: _take(file, name, stream, dtype, count) for name, (stream, dtype, _) in members.items()}


def _members(stack: ExitStack, file: Path) -> dict[str, tuple[IO[bytes], np.dtype[Any], int]]:
    """The columns of an npz: a stream at the first number, dtype and length of each."""
    archive = stack.enter_context(zipfile.ZipFile(file))
    _expect_columns(file, [name.removesuffix(".npy") for name in archive.namelist()])
    members = {}
    for name in COLUMNS:
        stream = stack.enter_context(archive.open(f"{name}.npy"))
        try:
            version = np.lib.format.read_magic(stream)
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = header(stream)
        except ValueError as error:
            raise InputError(f"{file}: column {name!r}: expected a NumPy array, got {error}") from error
        if len(shape) != 1:
            raise InputError(f"{file}: column {name!r}: expected shape (n,), got {shape}")
        members[name] = (stream, dtype, int(shape[0]))
    return members


def _take(file: Path, name: str, stream: IO[bytes], dtype: np.dtype[Any], count: int) -> Array:
    data = stream.read(count * dtype.itemsize)
    if len(data) < count * dtype.itemsize:
        raise EOFError(f"column {name!r} ends too early")
    return _as_float(file, name, np.frombuffer(data, dtype))
