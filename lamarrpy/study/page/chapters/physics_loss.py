"""Accuracy, generalization and convergence against the weight of the physics in the loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lamarrpy.page.content import Table
from lamarrpy.study.page.drawn import FAMILY_STYLES, GREY, Drawing, any_positive, drawn, numbers
from lamarrpy.study.page.outputs import Outputs
from lamarrpy.study.page.words import table_of
from lamarrpy.study.wording import FAMILIES

TITLE = "2. Physics in the loss"
ABOUT = (
    "Protocol section 4. The weight lambda stands before both the equation of motion and the initial condition; at 0"
    " networks learn from data alone."
)

Rows = Sequence[Mapping[str, Any]]
Figure = Callable[[Mapping[str, Any]], Any]

WITH_PHYSICS = ("pinn", "rk_pinn")

COLUMNS = {
    "name": "network", "lambda": "lambda", "distance_rms": "rms distance [µm]",
    "train_distance_rms": "on its own tracks [µm]", "generalization_gap": "growth train to test",
    "pde": "equation of motion", "ic": "initial condition", "steps_to_converge": "steps to converge",
}  # fmt: skip

_CROSS = {
    "name": "network", "lambda": "lambda", "tested_on": "tested on", "distance_rms": "rms distance [µm]",
    "distance_68": "68% [µm]", "distance_95": "95% [µm]",
}  # fmt: skip

_SHADES = (0.25, 0.4, 0.6, 0.8, 1.0)
_ERROR = "Rms distance on test tracks against the weight of the physics; dashed: trained without any true track."
_PHYSICS = (
    "How much the trained networks violate the equation of motion on test tracks: its term of the loss, without its"
    " weight; the units of the two families differ."
)
_ALL = "All weights. A training has converged where the validation loss is within half of itself of its smallest."
_ACROSS = "Networks that have learned from mid momenta alone, on the test tracks of each range."


def drawings(outputs: Outputs, result: Mapping[str, Any]) -> list[Drawing]:
    """Error and violation of the equation of motion against lambda, and learning curves at each."""
    rows: Rows = result["rows"]
    found = []
    if any_positive([_error(row) for row in rows]):
        found.append(drawn("lambda-error", lambda _, axes: _against(axes, rows, _error, "rms distance [µm]"), _ERROR,
                           "accuracy against lambda"))  # fmt: skip
    if any_positive([_violation(row) for row in rows]):
        found.append(drawn("lambda-physics", lambda _, axes: _against(axes, rows, _violation, "residual"), _PHYSICS,
                           "equation of motion against lambda"))  # fmt: skip
    for family in WITH_PHYSICS:
        mine = [row for row in rows if row["family"] == family and row["name"] in outputs.jobs]
        found += [_curves(outputs, family, mine)] if mine else []
    return found


def tables(outputs: Outputs, result: Mapping[str, Any]) -> list[Table]:
    """All weights, and networks that know mid momenta alone on others."""
    found = [table_of([_told({**row, **row["physics"]}) for row in result["rows"]], _ALL, COLUMNS)]
    across = [_told(row) for row in result.get("generalization", [])]
    return [*found, table_of(across, _ACROSS, _CROSS)] if across else found


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "lambda": None if row["lambda"] is None else f"{row['lambda']:g}"}


def _error(row: Mapping[str, Any]) -> Any:
    return row["distance_rms"]


def _violation(row: Mapping[str, Any]) -> Any:
    return row["physics"].get("pde")


def _against(axes: Any, rows: Rows, figure: Figure, head: str) -> None:
    """One figure against lambda, whose values stand side by side: zero has no logarithm."""
    weights = sorted({row["lambda"] for row in rows if row["lambda"] is not None})
    for family in WITH_PHYSICS:
        color, marker = FAMILY_STYLES[family]
        known = [row for row in rows if row["family"] == family and figure(row)]
        by_weight = {row["lambda"]: figure(row) for row in known if row["lambda"] is not None}
        line = numbers([by_weight.get(weight) for weight in weights])
        if any_positive(list(line)):
            axes.plot(range(len(weights)), line, marker=marker, color=color, label=FAMILIES[family])
        for row in known:
            if row["setting"] == "physics_only":
                axes.axhline(figure(row), color=color, linestyle="--", linewidth=1.0)
            if row["setting"] == "exact_start" and 1.0 in weights:
                told = f"{FAMILIES[family]}, exact start"
                axes.plot([weights.index(1.0)], [figure(row)], "*", markersize=12, color=color, label=told)
    axes.set_xticks(range(len(weights)), [f"{weight:g}" for weight in weights])
    axes.tick_params(axis="x", which="minor", length=0)
    axes.set_yscale("log")
    axes.set_xlabel(r"$\lambda$")
    axes.set_ylabel(head)
    axes.legend()


def _curves(outputs: Outputs, family: str, rows: Rows) -> Drawing:
    def draw(_: Any, axes: Any) -> None:
        weighted = [row for row in rows if row["lambda"] is not None]
        for row, shade in zip(weighted, _SHADES, strict=False):
            style = {"alpha": shade, "color": FAMILY_STYLES[family][0]}
            _curve(axes, outputs, row, label=rf"$\lambda$ = {row['lambda']:g}", **style)
        for row in rows:
            if row["lambda"] is None:
                dashes = "--" if row["setting"] == "physics_only" else "-."
                _curve(axes, outputs, row, label=row["setting"].replace("_", " "), color=GREY, linestyle=dashes)
        axes.set_yscale("log")
        axes.set_xlabel("step")
        axes.set_ylabel("validation score")
        axes.legend(fontsize=10)

    caption = f"{FAMILIES[family]}: validation score along the training for each weight of the physics."
    return drawn(f"lambda-curves-{family}", draw, caption, f"learning curves of {FAMILIES[family]} by lambda")


def _curve(axes: Any, outputs: Outputs, row: Mapping[str, Any], **style: Any) -> None:
    entries = outputs.jobs[row["name"]].history["entries"]
    scores = numbers([entry.get("score") for entry in entries])
    axes.plot([entry["step"] for entry in entries], np.where(scores > 0.0, scores, np.nan), **style)
