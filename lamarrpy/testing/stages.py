"""The conformance test of stages."""

from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa

from lamarrpy.draws import Draws
from lamarrpy.errors import LamarrpyError
from lamarrpy.stages import STAGES
from lamarrpy.stages.stage import Stage
from lamarrpy.tables import SCHEMAS, EventBatch, Schema
from lamarrpy.tables.arrow import to_numpy
from lamarrpy.tables.batch import to_arrow_index
from lamarrpy.testing.events import example_events


def check_stage(stage: Stage, batch: EventBatch | None = None, seed: int = 20_11) -> None:
    """See that a stage keeps every promise that pipelines rely on.

    Tested are: it is picklable; it works with the columns it declares and no others; it adds the
    columns it declares, with their dtypes, and leaves everything else alone; nothing is NaN or
    null but under a false flag; an empty batch works; the same call gives the same bits; events
    split, batched and reordered in any way give the same bits; the input is not changed.

    Parameters
    ----------
    stage : Stage
        The stage to test.
    batch : EventBatch, optional
        Events with at least the columns it reads. By default a few made-up events on which the
        registered stages were run until all those columns were there.
    seed : int
        Seed of the draws.

    Raises
    ------
    AssertionError
        Saying which promise was broken, by which column.
    """
    assert isinstance(stage, Stage), "expected name, reads, writes and __call__, as lamarrpy.stages.stage.Stage says"
    stage = pickle.loads(pickle.dumps(stage))
    declared = _declared_columns(batch if batch is not None else _prepare(stage), stage)
    draws = Draws(seed, stage.name)
    before = {name: table.slice(0) for name, table in declared.tables.items()}
    bits = {name: _bits(table) for name, table in before.items()}
    after = stage(declared, draws)
    for name, table in before.items():
        assert _bits(table) == bits[name], f"{stage.name} changed the memory of its input table {name!r}"
    _check_writes(stage, declared, after)
    _check_values(stage, after)
    _check_same(after, stage(declared, draws), f"{stage.name}: a second call gave other values")
    _check_events(stage, declared, after, draws)


def _prepare(stage: Stage) -> EventBatch:
    """Made-up events with what the stage reads, made by the registered stages."""
    batch = example_events()
    for kind in STAGES.values():
        if all(t in batch and set(s.names) <= set(batch[t].column_names) for t, s in stage.reads.items()):
            return batch
        other = kind()
        if other.name != stage.name:
            batch = other(batch, Draws(1, other.name))
    return batch


def _declared_columns(batch: EventBatch, stage: Stage) -> EventBatch:
    """The batch with the keys of every table and the declared columns, no others."""
    tables = {}
    for name, table in batch.tables.items():
        if name in stage.writes and name not in stage.reads and name not in ("events", "vertices", "particles"):
            continue  # a table the stage makes itself
        wanted = {*SCHEMAS[name].key} if name in SCHEMAS else {"event_id"}
        wanted |= set(stage.reads[name].names) if name in stage.reads else set()
        tables[name] = table.select([c for c in table.column_names if c in wanted])
    missing = [
        f"{t}.{c}" for t, s in stage.reads.items() for c in s.names if c not in tables.get(t, pa.table({})).column_names
    ]
    assert not missing, f"{stage.name} reads {missing}, which the events do not have: pass a batch that does"
    return EventBatch(tables)


def _check_writes(stage: Stage, before: EventBatch, after: EventBatch) -> None:
    for name, table in before.tables.items():
        assert name in after, f"{stage.name} dropped the table {name!r}"
        added = stage.writes[name].names if name in stage.writes else ()
        expected = [*table.column_names, *(c for c in added if c not in table.column_names)]
        got = after[name].column_names
        assert sorted(got) == sorted(expected), f"{stage.name}: expected columns {expected} in {name!r}, got {got}"
        kept = after[name].select([c for c in table.column_names if c not in added])
        assert _bits(kept) == _bits(table.select(kept.column_names)), f"{stage.name} changed what was in {name!r}"
    for name in after:
        assert name in before or name in stage.writes, f"{stage.name} made the table {name!r} without declaring it"
    for name, schema in stage.writes.items():
        assert schema.table == name, f"{stage.name}: writes[{name!r}] is a schema of the table {schema.table!r}"
        for column in schema:
            got = after[name].schema.field(column.name).type
            assert got == column.field.type, (
                f"{stage.name}: {name}.{column.name}: expected {column.field.type}, got {got}"
            )


def _check_values(stage: Stage, after: EventBatch) -> None:
    for name, schema in stage.writes.items():
        for column in schema:
            values, where = after[name].column(column.name), f"{stage.name}: {name}.{column.name}"
            if column.valid_under is None or column.valid_under not in after[name].column_names:
                assert values.null_count == 0, f"{where} has nulls"
                finite = np.isfinite(to_numpy(values)) if column.dtype != "bool" else np.ones(1, bool)
                assert finite.all(), f"{where} has NaN or infinite values"
            else:
                flag = after.array(name, column.valid_under)
                given = np.isfinite(to_numpy(values))
                assert np.array_equal(given, flag), (
                    f"{where} must have a value where {column.valid_under} is true, only"
                )
        _check_key(stage, schema, after)


def _check_key(stage: Stage, schema: Schema, after: EventBatch) -> None:
    keys = np.stack(after.arrays(schema.table, *schema.key), axis=1)
    assert len(np.unique(keys, axis=0)) == len(keys), f"{stage.name}: {schema.key} is not unique in {schema.table!r}"


def _check_events(stage: Stage, batch: EventBatch, after: EventBatch, draws: Draws) -> None:
    ids = (
        np.unique(batch.array("events", "event_id"))
        if "events" in batch
        else np.unique(np.concatenate([to_numpy(table.column("event_id")) for table in batch.tables.values()]))
    )
    empty = stage(batch.select_events(ids[:0]), draws)
    for name in stage.writes:
        assert empty[name].num_rows == 0, f"{stage.name} made rows of {name!r} out of no event"
    _check_writes(stage, batch.select_events(ids[:0]), empty)
    split = [stage(batch.select_events(part), draws) for part in (ids[:1], ids[1:4], ids[4:])]
    _check_same(after, EventBatch.concat(split), f"{stage.name}: splitting the events gave other values")
    order = Draws(5, "order")
    shuffled = EventBatch({name: _shuffled(table, order) for name, table in batch.tables.items()})
    _check_same(after, stage(shuffled, draws), f"{stage.name}: another order of the rows gave other values")


def _shuffled(table: pa.Table, draws: Draws) -> pa.Table:
    rows = draws.rows(np.arange(table.num_rows))
    return table.take(to_arrow_index(np.argsort(rows.uniform(0))))


def _check_same(one: EventBatch, other: EventBatch, message: str) -> None:
    for name in one:
        a, b = _sorted(name, one[name]), _sorted(name, other[name])
        assert a.num_rows == b.num_rows, f"{message}: {a.num_rows} and {b.num_rows} rows in {name!r}"
        for column in a.column_names:
            same = _bits(a.select([column])) == _bits(b.select([column]))
            assert same, f"{message}, in {name}.{column}"


def _sorted(name: str, table: pa.Table) -> pa.Table:
    key = SCHEMAS[name].key if name in SCHEMAS else ("event_id",)
    if not set(key) <= set(table.column_names):
        raise LamarrpyError(f"table {name!r} has no key columns {key}")
    return table.take(to_arrow_index(np.lexsort([to_numpy(table.column(c)) for c in reversed(key)])))


def _bits(table: pa.Table) -> list[bytes]:
    return [to_numpy(table.column(name)).tobytes() for name in table.column_names]
