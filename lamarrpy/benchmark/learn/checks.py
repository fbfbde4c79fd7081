"""``lamarrpy benchmark learn``: all algorithms, flows and baselines in one table, and how fast they train and draw."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from lamarrpy.benchmark.checks import Check
from lamarrpy.benchmark.learn.classification import measure_classifier
from lamarrpy.benchmark.learn.competitors import (
    ADVERSARIAL,
    CLASSIFIERS,
    GENERATORS,
    Result,
    make_samples,
    measure_generator,
)
from lamarrpy.benchmark.learn.sample import CONDITIONS, TARGETS, draw_sample
from lamarrpy.benchmark.learn.speed import generation_rate, training_rate
from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.validate.metrics import two_sample_auc

_ROWS, _TEST = 150_000, 75_000
_QUICK_ROWS, _QUICK_TEST = 6_000, 4_000

_QUICK = ("distilled", "coupling_spline", "BceGAN", "neighbours", "classifier")
"""What --quick trains if not told which: one of each kind."""

_AUC = {"distilled": 0.53, "autoregressive": 0.52}
_KS = {"distilled": 0.015}
_CPU_SECONDS = {"distilled": 600.0, "autoregressive": 300.0}
"""Bars of single competitors."""


def learn_checks(*, quick: bool, only: Sequence[str] = ()) -> Iterator[Check]:
    """Measure the checks one by one.

    Parameters
    ----------
    quick : bool
        Small samples and some ten steps of training, of one competitor of each kind: whether they work, not how well.
    only : sequence of str
        Names of competitors; what belongs to others has no value.

    Raises
    ------
    ConfigError
        If a name is unknown.
    """
    known = (*GENERATORS, *CLASSIFIERS)
    for name in only:
        if name not in known:
            raise ConfigError(f"expected names out of {', '.join(known)}, got {name!r}{did_you_mean(name, known)}")
    wanted = only or (_QUICK if quick else known)
    with tempfile.TemporaryDirectory(prefix="lamarrpy-benchmark-") as place:
        folder = Path(place)
        samples = make_samples(folder, _QUICK_ROWS if quick else _ROWS, _QUICK_TEST if quick else _TEST)
        yield Check("learn.auc.ideal", None if quick else _ideal(), None, None, "")
        results: dict[str, Result] = {}
        for name in GENERATORS:
            if name in wanted:
                results[name] = measure_generator(name, samples, folder, quick)
            yield from _of_generator(name, results.get(name), quick)
        games = [results[name].auc for name in ADVERSARIAL if name in results]
        yield Check("learn.auc.best_gan", None if quick or not games else min(games), None, 0.58, "")
        for name in CLASSIFIERS:
            yield from measure_classifier(name, samples, folder, quick) if name in wanted else _unmeasured(name)
        yield Check("learn.training_rate.adversarial", training_rate(quick=quick), 60_000, None, "rows/CPU s")
        yield Check("learn.generation_rate", generation_rate(folder, quick=quick), 400_000, None, "rows/s")


def _of_generator(name: str, result: Result | None, quick: bool) -> Iterator[Check]:
    """The figures of a generator; how good it is only if it was trained in earnest."""
    good = asdict(result) if result and not quick else {}
    yield Check(f"learn.auc.{name}", good.get("auc"), None, _AUC.get(name), "")
    yield Check(f"learn.auc_error.{name}", good.get("auc_error"), None, None, "")
    yield Check(f"learn.ks.{name}", good.get("ks"), None, _KS.get(name), "")
    yield Check(f"learn.wasserstein.{name}", good.get("wasserstein"), None, None, "sigma")
    yield Check(f"learn.cpu.{name}", good.get("cpu_seconds"), None, _CPU_SECONDS.get(name), "s")
    yield Check(f"learn.rate.{name}", result.rate if result else None, None, None, "rows/s")


def _unmeasured(name: str) -> Iterator[Check]:
    for figure, unit in (("log_loss", ""), ("calibration_slope", ""), ("cpu", "s")):
        yield Check(f"learn.{figure}.{name}", None, None, None, unit)


def _ideal() -> float:
    """What a perfect model reaches: a second sample of the same conditions and targets."""
    names = (*CONDITIONS, *TARGETS)
    first, second = (draw_sample(_TEST, seed) for seed in (2, 4))
    return two_sample_auc({n: first[n] for n in names}, {n: second[n] for n in names}, seed=1).auc
