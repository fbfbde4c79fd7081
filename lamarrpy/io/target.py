"""Where an output goes: what is wrong with the place, said before any work is done, and how it is taken."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from lamarrpy.errors import OutputError
from lamarrpy.io.inputs import file_format
from lamarrpy.tables import SCHEMAS

ONE_TABLE = ("parquet", "csv")
"""Formats with one table a file."""


def check_output(path: str | Path, tables: Collection[str] = (), *, overwrite: bool = False) -> None:
    """Refuse an output that cannot be written, for everything that can be known beforehand.

    Nothing is made or changed.

    Parameters
    ----------
    path : path
        The output, as for `open_sink`.
    tables : collection of str
        The tables that are to be written, as far as they are known.
    overwrite : bool
        Whether an output that is there may be replaced.

    Raises
    ------
    OutputError
        If no format has the suffix or the format can only be read, a format of one table is to hold
        several, the output is there already (other than as an empty folder), a file is where a
        folder should be or the other way round, or the place cannot be written to.
    """
    where = Path(path)
    kind = file_format(where)
    if kind == "hepmc" or (kind == "csv" and where.suffix == ".gz"):
        raise OutputError(
            f"{where}: such files can be read, not written; choose a folder, .parquet, .root, .db or .csv"
        )
    check_table_count(where, tables)
    with writing(where):
        looks_like_a_file = where.suffix[1:2].isalpha() and not str(path).endswith("/")
        if kind is None and looks_like_a_file and not where.is_dir():
            raise OutputError(
                f"{where}: expected a folder, .parquet, .root, .db, .sqlite or .csv, got {where.suffix!r}"
            )
        _check_free(where, kind, overwrite)
    _check_writable(where)


def check_table_count(path: Path, tables: Collection[str]) -> None:
    """Refuse several tables where the format holds one."""
    kind = file_format(path)
    if kind in ONE_TABLE and len(tables) > 1:
        raise OutputError(
            f"{path}: a {kind} file holds one table, got {', '.join(tables)};"
            " choose one table, or a folder, .root or .db"
        )


def _check_free(path: Path, kind: str | None, overwrite: bool) -> None:
    is_folder = path.is_dir()
    if kind is None and path.exists() and not is_folder:
        raise OutputError(f"{path}: expected a folder to write into, but a file has that name")
    if kind is not None and is_folder:
        raise OutputError(f"{path}: expected a file to write, but a folder has that name")
    taken = any(path.iterdir()) if is_folder else path.exists()
    if taken and not overwrite:
        raise OutputError(f"{path}: is there already; choose another -o, or replace it with --overwrite")


def _check_writable(path: Path) -> None:
    """Try it with a file without a name: permissions alone do not tell (read-only disks, /proc, root)."""
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    if not nearest.is_dir():
        raise OutputError(f"{path}: expected a folder at {nearest}, but a file has that name; choose another -o")
    for folder in (nearest, path):
        if folder.is_dir():
            with writing(folder), tempfile.TemporaryFile(dir=folder):
                pass


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system says against writing into an OutputError."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise OutputError(f"{path}: cannot be written: {reason}; mend that, or choose another -o") from error


def record_path(output: Path) -> Path:
    """Where the record of a run is: inside an output folder, beside an output file."""
    return output / "run.json" if file_format(output) is None else output.with_name(f"{output.name}.run.json")


def place(partial: Path, path: Path) -> None:
    """Give a finished output its name.

    A folder that is there already is filled file by file, and loses the tables of an earlier run
    that this one does not make; other files in it stay. The record of the earlier run goes first:
    should all this be cut short, nothing calls the mixture whole.
    """
    record_path(path).unlink(missing_ok=True)
    if not path.is_dir():
        os.replace(partial, path)
        return
    for table in SCHEMAS:
        if not (partial / f"{table}.parquet").exists():
            (path / f"{table}.parquet").unlink(missing_ok=True)
    for file in sorted(partial.iterdir()):
        os.replace(file, path / file.name)
