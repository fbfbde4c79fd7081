"""The figures of a study as checks: what the protocol asks for, and what its best networks reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lamarrpy.benchmark.checks import Check
from lamarrpy.study.criteria import BIAS, POSITION, SLOPE, SPEED_UP
from lamarrpy.study.experiments.timing import STANDARD
from lamarrpy.study.jobs import Outcome
from lamarrpy.study.running import StudyResult
from lamarrpy.tracks.accuracy import OUTPUTS, UNITS

_CLASSICAL = {"map": "runge_kutta_map", "formula": STANDARD}
"""Runge-Kutta as experiment 4 times it, by where it takes the field from."""

_LIMITS = {"x": POSITION, "y": POSITION, "tx": SLOPE, "ty": SLOPE}


def study_checks(result: StudyResult) -> Iterator[Check]:
    """How many networks there are, how good the best ones are, and how accurate each is."""
    yield Check("study.networks", len(result.outcomes))
    yield Check("study.failures", len(result.failures))
    best = result.registry["best"]["most_accurate"]
    test = result.outcomes[best].metrics["test"] if best else None
    yield from _criteria(test)
    yield from _speedups(result.results.get("timing", {}).get("speedup", ()))
    for mark, name in result.registry["best"].items():
        if name is not None:
            yield from _best(mark, result.outcomes[name])
    for name, outcome in result.outcomes.items():
        yield Check(f"study.distance_rms.{name}", outcome.metrics["test"]["distance_rms"], unit="um")


def _criteria(test: Mapping[str, Any] | None) -> Iterator[Check]:
    """The protocol's criteria, held against the most accurate network."""
    for name in OUTPUTS:
        yield Check(f"study.rmse.{name}", test["rmse"][name] if test else None, None, _LIMITS[name], UNITS[name])
    for name in OUTPUTS:
        yield Check(f"study.bias.{name}", test["mean"][name] if test else None, -BIAS, BIAS, UNITS[name])


def _speedups(rows: Sequence[Mapping[str, Any]]) -> Iterator[Check]:
    """How many times as fast as Runge-Kutta networks are, on one thread of a processor, many tracks at once."""
    alone = [row for row in rows if row["threads"] == 1 and row["device"] == "cpu"]
    most = max((row["batch"] for row in alone), default=0)
    for what, over in _CLASSICAL.items():
        mine = [row for row in alone if row["over"] == over and row["batch"] == most]
        for name in dict.fromkeys(row["contender"] for row in mine):
            factor = max(row["factor"] for row in mine if row["contender"] == name)
            yield Check(f"study.speedup_over_{what}.{name}", factor, SPEED_UP, None, "")


def _best(mark: str, outcome: Outcome) -> Iterator[Check]:
    inference = outcome.metrics["inference_us"]
    yield Check(f"study.{mark}.distance_rms.{outcome.name}", outcome.metrics["test"]["distance_rms"], unit="um")
    yield Check(f"study.{mark}.inference.{outcome.name}", list(inference.values())[-1], unit="us/track")
