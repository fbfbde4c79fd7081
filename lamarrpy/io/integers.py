"""Columns of integers, one or more an event, that may be longer than fits into memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

PIECE = 1 << 20
"""Numbers that are read at a time."""

LOOKUP = 1 << 23
"""Numbers in which others are looked up at a time, 128 MiB with their order; more are done in as many passes."""


class Integers(Protocol):
    """Numbers that have a length and come in slices [start:stop]: an array of int64, or a file of them."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, at: slice, /) -> NDArray[np.int64]:
        """Those from start to stop."""


@dataclass(frozen=True)
class StoredArray:
    """Numbers in a file; a slice is read when it is asked for, and nothing is kept.

    The file is not memory-mapped, so that pages read do not count as memory.

    Attributes
    ----------
    path : Path
        The file: int64 in the byte order of this machine, nothing else.
    length : int
        How many there are.
    """

    path: Path
    length: int

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, at: slice, /) -> NDArray[np.int64]:
        start, stop, _ = at.indices(self.length)
        return np.fromfile(self.path, np.int64, max(stop - start, 0), offset=8 * start)


def pieces(values: Integers, size: int | None = None, start: int = 0) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """All numbers from ``start`` on, ``size`` (PIECE) at a time, each piece with the position where it starts."""
    size = size or PIECE
    for at in range(start, len(values), size):
        yield at, values[at : at + size]


def together(*columns: Integers) -> Iterator[tuple[int, ...]]:
    """The numbers of columns of one length, row by row."""
    for at, first in pieces(columns[0]):
        yield from zip(*(column[at : at + len(first)].tolist() for column in columns), strict=True)


def equal(a: Integers, b: Integers) -> bool:
    """Whether two columns hold the same numbers in the same order."""
    return len(a) == len(b) and all(np.array_equal(piece, b[at : at + len(piece)]) for at, piece in pieces(a))


def is_increasing(values: Integers) -> bool:
    """Whether each number is larger than the one before."""
    overlapping = (values[at : at + PIECE + 1] for at in range(0, len(values), PIECE))
    return all(bool((piece[1:] > piece[:-1]).all()) for piece in overlapping)


class Lookup:
    """Finds numbers among others.

    Parameters
    ----------
    values : ndarray of int64, shape (n,), n > 0
        The others.
    """

    def __init__(self, values: NDArray[np.int64]) -> None:
        self._order = np.argsort(values, kind="stable")
        self._sorted = values[self._order]

    def find(self, wanted: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Positions in ``wanted`` of numbers that are there, and the first position in ``values`` of each."""
        rows = np.flatnonzero((wanted >= self._sorted[0]) & (wanted <= self._sorted[-1]))
        rows = rows[np.argsort(wanted[rows])]  # neighbours are looked up in the same place: six times as fast
        ordered = wanted[rows]
        at = np.searchsorted(self._sorted, ordered)
        hit = self._sorted[at] == ordered
        return rows[hit], self._order[at[hit]]


def find_repeat(values: Integers) -> tuple[int, int] | None:
    """Positions of a number and of a later equal one; None if all differ."""
    if is_increasing(values):
        return None
    for start, piece in pieces(values, LOOKUP):
        lookup = Lookup(piece)
        for at, later in pieces(values, start=start):
            rows, where = lookup.find(later)
            again = np.flatnonzero(at + rows > start + where)
            if len(again):
                first = again[np.argmin(rows[again])]
                return start + int(where[first]), at + int(rows[first])
    return None
