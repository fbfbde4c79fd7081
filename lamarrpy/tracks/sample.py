"""Tracks through a field: where each starts, how far it goes, and where it truly ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from lamarrpy.errors import SchemaError
from lamarrpy.propagation.state import Array, State

COLUMNS: dict[str, str] = {
    "x": "mm",
    "y": "mm",
    "z": "mm",
    "tx": "",
    "ty": "",
    "qop": "1/MeV",
    "dz": "mm",
    "x_end": "mm",
    "y_end": "mm",
    "tx_end": "",
    "ty_end": "",
}
"""The columns of a sample, in order, and their units."""


@dataclass(frozen=True, eq=False)
class TrackSample:
    """Tracks with their true end, which extrapolators learn from and are measured by.

    Attributes
    ----------
    start : State
        n tracks, each at its own z [mm]; arrays of shape (n,), float64.
    dz : ndarray, shape (n,), mm
        How far along z each goes.
    end : State
        The same tracks at z = start.z + dz, with the same q/p; finite for every track.

    Raises
    ------
    SchemaError
        If the arrays are not all of one length.
    """

    start: State
    dz: Array
    end: State

    def __post_init__(self) -> None:
        lengths = {len(column) for column in (*self.start, self.dz, *self.end)}
        if len(lengths) > 1:
            raise SchemaError(f"expected start, dz and end of as many tracks, got {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.dz)

    @property
    def p(self) -> Array:
        """Momentum [MeV], shape (n,); infinite where q/p is zero."""
        with np.errstate(divide="ignore"):
            return 1.0 / np.abs(self.start.qop)

    @property
    def charge(self) -> Array:
        """+1 or -1, shape (n,)."""
        return np.sign(self.start.qop)

    def at(self, rows: Any) -> Self:
        """Some of the tracks (mask, index array or slice)."""
        return type(self)(self.start.at(rows), self.dz[rows], self.end.at(rows))

    def columns(self) -> dict[str, Array]:
        """The tracks as the columns of `COLUMNS`, each of shape (n,), float64."""
        end = self.end
        values = (*self.start, self.dz, end.x, end.y, end.tx, end.ty)
        return dict(zip(COLUMNS, values, strict=True))

    @classmethod
    def from_columns(cls, columns: dict[str, Array]) -> Self:
        """The tracks that the columns of `COLUMNS` hold."""
        x, y, z, tx, ty, qop, dz, x_end, y_end, tx_end, ty_end = (
            np.ascontiguousarray(columns[name], np.float64) for name in COLUMNS
        )
        return cls(State(x, y, z, tx, ty, qop), dz, State(x_end, y_end, z + dz, tx_end, ty_end, qop))

    @classmethod
    def empty(cls) -> Self:
        """No tracks."""
        return cls.from_columns({name: np.empty(0) for name in COLUMNS})


def concatenate(samples: Sequence[TrackSample]) -> TrackSample:
    """The tracks of several samples, one after the other."""
    if not samples:
        return TrackSample.empty()
    parts = [sample.columns() for sample in samples]
    return TrackSample.from_columns({name: np.concatenate([part[name] for part in parts]) for name in COLUMNS})
