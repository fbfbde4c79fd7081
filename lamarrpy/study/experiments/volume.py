"""Experiment C: how many tracks are enough (protocol section 9.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from lamarrpy.strict import Strict
from lamarrpy.study.config import MAIN
from lamarrpy.study.experiments import architecture
from lamarrpy.study.jobs import Job
from lamarrpy.study.study import SHORT, Study
from lamarrpy.study.table import summary
from lamarrpy.study.wording import FAMILIES, best, distance

NAME = "volume"
QUESTION = "How many tracks does training need, and does physics make up for few of them?"
ALONE = False

_CLOSE = 1.1
"""What is as good as the best."""


class Options(Strict):
    """What is compared."""

    shares: tuple[float, ...] = Field(
        (0.02, 0.1, 0.2, 0.5, 1.0), description="parts of the main training sample: of 50 M, 1, 5, 10, 25 and 50 M"
    )
    families: tuple[str, ...] = ("mlp", "pinn", "rk_pinn")
    size: str = "medium"


def _grid(study: Study) -> dict[tuple[str, int], Job]:
    wanted, found = study.options(NAME, Options), {}
    all_tracks = study.config.sizes(MAIN).train
    for family in wanted.families:
        for share in wanted.shares:
            tracks = max(1, round(share * all_tracks))
            found[family, tracks] = (
                architecture.job(study, family, wanted.size)
                if tracks >= all_tracks
                else study.job(
                    f"{SHORT[family]}_{wanted.size}_volume_{tracks}", NAME, family, wanted.size,
                    tracks=tracks, loss=architecture.PHYSICS[family],
                )
            )  # fmt: skip
    return found


def jobs(study: Study) -> list[Job]:
    """Each family with each number of tracks, for as many steps."""
    return list(_grid(study).values())


def run(study: Study) -> dict[str, Any]:
    """Accuracy on test tracks, and how much worse it is there than on the tracks that were learned from."""
    grid = _grid(study)
    outcomes = study.outcomes(grid.values())
    rows = [
        {
            **summary(outcomes[one.name]),
            "tracks": tracks,
            "train_distance_rms": outcomes[one.name].metrics["train"]["distance_rms"],
        }
        for (_, tracks), one in grid.items()
        if one.name in outcomes
    ]
    told = [_about(written, [row for row in rows if row["family"] == family]) for family, written in FAMILIES.items()]
    return {"rows": rows, "conclusion": " ".join(filter(None, told)) or "No training went well."}


def _about(written: str, rows: Sequence[Mapping[str, Any]]) -> str:
    found = best(rows)
    if found is None:
        return ""
    known = [row for row in rows if row["distance_rms"] is not None]
    enough = min(row["tracks"] for row in known if row["distance_rms"] <= _CLOSE * found["distance_rms"])
    few = min(known, key=lambda row: int(row["tracks"]))
    return (
        f"{written}: {enough:,} tracks are as good as any number here ({distance(found['distance_rms'])} rms);"
        f" {few['tracks']:,} give {distance(few['distance_rms'])}, and {distance(few['train_distance_rms'])} on those"
        " themselves."
    )
