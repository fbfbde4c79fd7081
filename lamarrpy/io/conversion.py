"""From any format to any other, with the input checked on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lamarrpy.errors import OutputError
from lamarrpy.io.batch import read_rows
from lamarrpy.io.checks import BadRows
from lamarrpy.io.inputs import StoredTables, file_format, open_tables
from lamarrpy.io.naming import Naming
from lamarrpy.io.one_table import check_particles_say_all
from lamarrpy.io.sink import Sink, open_sink
from lamarrpy.io.source import OnBadRows, Source
from lamarrpy.io.target import ONE_TABLE, check_output
from lamarrpy.tables import EventBatch, generator_level

CHUNK_ROWS = 1 << 17
"""Particles that are in memory at a time."""

_GENERATED = ("events", "vertices", "particles")


@dataclass(frozen=True)
class Conversion:
    """What was converted.

    Attributes
    ----------
    rows : dict of str to int
        Rows written, by table.
    bad : BadRows
        Particles dropped.
    notes : tuple of str
        What the reader of the format left out.
    """

    rows: dict[str, int]
    bad: BadRows
    notes: tuple[str, ...]


def convert(
    source: str | Path | Sequence[str | Path],
    target: str | Path,
    *,
    tables: Sequence[str] = (),
    naming: Naming | None = None,
    on_bad_rows: OnBadRows = "error",
    rntuple: bool = False,
    overwrite: bool = False,
) -> Conversion:
    """Write an input or output in another format, in bounded memory.

    Generator-level events are read as a run reads them: checked, vertices derived if they are not
    given. Other tables (tracks, or particles with columns of a pipeline or of the user) are taken
    over as they are, with canonical dtypes.

    Parameters
    ----------
    source, target : path
        As for `open_source` and `open_sink`.
    tables : sequence of str
        The tables to write; all by default. A format that holds one table gets the particles, if
        nothing is lost by that.
    naming, rntuple, overwrite
        As for `open_sink`.
    on_bad_rows : {"error", "drop"}
        What to do with bad particles of generator-level events.

    Raises
    ------
    OutputError
        If the target cannot be written, cannot hold what the source has, or is part of the source.
    InputError, SchemaError
        As `open_source` and `read_batch` raise them.
    """
    _check_apart(source, Path(target))
    check_output(target, tables, overwrite=overwrite)
    with open_tables(source) as stored:
        generated = _is_generated(stored)
        particles_only = generated and not tables and file_format(Path(target)) in ONE_TABLE
        chosen = ("particles",) if particles_only else tuple(tables or (_GENERATED if generated else stored))
        with open_sink(
            target,
            provenance={"converted_from": [file.name for file in stored.files]},
            naming=naming,
            tables=dict.fromkeys(chosen),
            rntuple=rntuple,
            overwrite=overwrite,
        ) as sink:
            if not generated:
                return Conversion(_copy_tables(stored, sink), BadRows(), stored.notes)
            return _copy_events(Source(stored, on_bad_rows), sink, particles_only)


def _check_apart(source: str | Path | Sequence[str | Path], target: Path) -> None:
    """Refuse to write over the source, into its folder as if it were the output, or among its files."""
    paths = [source] if isinstance(source, str | Path) else source
    place = target.resolve()
    for path in (Path(path).resolve() for path in paths):
        if place == path or (path.is_file() and place == path.parent) or (path.is_dir() and place.parent == path):
            raise OutputError(f"{target}: expected a target apart from the source {path}; choose another one")


def _is_generated(stored: StoredTables) -> bool:
    """Whether an input has nothing but what a generator provides."""
    known = {name: generator_level(name).names for name in _GENERATED}
    return "particles" in stored and all(
        name in known and set(table.schema.names) <= set(known[name]) for name, table in stored.items()
    )


def _copy_events(source: Source, sink: Sink, particles_only: bool) -> Conversion:
    rows: Counter[str] = Counter()
    bad = BadRows()
    for start, stop in source.chunks(CHUNK_ROWS):
        batch, dropped = source.read(start, stop)
        if particles_only:
            check_particles_say_all(batch, sink.path, ", or choose --table particles to do without")
        sink.append(batch)
        rows.update({name: batch[name].num_rows for name in sink.tables})
        bad += dropped
    return Conversion(dict(rows), bad, source.notes)


def _copy_tables(stored: StoredTables, sink: Sink) -> dict[str, int]:
    """Table after table, block after block; a batch has rows of one table."""
    empty = {name: read_rows(name, table, 0, 0) for name, table in stored.items()}
    sink.append(EventBatch(empty))
    for name in sink.tables:
        table = stored[name]
        for start in range(0, table.rows, CHUNK_ROWS):
            rows = read_rows(name, table, start, min(start + CHUNK_ROWS, table.rows))
            sink.append(EventBatch({**empty, name: rows}))
    return {name: stored[name].rows for name in sink.tables}
