"""Eight short ways against one long way: how errors add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lamarrpy.page.content import Table
from lamarrpy.study.page.drawn import FAMILY_STYLES, Drawing, any_positive, drawn, numbers
from lamarrpy.study.page.outputs import Outputs
from lamarrpy.study.page.words import table_of
from lamarrpy.study.wording import FAMILIES

TITLE = "D. Several steps"
ABOUT = (
    "Protocol section 9.4. A network of short ways, applied again and again, against one of the whole way, on the same"
    " tracks."
)

COLUMNS = {
    "contender": "network", "mode": "mode", "step": "step", "z": "z [mm]", "distance_rms": "rms distance [µm]",
    "distance_68": "68% [µm]", "distance_95": "95% [µm]", "share_finite": "finite answers",
}  # fmt: skip

_CAPTION = (
    "68 % of the distances to the truth after each short step (lines), and after the single long one (large marks)."
)

_MODES: dict[str, dict[str, Any]] = {
    "steps": {"linestyle": "-", "markersize": 5},
    "single": {"linestyle": "none", "markersize": 12},
}


def drawings(outputs: Outputs, result: Mapping[str, Any]) -> list[Drawing]:
    """Error after each step, and that of the single one."""
    rows = result["rows"]
    if not any_positive([row["distance_68"] for row in rows]):
        return []
    return [drawn("multi-step", lambda _, axes: _growing(axes, rows), _CAPTION, "accumulation of errors")]


def tables(outputs: Outputs, result: Mapping[str, Any]) -> list[Table]:
    """Errors after each step, and how they grow."""
    growth = [{"network": name, "power": power} for name, power in result.get("growth", {}).items()]
    found = [
        table_of(result["rows"], "Errors after each step.", COLUMNS),
        table_of(growth, "As which power of the number of steps errors grow."),
    ]
    return [table for table in found if table.rows]


def _growing(axes: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    for family, (color, marker) in FAMILY_STYLES.items():
        for mode, style in _MODES.items():
            mine = [row for row in rows if (row["family"], row["mode"]) == (family, mode)]
            if mine:
                label = f"{FAMILIES[family]}, {'short steps' if mode == 'steps' else 'a single step'}"
                z, values = [row["z"] * 1e-3 for row in mine], numbers([row["distance_68"] for row in mine])
                axes.plot(z, values, marker=marker, color=color, label=label, **style)
    axes.set_yscale("log")
    axes.set_xlabel("$z$ [m]")
    axes.set_ylabel("68% of distances [µm]")
    axes.legend(fontsize=10.5)
