"""The test sample: events that no model has learned from, twice through the Detailed Simulation.

It is kept as its recipes, seeds and event numbers, and made anew wherever it is needed.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lamarrpy.benchmark.running import repeat
from lamarrpy.detailed.simulation import DetailedSimulation
from lamarrpy.generate import load_recipe
from lamarrpy.generate.output import generate_file
from lamarrpy.io.target import record_path
from lamarrpy.pipeline import RunOptions, run_files
from lamarrpy.shipped import shipped

SEED = 6102
"""Of the generators and of the first Detailed Simulation; the training sample has another one."""

AGAIN = SEED + 1
"""Of the second Detailed Simulation of the same particles."""

FIRST = 700_000_000
"""Number of the first event, beyond those of the training sample; each part begins `SPACING` further on."""

SPACING = 1_000_000

COLLISIONS = {"bbbar_pythia8": 2400, "minbias_pythia8": 600}
GUNS = {"ks_pipi": 10_000, "lambda_ppi": 10_000, "corners": 800}
"""Events of each recipe in the full sample: about 300,000 charged particles in the window, half a million photons."""

QUICK_GUNS = {"ks_pipi": 400, "lambda_ppi": 400, "corners": 40}

SLICE = 400
"""Pythia's events in one part: what fits into memory together with all their particles."""

_SHIPPED_ROWS = 1
"""Particles to ask `repeat` for to get the shipped events once."""


@dataclass(frozen=True)
class Part:
    """Some events of the test sample.

    Attributes
    ----------
    collisions : bool
        Whether they are whole collisions, whose number of tracks is that of real ones.
    generated, detailed, again : Path
        The generator's particles, and the outputs of two Detailed Simulations of them.
    """

    collisions: bool
    generated: Path
    detailed: Path
    again: Path


@dataclass(frozen=True)
class _Plan:
    """A part before it is made: ``events`` of a recipe from event ``first``, or, without a recipe, the shipped ones."""

    name: str
    collisions: bool
    recipe: str | None
    first: int
    events: int


def has_pythia() -> bool:
    """Whether collisions can be generated; the shipped ones are taken otherwise."""
    return find_spec("pythia8mc") is not None


def make_sample(folder: Path, *, quick: bool, workers: int) -> list[Part]:
    """Make the test sample, or what is missing of it.

    Parameters
    ----------
    folder : Path
        Where it goes; parts that are there already are left as they are.
    quick : bool
        The shipped events and few of the guns', instead of Pythia's.
    workers : int
        Processes that simulate.

    Returns
    -------
    list of Part
        Collisions first.
    """
    folder = folder / ("quick" if quick else "full")
    return [_make(plan, folder, workers) for plan in _plans(quick)]


def _plans(quick: bool) -> list[_Plan]:
    if quick:
        collisions = [_Plan("shipped", True, None, FIRST, 0)]
    elif has_pythia():
        collisions = [
            _Plan(f"{recipe}-{start // SLICE:02d}", True, recipe, FIRST + at * SPACING + start, SLICE)
            for at, (recipe, events) in enumerate(COLLISIONS.items())
            for start in range(0, events, SLICE)
        ]
    else:
        collisions = [_Plan(f"shipped-{turn:02d}", True, None, FIRST + turn * SPACING, 0) for turn in range(12)]
    guns = QUICK_GUNS if quick else GUNS
    return collisions + [
        _Plan(recipe, False, recipe, FIRST + (at + 50) * SPACING, events)
        for at, (recipe, events) in enumerate(guns.items())
    ]


def _make(plan: _Plan, folder: Path, workers: int) -> Part:
    generated, detailed, again = (folder / f"{plan.name}-{what}" for what in ("generated", "detailed", "again"))
    if not record_path(again).exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(generated, ignore_errors=True)
        if plan.recipe is None:
            repeat(shipped("data", "bbbar_pythia8.parquet"), generated, _SHIPPED_ROWS, first_event=plan.first)
        else:
            recipe = load_recipe(plan.recipe)
            generate_file(generated, recipe, plan.events, SEED, first_event=plan.first, overwrite=True)
        for output, seed in ((detailed, SEED), (again, AGAIN)):
            options = RunOptions(seed=seed, workers=workers, overwrite=True)
            run_files(DetailedSimulation(), generated, output, options)
    return Part(plan.collisions, generated, detailed, again)
