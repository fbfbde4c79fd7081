"""What a run says of itself: how it was done, and what came of it."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lamarrpy import __version__
from lamarrpy.io.target import record_path, writing
from lamarrpy.pipeline.partition import Work
from lamarrpy.pipeline.parts import PartReport
from lamarrpy.processes import peak_memory

_PACKAGES = ("numpy", "scipy", "pyarrow", "particle")


def provenance(work: Work, partition: tuple[int, int]) -> dict[str, Any]:
    """What decides about the tables: version, seed, simulation, input, slice of it."""
    return {
        "lamarrpy": __version__,
        "seed": work.seed,
        "pipeline": work.simulation.describe(),
        "input": work.source.fingerprint,
        "partition": list(partition),
    }


def describe_run(total: PartReport, workers: int, seconds: float) -> dict[str, Any]:
    """What a run did: counts, cut-flow, rate, memory, and the software it ran with."""
    own, largest = peak_memory(), total.peak_memory
    return {
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "events": total.events,
        "particles": total.particles,
        "bad_rows_dropped": total.bad_rows,
        "seconds": round(seconds, 3),
        "particles_per_s": round(total.particles / seconds, 1),
        # of all processes together, as if they had peaked at the same time
        "peak_memory_bytes": max(own, largest) if workers == 1 else own + workers * largest,
        "cutflow": total.cutflow.as_json(),
    }


def write_record(output: Path, record: dict[str, Any]) -> None:
    """Write ``run.json`` next to the tables, with the names of their files."""
    files = [output, *(sorted(output.glob("*.parquet")) if output.is_dir() else [])]
    record = {**record, "files": [str(file.relative_to(output.parent)) for file in files]}
    with writing(record_path(output)):
        record_path(output).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
