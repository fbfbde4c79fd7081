"""What can be run over files: anything that turns generator-level events into reconstructed ones."""

from __future__ import annotations

from typing import Any, Protocol

from lamarrpy.cutflow import CutFlow
from lamarrpy.tables import EventBatch


class Simulation(Protocol):
    """A simulation of whole events; picklable, and each event's result depends on that event and the seed alone."""

    @property
    def name(self) -> str:
        """What it is called in messages and provenance."""

    @property
    def output_tables(self) -> tuple[str, ...]:
        """The tables that it makes and keeps."""

    def rows_per_chunk(self, rows: int) -> int:
        """Particle rows that it is best given at a time, of so many in the input."""

    def __call__(self, batch: EventBatch, seed: int) -> tuple[EventBatch, CutFlow]:
        """Simulate a batch of whole events; the table ``events`` must come out with the same events."""

    def select_output(self, batch: EventBatch) -> EventBatch:
        """What is kept of the tables that it made."""

    def describe(self) -> dict[str, Any]:
        """Everything that decides about what comes out, but the seed and the input, as plain data."""

    def remarks(self, cutflow: CutFlow) -> tuple[str, ...]:
        """What a user should know of a run that had this cut-flow."""
