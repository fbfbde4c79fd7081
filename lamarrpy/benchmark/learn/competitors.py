"""Every algorithm of `lamarrpy train`, as it is with nothing said but its name, and how good one turned out."""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from lamarrpy.benchmark.learn.sample import CONDITIONS, TARGETS, draw_sample
from lamarrpy.benchmark.processes import run_module
from lamarrpy.draws import Draws
from lamarrpy.parameterization.parameterization import load
from lamarrpy.validate.metrics import ks_distance, two_sample_auc, wasserstein_over_sigma

Columns = Mapping[str, NDArray[Any]]

ADVERSARIAL = (
    "GAN",
    "BceGAN",
    "LSGAN",
    "WGAN",
    "WGAN_GP",
    "CramerGAN",
    "WGAN_ALP",
    "BceGAN_GP",
    "BceGAN_ALP",
)
FLOWS = ("coupling_spline", "coupling_affine", "masked_spline", "masked_affine")
GENERATORS = ("distilled", "autoregressive", *FLOWS, *ADVERSARIAL, "tuned", "neighbours")
CLASSIFIERS = ("classifier", "boosted")
"""Names of the competitors, which are those of algorithms; "tuned" is the default recipe with adversarial tuning."""

_VALIDATION = 0.1
"""Rows kept for scores, over those for training."""

_SHORT: dict[str, Any] = {"training": {"steps": 60}, "teacher": {"training": {"steps": 60}, "pairs": 20_000}}
"""What --quick trains: enough to see that everything works."""


@dataclass(frozen=True)
class Samples:
    """The rows of a comparison.

    Attributes
    ----------
    training : Path
        A file.
    rows : int
        Rows of it for training.
    test : dict of str to ndarray
        Rows that nothing was trained on.
    """

    training: Path
    rows: int
    test: Columns


@dataclass(frozen=True)
class Result:
    """How one turned out.

    Attributes
    ----------
    auc, auc_error : float
        Of a boosted classifier that tells its rows from real ones.
    ks, wasserstein : float
        Largest distance of any target, the second over its standard deviation.
    cpu_seconds : float
        Of the whole command that trained it.
    rate : float
        Rows a second that it draws on two threads.
    """

    auc: float
    auc_error: float
    ks: float
    wasserstein: float
    cpu_seconds: float
    rate: float


def make_samples(folder: Path, rows: int, test: int) -> Samples:
    """Draw a training and a test sample."""
    path = folder / "training.parquet"
    pq.write_table(pa.table(draw_sample(round(rows * (1.0 + _VALIDATION)), seed=1)), path)
    return Samples(path, rows, draw_sample(test, seed=2))


def recipe(name: str, targets: Mapping[str, str], quick: bool) -> dict[str, Any]:
    """The recipe of a competitor: columns, its name, and which rows are for training."""
    share = 1.0 / (1.0 + _VALIDATION)
    named: dict[str, Any] = {"algorithm": "distilled", "tuning": {}} if name == "tuned" else {"algorithm": name}
    short = _SHORT if quick and name not in ("neighbours", "boosted") else {}
    return {
        "name": name,
        "conditions": {column: {"unit": unit} for column, unit in CONDITIONS.items()},
        "targets": {column: {"unit": unit} for column, unit in targets.items()},
        "split": [share, 1.0 - share, 0.0],
        **named,
        **short,
    }


def train(name: str, samples: Samples, folder: Path, targets: Mapping[str, str], quick: bool) -> tuple[Path, float]:
    """Train a competitor as a user would; its folder, and the CPU seconds of the whole command.

    Raises
    ------
    LamarrpyError
        With its last words, if it fails.
    """
    path, output = folder / f"{name}.yaml", folder / name
    path.write_text(yaml.safe_dump(recipe(name, targets, quick), sort_keys=False), encoding="utf-8")
    words = ("train", str(path), "--data", str(samples.training), "-o", str(output), "--quiet")
    before = _children()
    run_module(f"training {name}", "lamarrpy", *words)
    return output, _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure_generator(name: str, samples: Samples, folder: Path, quick: bool) -> Result:
    """Train a generator, and compare what it makes of the test rows' conditions with their targets."""
    output, cpu_seconds = train(name, samples, folder, TARGETS, quick)
    test, model = samples.test, load(output)
    draws = Draws(3, "benchmark").rows(np.arange(len(test["p"])))
    model(test, draws, threads=2)  # opens what opens at the first call
    started = time.perf_counter()
    made = model(test, draws, threads=2)
    rate = len(draws) / (time.perf_counter() - started)
    given = {column: test[column] for column in CONDITIONS}
    wanted = {column: test[column] for column in TARGETS}
    twin = np.arange(len(draws))  # rows of the same conditions are kept on one side
    tested = two_sample_auc(given | wanted, given | made, seed=1, groups=(twin, twin))
    ks = max(ks_distance(wanted[column], made[column]) for column in TARGETS)
    far = max(wasserstein_over_sigma(wanted[column], made[column]) for column in TARGETS)
    return Result(tested.auc, tested.error, float(ks), float(far), cpu_seconds, rate)
