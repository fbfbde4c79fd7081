"""Errors and failures outside the training range, beside Runge-Kutta on the same tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lamarrpy.page.content import Table
from lamarrpy.study.page.drawn import Drawing, any_positive, drawn, heat, numbers
from lamarrpy.study.page.outputs import Outputs
from lamarrpy.study.page.words import table_of

TITLE = "5. Generalization and robustness"
ABOUT = (
    "Protocol section 7. Extrapolators are asked for tracks unlike those of the training, and in fields that they do"
    " not know; Runge-Kutta, too, is told the field of the training whatever the true one is."
)

Rows = Sequence[Mapping[str, Any]]

COLUMNS = {
    "case": "case", "description": "tracks", "contender": "extrapolator", "n": "tracks tested",
    "kept": "share that gets there", "distance_68": "68% [µm]", "distance_95": "95% [µm]",
    "degradation": "times the error inside", "share_finite": "finite answers",
}  # fmt: skip

_EDGES = {
    "case": "case", "contender": "extrapolator", "n": "tracks", "finite": "finite answers",
    "worst_um": "largest error where the answer is known [µm]",
}  # fmt: skip
_EDGE = "Tracks at the edge of sense: how many answers are finite, and how wrong they are where the truth is known."

_FIGURES = {
    "distance_95": "95 % of the distances in x and y, case by case [µm].",
    "degradation": "The same over that of tracks as in training (interpolation).",
}


def drawings(outputs: Outputs, result: Mapping[str, Any]) -> list[Drawing]:
    """Matrices of cases and extrapolators: errors, and times the error inside."""
    rows: Rows = result["rows"]
    shown = [key for key in _FIGURES if any_positive([row[key] for row in rows])]
    return [_figure(rows, key) for key in shown]


def tables(outputs: Outputs, result: Mapping[str, Any]) -> list[Table]:
    """All cases, and tracks at the edge of sense."""
    found = [table_of(result["rows"], "All cases.", COLUMNS)]
    edges = result.get("edge_cases", [])
    return [*found, table_of(edges, _EDGE, _EDGES)] if edges else found


def _figure(rows: Rows, key: str) -> Drawing:
    high = 0.36 * len({row["case"] for row in rows}) + 1.2
    return drawn(
        f"robustness-{key}", lambda _, axes: _matrix(axes, rows, key), _FIGURES[key], f"robustness: {key}",
        size=(7.4, high), left=0.27, bottom=0.6 / high, top=0.985,
    )  # fmt: skip


def _matrix(axes: Any, rows: Rows, key: str) -> None:
    cases = list(dict.fromkeys(row["case"] for row in rows))
    contenders = list(dict.fromkeys(row["contender"] for row in rows))
    values = np.full((len(cases), len(contenders)), np.nan)
    for row in rows:
        values[cases.index(row["case"]), contenders.index(row["contender"])] = numbers([row[key]])[0]
    names = [name.replace("runge_kutta", "RK").replace("_", " ") for name in contenders]
    heat(axes, values, [case.replace("_", " ") for case in cases], names)
    axes.tick_params(axis="both", labelsize=11)
