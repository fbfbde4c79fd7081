"""Experiment 2: what the equation of motion in the loss is worth (protocol section 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lamarrpy.strict import Strict
from lamarrpy.study.experiments import architecture
from lamarrpy.study.jobs import Job, Outcome
from lamarrpy.study.measuring import accuracy_on
from lamarrpy.study.study import SHORT, Study
from lamarrpy.study.table import summary
from lamarrpy.study.wording import FAMILIES, best, compared, distance, times

NAME = "physics_loss"
QUESTION = "What does physics in the loss do for accuracy and generalization?"
ALONE = False

LAMBDAS: dict[str, float] = {
    "data_only": 0.0, "pde_weak": 0.1, "default": 1.0, "pde_strong": 10.0, "pde_dominant": 100.0
}  # fmt: skip
"""Weight of both physics terms, by name (protocol table 5)."""

PHYSICS_ONLY = "physics_only"
"""What is beyond the protocol's table: no data in the loss at all."""

TRAINED_RANGE, OTHER_RANGES = "mid", ("low", "mid", "high")

_WITHIN = 1.5
"""A training is as good as done where its validation loss is this times its smallest."""


class Options(Strict):
    """Nothing to set."""


def job(study: Study, family: str, name: str) -> Job:
    """One of the protocol's table 5, such as ``pinn_medium_pde_weak``."""
    if name == "default":
        return architecture.job(study, family, "medium")
    if name == PHYSICS_ONLY:
        loss, notes = {"data": 0.0, "pde": 1.0, "ic": 1.0}, ""
    else:
        loss, notes = {"pde": LAMBDAS[name], "ic": LAMBDAS[name]}, f"lambda {LAMBDAS[name]:g}"
    return study.job(f"{SHORT[family]}_medium_{name}", NAME, family, loss=loss, notes=notes)


def range_job(study: Study, family: str, name: str) -> Job:
    """The same, trained on mid momenta alone: ``default`` or ``data_only``."""
    value = LAMBDAS[name]
    label = "" if name == "default" else f"_{name}"
    called = f"{SHORT[family]}_medium_{TRAINED_RANGE}_p{label}"
    asked = "momentum" if name == "default" else NAME
    return study.job(called, asked, family, data=TRAINED_RANGE, loss={"pde": value, "ic": value})


def exact_start(study: Study) -> Job:
    """A PINN that begins where the track does by construction, so that no term of the loss has to ask for it."""
    return study.job(
        "pinn_medium_exact_start", NAME, "pinn", architecture={"exact_start": True}, loss={"pde": 1.0, "ic": 0.0},
        notes="exact initial condition",
    )  # fmt: skip


def _grid(study: Study) -> dict[tuple[str, str], Job]:
    return {
        (family, name): job(study, family, name) for family in ("pinn", "rk_pinn") for name in (*LAMBDAS, PHYSICS_ONLY)
    }


def _ranges(study: Study) -> list[Job]:
    if any(name not in study.config.sets for name in OTHER_RANGES):
        return []
    return [range_job(study, family, name) for family in ("pinn", "rk_pinn") for name in ("data_only", "default")]


def jobs(study: Study) -> list[Job]:
    """Both families with physics, at each weight, without data, and at two weights on mid momenta; one exact start."""
    return [*_grid(study).values(), exact_start(study), *_ranges(study)]


def run(study: Study) -> dict[str, Any]:
    """Accuracy, generalization and convergence against the weight of the physics."""
    outcomes = study.outcomes(jobs(study))
    rows = [
        _row(outcomes[one.name], name, LAMBDAS.get(name))
        for (_, name), one in _grid(study).items()
        if one.name in outcomes
    ]
    exact = exact_start(study).name
    if exact in outcomes:
        rows.append(_row(outcomes[exact], "exact_start", None))
    generalization = _across(study, outcomes)
    return {
        "rows": rows,
        "generalization": generalization,
        "conclusion": " ".join([*_about_lambda(rows), *_about_ranges(generalization)]),
    }


def _row(outcome: Outcome, setting: str, weight: float | None) -> dict[str, Any]:
    loss, metrics, entries = outcome.recipe.loss, outcome.metrics, outcome.history["entries"]
    return {
        **summary(outcome),
        "setting": setting,
        "lambda": weight,
        "weights": {"data": loss.data, "pde": loss.pde, "ic": loss.ic},
        "physics": metrics["physics"],
        "train_distance_rms": metrics["train"]["distance_rms"],
        "steps_to_converge": steps_to_converge(entries),
        "last_losses": {part: entries[-1].get(part) for part in ("data", "pde", "ic")},
    }


def steps_to_converge(entries: Sequence[Mapping[str, Any]]) -> float | None:
    """Steps after which the validation loss is within half of itself of the smallest it ever reaches."""
    scores = [(entry["step"], entry["score"]) for entry in entries if entry.get("score") is not None]
    if not scores:
        return None
    enough = _WITHIN * min(score for _, score in scores)
    return next(float(step) for step, score in scores if score <= enough)


def _across(study: Study, outcomes: Mapping[str, Outcome]) -> list[dict[str, Any]]:
    """Networks that know mid momenta alone, on low, mid and high ones."""
    rows = []
    for one in _ranges(study):
        if one.name in outcomes:
            network = outcomes[one.name].network()
            for name in OTHER_RANGES:
                found = accuracy_on(network, study.sample(f"{name}.test"))
                rows.append(
                    {"name": one.name, "family": one.recipe.architecture.family, "lambda": one.recipe.loss.pde,
                     "trained_on": TRAINED_RANGE, "tested_on": name, **found}
                )  # fmt: skip
    return rows


def _about_lambda(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    told = []
    for family, written in FAMILIES.items():
        mine = [row for row in rows if row["family"] == family and row["lambda"] is not None]
        found, without = best(mine), next((row for row in mine if row["lambda"] == 0.0), None)
        if found is None or without is None or without["distance_rms"] is None:
            continue
        told.append(
            f"{written}: lambda = {found['lambda']:g} is the best of {len(mine)}, {distance(found['distance_rms'])} rms"
            f" against {distance(without['distance_rms'])} from data alone"
            f" ({times(without['distance_rms'] / found['distance_rms'])} less)."
        )
        free = best(row for row in rows if row["family"] == family and row["setting"] == PHYSICS_ONLY)
        if free is not None:
            told.append(f"Without any true track it reaches {distance(free['distance_rms'])}.")
    exact = best(row for row in rows if row["setting"] == "exact_start")
    if exact is not None:
        told.append(f"A PINN with an exact start reaches {distance(exact['distance_rms'])}.")
    return told or ["Too few trainings went well to compare weights."]


def _about_ranges(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    told = []
    for family, written in FAMILIES.items():
        for where in OTHER_RANGES:
            mine = [row for row in rows if row["family"] == family and row["tested_on"] == where]
            if where != TRAINED_RANGE and len(mine) == 2:
                labelled = [{**row, "label": "with physics" if row["lambda"] else "from data alone"} for row in mine]
                told.append(f"{written} from mid on {where} momenta: {compared(labelled, 'label')}.")
    return told
