"""Files of tracks: Parquet or npz, written and read as a stream, with the recipe that they come from."""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Literal, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lamarrpy.errors import OutputError
from lamarrpy.io.target import writing
from lamarrpy.tracks.sample import COLUMNS, TrackSample

Precision = Literal["float64", "float32"]

ROW_GROUP = 1 << 17
"""Tracks of a row group of Parquet: 11 MB."""

METADATA = "lamarrpy"
"""Where the metadata are: a key of Parquet's, an array of text in npz."""

SUFFIXES = (".parquet", ".npz")


class TrackWriter(Protocol):
    """A format under way: columns are appended, then the metadata finish it."""

    def append(self, columns: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Add tracks."""

    def finish(self, metadata: str) -> None:
        """Add the metadata and close the file."""

    def abandon(self) -> None:
        """Close whatever is open."""


class ParquetTracks:
    """One table, a row group for every `ROW_GROUP` tracks.

    z and dz are dictionary-encoded, which is small where they repeat; the others do not.
    """

    def __init__(self, path: Path, precision: Precision) -> None:
        kind = pa.float64() if precision == "float64" else pa.float32()
        fields = [pa.field(name, kind, False, {"unit": unit}) for name, unit in COLUMNS.items()]
        self._schema = pa.schema(fields)
        self._writer = pq.ParquetWriter(
            path, self._schema, compression="snappy", use_dictionary=["z", "dz"], write_statistics=False
        )

    def append(self, columns: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Add tracks as one row group."""
        arrays = [pa.array(values, field.type) for values, field in zip(columns.values(), self._schema, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=ROW_GROUP)

    def finish(self, metadata: str) -> None:
        """Add the metadata and close the file."""
        self._writer.add_key_value_metadata({METADATA: metadata})
        self._writer.close()

    def abandon(self) -> None:
        """Close the file."""
        self._writer.close()


class NpzTracks:
    """One array a column, uncompressed; each grows in a file of its own until the end joins them."""

    def __init__(self, path: Path, precision: Precision) -> None:
        self._path, self._dtype, self._rows = path, np.dtype(precision), 0
        self._folder = Path(tempfile.mkdtemp(prefix=f"{path.name}.", dir=path.parent))
        self._files = ExitStack()
        self._columns = {name: self._files.enter_context((self._folder / name).open("w+b")) for name in COLUMNS}

    def append(self, columns: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Add tracks."""
        for name, values in columns.items():
            np.ascontiguousarray(values, self._dtype).tofile(self._columns[name])
        self._rows += len(columns["x"])

    def finish(self, metadata: str) -> None:
        """Join the columns, each of which makes room as soon as it is in."""
        with zipfile.ZipFile(self._path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for name, file in self._columns.items():
                file.seek(0)
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    self._write_header(member)
                    shutil.copyfileobj(file, member, 1 << 20)
                file.truncate(0)
            with archive.open(f"{METADATA}.npy", "w") as member:
                np.lib.format.write_array(member, np.array(metadata), allow_pickle=False)
        self.abandon()

    def _write_header(self, member: IO[bytes]) -> None:
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": (self._rows,)}
        np.lib.format.write_array_header_1_0(member, header)

    def abandon(self) -> None:
        """Remove the columns."""
        self._files.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class TrackFile:
    """An output under way, made by `open_tracks`: it gets its name when it is complete."""

    def __init__(self, path: Path, precision: Precision) -> None:
        self.path, self.precision = path, precision
        self._partial = path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}.partial")
        self._waiting: list[dict[str, Any]] = []
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            kind = ParquetTracks if path.suffix == ".parquet" else NpzTracks
            self._writer: TrackWriter = kind(self._partial, precision)

    def append(self, sample: TrackSample) -> None:
        """Add tracks.

        Raises
        ------
        OutputError
            If there is no space left.
        """
        self._waiting.append(sample.columns())
        while sum(len(columns["x"]) for columns in self._waiting) >= ROW_GROUP:
            joined = self._joined()
            self._write({name: values[:ROW_GROUP] for name, values in joined.items()})
            self._waiting = [{name: values[ROW_GROUP:] for name, values in joined.items()}]

    def _joined(self) -> dict[str, Any]:
        return {name: np.concatenate([columns[name] for columns in self._waiting]) for name in COLUMNS}

    def _write(self, columns: Mapping[str, Any]) -> None:
        with writing(self.path):
            self._writer.append(columns)

    def finish(self, metadata: Mapping[str, Any]) -> None:
        """Write what waits, add the metadata, and give the file its name."""
        if self._waiting:
            self._write(self._joined())
        content = {"units": COLUMNS, "precision": self.precision, **metadata}
        with writing(self.path):
            self._writer.finish(json.dumps(content))
            os.replace(self._partial, self.path)

    def abandon(self) -> None:
        """Remove what was written so far, unless it has got its name."""
        with suppress(Exception):  # what cannot be finished is thrown away all the same
            self._writer.abandon()
        with suppress(OSError):
            self._partial.unlink(missing_ok=True)


@contextmanager
def open_tracks(path: str | Path, *, precision: Precision = "float64", overwrite: bool = False) -> Iterator[TrackFile]:
    """Write tracks as a stream; memory does not grow with their number.

    Parameters
    ----------
    path : path
        ``.parquet`` or ``.npz``.
    precision : {"float64", "float32"}
        float32 takes half the space and knows a position of 4 m to 0.2 um, no better.
    overwrite : bool
        Whether a file that is there is replaced, once this one is complete.

    Yields
    ------
    TrackFile
        ``append`` it the samples and ``finish`` it with what else is to be known; if it is not finished,
        nothing stays behind.

    Raises
    ------
    OutputError
        If the file cannot be written there, or is there already.
    """
    check_track_output(path, overwrite=overwrite)
    file = TrackFile(Path(path).absolute(), precision)
    try:
        yield file
    finally:
        file.abandon()


def check_track_output(path: str | Path, *, overwrite: bool = False) -> None:
    """Refuse an output that cannot be written, before any work is done.

    Raises
    ------
    OutputError
        If the suffix is none of `SUFFIXES`, the file is there already, or the place cannot be written to.
    """
    where = Path(path)
    if where.suffix not in SUFFIXES:
        raise OutputError(f"{where}: expected a file of tracks, {' or '.join(SUFFIXES)}, got {where.suffix!r}")
    with writing(where):
        if where.is_dir():
            raise OutputError(f"{where}: expected a file to write, but a folder has that name")
        if where.exists() and not overwrite:
            raise OutputError(f"{where}: is there already; choose another -o, or replace it with --overwrite")
        nearest = next(folder for folder in where.absolute().parents if folder.exists())
        with tempfile.TemporaryFile(dir=nearest):
            pass
