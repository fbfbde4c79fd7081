"""Errors that networks state of themselves: pulls and coverage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lamarrpy.page.content import Table
from lamarrpy.study.page.drawn import BLUE, Drawing, drawn, numbers
from lamarrpy.study.page.outputs import Outputs
from lamarrpy.study.page.standard import SYMBOLS, normal_density
from lamarrpy.study.page.words import table_of
from lamarrpy.tracks.accuracy import OUTPUTS

TITLE = "E. Uncertainty"
ABOUT = (
    "Protocol section 9.5. If stated errors are true, pulls follow the normal density and 68 % of the tracks lie"
    " within one error; calibrated: after one factor, taken from validation tracks."
)

COLUMNS = {
    "method": "method", "sample": "tracks", "output": "output", "pull_mean": "mean", "pull_width": "width",
    "pull_rms": "rms", "coverage_68": "within 1 error", "coverage_95": "within 2", "factor": "factor",
    "calibrated_68": "calibrated, within 1", "calibrated_95": "within 2",
    "sigma_median": "stated error [µm or µrad]", "error_68": "true error (68%)",
    "rank_correlation": "rank correlation",
}  # fmt: skip


def drawings(outputs: Outputs, result: Mapping[str, Any]) -> list[Drawing]:
    """Pulls of each method."""
    return [_figure(method, histograms) for method, histograms in result["pulls"].items()]


def tables(outputs: Outputs, result: Mapping[str, Any]) -> list[Table]:
    """Pulls and coverage, inside and outside of the training range; accuracy of the answers."""
    beyond = f"; outside: {result['outside'].replace('_', ' ')}" if result.get("outside") else ""
    keys = ("distance_rms", "distance_68", "distance_95")
    accuracy = [{"method": name, **{key: one.get(key) for key in keys}} for name, one in result["accuracy"].items()]
    found = [
        table_of(result["rows"], f"Pulls and coverage of each output{beyond}.", COLUMNS),
        table_of(accuracy, "How accurate the methods' answers are [µm]."),
    ]
    return [table for table in found if table.rows]


def _figure(method: str, histograms: Mapping[str, Any]) -> Drawing:
    caption = (
        f"{method}: pulls on test tracks beside the normal density; the outermost bins hold what lies beyond them."
    )
    return drawn(
        f"stated-{method}", lambda _, axes: _pulls(axes, histograms), caption, f"pulls of {method}",
        rows=2, columns=2, size=(8.0, 6.0), left=0.1, right=0.985, bottom=0.1, wspace=0.26, hspace=0.34,
    )  # fmt: skip


def _pulls(axes: Any, histograms: Mapping[str, Any]) -> None:
    for output, symbol, place in zip(OUTPUTS, SYMBOLS, axes.flat, strict=True):
        edges, counts = numbers(histograms[output]["edges"]), numbers(histograms[output]["counts"])
        place.stairs(counts / max(counts.sum(), 1.0) / np.diff(edges), edges, fill=True, color=BLUE, alpha=0.85)
        normal_density(place, float(edges[0]), float(edges[-1]))
        place.set_xlabel(f"pull of ${symbol}$")
        place.set_ylabel("density")
