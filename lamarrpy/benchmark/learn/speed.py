"""How many rows a second networks of five layers of 128 learn from and answer."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from lamarrpy.benchmark.learn.sample import CONDITIONS, TARGETS, draw_sample
from lamarrpy.benchmark.processes import run_module
from lamarrpy.draws import Draws

_BATCH, _LATENTS = 2048, 8


def training_rate(*, quick: bool) -> float:
    """Rows that an adversarial game of two such players learns from in a second of one processor.

    In a process of its own, on one thread; what starting and tracing take does not count.

    Raises
    ------
    LamarrpyError
        With its last words, if it fails.
    """
    steps = 100 if quick else 500
    return float(run_module("the game to be measured", "lamarrpy.benchmark.learn.game", str(steps)).split()[-1])


def generation_rate(folder: Path, *, quick: bool) -> float:
    """Rows a second that such a generator with eight targets answers on two cores, draws and transforms included."""
    from lamarrpy.nn.players import Body, generator
    from lamarrpy.parameterization.parameterization import load
    from lamarrpy.train.learned import Learned, Watch
    from lamarrpy.train.problem import make_problem
    from lamarrpy.train.recipe import make_recipe
    from lamarrpy.train.saving import save
    from lamarrpy.train.table import Table

    rows = 200_000 if quick else 2_000_000
    recipe = make_recipe({"conditions": list(CONDITIONS), "targets": list(TARGETS), "split": [1.0, 0.0, 0.0]})
    problem = make_problem(recipe, Table(dict(draw_sample(50_000, 1)), {}, {}))
    network = generator(problem.conditions.width_out, _LATENTS, len(TARGETS), Body((128,) * 5, activation="leaky_relu"))
    save(folder / "untrained", problem, Learned("generator", problem.targets, network), Watch())
    model, asked = load(folder / "untrained"), draw_sample(rows, 5)
    draws = Draws(1, "benchmark")
    model({name: values[:10_000] for name, values in asked.items()}, draws.rows(np.arange(10_000)), threads=2)
    started = time.perf_counter()
    model(asked, draws.rows(np.arange(rows)), threads=2)
    return rows / (time.perf_counter() - started)
