"""One network for all momenta or one for each range: the cross-range matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lamarrpy.page.content import Table
from lamarrpy.page.drawing import log_axis
from lamarrpy.study.page.drawn import (
    FAMILY_STYLES,
    Drawing,
    any_positive,
    criteria_lines,
    drawn,
    heat,
    numbers,
)
from lamarrpy.study.page.outputs import JobFiles, Outputs
from lamarrpy.study.page.words import table_of
from lamarrpy.study.wording import FAMILIES

TITLE = "3. Momentum ranges"
ABOUT = "Protocol section 5. Low: 0.5 to 5 GeV, mid: 5 to 20, high: 20 to 100; main: all momenta of this study."

Rows = Sequence[Mapping[str, Any]]

COLUMNS = {
    "name": "network", "trained_on": "trained on", "tested_on": "tested on", "n": "tracks",
    "distance_rms": "rms distance [µm]", "distance_68": "68% [µm]", "distance_95": "95% [µm]",
    "share_finite": "finite answers",
}  # fmt: skip

_BINS = (
    "68 % of the distances against momentum, each network within the momenta that it has learned: full lines a range"
    " of its own, dashed all momenta, dotted the tiny ones."
)


def drawings(outputs: Outputs, result: Mapping[str, Any]) -> list[Drawing]:
    """A matrix for each family, and the errors of range-trained networks against momentum."""
    found = []
    for family in FAMILIES:
        mine = [row for row in result["rows"] if row["family"] == family]
        if any_positive([row["distance_68"] for row in mine]):
            found.append(_matrix_figure(family, mine))
    bins = {name: one for name, one in result.get("bins", {}).items() if name in outputs.jobs and one}
    if bins:
        found.append(
            drawn("momentum-bins", lambda _, axes: _bins(axes, outputs, bins), _BINS, "errors against momentum")
        )
    return found


def tables(outputs: Outputs, result: Mapping[str, Any]) -> list[Table]:
    """All networks on all ranges."""
    return [table_of(result["rows"], "Every network on the test tracks of every range.", COLUMNS)]


def _matrix_figure(family: str, rows: Rows) -> Drawing:
    written = FAMILIES[family]
    caption = f"{written}: 68 % of the distances in x and y [µm], by the momenta that it was trained and tested on."
    return drawn(
        f"cross-range-{family}", lambda _, axes: _matrix(axes, rows), caption, f"cross-range matrix of {written}",
        left=0.25, bottom=0.16,
    )  # fmt: skip


def _matrix(axes: Any, rows: Rows) -> None:
    trained = list(dict.fromkeys((row["trained_on"], str(row["size"])) for row in rows))
    tested = list(dict.fromkeys(row["tested_on"] for row in rows))
    values = np.full((len(trained), len(tested)), np.nan)
    for row in rows:
        place = trained.index((row["trained_on"], str(row["size"]))), tested.index(row["tested_on"])
        values[place] = numbers([row["distance_68"]])[0]
    heat(axes, values, [f"{name}, {size}" for name, size in trained], tested)
    axes.set_xlabel("tested on")
    axes.set_ylabel("trained on")


def _bins(axes: Any, outputs: Outputs, bins: Mapping[str, Rows]) -> None:
    told: set[str] = set()
    for name, mine in bins.items():
        job = outputs.jobs[name]
        color, marker = FAMILY_STYLES[job.family]
        middle = [np.sqrt(entry["p_low"] * entry["p_high"]) * 1e-3 for entry in mine]
        label = None if job.family in told else FAMILIES[job.family]
        style = {"color": color, "marker": marker, "markersize": 3.5, "label": label}
        axes.plot(middle, numbers([entry["distance_68"] for entry in mine]), _dashes(job), **style)
        told.add(job.family)
    criteria_lines(axes)
    log_axis(axes.xaxis)
    axes.set_yscale("log")
    axes.set_xlabel("momentum [GeV]")
    axes.set_ylabel("68% of distances [µm]")
    axes.legend()


def _dashes(job: JobFiles) -> str:
    return ":" if job.layers == "tiny" else "--" if job.config["test"] == "main.test" else "-"
