"""Accuracy against size and against time, with the frontier of what nothing beats in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lamarrpy.page.content import Table
from lamarrpy.page.drawing import log_axis
from lamarrpy.study.page.drawn import FAMILY_STYLES, GREY, Drawing, any_positive, criteria_lines, drawn
from lamarrpy.study.page.outputs import Outputs
from lamarrpy.study.page.words import table_of
from lamarrpy.study.wording import FAMILIES

TITLE = "1. Architectures: three families, four sizes"
ABOUT = "Protocol section 3. On a dashed line lie the networks that none other beats in both."

Rows = Sequence[Mapping[str, Any]]

COLUMNS = {
    "name": "network", "parameters": "parameters", "rmse_x": "rms x [µm]", "rmse_y": "rms y [µm]",
    "rmse_tx": "rms tx [µrad]", "rmse_ty": "rms ty [µrad]", "distance_68": "68% [µm]", "distance_95": "95% [µm]",
    "inference_us": "µs a track", "wall_s": "training [s]", "generalization_gap": "growth train to test",
    "accurate_enough": "accurate enough",
}  # fmt: skip
"""Keys and heads of the table."""

_SIZE = "Rms distance to the true end in x and y against the number of parameters; dotted the criterion and the target."
_TIME = "The same against the time a track takes in ONNX Runtime on one thread, 10,000 at once."


def drawings(outputs: Outputs, result: Mapping[str, Any]) -> list[Drawing]:
    """Rms distance against parameters, and against time a track."""
    rows: Rows = result["rows"]
    if not any_positive([row["distance_rms"] for row in rows]):
        return []
    return [
        drawn("architecture-size", lambda _, axes: _pareto(axes, rows, "parameters", "on_size_frontier"), _SIZE,
              "accuracy against size"),
        drawn("architecture-time", lambda _, axes: _pareto(axes, rows, "inference_us", "on_time_frontier"), _TIME,
              "accuracy against inference time"),
    ]  # fmt: skip


def tables(outputs: Outputs, result: Mapping[str, Any]) -> list[Table]:
    """All networks."""
    return [table_of(result["rows"], "Errors on the main test tracks; 68% and 95% of distances in x and y.", COLUMNS)]


def _pareto(axes: Any, rows: Rows, cost: str, frontier: str) -> None:
    known = [row for row in rows if row["distance_rms"]]
    for family, (color, marker) in FAMILY_STYLES.items():
        mine = [row for row in known if row["family"] == family]
        if mine:
            x, y = [row[cost] for row in mine], [row["distance_rms"] for row in mine]
            axes.plot(x, y, marker, color=color, markersize=6.5, label=FAMILIES[family])
        for row in mine:
            at = (row[cost], row["distance_rms"])
            axes.annotate(str(row["size"]), at, xytext=(5, 5), fontsize=10, color=color, textcoords="offset points")
    best = sorted((row[cost], row["distance_rms"]) for row in known if row[frontier])
    axes.plot([x for x, _ in best], [y for _, y in best], color=GREY, linestyle="--", linewidth=1.0, zorder=0)
    criteria_lines(axes)
    log_axis(axes.xaxis)
    axes.set_yscale("log")
    axes.margins(x=0.14, y=0.12)
    axes.set_xlabel(COLUMNS[cost])
    axes.set_ylabel("rms distance [µm]")
    axes.legend()
