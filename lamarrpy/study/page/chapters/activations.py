"""Activation functions beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamarrpy.page.content import Table
from lamarrpy.study.page.drawn import FAMILY_STYLES, Drawing, any_positive, bars_figure
from lamarrpy.study.page.outputs import Outputs
from lamarrpy.study.page.words import table_of
from lamarrpy.study.wording import FAMILIES

TITLE = "A. Activation functions"
ABOUT = "Protocol section 9.1. The network's derivatives are part of a PINN's loss, so that kinks may hurt it."

COLUMNS = {
    "name": "network", "activation": "activation", "distance_rms": "rms distance [µm]", "distance_68": "68% [µm]",
    "distance_95": "95% [µm]", "generalization_gap": "growth train to test", "inference_us": "µs a track",
    "wall_s": "training [s]",
}  # fmt: skip

_CAPTION = "Rms distance to the true end in x and y by activation function."


def drawings(outputs: Outputs, result: Mapping[str, Any]) -> list[Drawing]:
    """Rms distance of each family with each function."""
    rows = result["rows"]
    if not any_positive([row["distance_rms"] for row in rows]):
        return []
    shown = [
        (f"{FAMILIES[row['family']]}, {row['activation']}", FAMILY_STYLES[row["family"]][0], row["distance_rms"])
        for row in rows
    ]
    return [bars_figure("activations", shown, "rms distance [µm]", _CAPTION, "accuracy by activation function", 0.28)]


def tables(outputs: Outputs, result: Mapping[str, Any]) -> list[Table]:
    """All functions."""
    return [table_of(result["rows"], "All activation functions.", COLUMNS)]
