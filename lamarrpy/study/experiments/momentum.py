"""Experiment 3: one network for all momenta, or one for each range (protocol section 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lamarrpy.strict import Strict
from lamarrpy.study.experiments import architecture
from lamarrpy.study.jobs import Job
from lamarrpy.study.measuring import accuracy_on
from lamarrpy.study.study import SHORT, Study
from lamarrpy.study.wording import FAMILIES, best, distance, times

NAME = "momentum"
QUESTION = "How does performance vary with momentum, and does each range need a network of its own?"
ALONE = False

RANGES = ("low", "mid", "high")
"""Sets of tracks of the configuration: 0.5-5, 5-20 and 20-100 GeV (protocol table 2)."""


class Options(Strict):
    """Nothing to set."""


def job(study: Study, family: str, name: str, size: str = "medium") -> Job:
    """One of the protocol's table 6, such as ``pinn_medium_low_p``."""
    called = f"{SHORT[family]}_{size}_{name}_p"
    return study.job(called, NAME, family, size, data=name, loss=architecture.PHYSICS[family])


def _general(study: Study) -> list[Job]:
    return [architecture.job(study, family, "medium") for family in architecture.PHYSICS]


def _simple(study: Study) -> list[Job]:
    """Networks of few parameters, for tracks that are nearly straight."""
    return [job(study, family, "high", "tiny") for family in architecture.PHYSICS]


def _dedicated(study: Study) -> list[Job]:
    return [job(study, family, name) for family in architecture.PHYSICS for name in RANGES]


def jobs(study: Study) -> list[Job]:
    """Each family on each range: 9; each family on all momenta; and small ones on high momenta."""
    return [*_dedicated(study), *_simple(study), *_general(study)]


def run(study: Study) -> dict[str, Any]:
    """Every network on every range."""
    wanted = jobs(study)
    outcomes = study.outcomes(wanted)
    rows = []
    for one in wanted:
        if one.name not in outcomes:
            continue
        network, made = outcomes[one.name].network(), one.recipe.architecture
        for name in RANGES:
            found = accuracy_on(network, study.sample(f"{name}.test"))
            rows.append(
                {"name": one.name, "family": made.family, "size": made.size,
                 "trained_on": one.sample.removesuffix(".train"), "tested_on": name, **found}
            )  # fmt: skip
    bins = {name: outcome.metrics["bins"] for name, outcome in outcomes.items()}
    return {"rows": rows, "bins": bins, "conclusion": " ".join(_conclusions(rows))}


def _conclusions(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    told = []
    for family, written in FAMILIES.items():
        mine = [row for row in rows if row["family"] == family]
        for name in RANGES:
            told += _one_or_many(written, name, [row for row in mine if row["tested_on"] == name])
        told += _across(written, mine)
    return told or ["No training on a range of momenta went well."]


def _one_or_many(written: str, name: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A network of the range's own against one for all momenta, and against a small one."""
    own = best(row for row in rows if row["trained_on"] == name and row["size"] == "medium")
    general = best(row for row in rows if row["trained_on"] == "main")
    simple = best(row for row in rows if row["trained_on"] == name and row["size"] == "tiny")
    told = []
    if own and general:
        told.append(
            f"{written} on {name} momenta: {distance(own['distance_rms'])} rms if trained on them alone,"
            f" {distance(general['distance_rms'])} if trained on the main sample"
            f" ({times(general['distance_rms'] / own['distance_rms'])} as far)."
        )
    if own and simple:
        told.append(f"A tiny one is at {distance(simple['distance_rms'])} there.")
    return told


def _across(written: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """How much worse networks are on a range that they do not know than the one that does."""
    worst: tuple[float, str] = (0.0, "")
    for row in rows:
        own = best(
            one for one in rows
            if one["trained_on"] == one["tested_on"] == row["tested_on"] and one["size"] == "medium"
        )  # fmt: skip
        if own is None or row["trained_on"] in ("main", row["tested_on"]) or row["distance_rms"] is None:
            continue
        ratio = row["distance_rms"] / own["distance_rms"]
        worst = max(worst, (ratio, f"trained on {row['trained_on']}, asked for {row['tested_on']}"))
    return (
        [f"At worst ({worst[1]}) the {written} is {times(worst[0])} as far off as one trained there."]
        if worst[1]
        else []
    )
