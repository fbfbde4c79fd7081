"""Columns of numbers by name, and how rows of different tables find each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_PARTICLE_BITS = 20
"""Bits of a key that hold the particle_id; the rest holds the event_id."""


class Columns(Mapping[str, NDArray[Any]]):
    """Columns of one length by name, of which rows can be chosen."""

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._columns = dict(columns)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self._columns.values())))

    def at(self, rows: ArrayLike) -> Columns:
        """Some of the rows (mask or index array)."""
        chosen = np.asarray(rows)
        return Columns({name: column[chosen] for name, column in self._columns.items()})

    @staticmethod
    def joined(parts: Sequence[Columns]) -> Columns:
        """Parts end to end."""
        return Columns({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def pair_key(event_id: NDArray[Any], number: NDArray[Any]) -> NDArray[np.int64]:
    """One number for an event and a number within it."""
    return (event_id.astype(np.int64) << _PARTICLE_BITS) + number.astype(np.int64)


def row_by_key(wanted: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.intp]:
    """The row that has each key, -1 where none has."""
    order = np.argsort(known, kind="stable")
    if not len(order):
        return np.full(len(wanted), -1)
    at = order[np.minimum(np.searchsorted(known, wanted, sorter=order), len(order) - 1)]
    return np.where(known[at] == wanted, at, -1)
