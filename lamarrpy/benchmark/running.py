"""How fast, how lean: ``lamarrpy benchmark run``.

Every measured run is a process of its own, so that nothing it needs is warm. A rate counts the
charged particles of the input with 1.6 < eta < 5.2 and p > 1 GeV, and nothing else, per second of
the whole run: from opening the input to the finished tables on disk, Parquet in and out.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lamarrpy.benchmark.checks import Check
from lamarrpy.benchmark.processes import run_module
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field
from lamarrpy.generate import generate
from lamarrpy.io import open_sink, open_source
from lamarrpy.particles import charge
from lamarrpy.pipeline import load_pipeline
from lamarrpy.propagation import State, dormand_prince
from lamarrpy.shipped import shipped
from lamarrpy.stages.propagation import Propagation
from lamarrpy.tables import EventBatch, generator_level
from lamarrpy.tables.schemas import PLANES
from lamarrpy.yaml_file import read_yaml

WORKERS = 2


@dataclass(frozen=True)
class Sample:
    """An input file, and how many of its particles count."""

    path: Path
    counted: int
    particles: int


def run_checks(*, quick: bool) -> Iterator[Check]:
    """Measure the checks one by one.

    Parameters
    ----------
    quick : bool
        A million particles and every run once, instead of ten million and the median of three runs.
        What starting the workers costs, and memory, show only in the full run.
    """
    with tempfile.TemporaryDirectory(prefix="lamarrpy-benchmark-") as name:
        folder = Path(name)
        yield from _runs(folder, 1_000_000 if quick else 10_000_000, 1 if quick else 3, quick)
        yield from _pythia(folder, 1_000_000)
        yield _start_up(folder)
        yield extrapolation_error(20_000 if quick else 60_000)
        yield _normals()


def _runs(folder: Path, particles: int, times: int, quick: bool) -> Iterator[Check]:
    """Runs over a particle gun, taking turns so that a slow moment of the machine hits all of them."""
    gun = make_gun(folder / "gun", particles)
    integrated, neural = (_by_method(folder, method) for method in ("runge_kutta", "neural"))
    kick, alone, steps, networks = [], [], [], []
    for _ in range(times):
        kick.append(_run("parametric", gun, folder, workers=WORKERS))
        alone.append(_run("parametric", gun, folder, workers=1))
        steps.append(_run(str(integrated), gun, folder, workers=WORKERS))
        networks.append(_run(str(neural), gun, folder, workers=WORKERS))
    yield Check("run.rate.single_kick", gun.counted / typical_seconds(kick), 250_000, None, "particles/s")
    yield Check("run.rate.runge_kutta", gun.counted / typical_seconds(steps), 120_000, None, "particles/s")
    yield Check("run.rate.neural", gun.counted / typical_seconds(networks), None, None, "particles/s")
    yield Check("run.rate.one_worker", gun.counted / typical_seconds(alone), None, None, "particles/s")
    ratios = [one["seconds"] / two["seconds"] for one, two in zip(alone, kick, strict=True)]
    yield Check("run.speedup.two_workers", None if quick else float(np.median(ratios)), 1.7, None, "")
    peak = max(record["peak_memory_bytes"] for record in (*kick, *alone, *steps, *networks)) / 1e9
    yield Check("run.peak_memory", None if quick else peak, None, 1.5, "GB")


def _by_method(folder: Path, method: str) -> Path:
    """The pipeline ``parametric`` with another method of propagation in place of the single kick."""
    spec = read_yaml(shipped("pipelines", "parametric.yaml"))
    for stage in spec["stages"]:
        if stage["kind"] == "propagation":
            stage["method"] = method
    path = folder / f"{method}.yaml"
    path.write_text(json.dumps(spec), encoding="utf-8")  # JSON is YAML too
    return path


def typical_seconds(records: Sequence[dict[str, Any]]) -> float:
    return float(np.median([record["seconds"] for record in records]))


def _pythia(folder: Path, rows: int) -> Iterator[Check]:
    """Rates over real events, most of whose rows do not head into the detector."""
    events = repeat(shipped("data", "bbbar_pythia8.parquet"), folder / "pythia", rows)
    record = _run("parametric", events, folder, workers=WORKERS)
    yield Check("run.rate.pythia", events.counted / record["seconds"], None, None, "particles/s")
    yield Check("run.rate.pythia_rows", events.particles / record["seconds"], None, None, "rows/s")


def _start_up(folder: Path) -> Check:
    """From starting the process to its end, for the first event of a sample: the first row lies before that."""
    sample = Sample(shipped("data", "bbbar_pythia8.parquet"), 0, 0)
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        _run("parametric", sample, folder, "--partition", "1/100", "--chunk-events", "1")
        seconds.append(time.perf_counter() - started)
    return Check("run.start_to_first_row", float(np.median(seconds)), None, 2.0, "s")


def make_gun(path: Path, particles: int) -> Sample:
    """Write a sample of the shipped particle gun with at least so many particles that count."""
    recipe = shipped("data", "recipes", "gun.yaml")
    per_event = sum(batch["particles"].num_rows for batch in generate(recipe, events=1000, seed=0)) / 1000
    counted = rows = 0
    with open_sink(path, provenance={"recipe": recipe.name}) as sink:
        for batch in generate(recipe, events=int(particles / per_event) + 1, seed=1):
            sink.append(batch)
            counted, rows = counted + count(batch), rows + batch["particles"].num_rows
    return Sample(path, counted, rows)


def count(batch: EventBatch) -> int:
    """Charged particles with 1.6 < eta < 5.2 and p > 1 GeV that leave the generator undecayed."""
    px, py, pz, pid, status = batch.arrays("particles", "px", "py", "pz", "pid", "status")
    pt, p = np.hypot(px, py), np.sqrt(px**2 + py**2 + pz**2)
    eta = np.arcsinh(pz / np.maximum(pt, 1e-9))
    return int(np.count_nonzero((charge(pid) != 0) & (eta > 1.6) & (eta < 5.2) & (p > 1000) & (status == 1)))


def repeat(path: Path, output: Path, particles: int, first_event: int = 0) -> Sample:
    """The events of a small file again and again under new numbers, until there are enough particles.

    Numbers are those of the file plus ``first_event``, and a block more each time.
    """
    with open_source(path) as source:
        batch, _ = source.read(0, len(source))
    first = batch.array("events", "event_id")
    span, each, rows = int(first.max()) + 1, count(batch), batch["particles"].num_rows
    times = particles // rows + 1
    with open_sink(output, provenance={"events": path.name}) as sink:
        for turn in range(times):
            shifted = batch
            for name in batch:
                ids = batch.array(name, "event_id") + (first_event + turn * span)
                shifted = shifted.with_columns(generator_level(name).only("event_id"), {"event_id": ids})
            sink.append(shifted)
    return Sample(output, each * times, rows * times)


def _run(pipeline: str, sample: Sample, folder: Path, *options: str, workers: int = 1) -> dict[str, Any]:
    """The record of ``lamarrpy run``."""
    return run_command("run", pipeline, str(sample.path), *options, output=folder / "out", workers=workers)


def run_command(*words: str, output: Path, workers: int) -> dict[str, Any]:
    """Run a command of lamarrpy as a user would, and read what it says of itself.

    Parameters
    ----------
    *words : str
        The command, its input and its options.
    output : Path
        Its output folder, which is deleted before.
    workers : int
        Number of processes.

    Raises
    ------
    LamarrpyError
        With its last words, if it fails.
    """
    shutil.rmtree(output, ignore_errors=True)
    if hasattr(os, "sync"):
        os.sync()  # no run pays for what another has written
    options = ("-o", str(output), "--quiet", "--workers", str(workers))
    run_module("the run to be measured", "lamarrpy", *words, *options)
    record: dict[str, Any] = json.loads((output / "run.json").read_text(encoding="utf-8"))
    return record


def extrapolation_error(particles: int) -> Check:
    """How far Runge-Kutta in the place of the single kick is from a far finer one, at the worst plane."""
    shipped_stage = next(s for s in load_pipeline("parametric").stages if isinstance(s, Propagation))
    stage = replace(shipped_stage, method="runge_kutta")
    batch = next(iter(generate(shipped("data", "recipes", "gun.yaml"), events=particles // 40, seed=2)))
    batch = stage(batch, Draws(0))
    names = ("x", "y", "z", "tx", "ty", "p", "pid")
    x, y, z, tx, ty, p, pid = (
        column[batch.array("particles", "propagated")] for column in batch.arrays("particles", *names)
    )
    planes = sorted(stage.planes, key=PLANES.__getitem__)
    field = magnetic_field(stage.field, stage.polarity)
    truth = dormand_prince(State(x, y, z, tx, ty, charge(pid) / p), [PLANES[plane] for plane in planes], field)
    quantiles = []
    for i, plane in enumerate(planes):
        got_x, got_y = (batch.array("particles", f"{a}_{plane}")[batch.array("particles", "propagated")] for a in "xy")
        distance = np.hypot(got_x - truth.x[i], got_y - truth.y[i])
        quantiles.append(np.nanquantile(distance[truth.reaches[i]], 0.95))
    return Check("run.extrapolation_error.runge_kutta", 1e3 * float(max(quantiles)), None, 20.0, "um")


def _normals() -> Check:
    """Normal numbers a second on two cores, keys and all, eight a particle."""
    rows, count, tasks = 250_000, 8, 8

    def make(task: int) -> int:
        particle = np.arange(rows)
        return int(Draws(1, "benchmark").rows(np.full(rows, task), particle).normals(count).size)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(make, range(WORKERS)))
        started = time.perf_counter()
        made = sum(pool.map(make, range(tasks)))
        return Check("draws.rate.normal", made / (time.perf_counter() - started), 30e6, None, "1/s")
