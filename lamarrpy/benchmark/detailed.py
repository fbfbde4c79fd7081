"""What ``lamarrpy detailed`` is measured by: whole commands, as a user would start them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lamarrpy.benchmark.checks import Check
from lamarrpy.benchmark.running import WORKERS, Sample, make_gun, repeat, run_command, typical_seconds
from lamarrpy.io import digest
from lamarrpy.shipped import shipped


def detailed_checks(*, quick: bool) -> Iterator[Check]:
    """Measure the checks one by one.

    Parameters
    ----------
    quick : bool
        Fewer particles, every run once instead of the median of three, and none with one worker.
    """
    with tempfile.TemporaryDirectory(prefix="lamarrpy-benchmark-") as name:
        folder = Path(name)
        gun = make_gun(folder / "gun", 100_000 if quick else 400_000)
        pythia = repeat(shipped("data", "bbbar_pythia8.parquet"), folder / "pythia", 250_000 if quick else 1_000_000)
        yield from _rates(folder, gun, pythia, 1 if quick else 3)
        yield _deterministic(folder, shipped("data", "bbbar_pythia8.parquet"))


def _rates(folder: Path, gun: Sample, pythia: Sample, times: int) -> Iterator[Check]:
    """Runs over a particle gun and over collisions, taking turns so that a slow moment hits all of them."""
    tracking, whole, alone, collisions = [], [], [], []
    for _ in range(times):
        tracking.append(_run(gun, folder, WORKERS, "--tracking-only"))
        whole.append(_run(gun, folder, WORKERS))
        if times > 1:
            alone.append(_run(gun, folder, 1))
        collisions.append(_run(pythia, folder, WORKERS))
    yield Check("detailed.rate.two_workers", _rate(gun, tracking), 3000, None, "particles/s")
    yield Check("detailed.rate.whole.two_workers", _rate(gun, whole), 2000, None, "particles/s")
    yield Check("detailed.rate.one_worker", _rate(gun, alone), None, None, "particles/s")
    yield Check("detailed.rate.pythia", _rate(pythia, collisions), None, None, "particles/s")
    peak = max(record["peak_memory_bytes"] for record in (*tracking, *whole, *alone, *collisions)) / 1e9
    yield Check("detailed.peak_memory", peak, None, 4.0, "GB")


def _rate(sample: Sample, runs: list[dict[str, Any]]) -> float | None:
    """Counted particles a second; None without runs."""
    return sample.counted / typical_seconds(runs) if runs else None


def _run(sample: Sample, folder: Path, workers: int, *options: str) -> dict[str, Any]:
    return run_command("detailed", str(sample.path), *options, output=folder / "out", workers=workers)


def _deterministic(folder: Path, events: Path) -> Check:
    """Whether the tables of some events are the same to the last bit however the work is cut; 1 if so."""
    digests = []
    for workers, chunk in ((1, 200), (1, 7), (WORKERS, 13)):
        output = folder / "same"
        options = ("--seed", "5", "--partition", "1/5", "--chunk-events", str(chunk))
        run_command("detailed", str(events), *options, output=output, workers=workers)
        digests.append(digest(output))
    return Check("detailed.deterministic", float(digests[0] == digests[1] == digests[2]), 1.0, None, "")
