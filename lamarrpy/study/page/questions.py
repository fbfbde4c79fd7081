"""The four research questions, answered with the numbers of this run (protocol section 1.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lamarrpy.study.criteria import POSITION, SPEED_UP, TARGET
from lamarrpy.study.page.content import Answer
from lamarrpy.study.page.criteria import MODERATE, findings_of
from lamarrpy.study.page.outputs import GEV, JobFiles, Outputs
from lamarrpy.study.page.speed import STANDARD, one_core, speed_up
from lamarrpy.study.page.words import angle, length, listed, number
from lamarrpy.study.wording import FAMILIES

YES, NO, PART, OPEN = "yes", "no", "in part", "not measured"
"""Verdicts."""

_GAIN = 0.95
"""What counts as better: errors smaller by at least 5 %."""

Rows = Sequence[Mapping[str, Any]]


def answers(outputs: Outputs) -> list[Answer]:
    """All four."""
    return [accuracy_answer(outputs), physics_answer(outputs), speed_answer(outputs), momentum_answer(outputs)]


def _verdict(found: Sequence[bool]) -> str:
    return OPEN if not found else YES if all(found) else PART if any(found) else NO


# ---- accuracy


def accuracy_answer(outputs: Outputs) -> Answer:
    """Whether the best network is accurate to a micrometre and a microradian."""
    question = "Can neural networks be accurate enough: below a micrometre and a microradian?"
    best = min(outputs.best_of_families, key=lambda job: job.position or 0.0, default=None)
    if best is None:
        return Answer(question, OPEN, ["No network of this run was measured on the main test tracks."])
    everywhere, above = _targets(outputs, best, None), _targets(outputs, best, MODERATE)
    told = [f"The most accurate network is {best.name}: {_accuracy(best.test['rmse'])} on all of its test tracks."]
    told.append(_met(everywhere, f"the target of {TARGET:g} µm and {TARGET:g} µrad over all momenta"))
    if not all(everywhere.values()) and best.residuals is not None and len(best.residuals.above(MODERATE).p):
        rms = (best.residuals.above(MODERATE).differ ** 2).mean(axis=0) ** 0.5
        told.append(f"From {MODERATE:g} GeV on it has {length(max(rms[:2]))} and {angle(max(rms[2:]))}.")
        told.append(_met(above, "the target there"))
    others = [f"{job.name} {length(job.position)}" for job in outputs.best_of_families if job is not best]
    if others:
        told.append(f"The best of the other families: {listed(others)}.")
    verdict = YES if all(everywhere.values()) else PART if any([*everywhere.values(), *above.values()]) else NO
    return Answer(question, verdict, told)


def _targets(outputs: Outputs, job: JobFiles, least: float | None) -> dict[str, bool]:
    """Whether position and angle meet the target."""
    found = {one.check.name.split(".")[1]: one.check.ok for one in findings_of(outputs, job, least)}
    return {what: found[f"{what}_target"] is True for what in ("position", "angle")}


def _met(found: Mapping[str, bool], what: str) -> str:
    met = [name for name, good in found.items() if good]
    missed = [name for name, good in found.items() if not good]
    if not missed:
        return f"It meets {what}."
    return f"It misses {what} in {listed(missed)}{f', and meets it in {listed(met)}' if met else ''}."


def _accuracy(rms: Mapping[str, float]) -> str:
    position, slope = max(rms["x"], rms["y"]), max(rms["tx"], rms["ty"])
    return f"{length(position)} and {angle(slope)} rms (the worse of x and y, tx and ty)"


# ---- physics in the loss


def physics_answer(outputs: Outputs) -> Answer:
    """Whether a PINN generalizes better than the same network that learns from data alone."""
    question = "Does physics-informed training (PINN) improve generalization over purely data-driven training?"
    result = outputs.results.get("physics_loss")
    if result is None:
        return Answer(question, OPEN, ["The experiment physics_loss was not part of this run."])
    told, verdicts = [], {}
    for family in ("pinn", "rk_pinn"):
        sentences, better = _physics_of(family, result["rows"], result.get("generalization", []))
        told += sentences
        verdicts[family] = better
    if verdicts["pinn"]:
        won, of = sum(verdicts["pinn"]), len(verdicts["pinn"])
        told.append(f"So errors of the PINN are smaller, by at least {1 - _GAIN:.0%}, in {won} of {of} comparisons.")
    return Answer(question, _verdict(verdicts["pinn"]), told or ["Too few trainings went well to tell."])


def _physics_of(family: str, rows: Rows, across: Rows) -> tuple[list[str], list[bool]]:
    mine = [row for row in rows if row["family"] == family and row["lambda"] is not None and row["distance_rms"]]
    without = next((row for row in mine if row["lambda"] == 0.0), None)
    best = min((row for row in mine if row["lambda"]), key=lambda row: float(row["distance_rms"]), default=None)
    if without is None or best is None:
        return [], []
    name = FAMILIES[family]
    told = [
        f"{name}, test tracks like those of the training: {length(best['distance_rms'])} rms at the best weight of the"
        f" physics ({best['lambda']:g}), {length(without['distance_rms'])} from data alone.",
        f"{name}, from training to test tracks: errors grow by {_percent(best['generalization_gap'])} and"
        f" {_percent(without['generalization_gap'])}.",
    ]
    better = [best["distance_rms"] < _GAIN * without["distance_rms"]]
    for where in dict.fromkeys(row["tested_on"] for row in across if row["tested_on"] != row["trained_on"]):
        here = [row for row in across if (row["family"], row["tested_on"]) == (family, where)]
        found = {bool(row["lambda"]): row["distance_rms"] for row in here}
        if found.get(True) and found.get(False):
            better.append(found[True] < _GAIN * found[False])
            told.append(
                f"{name}, trained on mid and tested on {where} momenta: {length(found[True])} with physics,"
                f" {length(found[False])} without."
            )
    return told, better


def _percent(value: float | None) -> str:
    return "an unknown part" if value is None else f"{number(100.0 * value, 2)} %"


# ---- speed


def speed_answer(outputs: Outputs) -> Answer:
    """How much faster the best networks are, and the fastest of those timed."""
    question = f"How fast is inference: {SPEED_UP:g} times faster than Runge-Kutta integration?"
    timing = outputs.results.get("timing")
    if timing is None:
        return Answer(question, OPEN, ["The experiment timing was not part of this run."])
    found = [(job, speed_up(outputs, job)) for job in outputs.best_of_families]
    told = [f"{job.name}: {number(up.times)} times faster than 40 steps ({up.how})." for job, up in found if up]
    enough = [up.times >= SPEED_UP for _, up in found if up]
    timed = [row for row in one_core(timing["speedup"]) if row["over"] == STANDARD]
    if timed:
        top = max(timed, key=lambda row: float(row["factor"]))
        told.append(
            f"The most that any network gains on one thread: {number(top['factor'])} times, {top['contender']} with"
            f" {top['engine']}, {top['batch']:,} at once."
        )
    return Answer(question, _verdict(enough), told or ["Nothing that was timed can be compared."])


# ---- momentum


def momentum_answer(outputs: Outputs) -> Answer:
    """How errors change with momentum, and from where on the criterion is met."""
    question = "How does performance vary over the momenta of LHCb?"
    told = []
    for job in outputs.best_of_families:
        bins = [row for row in job.metrics["bins"] if row["rmse"]["x"] is not None]
        told += [_over_momenta(job, bins)] if bins else []
    if "momentum" in outputs.results:
        told += _own_ranges(outputs.results["momentum"]["rows"])
    return Answer(question, "" if told else OPEN, told or ["No network was measured in bins of momentum."])


def _over_momenta(job: JobFiles, bins: Rows) -> str:
    first, last = bins[0], bins[-1]
    good = [max(row["rmse"]["x"], row["rmse"]["y"]) < POSITION for row in bins]
    lowest = next((row["p_low"] for row, rest in zip(bins, range(len(bins)), strict=True) if all(good[rest:])), None)
    met = "in no range up to the highest momenta" if lowest is None else f"from {number(lowest / GEV, 2)} GeV on"
    return (
        f"{job.name}: rms x is {length(first['rmse']['x'])} between {number(first['p_low'] / GEV, 2)} and"
        f" {number(first['p_high'] / GEV, 2)} GeV, and {length(last['rmse']['x'])} above"
        f" {number(last['p_low'] / GEV, 2)} GeV; {POSITION:g} µm in x and y are met {met}."
    )


def _own_ranges(rows: Rows) -> list[str]:
    """How often a network of a range's own is better than one for all momenta."""
    better = []
    for family in FAMILIES:
        same = [row for row in rows if row["family"] == family and str(row["size"]) == "medium"]
        for where in dict.fromkeys(row["tested_on"] for row in same):
            mine = {row["trained_on"]: row["distance_rms"] for row in same if row["tested_on"] == where}
            if mine.get(where) and mine.get("main"):
                better.append(mine[where] < mine["main"])
    return [
        f"A network of a range's own was better there than one for all momenta in {sum(better)} of {len(better)} cases."
    ] if better else []  # fmt: skip
