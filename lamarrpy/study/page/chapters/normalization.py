"""Ways to scale inputs and outputs beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamarrpy.page.content import Table
from lamarrpy.study.page.drawn import FAMILY_STYLES, Drawing, any_positive, bars_figure
from lamarrpy.study.page.outputs import Outputs
from lamarrpy.study.page.words import table_of
from lamarrpy.study.wording import FAMILIES

TITLE = "B. Normalization"
ABOUT = (
    "Protocol section 9.2. Inputs by fixed physical scales, by mean and spread, or by range; outputs as the end itself"
    " (direct), its deviation from the straight line (residual), or that over q/p (bend)."
)

COLUMNS = {
    "name": "network", "what": "of", "setting": "setting", "usual": "used elsewhere",
    "distance_rms": "rms distance [µm]", "distance_68": "68% [µm]", "distance_95": "95% [µm]",
    "generalization_gap": "growth train to test",
}  # fmt: skip

_CAPTION = "Rms distance to the true end in x and y by how inputs and outputs are scaled."


def drawings(outputs: Outputs, result: Mapping[str, Any]) -> list[Drawing]:
    """Rms distance of each family with each setting."""
    rows = result["rows"]
    if not any_positive([row["distance_rms"] for row in rows]):
        return []
    shown = [(_label(row), FAMILY_STYLES[row["family"]][0], row["distance_rms"]) for row in rows]
    return [bars_figure("normalization", shown, "rms distance [µm]", _CAPTION, "accuracy by normalization", 0.37)]


def tables(outputs: Outputs, result: Mapping[str, Any]) -> list[Table]:
    """All settings."""
    return [table_of(result["rows"], "All settings.", COLUMNS)]


def _label(row: Mapping[str, Any]) -> str:
    return f"{FAMILIES[row['family']]}, {row['what']}: {row['setting'].replace('_', ' ')}"
