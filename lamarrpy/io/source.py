"""Sources: where whole, checked events come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lamarrpy.errors import ConfigError, InputError
from lamarrpy.io.checks import BadRows, count_rows, duplicates, unknown_species, without_vertex
from lamarrpy.io.conform import BadCells, check_columns, conform, raise_first
from lamarrpy.io.hashes import fingerprint
from lamarrpy.io.index import EventIndex, align, index_events, whole_events
from lamarrpy.io.inputs import StoredTables, open_tables
from lamarrpy.io.staging import Staging
from lamarrpy.io.stored import MemoryTable, StoredTable, arrow_array, expand
from lamarrpy.io.vertices import derive_vertices
from lamarrpy.tables import EventBatch, Schema, generator_level
from lamarrpy.tables.batch import to_arrow_index

OnBadRows = Literal["error", "drop"]

_DROP_HINT = ", or leave such rows out and count them with --on-bad-rows drop"


class _Events:
    """One table of a source, read by positions of events."""

    def __init__(self, table: StoredTable, schema: Schema, index: EventIndex) -> None:
        self.table, self.schema, self.index = table, schema, index

    def read(self, start: int, stop: int) -> tuple[pa.Table, list[BadCells]]:
        """Rows of the events [start, stop), as the schema wants them, and their bad cells."""
        first, rows = self.index.first[start:stop], self.index.rows[start:stop]
        raw = self.table.gather(first, rows, self.schema.names).combine_chunks()
        return conform(raw, self.schema, self.table.null_value)

    def position(self, start: int, stop: int) -> NDArray[np.int64]:
        """Position in the batch of each row's event, shape (rows,)."""
        return np.repeat(np.arange(stop - start), self.index.rows[start:stop])

    def refuse(self, bad: list[BadCells], data: pa.Table, start: int, stop: int, hint: str = "") -> None:
        """Raise an InputError about the first bad cell, if there is one."""
        if bad:
            rows = expand(self.index.first[start:stop], self.index.rows[start:stop])
            raise_first(bad, self.table, lambda row: int(rows[row]), data.select(list(self.schema.key)), hint)


