"""What a stage is: one detector effect, from a batch of whole events to a batch of whole events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from lamarrpy.draws import Draws
from lamarrpy.tables import EventBatch, Schema


@runtime_checkable
class Stage(Protocol):
    """One detector effect.

    A stage is a frozen dataclass whose fields are its physical settings (plain numbers, strings,
    tuples): the keys that a pipeline file may set are read off them. It either adds columns to a
    table, or makes a new table out of selected rows of another. It is pure: no files, no globals,
    random numbers only from ``draws``.
    """

    @property
    def name(self) -> str:
        """What pipelines and messages call it; it also keys its random numbers."""
        ...

    @property
    def reads(self) -> Mapping[str, Schema]:
        """The columns it needs, by table."""
        ...

    @property
    def writes(self) -> Mapping[str, Schema]:
        """The columns it adds, by table; a table that is new appears with all its columns."""
        ...

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Apply the effect.

        Parameters
        ----------
        batch : EventBatch
            Whole events with at least the columns of ``reads``; left as it is.
        draws : Draws
            The random numbers of this stage.
        """
        ...
