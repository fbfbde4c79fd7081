"""The cut-flow: how many rows each stage was given, flagged and kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamarrpy.tables import EventBatch

if TYPE_CHECKING:
    from lamarrpy.stages.stage import Stage


@dataclass(frozen=True)
class Count:
    """One line of the cut-flow.

    Attributes
    ----------
    stage, table, quantity : str
        Which stage did what in which table: ``rows`` of it, or the name of a flag that is true.
    passed, of : int
        Rows that passed, of how many.
    """

    stage: str
    table: str
    quantity: str
    passed: int
    of: int


@dataclass(frozen=True)
class CutFlow:
    """The lines of a cut-flow in the order of the stages; flows of several batches add up."""

    counts: tuple[Count, ...] = ()

    @staticmethod
    def of_input(batch: EventBatch) -> CutFlow:
        """The rows that a batch starts with."""
        return CutFlow(
            tuple(Count("input", name, "rows", table.num_rows, table.num_rows) for name, table in batch.tables.items())
        )

    @staticmethod
    def of_stage(stage: Stage, before: EventBatch, after: EventBatch) -> CutFlow:
        """What a stage made of a batch: rows of new tables, and its flags that are true."""
        counts = []
        for table, schema in stage.writes.items():
            rows = after[table].num_rows
            if table not in before:
                source = before["particles"].num_rows
                counts.append(Count(stage.name, table, "rows", rows, source))
            for column in schema:
                if column.dtype == "bool":
                    passed = int(np.count_nonzero(after.array(table, column.name)))
                    counts.append(Count(stage.name, table, column.name, passed, rows))
            if "track_type" in schema:
                types = after.array(table, "track_type")
                counts.extend(
                    Count(stage.name, table, label, int(np.count_nonzero(types == code)), rows)
                    for code, label in ((3, "Long"), (4, "Upstream"), (5, "Downstream"))
                )
        return CutFlow(tuple(counts))

    def __add__(self, other: CutFlow) -> CutFlow:
        """Both flows; lines of the same stage, table and quantity are summed."""
        total: dict[tuple[str, str, str], Count] = {}
        for count in (*self.counts, *other.counts):
            key = (count.stage, count.table, count.quantity)
            old = total.get(key)
            total[key] = Count(*key, count.passed + (old.passed if old else 0), count.of + (old.of if old else 0))
        return CutFlow(tuple(total.values()))

    def as_json(self) -> list[dict[str, Any]]:
        """The lines as plain dictionaries."""
        return [vars(count).copy() for count in self.counts]

    @staticmethod
    def from_json(lines: list[dict[str, Any]]) -> CutFlow:
        """The inverse of ``as_json``."""
        return CutFlow(tuple(Count(**line) for line in lines))
