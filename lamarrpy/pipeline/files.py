"""Running a simulation over files: the output is complete or not there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lamarrpy import __version__
from lamarrpy.cutflow import CutFlow
from lamarrpy.errors import ConfigError
from lamarrpy.io import Source, check_output, open_sink, open_source
from lamarrpy.io.index import whole_events
from lamarrpy.io.integers import Integers, pieces
from lamarrpy.io.target import record_path
from lamarrpy.pipeline.executors import prepare, processes, serial
from lamarrpy.pipeline.partition import Partition, Work
from lamarrpy.pipeline.parts import PartReport, PartStore
from lamarrpy.pipeline.record import describe_run, provenance, write_record
from lamarrpy.pipeline.simulation import Simulation
from lamarrpy.pipeline.spec import load_pipeline

Progress = Callable[[Iterator[tuple[Partition, PartReport]], int], Iterator[tuple[Partition, PartReport]]]


@dataclass(frozen=True)
class RunOptions:
    """How a run is done; only the seed and the slice of events change what comes out.

    Attributes
    ----------
    seed : int
        Seed of every random number.
    workers : int
        Number of processes; 1 works in this one.
    chunk_events : int or None
        Events worked on at a time; None chooses by the number of rows.
    partition : tuple of int
        ``(i, n)``: do the i-th of n slices of the events, i from 1 to n.
    resume, overwrite : bool
        Go on with an unfinished run; replace an output that is there.
    on_bad_rows : {"error", "drop"}
        What to do with single rows that make no sense.
    naming : {"lhcb"} or None
        Column names of the output.
    polarity : {"MagUp", "MagDown"} or None
        Overrides the pipeline file's.
    """

    seed: int = 0
    workers: int = 1
    chunk_events: int | None = None
    partition: tuple[int, int] = (1, 1)
    resume: bool = False
    overwrite: bool = False
    on_bad_rows: Literal["error", "drop"] = "error"
    naming: Literal["lhcb"] | None = None
    polarity: Literal["MagUp", "MagDown"] | None = None

    def __post_init__(self) -> None:
        i, n = self.partition
        if not 1 <= i <= n:
            raise ConfigError(f"--partition: expected i/n with 1 <= i <= n, got {i}/{n}")
        if self.workers < 1:
            raise ConfigError(f"--workers: expected at least 1, got {self.workers}")
        if self.chunk_events is not None and self.chunk_events < 1:
            raise ConfigError(f"--chunk-events: expected at least 1, got {self.chunk_events}")
        if self.resume and self.overwrite:
            raise ConfigError("expected --resume or --overwrite, got both")

    @property
    def may_replace(self) -> bool:
        """Whether an output that is there may give way: asked for, or left by the run that is resumed."""
        return self.overwrite or self.resume


@dataclass(frozen=True)
class RunResult:
    """What a run was and did; ``run.json`` holds the same.

    Attributes
    ----------
    output : Path
        Where the tables are.
    record : dict
        Seed, versions, pipeline, cut-flow, rates, memory.
    cutflow : CutFlow
        What each stage kept.
    """

    output: Path
    record: dict[str, Any]
    cutflow: CutFlow


def run_files(
    simulation: str | Path | Mapping[str, Any] | Simulation,
    inputs: Path | Sequence[Path],
    output: Path,
    options: RunOptions | None = None,
    progress: Progress = lambda parts, total: parts,
) -> RunResult:
    """Simulate the events of a file and write the tables.

    Parameters
    ----------
    simulation : str, Path, mapping or Simulation
        A pipeline file, the name of a shipped one, or its content; or a simulation that is made already, such
        as a `Pipeline`.
    inputs : Path or sequence of Path
        Generator-level particles in any format that `lamarrpy.io` reads.
    output : Path
        A folder for one Parquet file a table, or a file with suffix .root, .db.
    options : RunOptions, optional
        How it is done.
    progress : callable, optional
        Wraps the iterator of finished parts, given the number of events, to show how far it is.

    Returns
    -------
    RunResult

    Raises
    ------
    ConfigError, InputError, OutputError, SchemaError
        Before any row is read for what can be known by then.
    """
    options = options or RunOptions()
    started = time.perf_counter()
    if isinstance(simulation, str | Path | Mapping):
        simulation = load_pipeline(simulation, polarity=options.polarity)
    elif options.polarity is not None:
        raise ConfigError(
            f"polarity {options.polarity}: expected none beside a simulation that has its own; set it there"
        )
    output = Path(output)
    check_output(output, simulation.output_tables, overwrite=options.may_replace)
    prepare(options.workers, type(simulation).__module__)
    parts = PartStore(output.absolute().with_name(f".{output.absolute().name}.parts"))
    if options.overwrite:
        parts.remove()
    with open_source(inputs, on_bad_rows=options.on_bad_rows) as source:
        key = _key(simulation, source, options)
        if options.resume and (finished := _finished(output, parts, key)):
            return finished
        parts.open(key, resume=options.resume, output=output)
        work = Work(simulation, source, options.seed, parts)
        first, last = slice_of(len(source), options)
        try:
            total = _simulate(work, output, options, lambda done: progress(done, last - first))
        except BaseException:
            parts.leave()
            raise
    how = {**provenance(work, options.partition), "workers": options.workers, "key": key}
    notes = [*source.notes, *simulation.remarks(total.cutflow)]
    record = {**how, "notes": notes, **describe_run(total, options.workers, time.perf_counter() - started)}
    write_record(output, record)
    parts.remove()
    return RunResult(output, record, total.cutflow)


def slice_of(events: int, options: RunOptions) -> tuple[int, int]:
    """First and one past the last of the events that the run is to do, of so many in the input."""
    i, n = options.partition
    return events * (i - 1) // n, events * i // n


def plan(rows: Integers, options: RunOptions, rows_per_chunk: int = 65_536) -> Iterator[Partition]:
    """Cut the events of the input into partitions of consecutive whole events.

    Parameters
    ----------
    rows : Integers, one an event
        Particle rows of each event.
    options : RunOptions
        The size of a chunk and the slice to do.
    rows_per_chunk : int
        Particle rows that a chunk of whole events holds if its size is not given.
    """
    first, last = slice_of(len(rows), options)
    if first == last:
        yield Partition(0, first, last)  # a slice without events still makes its tables
    elif (size := options.chunk_events) is not None:
        for index, start in enumerate(range(first, last, size)):
            yield Partition(index, start, min(start + size, last))
    else:
        for index, (start, stop) in enumerate(whole_events(rows, rows_per_chunk, first, last)):
            yield Partition(index, start, stop)


def _simulate(
    work: Work,
    output: Path,
    options: RunOptions,
    progress: Callable[[Iterator[tuple[Partition, PartReport]]], Iterator[tuple[Partition, PartReport]]],
) -> PartReport:
    """Simulate all partitions and write their tables; the sum of their reports."""
    partitions = plan(work.source.rows, options, _rows_per_chunk(work.simulation, work.source))
    done: Iterator[tuple[Partition, PartReport]] = (
        serial(work, partitions) if options.workers == 1 else processes(work, partitions, options.workers)
    )
    total = PartReport()
    how = provenance(work, options.partition)
    with open_sink(output, naming=options.naming, provenance=how, overwrite=options.may_replace) as sink:
        for partition, report in progress(done):
            sink.append(work.parts.read(partition.index))
            total += report
    return total


def _finished(output: Path, parts: PartStore, key: dict[str, Any]) -> RunResult | None:
    """The result of the same run if it is complete already."""
    path = record_path(output)
    if not path.exists() or parts.folder.exists():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    if not all((output.parent / file).exists() for file in record["files"]):
        return None
    if record.get("key") != json.loads(json.dumps(key)):
        raise ConfigError(
            f"{output}: holds the output of another run; choose another -o, or replace it with --overwrite"
        )
    return RunResult(output, record, CutFlow.from_json(record["cutflow"]))


def _rows_per_chunk(simulation: Simulation, source: Source) -> int:
    return simulation.rows_per_chunk(sum(int(rows.sum()) for _, rows in pieces(source.rows)))


def _key(simulation: Simulation, source: Source, options: RunOptions) -> dict[str, Any]:
    return {
        "version": __version__,
        "pipeline": simulation.describe(),
        "input": source.fingerprint,
        "seed": options.seed,
        "on_bad_rows": options.on_bad_rows,
        "partition": list(options.partition),
        "naming": options.naming,
        "chunk_events": options.chunk_events or f"up to {_rows_per_chunk(simulation, source)} rows",
    }