class Source:
    """Whole events from an input, read and checked some at a time.

    Made by `open_source`. A source can be pickled; a copy opens the files anew when it first reads.

    Attributes
    ----------
    event_ids : Integers, n_events of them
        The events in the order of the file: of its events table if it has one, so that events
        without particles are there too, else of its particles.
    rows : Integers, n_events of them
        Particles of each event, bad ones included.
    notes : tuple of str
        What was left out while the input was opened, such as the partons of a HepMC record.
    """

    def __init__(self, tables: StoredTables, on_bad_rows: OnBadRows = "error") -> None:
        if on_bad_rows not in ("error", "drop"):
            raise ConfigError(f"on_bad_rows: expected 'error' or 'drop', got {on_bad_rows!r}")
        self._tables, self._on_bad_rows = tables, on_bad_rows
        self.notes = tables.notes
        given = {"particles": tables["particles"], **{name: tables[name] for name in _OPTIONAL if name in tables}}
        schemas = {name: check_columns(table, generator_level(name)) for name, table in given.items()}
        indices = {name: index_events(table, tables.staging) for name, table in given.items()}
        reference = "events" if "events" in given else "particles"
        self.event_ids = indices[reference].event_ids
        if not len(self.event_ids):
            raise InputError(f"{given[reference].file}: expected events, got none: table {reference!r} has no rows")
        self._parts = {
            name: _Events(table, schemas[name], align(table, indices[name], self.event_ids, reference, tables.staging))
            for name, table in given.items()
        }
        self.rows = self._parts["particles"].index.rows

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.event_ids)

    def close(self) -> None:
        """Remove the temporary files."""
        self._tables.close()

    @cached_property
    def fingerprint(self) -> str:
        """Identifies the input by names, sizes and contents of its files, wherever they lie."""
        return fingerprint(self._tables)

    def chunks(self, max_rows: int) -> Iterator[tuple[int, int]]:
        """Ranges [start, stop) of at most ``max_rows`` events with at most so many particles, or of one event."""
        return whole_events(self.rows, max_rows, 0, len(self))

    def read(self, start: int, stop: int) -> tuple[EventBatch, BadRows]:
        """Read and check the events at positions [start, stop).

        Vertices that the input does not give are derived (`derive_vertices`); events that it does
        not give have weight 1.

        Returns
        -------
        batch : EventBatch
            Generator-level events, vertices and particles. Every event asked for is there, even
            one without particles.
        bad : BadRows
            Particles dropped.

        Raises
        ------
        InputError
            With the first bad row, its file, number and column; for particles only if bad rows are
            not to be dropped.
        """
        part = self._parts["particles"]
        particles, bad = part.read(start, stop)
        good, dropped = self._judge(particles, bad, start, stop)
        vertices = self._vertices(particles, bad, start, stop)
        part.refuse(without_vertex(particles, good, vertices), particles, start, stop)
        if dropped.total:
            particles = particles.take(to_arrow_index(np.flatnonzero(good)))
        return EventBatch({"events": self._events(start, stop), "vertices": vertices, "particles": particles}), dropped

    def _judge(self, data: pa.Table, bad: list[BadCells], start: int, stop: int) -> tuple[NDArray[np.bool_], BadRows]:
        """Find the bad particles; raise about them, or say which rows are good."""
        part = self._parts["particles"]
        event = part.position(start, stop)
        sound, _ = count_rows(bad, len(event))
        rows = np.flatnonzero(sound)
        among = data if not bad else data.take(to_arrow_index(rows))
        later = [*unknown_species(among), *duplicates(event[rows], among, part.schema)]
        found = bad + [BadCells(b.reason, b.column, b.expected, b.got, rows[b.rows]) for b in later]
        if self._on_bad_rows == "error":
            part.refuse(found, data, start, stop, _DROP_HINT)
        return count_rows(found, len(event))

    def _vertices(self, particles: pa.Table, bad: list[BadCells], start: int, stop: int) -> pa.Table:
        """The vertices of the input, checked, or derived from all its particles, dropped ones included."""
        part = self._parts.get("vertices")
        if part is not None:
            vertices, cells = part.read(start, stop)
            cells += duplicates(part.position(start, stop), vertices, part.schema)
            part.refuse(cells, vertices, start, stop)
            return vertices
        schema = generator_level("vertices").arrow
        usable, _ = count_rows((cells for cells in bad if cells.column in _PLACES), len(particles))
        values = derive_vertices(self._parts["particles"].position(start, stop), particles, usable)
        return pa.Table.from_arrays([arrow_array(values[name]) for name in schema.names], schema=schema)

    def _events(self, start: int, stop: int) -> pa.Table:
        schema = generator_level("events")
        part = self._parts.get("events")
        ids = arrow_array(self.event_ids[start:stop])
        weights: Any = arrow_array(np.ones(stop - start))
        if part is not None:
            data, cells = part.read(start, stop)
            cells += duplicates(part.position(start, stop), data, part.schema)
            part.refuse(cells, data, start, stop)
            weights = data.column("weight") if "weight" in part.schema else weights
        return pa.Table.from_arrays([ids, weights], schema=schema.arrow)


_OPTIONAL = ("events", "vertices")
_PLACES = ("event_id", "particle_id", "mother_id", "vertex_id", "x", "y", "z")


def open_source(
    source: str | Path | Sequence[str | Path] | EventBatch | pa.Table, on_bad_rows: OnBadRows = "error"
) -> Source:
    """Open generator-level events; the format is chosen by the suffix.

    Parameters
    ----------
    source : path, sequence of paths, EventBatch or pyarrow.Table
        A file: Parquet or CSV (particles), ROOT or SQLite (tables by name; one that is alone holds
        particles), HepMC2 or HepMC3 ASCII, also gzipped. A folder or a list of files of one format:
        Parquet or CSV files called particles, vertices, events hold these tables, others are parts of
        the particles, in sorted order. Or tables in memory; a pyarrow table holds particles.
    on_bad_rows : {"error", "drop"}
        What to do with single particles that have a null, a NaN or infinite number, an unknown PDG
        number or the id of an earlier particle of their event.

    Returns
    -------
    Source
        A context manager; closing it removes the temporary files that keep the memory bounded: 24 bytes
        an event for each table of an input with more than 65,536 events, and the rows of a format
        that cannot be read in any order.

    Raises
    ------
    InputError
        If the input cannot be read as whole events: a file that is missing, empty, cut off or
        damaged; no events; an event whose rows are not contiguous.
    SchemaError
        If a column is missing or has the wrong dtype.
    """
    if isinstance(source, pa.Table):
        source = EventBatch({"particles": source})
    tables = _in_memory(source) if isinstance(source, EventBatch) else open_tables(source)
    try:
        return Source(tables, on_bad_rows)
    except BaseException:
        tables.close()
        raise


def _in_memory(batch: EventBatch) -> StoredTables:
    tables: dict[str, StoredTable] = {name: MemoryTable(name, table) for name, table in batch.tables.items()}
    return StoredTables(tables, (), Path("memory"), (), Staging())
