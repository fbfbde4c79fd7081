"""Make the training sample: events of every kind through the Detailed Simulation, a million charged particles.

pip install -e '.[generate,pythia]'
python data/make_training_sample.py training --workers 2

Slices that are finished are left as they are, so that an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from lamarrpy.benchmark.running import count
from lamarrpy.detailed.simulation import DetailedSimulation
from lamarrpy.generate import load_recipe
from lamarrpy.generate.output import generate_file
from lamarrpy.io import read_batch
from lamarrpy.io.target import record_path
from lamarrpy.pipeline import RunOptions, run_files

EVENTS = {
    "bbbar_pythia8": 6000,
    "ccbar_pythia8": 6000,
    "minbias_pythia8": 6000,
    "corners": 12_000,
    "ks_pipi": 30_000,
    "lambda_ppi": 30_000,
    "hadrons_is_muon": 28_000,
    "muons": 4_000,
}
"""Events of each recipe; what they come to stands in README.md."""

SLICE = {"pythia8": 1000, "particle_gun": 2000, "decay_gun": 30_000}
"""Events done at a time, by kind of recipe: about a minute, so that Pythia's start does not matter."""

SPACING = 10_000_000
"""Between the first event numbers of the recipes, so that no two events of the sample share one."""


class Slice(NamedTuple):
    """Some events of one recipe: their output folder, first event number, how many, seed."""

    output: Path
    recipe: str
    first: int
    events: int
    seed: int


def slices(folder: Path, fraction: float, seed: int) -> Iterator[Slice]:
    """All slices of the sample, or of a fraction of it."""
    for number, (recipe, events) in enumerate(EVENTS.items()):
        size, wanted = SLICE[load_recipe(recipe).kind], max(round(fraction * events), 1)
        for start in range(0, wanted, size):
            output = folder / f"{recipe}-{start // size:03d}"
            yield Slice(output, recipe, number * SPACING + start, min(size, wanted - start), seed)


def make(piece: Slice) -> dict[str, float]:
    """Generate a slice and simulate it; what it holds."""
    facts = piece.output.with_name(f"{piece.output.name}.json")
    if facts.exists() and record_path(piece.output).exists():
        done: dict[str, float] = json.loads(facts.read_text(encoding="utf-8"))
        return done
    generated = piece.output.with_name(f"{piece.output.name}-generated")
    generate_file(
        generated, load_recipe(piece.recipe), piece.events, piece.seed, first_event=piece.first, overwrite=True
    )
    result = run_files(DetailedSimulation(), generated, piece.output, RunOptions(seed=piece.seed, resume=True))
    shutil.rmtree(generated)
    size = sum(file.stat().st_size for file in piece.output.glob("*.parquet"))
    holds = {"counted": count(read_batch(piece.output)), "bytes": size, "seconds": result.record["seconds"]}
    facts.write_text(json.dumps(holds), encoding="utf-8")
    return holds


def main() -> None:
    """Make the slices, some at a time, and tell what is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the slices go")
    parser.add_argument("--workers", type=int, default=1, help="slices made at a time")
    parser.add_argument("--fraction", type=float, default=1.0, help="of the whole sample")
    parser.add_argument("--seed", type=int, default=2016)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    total = {"counted": 0.0, "bytes": 0.0}
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        made = {pool.submit(make, piece): piece for piece in slices(options.folder, options.fraction, options.seed)}
        for future in as_completed(made):
            holds = future.result()
            total = {name: total[name] + holds[name] for name in total}
            print(f"{made[future].output.name}: {holds['counted']:,.0f} charged particles, {holds['seconds']:.0f} s")
    print(f"{total['counted']:,.0f} charged particles (1.6 < eta < 5.2, p > 1 GeV), {total['bytes'] / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
