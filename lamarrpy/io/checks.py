"""What must hold within events: known species, unique ids, particles that come from a vertex."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lamarrpy.io.conform import BadCells
from lamarrpy.io.index import pair_keys, repeats
from lamarrpy.particles import is_known
from lamarrpy.tables import Schema
from lamarrpy.tables.arrow import to_numpy


@dataclass(frozen=True)
class BadRows:
    """How many particles were dropped, and why.

    Attributes
    ----------
    total : int
        Rows dropped.
    reasons : mapping of str to int
        The same by reason; a row that fails for several is counted under the first.
    """

    total: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: BadRows) -> BadRows:
        return BadRows(self.total + other.total, dict(Counter(self.reasons) + Counter(other.reasons)))


def count_rows(bad: Iterable[BadCells], rows: int) -> tuple[NDArray[np.bool_], BadRows]:
    """Which rows are good, shape (rows,), and how many are bad for what reason."""
    good = np.ones(rows, bool)
    reasons: Counter[str] = Counter()
    for cells in bad:
        fresh = cells.rows[good[cells.rows]]
        good[fresh] = False
        reasons[f"{cells.reason} {cells.column}"] += len(fresh)
    return good, BadRows(sum(reasons.values()), {reason: n for reason, n in reasons.items() if n})


def unknown_species(particles: pa.Table) -> list[BadCells]:
    """Particles whose PDG number stands in no table."""
    pid = to_numpy(particles.column("pid"))
    species = np.unique(pid)
    known = is_known(species)
    if known.all():
        return []
    rows = np.flatnonzero(np.isin(pid, species[~known]))
    return [BadCells("unknown", "pid", "a PDG particle number", str(pid[rows[0]]), rows)]


def duplicates(event: NDArray[np.int64], data: pa.Table, schema: Schema) -> list[BadCells]:
    """Rows whose key stands in an earlier row of the same event.

    Parameters
    ----------
    event : ndarray of int64, shape (n,)
        Position of each row's event in the batch.
    data : pyarrow.Table, n rows
        With the key columns (event_id and one more).
    schema : Schema
        Its key.
    """
    column = schema.key[-1]
    ids = to_numpy(data.column(column)).astype(np.int64, copy=False)
    rows = repeats(pair_keys(event, ids)[0])
    if not len(rows):
        return []
    expected = f"each ({', '.join(schema.key)}) once"
    return [BadCells("duplicate", column, expected, f"{ids[rows[0]]} again", rows)]


def without_vertex(particles: pa.Table, good: NDArray[np.bool_], vertices: pa.Table) -> list[BadCells]:
    """Good particles whose pp collision is not among the vertices."""
    rows = np.flatnonzero(good)
    here, there = ([to_numpy(t.column(name)) for name in ("event_id", "vertex_id")] for t in (particles, vertices))
    event, vertex = (np.concatenate([a[rows], b]) for a, b in zip(here, there, strict=True))
    group = np.unique(event, return_inverse=True)[1]
    key = pair_keys(group, vertex)[0]
    lost = rows[~np.isin(key[: len(rows)], key[len(rows) :])]
    if not len(lost):
        return []
    got = f"{here[1][lost[0]]}, which is neither given nor the origin of a particle without a mother"
    return [BadCells("no vertex for", "vertex_id", "a vertex of the event with a known position", got, lost)]
