"""How fast the shipped pipeline is, and how much memory it takes for samples of two sizes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamarrpy.benchmark.chain.candidates import PIPELINE
from lamarrpy.benchmark.chain.figures import FLASH, Figure
from lamarrpy.benchmark.running import WORKERS, make_gun, run_command, typical_seconds

SIZES, QUICK_SIZES, TIMES = (1_000_000, 6_000_000), (100_000, 200_000), 3
RATE, MEMORY = 150_000.0, 1.5


def speed_figures(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Run the pipeline from Parquet to Parquet as a user would, over a particle gun: the larger sample three times."""
    small, large = QUICK_SIZES if quick else SIZES
    for size, name, times in ((small, "small", 1), (large, "large", 1 if quick else TIMES)):
        sample = make_gun(folder / f"gun-{name}", size)
        runs = [
            run_command("run", PIPELINE, str(sample.path), output=folder / "out", workers=WORKERS) for _ in range(times)
        ]
        if name == "large":
            rate = sample.counted / typical_seconds(runs)
            yield Figure("chain.rate", {FLASH: rate}, RATE, None, "particles/s", compared=())
        peak = max(record["peak_memory_bytes"] for record in runs) / 1e9
        yield Figure(f"chain.peak_memory.{name}", {FLASH: peak}, None, MEMORY, "GB", compared=())
