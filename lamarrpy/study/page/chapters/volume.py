"""Accuracy against the number of tracks that are learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lamarrpy.page.content import Table
from lamarrpy.page.drawing import log_axis
from lamarrpy.study.page.drawn import FAMILY_STYLES, Drawing, any_positive, drawn, numbers
from lamarrpy.study.page.outputs import Outputs
from lamarrpy.study.page.words import table_of
from lamarrpy.study.wording import FAMILIES

TITLE = "C. Volume of data"
ABOUT = "Protocol section 9.3. The first tracks of the main sample, as many as said, for as many steps each time."

COLUMNS = {
    "name": "network", "tracks": "tracks", "distance_rms": "rms distance [µm]",
    "train_distance_rms": "on its own tracks [µm]", "distance_68": "68% [µm]", "distance_95": "95% [µm]",
    "generalization_gap": "growth train to test",
}  # fmt: skip

_CAPTION = (
    "Rms distance against the number of tracks learned from: on test tracks (full) and on those themselves (dashed)."
)


def drawings(outputs: Outputs, result: Mapping[str, Any]) -> list[Drawing]:
    """Rms distance on test tracks, and on those learned from, against their number."""
    rows = result["rows"]
    if not any_positive([row["distance_rms"] for row in rows]):
        return []
    return [drawn("volume", lambda _, axes: _against(axes, rows), _CAPTION, "accuracy against number of tracks")]


def tables(outputs: Outputs, result: Mapping[str, Any]) -> list[Table]:
    """All numbers of tracks."""
    return [table_of(result["rows"], "All numbers of tracks.", COLUMNS)]


def _against(axes: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    for family, (color, marker) in FAMILY_STYLES.items():
        mine = sorted((row for row in rows if row["family"] == family), key=lambda row: int(row["tracks"]))
        if mine:
            tracks, own = [row["tracks"] for row in mine], numbers([row["train_distance_rms"] for row in mine])
            tested = numbers([row["distance_rms"] for row in mine])
            axes.plot(tracks, tested, marker=marker, color=color, label=FAMILIES[family])
            axes.plot(tracks, own, "--", color=color, linewidth=1.0)
    log_axis(axes.xaxis)
    axes.set_yscale("log")
    axes.set_xlabel("tracks learned from")
    axes.set_ylabel("rms distance [µm]")
    axes.legend()
