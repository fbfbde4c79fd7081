"""Where each event's rows lie in a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lamarrpy.errors import InputError
from lamarrpy.io.integers import LOOKUP, Integers, Lookup, equal, find_repeat, pieces
from lamarrpy.io.staging import Staging
from lamarrpy.io.stored import StoredTable
from lamarrpy.tables.arrow import to_numpy


class EventIndex(NamedTuple):
    """Rows of each event in a table; 24 bytes an event, on disk if the events are many.

    Attributes
    ----------
    event_ids : Integers, n of them
        The events.
    first : Integers, n of them
        First row of each event.
    rows : Integers, n of them
        Number of rows of each event.
    """

    event_ids: Integers
    first: Integers
    rows: Integers


def index_events(table: StoredTable, staging: Staging) -> EventIndex:
    """Find the events of a table, in the order of the file; reads the event_id column alone.

    Raises
    ------
    InputError
        If the rows of an event are not contiguous, or a row has no event_id.
    """
    index = EventIndex(*staging.keep(_runs(table)))
    repeat = find_repeat(index.event_ids)
    if repeat is not None:
        _refuse_repeat(table, index, *repeat)
    return index


def _runs(table: StoredTable) -> Iterator[NDArray[np.int64]]:
    """Event, first row and number of rows of every run of rows with one event_id, shape (3, runs) a block."""
    event = first = np.empty(0, np.int64)  # of the run that the next block may go on with
    for start, block in table.blocks(["event_id"]):
        if not len(block):
            continue
        ids = np.concatenate([event, _event_ids(table, start, block)])
        begins = np.concatenate([[0], np.flatnonzero(ids[1:] != ids[:-1]) + 1])
        rows = start - len(event) + begins
        rows[: len(first)] = first
        yield np.stack([ids[begins[:-1]], rows[:-1], np.diff(rows)])
        event, first = ids[begins[-1:]], rows[-1:]
    yield np.stack([event, first, table.rows - first])


def _event_ids(table: StoredTable, start: int, block: pa.Table) -> NDArray[np.int64]:
    column = block.column("event_id")
    if column.null_count:
        file, row = table.where(start + int(np.argmax(to_numpy(column.is_null()))))
        raise InputError(f"{file}, row {row}, column 'event_id': expected an integer, got null; mend the row")
    return to_numpy(column).astype(np.int64, copy=False)


def _refuse_repeat(table: StoredTable, index: EventIndex, earlier: int, later: int) -> None:
    file, row = table.where(int(index.first[later : later + 1][0]))
    other, before = table.where(int(index.first[earlier : earlier + 1][0]))
    raise InputError(
        f"{file}, row {row}, column 'event_id': expected the rows of an event to be contiguous, got event_id"
        f" {index.event_ids[later : later + 1][0]} again after other events (first in {other}, row {before});"
        " sort the rows by event_id, or give different events different ids"
    )


def align(table: StoredTable, index: EventIndex, events: Integers, reference: str, staging: Staging) -> EventIndex:
    """The index of a table in the order of other event ids; events without rows have 0 rows.

    Raises
    ------
    InputError
        If the table has an event that is not among ``events``.
    """
    if equal(index.event_ids, events):
        return EventIndex(events, index.first, index.rows)
    first, rows = staging.keep(_in_order_of(events, index))
    if sum(int(piece.sum()) for _, piece in pieces(rows)) < table.rows:
        _refuse_stray(table, index, events, reference)
    return EventIndex(events, first, rows)


def _in_order_of(events: Integers, index: EventIndex) -> Iterator[NDArray[np.int64]]:
    """First row and number of rows of each of these events, shape (2, events) a block."""
    for _, ids in pieces(events, LOOKUP):
        lookup = Lookup(ids)
        found = np.zeros((2, len(ids)), np.int64)
        for at, candidates in pieces(index.event_ids):
            rows, where = lookup.find(candidates)
            if len(rows):
                span = slice(at, at + len(candidates))
                found[:, where] = index.first[span][rows], index.rows[span][rows]
        yield found


def _refuse_stray(table: StoredTable, index: EventIndex, events: Integers, reference: str) -> None:
    """Raise about the first event of the index that is not among ``events``; there is one."""
    for start, ids in pieces(index.event_ids, LOOKUP):
        lookup = Lookup(ids)
        stray = np.ones(len(ids), bool)
        for _, others in pieces(events):
            stray[lookup.find(others)[1]] = False
        if stray.any():
            at = int(np.argmax(stray))
            file, row = table.where(int(index.first[start + at : start + at + 1][0]))
            raise InputError(
                f"{file}, row {row}, column 'event_id': expected an event of the table {reference!r}, got event_id"
                f" {ids[at]}, which is not there; add the event to {reference!r} or remove its rows"
            )


def whole_events(rows: Integers, max_rows: int, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Cut the events [start, stop) into ranges of at most ``max_rows`` rows and events, or of one event.

    Parameters
    ----------
    rows : Integers
        Rows of each event.
    """
    while start < stop:
        ends = np.cumsum(rows[start : min(start + max_rows, stop)])
        size = max(1, int(np.searchsorted(ends, max_rows, "right")))
        yield start, start + size
        start += size


def pair_keys(group: NDArray[np.int64], *ids: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """One integer for each pair (group, id), equal where the pairs are equal.

    Parameters
    ----------
    group : ndarray of int64, shape (n,)
        Numbers from 0 up, such as the position of an event in a batch.
    *ids : ndarray of int64, shape (n,)
        Any integers.

    Returns
    -------
    list of ndarray of int64, shape (n,)
        The keys of (group, ids[0]), (group, ids[1]) ..., ordered as the pairs are.
    """
    if not len(group):
        return [np.empty(0, np.int64) for _ in ids]
    low, high = min(int(i.min()) for i in ids), max(int(i.max()) for i in ids)
    span = high - low + 1
    if (int(group.max()) + 1) * span < 2**62:
        return [group * span + (i - low) for i in ids]
    values = np.unique(np.concatenate(ids))
    return [group * len(values) + np.searchsorted(values, i) for i in ids]


def repeats(keys: NDArray[np.int64]) -> NDArray[np.intp]:
    """Rows whose key stood in an earlier row, ascending."""
    if (keys[1:] > keys[:-1]).all():
        return np.empty(0, np.intp)
    order = np.argsort(keys, kind="stable")
    later: NDArray[Any] = order[1:][keys[order][1:] == keys[order][:-1]]
    return np.sort(later)
