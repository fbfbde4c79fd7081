"""The unit of work: read some whole events, push them through the simulation, keep the result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import SchemaError
from lamarrpy.io import Source
from lamarrpy.pipeline.parts import PartReport, PartStore
from lamarrpy.pipeline.simulation import Simulation
from lamarrpy.processes import peak_memory
from lamarrpy.tables import EventBatch


@dataclass(frozen=True)
class Partition:
    """Some consecutive events of the input.

    Attributes
    ----------
    index : int
        Number of the part they make.
    start, stop : int
        Positions of the events in the input.
    """

    index: int
    start: int
    stop: int


@dataclass(frozen=True)
class Work:
    """What a worker needs to turn partitions into parts; picklable.

    Attributes
    ----------
    simulation : Simulation
        What is done with the events.
    source : Source
        The input.
    seed : int
        Seed of the run.
    parts : PartStore
        Where the parts go.
    """

    simulation: Simulation
    source: Source
    seed: int
    parts: PartStore


def run_partition(work: Work, partition: Partition) -> PartReport:
    """Simulate the events of a partition and store them as a part.

    Raises
    ------
    SchemaError
        If the events that come out are not those that went in.
    """
    batch, bad = work.source.read(partition.start, partition.stop)
    result, cutflow = work.simulation(batch, work.seed)
    check_events(work.source.event_ids[partition.start : partition.stop], result)
    report = PartReport(
        events=partition.stop - partition.start,
        particles=batch["particles"].num_rows,
        bad_rows=dict(bad.reasons),
        cutflow=cutflow,
        peak_memory=peak_memory(),
    )
    work.parts.write(partition.index, work.simulation.select_output(result), report)
    return report


def check_events(expected: NDArray[np.int64], result: EventBatch) -> None:
    """See that the events that come out are those that went in.

    Raises
    ------
    SchemaError
        If an event was lost or made up.
    """
    got = np.sort(result.array("events", "event_id"))
    if not np.array_equal(got, np.sort(expected)):
        lost, new = np.setdiff1d(expected, got), np.setdiff1d(got, expected)
        raise SchemaError(
            f"expected the {len(expected)} events that went in, got {len(got)}: lost {lost[:5].tolist()},"
            f" made up {new[:5].tolist()}; a simulation must keep the table 'events' whole"
        )
