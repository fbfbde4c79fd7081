"""Batches are whole events that no one can change in place."""

import numpy as np
import pytest

from lamarrpy.errors import SchemaError
from lamarrpy.tables import PARTICLES, EventBatch, generator_level
from lamarrpy.testing import example_events

P = PARTICLES.only("propagated", "p")


@pytest.fixture
def batch():
    return example_events(6)


def test_added_columns_leave_the_old_batch_alone(batch):
    n = batch["particles"].num_rows
    flag = np.arange(n) % 2 == 0
    more = batch.with_columns(P, {"propagated": flag, "p": np.where(flag, 5.0, np.nan)})
    assert "p" not in batch["particles"].column_names
    assert np.array_equal(np.isfinite(more.array("particles", "p")), flag)
    again = more.with_columns(P.only("p"), {"p": np.full(n, 7.0)})
    assert again["particles"].column_names == more["particles"].column_names
    assert (again.array("particles", "p") == 7).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"p": [1.0]}, r"missing \['propagated'\]"),
        ({"p": [1.0], "propagated": [True], "q": [1]}, r"not declared \['q'\]"),
        ({"p": [1.0], "propagated": [True]}, "expected .* rows, got 1"),
    ],
)
def test_columns_that_do_not_fit_the_schema_are_refused(batch, values, message):
    with pytest.raises(SchemaError, match=message):
        batch.with_columns(P, values)


def test_unknown_tables_and_columns_name_the_known_ones(batch):
    with pytest.raises(SchemaError, match="no table 'tracks'; it has: events, particles, vertices"):
        batch["tracks"]
    with pytest.raises(SchemaError, match="table 'events' has no column 'n'; it has: event_id, weight"):
        batch.array("events", "n")


def test_events_split_and_joined_are_the_same(batch):
    ids = batch.array("events", "event_id")
    parts = [batch.select_events(ids[:2]), batch.select_events(ids[2:2]), batch.select_events(ids[2:])]
    joined = EventBatch.concat(parts)
    for name in batch:
        assert joined[name].equals(batch[name])


def test_selecting_no_or_unknown_events_gives_empty_tables(batch):
    for ids in (np.empty(0, np.int64), np.array([-5, 10**9])):
        assert all(table.num_rows == 0 for table in batch.select_events(ids).tables.values())


def test_the_generator_level_is_what_a_pipeline_starts_from(batch):
    for name in ("events", "vertices", "particles"):
        optional = {c.name for c in generator_level(name) if c.optional}
        assert set(generator_level(name).names) - optional <= set(batch[name].column_names)
    with pytest.raises(KeyError):
        generator_level("tracks")
