"""The sample that the report makes itself: enriched where a figure needs particles, and real events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa

from lamarrpy.generate import generate
from lamarrpy.io import open_sink, open_source
from lamarrpy.shipped import shipped
from lamarrpy.tables import EventBatch
from lamarrpy.tables.batch import to_arrow_index

GUNS = ("report_spectrum", "report_eta3", "report_dip", "report_displaced")
"""Recipes whose particles fly together in each gun event: about as many charged ones as in collisions."""

ALONE = {"report_identification": 5_000_000, "report_pi0": 6_000_000}
"""Recipes whose particles fly in events of their own, with the number of the first of these."""

SEED = 2016

_COLLISIONS = ("data", "bbbar_pythia8.parquet")
_CHUNK = 500
_FIRST_REPEAT = 10_000_000
"""event_id from which on the repeated collision events are numbered, a block of so many for each repeat."""


def write_input(path: Path, gun_events: int, repeats: int) -> None:
    """Write the generator-level events of the report's own sample.

    Parameters
    ----------
    path : Path
        Folder to write.
    gun_events : int
        Events of particle guns.
    repeats : int
        How often the shipped b-bbar events are taken, each time under other numbers, and so with other
        scattering, losses and hits.
    """
    guns = [*GUNS, *ALONE]
    with open_sink(path, provenance={"seed": SEED, "guns": guns, "collisions": _COLLISIONS[-1]}) as sink:
        for batch in chain(gun_batches(gun_events), _of_own(gun_events), _repeated(repeats)):
            sink.append(batch)


def alone(gun_events: int) -> int:
    """Events of each recipe of `ALONE`: four for each five of the other guns."""
    return 4 * gun_events // 5


def _of_own(gun_events: int) -> Iterator[EventBatch]:
    """Hadrons, and neutral pions, in events of their own."""
    for recipe, first in ALONE.items():
        yield from generate(recipe, alone(gun_events), SEED, first_event=first, chunk_events=_CHUNK)


def gun_batches(events: int) -> Iterator[EventBatch]:
    """The particles of all guns in common events, from one vertex each."""
    streams = [generate(recipe, events, SEED + number, chunk_events=_CHUNK) for number, recipe in enumerate(GUNS)]
    for batches in zip(*streams, strict=True):
        yield _merge(batches)


def _merge(batches: Sequence[EventBatch]) -> EventBatch:
    """Events of the same numbers as one, at the vertices of the first, particles numbered anew."""
    first = batches[0]
    moved = [_at_vertices_of(first, batch) for batch in batches]
    table = pa.concat_tables(moved)
    table = table.take(to_arrow_index(np.argsort(table.column("event_id").to_numpy(), kind="stable")))
    event_id = table.column("event_id").to_numpy()
    number = np.arange(len(event_id)) - np.searchsorted(event_id, event_id)
    return EventBatch({**first.tables, "particles": _replaced(table, "particle_id", number)})


def _at_vertices_of(first: EventBatch, batch: EventBatch) -> pa.Table:
    """The particles of a batch, moved to the vertices of another one with the same events."""
    table = batch["particles"]
    at = np.searchsorted(first.array("vertices", "event_id"), batch.array("particles", "event_id"))
    for axis in "xyz":
        shift = first.array("vertices", f"true_{axis}") - batch.array("vertices", f"true_{axis}")
        table = _replaced(table, axis, batch.array("particles", axis) + shift[at])
    return table


def _repeated(times: int) -> Iterator[EventBatch]:
    """The shipped collision events, again and again under other numbers."""
    with open_source(shipped(*_COLLISIONS)) as source:
        whole, _ = source.read(0, len(source))
    for repeat in range(times):
        shift = _FIRST_REPEAT * (repeat + 1)
        yield EventBatch(
            {
                name: _replaced(table, "event_id", whole.array(name, "event_id") + shift)
                for name, table in whole.tables.items()
            }
        )


def _replaced(table: pa.Table, column: str, values: np.ndarray) -> pa.Table:
    """A table with other values in a column of the same type."""
    at = table.column_names.index(column)
    kind = table.schema.field(at)
    return table.set_column(at, kind, pa.array(values, kind.type))
