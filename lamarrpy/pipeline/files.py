"""Running a pipeline over files: the output is complete or not there."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import reduce
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from operator import add
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import ConfigError, OutputError
from lamarrpy.io import Source, open_sink, open_source
from lamarrpy.pipeline.cutflow import CutFlow
from lamarrpy.pipeline.executors import processes, serial
from lamarrpy.pipeline.partition import Partition, Work, peak_memory
from lamarrpy.pipeline.parts import PartReport, PartStore
from lamarrpy.pipeline.pipeline import Pipeline
from lamarrpy.pipeline.spec import load_pipeline

ROWS_PER_CHUNK = 65_536
"""Particle rows that a chunk of whole events holds if --chunk-events is not given."""

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
        Overrides the pipeline's.
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
    pipeline: str | Path | Mapping[str, Any] | Pipeline,
    inputs: Path | Sequence[Path],
    output: Path,
    options: RunOptions | None = None,
    progress: Progress = lambda parts, total: parts,
) -> RunResult:
    """Simulate the events of a file and write the tables.

    Parameters
    ----------
    pipeline : str, Path, mapping or Pipeline
        A pipeline file, the name of a shipped one, or its content.
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
    if not isinstance(pipeline, Pipeline):
        pipeline = load_pipeline(pipeline, polarity=options.polarity)
    output = Path(output)
    if output.exists() and not (options.overwrite or options.resume):
        raise OutputError(f"{output}: is there already; choose another -o, or replace it with --overwrite")
    parts = PartStore(output.absolute().with_name(f".{output.absolute().name}.parts"))
    if options.overwrite:
        parts.remove()
    with open_source(inputs, on_bad_rows=options.on_bad_rows) as source:
        partitions = plan(source.rows, options)
        key = _key(pipeline, source, options, partitions)
        if options.resume and (finished := _finished(output, parts, key)):
            return finished
        parts.open(key, resume=options.resume, output=output)
        work = Work(pipeline, source, options.seed, parts)
        total = partitions[-1].stop - partitions[0].start
        reports = _simulate(work, partitions, output, options, lambda done: progress(done, total))
    record = {**_record(pipeline, source, options, reports, time.perf_counter() - started), "key": key}
    write_record(output, record)
    parts.remove()
    return RunResult(output, record, reduce(add, (r.cutflow for r in reports), CutFlow()))


def plan(rows: NDArray[np.int64], options: RunOptions) -> list[Partition]:
    """Cut the events of the input into partitions of consecutive whole events.

    Parameters
    ----------
    rows : ndarray of int, shape (n_events,)
        Particle rows of each event.
    options : RunOptions
        The size of a chunk and the slice to do.
    """
    i, n = options.partition
    first, last = len(rows) * (i - 1) // n, len(rows) * i // n
    if options.chunk_events is not None:
        edges = list(range(first, last, options.chunk_events))
    else:
        filled = np.cumsum(rows[first:last]) - rows[first:last]
        edges = (first + np.flatnonzero(np.diff(filled // ROWS_PER_CHUNK, prepend=-1))).tolist()
    edges = edges or [first]  # a slice without events still makes its tables
    return [Partition(index, *ends) for index, ends in enumerate(pairwise([*edges, last]))]


def _simulate(
    work: Work,
    partitions: Sequence[Partition],
    output: Path,
    options: RunOptions,
    progress: Callable[[Iterator[tuple[Partition, PartReport]]], Iterator[tuple[Partition, PartReport]]],
) -> list[PartReport]:
    done: Iterator[tuple[Partition, PartReport]] = (
        serial(work, partitions) if options.workers == 1 else processes(work, partitions, options.workers)
    )
    reports = []
    sink: AbstractContextManager[Any] = open_sink(
        output, naming=options.naming, provenance=_provenance(work.pipeline, work.source, options)
    )
    with sink as tables:
        for partition, report in progress(done):
            tables.append(work.parts.read(partition.index))
            reports.append(report)
    return reports


def _finished(output: Path, parts: PartStore, key: dict[str, Any]) -> RunResult | None:
    """The result of the same run if it is complete already."""
    path = record_path(output)
    if not path.exists() or parts.folder.exists():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    if record.get("key") != json.loads(json.dumps(key)):
        raise ConfigError(
            f"{output}: holds the output of another run; choose another -o, or replace it with --overwrite"
        )
    return RunResult(output, record, CutFlow.from_json(record["cutflow"]))


def _key(pipeline: Pipeline, source: Source, options: RunOptions, partitions: Sequence[Partition]) -> dict[str, Any]:
    return {
        "version": version_of("lamarrpy"),
        "pipeline": describe(pipeline),
        "input": source.fingerprint,
        "seed": options.seed,
        "on_bad_rows": options.on_bad_rows,
        "partition": list(options.partition),
        "chunks": [len(partitions), partitions[0].stop - partitions[0].start],
    }


def describe(pipeline: Pipeline) -> dict[str, Any]:
    """A pipeline with every setting spelled out, as plain data."""
    stages = [{"kind": stage.name, **asdict(stage)} for stage in pipeline.stages]  # type: ignore[call-overload]
    return {"name": pipeline.name, "stages": stages, "output": {k: v and list(v) for k, v in pipeline.output.items()}}


def version_of(package: str) -> str:
    """The installed version of a package, or "unknown"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _provenance(pipeline: Pipeline, source: Source, options: RunOptions) -> dict[str, Any]:
    return {
        "lamarrpy": version_of("lamarrpy"),
        "seed": options.seed,
        "pipeline": describe(pipeline),
        "input": source.fingerprint,
        "partition": list(options.partition),
    }


def _record(
    pipeline: Pipeline, source: Source, options: RunOptions, reports: Sequence[PartReport], seconds: float
) -> dict[str, Any]:
    packages = ("numpy", "scipy", "pyarrow", "particle")
    particles, events = sum(r.particles for r in reports), sum(r.events for r in reports)
    bad: dict[str, int] = {}
    for report in reports:
        for reason, count in report.bad_rows.items():
            bad[reason] = bad.get(reason, 0) + count
    return {
        **_provenance(pipeline, source, options),
        "python": platform.python_version(),
        "packages": {name: version_of(name) for name in packages},
        "workers": options.workers,
        "events": events,
        "particles": particles,
        "bad_rows_dropped": bad,
        "notes": list(source.notes),
        "seconds": round(seconds, 3),
        "particles_per_s": round(particles / seconds, 1),
        "peak_memory_bytes": _peak_memory(reports, options.workers),
        "cutflow": reduce(add, (r.cutflow for r in reports), CutFlow()).as_json(),
    }


def _peak_memory(reports: Sequence[PartReport], workers: int) -> int:
    """Memory of all processes together, as if they had peaked at the same time [bytes]."""
    largest = max((report.peak_memory for report in reports), default=0)
    return max(peak_memory(), largest) if workers == 1 else peak_memory() + workers * largest


def record_path(output: Path) -> Path:
    """Where the record of a run is: inside an output folder, beside an output file."""
    return output / "run.json" if output.is_dir() else output.with_name(f"{output.name}.run.json")


def write_record(output: Path, record: dict[str, Any]) -> None:
    """Write ``run.json`` next to the tables."""
    record_path(output).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
