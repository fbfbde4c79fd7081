"""What the protocol asks of an extrapolator, held against the best network of each family (section 1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lamarrpy.benchmark.checks import Check
from lamarrpy.page.content import Finding
from lamarrpy.study.criteria import BIAS, POSITION, SLOPE, SPEED_UP, TARGET
from lamarrpy.study.page.content import Column, Criteria
from lamarrpy.study.page.outputs import JobFiles, Outputs, Residuals
from lamarrpy.study.page.speed import speed_up
from lamarrpy.study.page.words import listed
from lamarrpy.study.wording import FAMILIES
from lamarrpy.tracks.accuracy import OUTPUTS, UNITS

MODERATE = 5.0
"""Momentum [GeV] from which a second set of figures is told: below, tracks bend by metres."""


@dataclass(frozen=True)
class Asked:
    """One criterion on the residuals.

    Attributes
    ----------
    key, name : str
        For machines and for people.
    outputs : tuple of int
        Which of x, y, tx, ty; the worst of them counts.
    bias : bool
        Whether the mean is asked for, or the rms.
    most : float
        Bound, in um or urad.
    """

    key: str
    name: str
    outputs: tuple[int, int]
    bias: bool
    most: float

    @property
    def unit(self) -> str:
        """Of the bound."""
        return UNITS[OUTPUTS[self.outputs[0]]]


ASKED: tuple[Asked, ...] = (
    Asked("position", "position: rms of x and y", (0, 1), False, POSITION),
    Asked("position_target", "position, target", (0, 1), False, TARGET),
    Asked("angle", "angle: rms of tx and ty", (2, 3), False, SLOPE),
    Asked("angle_target", "angle, target", (2, 3), False, TARGET),
    Asked("position_bias", "bias: |mean| of x and y", (0, 1), True, BIAS),
    Asked("angle_bias", "bias: |mean| of tx and ty", (2, 3), True, BIAS),
)
"""On the residuals, in the order of the page."""


def finding(asked: Asked, family: str, residuals: Residuals | None, suffix: str = "") -> Finding:
    """A criterion held against test tracks; the error is that of so few tracks."""
    name = f"study.{asked.key}.{family}{suffix}"
    if residuals is None or not len(residuals.p):
        return Finding(Check(name, None, None, asked.most, asked.unit), asked.name)
    differ, many = residuals.differ[:, list(asked.outputs)], len(residuals.p)
    figures = np.abs(differ.mean(axis=0)) if asked.bias else np.sqrt(np.mean(differ**2, axis=0))
    worst = int(np.argmax(figures))
    value, mine = float(figures[worst]), differ[:, worst]
    # the spread of the squares tells the error of an rms, however far its tails reach
    scatter = mine if asked.bias else mine**2 / max(2.0 * value, 1e-30)
    error = float(scatter.std() / np.sqrt(many))
    check = Check(name, value, None, asked.most, asked.unit)
    return Finding(check, asked.name, error, many, f"in {OUTPUTS[asked.outputs[worst]]}")


def speed_finding(outputs: Outputs, job: JobFiles, suffix: str = "") -> Finding:
    """The speed of a network against Runge-Kutta; no figure where nothing was timed."""
    found = speed_up(outputs, job)
    value, how = (None, "") if found is None else (found.times, found.how)
    check = Check(f"study.speed.{job.family}{suffix}", value, SPEED_UP, None, "times")
    return Finding(check, "speed against Runge-Kutta", note=how)


def findings_of(outputs: Outputs, job: JobFiles, least: float | None = None) -> list[Finding]:
    """All criteria for a network, in the order of the page.

    Parameters
    ----------
    outputs : Outputs
        The study.
    job : JobFiles
        The network.
    least : float, optional
        Momentum [GeV] from which tracks count.
    """
    residuals = job.residuals if least is None or job.residuals is None else job.residuals.above(least)
    suffix = "" if least is None else f".p_above_{least:g}"
    return [*(finding(asked, job.family, residuals, suffix) for asked in ASKED), speed_finding(outputs, job, suffix)]


def criteria(outputs: Outputs) -> list[Criteria]:
    """The criteria for the best network of each family: on all its test tracks, and on those above 5 GeV."""
    best = outputs.best_of_families
    if not best:
        return []
    return [
        _matrix(outputs, best, None, "The best network of each family, on all its test tracks that are kept."),
        _matrix(outputs, best, MODERATE, f"The same networks, on those of at least {MODERATE:g} GeV."),
    ]


def _matrix(outputs: Outputs, best: Sequence[JobFiles], least: float | None, caption: str) -> Criteria:
    lost = [f"{job.name}: {1.0 - job.test['share_finite']:.2%}" for job in best if job.test["share_finite"] < 1.0]
    caption += f" Answers that are not finite are left out ({', '.join(lost)})." if lost else ""
    columns = [Column(f"{FAMILIES[job.family]} ({job.name})", findings_of(outputs, job, least)) for job in best]
    first = columns[0].findings
    bounds = [f"{one.bounds} {one.unit.replace('urad', 'µrad')}" for one in first]
    told = " ".join(_missed(job.name, column.findings) for job, column in zip(best, columns, strict=True))
    return Criteria(caption, [one.label for one in first], bounds, columns, told)


def _missed(name: str, findings: Sequence[Finding]) -> str:
    """What a network misses, in a sentence."""
    by_verdict: dict[str, list[str]] = {"passed": [], "failed": [], "not measured": []}
    for one in findings:
        by_verdict[one.verdict].append(one.check.name.split(".")[1].replace("_", " "))
    missed, unknown = by_verdict["failed"], by_verdict["not measured"]
    told = f"{name} misses {listed(missed)}" if missed else f"{name} misses nothing"
    told = told if by_verdict["passed"] or not missed else f"{name} misses all"
    return f"{told} ({listed(unknown)} not measured)." if unknown else f"{told}."
