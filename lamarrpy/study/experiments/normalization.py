"""Experiment B: how inputs and outputs are scaled (protocol section 9.2)."""

from __future__ import annotations

from typing import Any

from lamarrpy.strict import Strict
from lamarrpy.study.experiments import architecture
from lamarrpy.study.jobs import Job
from lamarrpy.study.study import SHORT, Study
from lamarrpy.study.table import summary
from lamarrpy.study.wording import FAMILIES, compared

NAME = "normalization"
QUESTION = "How should inputs and outputs be normalized?"
ALONE = False

SETTINGS: dict[str, dict[str, tuple[str, Any]]] = {
    "inputs": {
        "physical": ("normalization", "physical"), "zscore": ("normalization", "zscore"),
        "minmax": ("normalization", "minmax"),
    },
    "outputs": {"residual": ("ends", "residual"), "direct": ("ends", "direct"), "bend": ("ends", "bend")},
    "batch": {"batch_norm": ("batch_norm", True)},
}  # fmt: skip
"""What is compared: a name, and the key of the architecture that it sets."""


class Options(Strict):
    """What is compared."""

    families: tuple[str, ...] = ("mlp", "pinn")
    size: str = "medium"


def _grid(study: Study) -> dict[tuple[str, str, str], Job]:
    wanted, found = study.options(NAME, Options), {}
    for family in wanted.families:
        usual = architecture.job(study, family, wanted.size)
        for what, settings in SETTINGS.items():
            for name, (key, value) in settings.items():
                if what == "batch" and family != "mlp":
                    continue  # it mixes tracks: a path through it has no derivative of its own
                found[family, what, name] = (
                    usual
                    if getattr(usual.recipe.architecture, key) == value
                    else study.job(
                        f"{SHORT[family]}_{wanted.size}_{name}", NAME, family, wanted.size,
                        architecture={key: value}, loss=architecture.PHYSICS[family],
                    )
                )  # fmt: skip
    return found


def jobs(study: Study) -> list[Job]:
    """Each family with each setting that it may have."""
    return list(_grid(study).values())


def run(study: Study) -> dict[str, Any]:
    """Accuracy of each."""
    grid = _grid(study)
    outcomes = study.outcomes(grid.values())
    rows = [
        {**summary(outcomes[one.name]), "what": what, "setting": name, "usual": one.experiment != NAME}
        for (_, what, name), one in grid.items()
        if one.name in outcomes
    ]
    told = []
    for family, written in FAMILIES.items():
        for what in SETTINGS:
            shown = (what, "inputs") if what == "batch" else (what,)  # beside what it would replace
            mine = [row for row in rows if row["family"] == family and row["what"] in shown]
            if any(row["what"] == what for row in mine):
                told.append(f"{written}, {what}: {compared(mine, 'setting')}.")
    told.append("Batch normalization is no part of the families with physics: it mixes tracks.")
    return {
        "rows": rows,
        "conclusion": " ".join(["Rms distance in x and y.", *told]) if rows else "No training went well.",
    }
