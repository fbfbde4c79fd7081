from __future__ import annotations

import re
from contextlib import nullcontext
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_samples import small_pieces

from lamarrpy.errors import InputError
from lamarrpy.io.index import align, index_events, pair_keys, repeats, whole_events
from lamarrpy.io.integers import StoredArray
from lamarrpy.io.staging import Staging
from lamarrpy.io.stored import JoinedTable, MemoryTable

IDS = st.integers(-(2**62), 2**62) | st.integers(-3, 3)


@given(st.lists(st.tuples(st.integers(0, 5), IDS, IDS), max_size=12))
def test_pair_keys_are_equal_and_ordered_as_the_pairs(rows):
    group, a, b = (np.array(column, np.int64) for column in zip(*rows, strict=True)) if rows else [np.empty(0, int)] * 3
    keys = np.concatenate(pair_keys(group, a, b)).tolist()
    pairs = [*zip(group.tolist(), a.tolist(), strict=True), *zip(group.tolist(), b.tolist(), strict=True)]
    for key, pair in zip(keys, pairs, strict=True):
        for other, another in zip(keys, pairs, strict=True):
            assert (key == other) == (pair == another)
            assert (key < other) == (pair < another)


@given(st.lists(st.integers(0, 5), max_size=12))
def test_repeats_are_the_later_rows(keys):
    expected = [i for i, key in enumerate(keys) if key in keys[:i]]
    assert repeats(np.array(keys, np.int64)).tolist() == expected


EVENTS = st.dictionaries(st.integers(-(2**62), 2**62) | st.integers(-9, 9), st.integers(1, 4), max_size=14)
SIZES = pytest.mark.parametrize("sizes", [nullcontext, small_pieces], ids=["in memory", "in files"])


def table_of(ids, *cuts):
    """Rows with these event ids, cut into blocks."""
    edges = [0, *sorted(cuts), len(ids)]
    parts = [pa.table({"event_id": pa.array(ids[a:b], pa.int64())}) for a, b in pairwise(edges)]
    return JoinedTable([MemoryTable("particles", part) for part in parts])


def rows_of(counts):
    return [event for event, count in counts.items() for _ in range(count)]


@SIZES
@settings(deadline=None)
@given(EVENTS, st.lists(st.integers(0, 30), max_size=6))
def test_the_index_tells_where_events_are(sizes, counts, cuts):
    with sizes():
        index = index_events(table_of(rows_of(counts), *cuts), staging := Staging())
        ends = np.cumsum(list(counts.values()), dtype=int)
        assert index.event_ids[:].tolist() == list(counts)
        assert index.rows[:].tolist() == list(counts.values())
        assert index.first[:].tolist() == (ends - index.rows[:]).tolist()
        assert isinstance(index.rows, StoredArray) == (sizes is small_pieces and len(counts) > 2)
        staging.close()


@SIZES
@settings(deadline=None)
@given(EVENTS, st.data())
def test_an_aligned_index_is_in_the_order_asked_for(sizes, counts, data):
    order = data.draw(st.permutations([*counts, 2**62 + 1, -(2**62) - 1]))
    with sizes():
        table, staging = table_of(rows_of(counts)), Staging()
        index = index_events(table, staging)
        found = align(table, index, np.array(order), "events", staging)
        first = dict(zip(counts, index.first[:].tolist(), strict=True))
        assert found.event_ids[:].tolist() == order
        assert found.rows[:].tolist() == [counts.get(event, 0) for event in order]
        assert found.first[:].tolist() == [first.get(event, 0) for event in order]
        staging.close()


@SIZES
@given(st.integers(0, 12), st.integers(0, 12), st.booleans())
def test_an_event_in_two_places_is_refused(sizes, a, b, increasing):
    ids = list(range(14) if increasing else range(14, 0, -1))
    early, late = sorted((a, b))
    ids.insert(late + 2, ids[early])
    message = rf"row {late + 2}, .* got event_id {ids[early]} again after other events \(first in .*, row {early}\)"
    with sizes(), pytest.raises(InputError, match=message):
        index_events(table_of(ids), Staging())


@SIZES
@pytest.mark.parametrize("stray", [0, 5, 13])
def test_an_event_that_the_reference_does_not_have_is_refused(sizes, stray):
    ids = [3 * i for i in range(14)]
    table, staging = table_of(ids), Staging()
    others = np.array([event for event in ids[::-1] if event != ids[stray]])
    message = re.escape(f"row {stray}, column 'event_id': expected an event of the table 'events', got event_id ")
    with sizes(), pytest.raises(InputError, match=f"{message}{ids[stray]},"):
        align(table, index_events(table, staging), others, "events", staging)


@given(st.lists(st.integers(0, 5), max_size=20), st.integers(1, 8), st.data())
def test_whole_events_are_cut_where_they_are_too_many(counts, most, data):
    rows = np.array(counts, np.int64)
    start = data.draw(st.integers(0, len(rows)))
    stop = data.draw(st.integers(start, len(rows)))
    cuts = list(whole_events(rows, most, start, stop))
    assert [event for a, b in cuts for event in range(a, b)] == list(range(start, stop))
    for a, b in cuts:
        assert b - a == 1 or (b - a <= most and rows[a:b].sum() <= most)
        if b < stop and b - a < most:
            assert rows[a : b + 1].sum() > most  # one more would be too many
