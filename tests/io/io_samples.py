"""Small tables with everything in them, and HepMC events whose history is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyhepmc
import pytest
from pyhepmc import GenEvent, GenParticle, GenVertex

from lamarrpy.io.conform import conform
from lamarrpy.io.stored import arrow_array
from lamarrpy.tables import CLUSTERS, EVENTS, PARTICLES, TRACKS, VERTICES, EventBatch, Schema, generator_level


def particles(counts: tuple[int, ...] = (3, 0, 5, 1), seed: int = 0, first_event: int = 10) -> EventBatch:
    """Generator-level events with so many particles each; event ids in falling order, ids with gaps."""
    rng = np.random.default_rng(seed)
    events = first_event + 7 * np.arange(len(counts))[::-1]
    n = sum(counts)
    number = np.concatenate([np.arange(count) for count in counts]) if n else np.empty(0, int)
    columns: dict[str, Any] = {
        "event_id": np.repeat(events, counts),
        "particle_id": 3 * number + 1,
        "mother_id": np.where(number > 1, 1, -1),
        "vertex_id": np.zeros(n, np.int64),
        "pid": rng.choice([211, -321, 22, 2212, -13, 511], n).astype(np.int32),
        **{name: rng.normal(0, 1e4, n) for name in ("px", "py", "pz", "x", "y", "z", "t")},
        "status": rng.choice([1, 2], n).astype(np.int32),
    }
    vertices = first_rows(columns)
    batch = EventBatch({}).with_table(
        generator_level("events"), {"event_id": events, "weight": np.linspace(0.5, 2, len(counts))}
    )
    batch = batch.with_table(generator_level("vertices"), vertices)
    return batch.with_table(generator_level("particles"), columns)


@contextmanager
def small_pieces() -> Iterator[None]:
    """The index of events is kept in files from three events on, and gone through in small pieces."""
    with pytest.MonkeyPatch.context() as patch:
        for name, size in (("staging.IN_MEMORY", 2), ("integers.PIECE", 3)):
            patch.setattr(f"lamarrpy.io.{name}", size)
        for module in ("integers", "index"):
            patch.setattr(f"lamarrpy.io.{module}.LOOKUP", 4)
        yield


def first_rows(columns: dict[str, Any]) -> dict[str, Any]:
    """One vertex an event, where its first particle starts."""
    _, first = np.unique(columns["event_id"], return_index=True)
    first = np.sort(first)
    place = {f"true_{axis}": columns[axis][first] for axis in "xyz"}
    return {"event_id": columns["event_id"][first], "vertex_id": columns["vertex_id"][first], **place}


def fill(schema: Schema, rows: int, seed: int = 0) -> pa.Table:
    """A table with numbers in all columns of a schema, nulls where the flag is false, keys unique."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for column in schema:
        if column.dtype == "bool":
            columns[column.name] = rng.random(rows) < 0.5
        elif column.numpy_dtype.kind == "i":
            columns[column.name] = rng.integers(0, 5, rows).astype(column.dtype)
        else:
            columns[column.name] = rng.normal(0, 1e3, rows)
    columns["event_id"] = np.arange(rows) // 3
    columns[schema.key[-1]] = np.arange(rows)
    arrays = []
    for column in schema:
        flag = columns[column.valid_under] if column.valid_under else np.ones(rows, bool)
        arrays.append(arrow_array(columns[column.name], ~flag if column.nullable else None))
    table, bad = conform(pa.table(arrays, names=list(schema.names)), schema)
    assert not bad
    return table


def results(rows: int = 20) -> EventBatch:
    """All five tables with all canonical columns."""
    return EventBatch(
        {s.table: fill(s, rows, seed) for seed, s in enumerate((EVENTS, VERTICES, PARTICLES, TRACKS, CLUSTERS))}
    )


def change(table: pa.Table, column: str, row: int, value: Any) -> pa.Table:
    """The table with one cell changed (None for null)."""
    values = table.column(column).to_pylist()
    values[row] = value
    at = table.column_names.index(column)
    field = table.schema.field(column).with_nullable(True)
    return table.set_column(at, field, pa.array(values, field.type))


def same(a: pa.Table, b: pa.Table) -> bool:
    """Whether two tables have the same columns with the same values and nulls."""
    return (
        a.select(sorted(a.column_names))
        .cast(b.select(sorted(b.column_names)).schema)
        .equals(b.select(sorted(b.column_names)))
    )


def hepmc_event(number: int = 0, momentum: str = "GEV", length: str = "CM", collisions: int = 1) -> GenEvent:
    """Beams -> b quark -> (B0 -> (K+ pi-) and gamma), as often as there are collisions.

    In MeV and mm every event is the same whatever its units are.
    """
    event = GenEvent(getattr(pyhepmc.Units, momentum), getattr(pyhepmc.Units, length))
    event.event_number = number
    event.weights = [0.25 + number]
    mev, mm = {"GEV": 1e3, "MEV": 1.0}[momentum], {"CM": 10.0, "MM": 1.0}[length]

    def particle(px: float, py: float, pz: float, pid: int, status: int) -> GenParticle:
        return GenParticle((px / mev, py / mev, pz / mev, 1e6 / mev), pid, status)

    def vertex(x: float, y: float, z: float, ct: float, incoming: list[Any], outgoing: list[Any]) -> None:
        made = GenVertex((x / mm, y / mm, z / mm, ct / mm))
        for p in incoming:
            made.add_particle_in(p)
        for p in outgoing:
            made.add_particle_out(p)
        event.add_vertex(made)

    for c in range(collisions):
        beams = [particle(0, 0, sign * 6.5e6, 2212, 4) for sign in (1, -1)]
        quark = particle(1, 2, 3, 5, 71)
        meson, photon = particle(1000, 2000, 30000 + c, 511, 2), particle(10, 20, 300, 22, 1)
        kaon, pion = particle(600, 1500, 20000, 321, 1), particle(400, 500, 10000, -211, 1)
        vertex(0.5, 0.25, 10 + c, 8, beams, [quark])
        vertex(0.5, 0.25, 10 + c, 8, [quark], [meson, photon])
        vertex(1.5, 2.25, 40 + c, 40, [meson], [kaon, pion])
    return event


def write_hepmc(path: Path, events: list[GenEvent], file_format: str = "hepmc3") -> Path:
    """Write events as HepMC2 or HepMC3 ASCII, gzipped if the name says so."""
    pyhepmc.Setup.print_warnings = False  # HepMC3 calls HepMC2 outdated on the terminal
    with pyhepmc.open(path, "w", format=file_format) as file:
        for event in events:
            file.write(event)
    return path
