"""Experiment A: activation functions (protocol section 9.1)."""

from __future__ import annotations

from typing import Any

from lamarrpy.strict import Strict
from lamarrpy.study.experiments import architecture
from lamarrpy.study.jobs import Job
from lamarrpy.study.study import SHORT, Study
from lamarrpy.study.table import summary
from lamarrpy.study.wording import FAMILIES, compared

NAME = "activations"
QUESTION = "Which activation function suits, and do physics-informed networks want a smooth one?"
ALONE = False


class Options(Strict):
    """What is compared."""

    activations: tuple[str, ...] = ("relu", "tanh", "silu", "gelu")
    families: tuple[str, ...] = ("mlp", "pinn", "rk_pinn")
    size: str = "medium"


def _grid(study: Study) -> dict[tuple[str, str], Job]:
    wanted, found = study.options(NAME, Options), {}
    for family in wanted.families:
        usual = architecture.job(study, family, wanted.size)
        for activation in wanted.activations:
            found[family, activation] = (
                usual
                if activation == usual.recipe.architecture.activation
                else study.job(
                    f"{SHORT[family]}_{wanted.size}_{activation}", NAME, family, wanted.size,
                    architecture={"activation": activation}, loss=architecture.PHYSICS[family],
                )
            )  # fmt: skip
    return found


def jobs(study: Study) -> list[Job]:
    """Each family with each function."""
    return list(_grid(study).values())


def run(study: Study) -> dict[str, Any]:
    """Accuracy of each."""
    grid = _grid(study)
    outcomes = study.outcomes(grid.values())
    rows = [
        {**summary(outcomes[one.name]), "activation": activation, "physics": outcomes[one.name].metrics["physics"]}
        for (_, activation), one in grid.items()
        if one.name in outcomes
    ]
    told = [
        f"{written}: {compared([row for row in rows if row['family'] == family], 'activation')}."
        for family, written in FAMILIES.items()
        if any(row["family"] == family for row in rows)
    ]
    return {
        "rows": rows,
        "conclusion": " ".join(["Rms distance in x and y.", *told]) if rows else "No training went well.",
    }
