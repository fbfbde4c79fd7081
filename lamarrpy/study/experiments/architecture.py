"""Experiment 1: which size of which family is accurate, and fast (protocol section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamarrpy.nn.extrapolators.families import SIZES
from lamarrpy.strict import Strict
from lamarrpy.study.criteria import POSITION, is_accurate
from lamarrpy.study.jobs import Job
from lamarrpy.study.study import SHORT, Study
from lamarrpy.study.table import summary
from lamarrpy.study.wording import FAMILIES, best, distance, names

NAME = "architecture"
QUESTION = "Which network size balances accuracy and inference speed?"
ALONE = False

PHYSICS: dict[str, dict[str, float]] = {"mlp": {}, "pinn": {"pde": 1.0, "ic": 1.0}, "rk_pinn": {"pde": 1.0, "ic": 1.0}}
"""Weights of the physics in the loss of each family (protocol table 4)."""


class Options(Strict):
    """Nothing to set."""


def job(study: Study, family: str, size: str) -> Job:
    """One of the protocol's table 4, such as ``pinn_medium``."""
    return study.job(f"{SHORT[family]}_{size}", NAME, family, size, loss=PHYSICS[family])


def jobs(study: Study) -> list[Job]:
    """All families in all sizes: 12."""
    return [job(study, family, size) for family in PHYSICS for size in SIZES]


def run(study: Study) -> dict[str, Any]:
    """Accuracy against size and time; which lie on the frontiers; the smallest that is accurate enough."""
    outcomes = study.outcomes(jobs(study))
    rows = [summary(outcome) for outcome in outcomes.values()]
    for row in rows:
        row["accurate_enough"] = is_accurate(outcomes[row["name"]].metrics["test"])
        row["on_size_frontier"] = _on_frontier(row, rows, "parameters")
        row["on_time_frontier"] = _on_frontier(row, rows, "inference_us")
    enough = [row for row in rows if row["accurate_enough"]]
    smallest = min(enough, key=lambda row: row["parameters"], default=None)
    return {
        "rows": rows,
        "smallest_accurate": None if smallest is None else smallest["name"],
        "conclusion": _conclusion(rows, smallest),
    }


def _on_frontier(row: dict[str, Any], rows: Sequence[dict[str, Any]], cost: str) -> bool:
    """Whether no other is both cheaper and at least as accurate (V. Pareto's frontier)."""
    if row["distance_rms"] is None:
        return False
    return not any(
        other is not row
        and other["distance_rms"] is not None
        and other["distance_rms"] <= row["distance_rms"]
        and other[cost] <= row[cost]
        and (other["distance_rms"], other[cost]) != (row["distance_rms"], row[cost])
        for other in rows
    )


def _conclusion(rows: Sequence[dict[str, Any]], smallest: dict[str, Any] | None) -> str:
    if not rows:
        return "No training went well."
    told = []
    for family, written in FAMILIES.items():
        found = best(row for row in rows if row["family"] == family)
        if found is not None:
            told.append(
                f"The most accurate {written} is {found['name']}: {distance(found['distance_rms'])} rms in x and y,"
                f" {found['inference_us']:.2g} us a track."
            )
    frontier = names([row["name"] for row in rows if row["on_time_frontier"]])
    told.append(f"Nothing is both faster and more accurate than {frontier}.")
    if smallest is None:
        told.append(f"None has an rms error below {POSITION:g} um and urad in all four outputs.")
    else:
        told.append(
            f"The smallest with rms errors below {POSITION:g} um and urad is {smallest['name']}"
            f" ({smallest['parameters']:,} parameters)."
        )
    return " ".join(told)
