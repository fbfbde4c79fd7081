"""Trained elsewhere before, or from scratch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lamarrpy.page.content import Table
from lamarrpy.study.page.drawn import FAMILY_STYLES, Drawing, any_positive, bars_figure
from lamarrpy.study.page.outputs import Outputs
from lamarrpy.study.page.words import table_of
from lamarrpy.study.wording import FAMILIES

TITLE = "F. Transfer"
ABOUT = (
    "Protocol section 9.6. Networks that have learned in another field, or in another region, and go on with few"
    " tracks, beside networks from scratch. Untuned: with the old weights as they are, though an RK-PINN then sweeps"
    " through the new field already."
)

COLUMNS = {
    "transfer": "transfer", "family": "family", "start": "begins", "tracks": "tracks", "steps": "steps",
    "distance_rms": "rms distance [µm]", "distance_68": "68% [µm]", "distance_95": "95% [µm]",
}  # fmt: skip

_TITLES = {"field": "Another field before", "region": "Another region before"}


def drawings(outputs: Outputs, result: Mapping[str, Any]) -> list[Drawing]:
    """Error by where a network begins, one figure a transfer."""
    found = []
    for transfer in dict.fromkeys(row["transfer"] for row in result["rows"]):
        rows = [row for row in result["rows"] if row["transfer"] == transfer]
        if any_positive([row["distance_68"] for row in rows]):
            found.append(_figure(transfer, rows))
    return found


def tables(outputs: Outputs, result: Mapping[str, Any]) -> list[Table]:
    """All beginnings."""
    return [table_of(result["rows"], "All beginnings, on the test tracks of where they end.", COLUMNS)]


def _figure(transfer: str, rows: Sequence[Mapping[str, Any]]) -> Drawing:
    shown = [(_label(row), FAMILY_STYLES[row["family"]][0], row["distance_68"]) for row in rows]
    title = _TITLES.get(transfer, transfer)
    caption = f"{title}: 68 % of the distances, by how a network begins and from how many tracks it then learns."
    return bars_figure(f"transfer-{transfer}", shown, "68% of distances [µm]", caption, f"transfer: {transfer}", 0.38)


def _label(row: Mapping[str, Any]) -> str:
    after = f", {row['tracks']:,}" if row["tracks"] else ""
    return f"{FAMILIES[row['family']]}, {row['start']}{after}"
