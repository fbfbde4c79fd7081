"""Columns of numbers by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
