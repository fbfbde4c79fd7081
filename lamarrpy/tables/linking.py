"""Follow the links between tables: from a key in one to the row that has it in another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import SchemaError

Keys = Sequence[NDArray[np.int64]]

_PARTICLE_BITS = 20
"""Bits of a key that hold the particle_id; the rest holds the event_id."""


def row_of(wanted: Keys, among: Keys, table: str) -> NDArray[np.intp]:
    """The row of a table that has each of the keys asked for.

    Parameters
    ----------
    wanted : sequence of ndarray of int64, each of shape (n,)
        The key columns of the rows that point into the table.
    among : sequence of ndarray of int64, each of shape (m,)
        The same key columns of the table itself; no key stands twice.
    table : str
        Name of the table, for the message.

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    SchemaError
        If a key is not in the table.
    """
    code, known = np.zeros(len(wanted[0]), np.int64), np.zeros(len(among[0]), np.int64)
    found = np.ones(len(code), bool)
    for ids, table_ids in zip(wanted, among, strict=True):
        distinct = np.unique(table_ids)
        rank = np.searchsorted(distinct, ids)
        rank[rank == len(distinct)] = 0
        found &= distinct[rank] == ids if len(distinct) else False
        code = code * len(distinct) + rank
        known = known * len(distinct) + np.searchsorted(distinct, table_ids)
    order = np.argsort(known)
    at = np.searchsorted(known[order], code)
    at[at == len(known)] = 0
    row = order[at] if len(order) else at
    found &= known[row] == code if len(order) else False
    if not found.all():
        first = tuple(int(ids[np.argmin(found)]) for ids in wanted)
        raise SchemaError(
            f"expected every key to be in the table {table!r}, but {int((~found).sum())} are not, such as {first};"
            " give the whole events"
        )
    return row


def pair_key(event_id: NDArray[Any], number: NDArray[Any]) -> NDArray[np.int64]:
    """One number for an event and a number within it, from -1 to a million, each of shape (n,)."""
    return (event_id.astype(np.int64) << _PARTICLE_BITS) + number.astype(np.int64)


def row_by_key(wanted: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.intp]:
    """The row that has each key, -1 where none has."""
    order = np.argsort(known, kind="stable")
    if not len(order):
        return np.full(len(wanted), -1)
    at = order[np.minimum(np.searchsorted(known, wanted, sorter=order), len(order) - 1)]
    return np.where(known[at] == wanted, at, -1)
