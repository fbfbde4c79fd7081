"""What every recipe has, whichever generator it is for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lamarrpy.draws import Draws
from lamarrpy.generate.primary_vertices import PrimaryVertices
from lamarrpy.strict import Strict
from lamarrpy.tables import EventBatch


class Recipe(Strict, ABC):
    """How to generate events."""

    kind: str = Field(description="which generator")
    description: str = Field("", description="what the events are for")
    primary_vertices: PrimaryVertices = Field(PrimaryVertices(), description="where the protons collide")
    significant_bits: int | None = Field(
        None, ge=12, le=52, description="round floating-point numbers to so many binary digits; all 53 if left out"
    )

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of other programs that the events come from."""
        return {}

    @abstractmethod
    def batches(self, first: int, events: int, chunk: int, draws: Draws) -> Iterator[EventBatch]:
        """Generate the events ``first`` ... ``first + events - 1``, ``chunk`` of them at a time."""


class Gun(Recipe):
    """A generator whose events each depend on nothing but the seed and their event_id."""

    @abstractmethod
    def sample(self, event_id: NDArray[np.int64], draws: Draws) -> EventBatch:
        """Generate some events at once.

        Parameters
        ----------
        event_id : ndarray of int64, shape (n,)
            The events.
        draws : Draws
            Random numbers.
        """

    def batches(self, first: int, events: int, chunk: int, draws: Draws) -> Iterator[EventBatch]:
        """Generate the events, ``chunk`` of them at a time, which changes nothing else."""
        for start in range(first, first + events, chunk):
            yield self.sample(np.arange(start, min(start + chunk, first + events)), draws)
