"""What a file that holds the particles alone can say."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lamarrpy.errors import OutputError
from lamarrpy.io.vertices import derive_vertices
from lamarrpy.tables import EventBatch, generator_level


def check_particles_say_all(batch: EventBatch, target: Path, hint: str = "") -> None:
    """Refuse to write particles alone where the tables events and vertices say more than they do.

    Parameters
    ----------
    batch : EventBatch
        Generator-level events, vertices and particles.
    target : Path
        The output, for the message.
    hint : str
        What else than choosing another output can be done.

    Raises
    ------
    OutputError
        If an event has a weight or no particles, or a vertex is not where its particles come from.
    """
    weights, events = batch.arrays("events", "weight", "event_id")
    position = np.unique(batch.array("particles", "event_id"), return_inverse=True)
    derived = derive_vertices(position[1], batch["particles"], np.ones(len(position[1]), bool))
    columns = generator_level("vertices").names
    given = zip(*(batch.array("vertices", name).tolist() for name in columns), strict=True)
    implied = zip(*(derived[name].tolist() for name in columns), strict=True)
    lost = [
        what
        for what, is_lost in (
            ("weights of events", bool((weights != 1).any())),
            ("events without particles", len(position[0]) < len(events)),
            ("positions of vertices", sorted(given) != sorted(implied)),
        )
        if is_lost
    ]
    if lost:
        raise OutputError(
            f"{target}: a file of one table would lose {', '.join(lost)}; write to a folder, .root or .db{hint}"
        )
