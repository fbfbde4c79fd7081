"""Where each event's rows lie in a table."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import InputError
from lamarrpy.io.stored import StoredTable
from lamarrpy.tables.arrow import to_numpy


class EventIndex(NamedTuple):
    """Rows of each event in a table.

    Attributes
    ----------
    event_ids : ndarray of int64, shape (n,)
        The events.
    first : ndarray of int64, shape (n,)
        First row of each event.
    rows : ndarray of int64, shape (n,)
        Number of rows of each event.
    """

    event_ids: NDArray[np.int64]
    first: NDArray[np.int64]
    rows: NDArray[np.int64]


def index_events(table: StoredTable) -> EventIndex:
    """Find the events of a table, in the order of the file; reads the event_id column alone.

    Raises
    ------
    InputError
        If the rows of an event are not contiguous, or a row has no event_id.
    """
    ids, first = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    last: int | None = None
    for start, block in table.blocks(["event_id"]):
        column = block.column("event_id")
        if column.null_count:
            file, row = table.where(start + int(np.argmax(to_numpy(column.is_null()))))
            raise InputError(f"{file}, row {row}, column 'event_id': expected an integer, got null; mend the row")
        values = to_numpy(column).astype(np.int64, copy=False)
        if not len(values):
            continue
        changes = np.flatnonzero(values[1:] != values[:-1]) + 1
        begins = changes if values[0] == last else np.concatenate([[0], changes])
        ids.append(values[begins])
        first.append(start + begins)
        last = int(values[-1])
    events, rows = np.concatenate(ids), np.concatenate(first)
    _check_contiguous(table, events, rows)
    return EventIndex(events, rows, np.diff(rows, append=table.rows))


def _check_contiguous(table: StoredTable, events: NDArray[np.int64], first: NDArray[np.int64]) -> None:
    if (events[1:] > events[:-1]).all():
        return
    order = np.argsort(events, kind="stable")
    again = order[1:][events[order][1:] == events[order][:-1]]
    if len(again):
        later = int(again.min())
        earlier = int(np.argmax(events == events[later]))
        file, row = table.where(int(first[later]))
        other, before = table.where(int(first[earlier]))
        raise InputError(
            f"{file}, row {row}, column 'event_id': expected the rows of an event to be contiguous, got event_id"
            f" {events[later]} again after other events (first in {other}, row {before}); sort the rows by event_id,"
            " or give different events different ids"
        )


def align(table: StoredTable, index: EventIndex, events: NDArray[np.int64], reference: str) -> EventIndex:
    """The index of a table in the order of other event ids; events without rows have 0 rows.

    Raises
    ------
    InputError
        If the table has an event that is not among ``events``.
    """
    if np.array_equal(index.event_ids, events):
        return EventIndex(events, index.first, index.rows)
    order = np.argsort(events, kind="stable")
    at = np.searchsorted(events, index.event_ids, sorter=order)
    position = order[np.minimum(at, max(len(events) - 1, 0))] if len(events) else np.zeros_like(at)
    known = events[position] == index.event_ids if len(events) else np.zeros(len(at), bool)
    if not known.all():
        stray = int(np.argmin(known))
        file, row = table.where(int(index.first[stray]))
        raise InputError(
            f"{file}, row {row}, column 'event_id': expected an event of the table {reference!r}, got event_id"
            f" {index.event_ids[stray]}, which is not there; add the event to {reference!r} or remove its rows"
        )
    first, rows = np.zeros(len(events), np.int64), np.zeros(len(events), np.int64)
    first[position], rows[position] = index.first, index.rows
    return EventIndex(events, first, rows)


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
