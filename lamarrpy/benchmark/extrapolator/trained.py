"""Networks that a full benchmark trains itself: families of the protocol, and extrapolators in both fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.benchmark.extrapolator.contenders import Contender, of_network
from lamarrpy.shipped import shipped
from lamarrpy.tracks import TrackSample, load_track_recipe, make_sample
from lamarrpy.train.extrapolation.plan import read_plan
from lamarrpy.train.extrapolation.recipe import ExtrapolatorRecipe
from lamarrpy.train.extrapolation.running import answers, deviations, rows_of, train_extrapolator
from lamarrpy.train.extrapolation.shipping import in_field, ship

STEPS, QUICK_STEPS = 6_000, 2_000
TRACKS = 200_000

FAMILIES: dict[str, dict[str, Any]] = {
    "mlp": {"architecture": {"family": "mlp", "size": "small", "ends": "direct", "normalization": "zscore"}},
    "mlp_over_momentum": {"architecture": {"family": "mlp", "size": "small", "ends": "bend"}},
    "pinn": {
        "architecture": {"family": "pinn", "size": "small", "ends": "bend"},
        "loss": {"data": 1.0, "pde": 1.0, "ic": 1.0},
    },
}
"""The other families of the protocol at their size ``small``: to the end, to the deviation over q/p, and a PINN."""


@dataclass(frozen=True)
class Extrapolator:
    """An extrapolator that was trained in the run.

    Attributes
    ----------
    folder : Path
        Where it lies.
    cpu_seconds : float
        CPU time of its training.
    """

    folder: Path
    cpu_seconds: float


def train_plan(name: str, folder: Path, steps: int | None = None) -> Extrapolator:
    """Train an extrapolator by its shipped plan, whose tests are left out: the benchmark has its own."""
    changes = {} if steps is None else {"steps": steps}
    plan = read_plan(shipped("models", "extrapolator", f"{name}.yaml"), changes)
    metrics = ship(plan.model_copy(update={"tests": {}}), folder / name)
    return Extrapolator(folder / name, float(metrics["training_cpu_s"]))


def other_families(field: str) -> Iterator[Contender]:
    """Train the other families on tracks of the box in a field, one after the other."""
    tracks = in_field(load_track_recipe("box"), {"kind": field})
    sample, held_out = make_sample(tracks, TRACKS, seed=1), make_sample(tracks, 10_000, seed=2)
    for name, settings in FAMILIES.items():
        yield of_network(name, train_extrapolator(_recipe(name, field, settings), sample, held_out).network)


def _recipe(name: str, field: str, settings: dict[str, Any]) -> ExtrapolatorRecipe:
    training = {"steps": STEPS, "rate": 2e-3}
    return ExtrapolatorRecipe.model_validate({"name": name, "field": {"kind": field}, "training": training} | settings)


def pulls(test: TrackSample, steps: int) -> NDArray[np.float64]:
    """Train a network that tells its own error, and divide by it what it is wrong by: shape (n, 4)."""
    sample = make_sample(load_track_recipe("box"), TRACKS if steps == STEPS else 40_000, seed=1)
    architecture = {"family": "mlp", "size": "small", "ends": "bend", "spread": True}
    wanted = ExtrapolatorRecipe.model_validate(
        {"name": "errors", "architecture": architecture, "training": {"steps": steps, "rate": 1e-3}}
    )
    trained = train_extrapolator(wanted, sample, test.at(slice(2000)))
    unit = np.maximum(rows_of(sample).targets.std(axis=0), 1e-9)
    told = answers(trained.network, rows_of(test).conditions).astype(np.float64)
    found: NDArray[np.float64] = (told[:, :4] - deviations(test)) / (unit * np.exp(told[:, 4:]))
    return found
