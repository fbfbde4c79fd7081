"""How many times faster than Runge-Kutta a network of a study is, by its timing experiment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lamarrpy.study.page.outputs import JobFiles, Outputs
from lamarrpy.study.page.words import number

STANDARD = "runge_kutta_40"
"""The integrator of the timing experiment that the criterion is held against: 40 equal steps."""

_OTHERS = {
    "runge_kutta_anywhere": "against 40 steps of tracks that may start anywhere",
    "runge_kutta_100mm": "against steps of 100 mm",
    "runge_kutta_map": "against Runge-Kutta that looks the field up in a map",
}
"""Other integrators that are worth a word."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class SpeedUp:
    """A factor.

    Attributes
    ----------
    times : float
        How many times faster.
    how : str
        With what, on how many tracks at once; and the factor against as many steps as give the network's accuracy.
    """

    times: float
    how: str


def one_core(rows: Iterable[Row]) -> list[Row]:
    """Those measured on one thread of a processor, as the protocol's criterion is meant."""
    return [row for row in rows if row["threads"] == 1 and row["device"] == "cpu"]


def speed_up(outputs: Outputs, job: JobFiles) -> SpeedUp | None:
    """The factor on one thread and the most tracks at once, with the engine that is fastest there.

    A network that was not among those timed is compared by the time that was taken when its training ended.

    Returns
    -------
    SpeedUp or None
        None if nothing was timed.
    """
    timing = outputs.results.get("timing")
    if timing is None:
        return None
    mine = [row for row in one_core(timing["speedup"]) if row["contender"] == job.name]
    found = [row for row in mine if row["over"] == STANDARD]
    return _timed(mine, found) if found else _estimated(timing["rows"], job)


def _timed(mine: list[Row], found: list[Row]) -> SpeedUp:
    most = max(row["batch"] for row in found)
    best = max((row for row in found if row["batch"] == most), key=lambda row: float(row["factor"]))
    same = [row for row in mine if (row["batch"], row["engine"]) == (most, best["engine"])]
    told = [f"{best['engine']}, {most:,} tracks at once"]
    matched = [row for row in same if row["matched"]]
    for row in matched[:1]:
        steps = str(row["over"]).removeprefix("runge_kutta_")
        told.append(f"{number(row['factor'])} times against {steps} steps, which are as accurate")
    if not matched:
        told.append("no number of steps tried is as accurate")
    for over, words in _OTHERS.items():
        told += [f"{number(row['factor'])} {words}" for row in same if row["over"] == over]
    return SpeedUp(best["factor"], "; ".join(told))


def _estimated(rows: Iterable[Row], job: JobFiles) -> SpeedUp | None:
    slow = {row["batch"]: row["us_per_track"] for row in one_core(rows) if row["contender"] == STANDARD}
    both = [batch for batch in slow if str(batch) in job.metrics["inference_us"]]
    if not both:
        return None
    most = max(both)
    how = f"onnx, {most:,} tracks at once, timed after its training, beside others"
    return SpeedUp(slow[most] / job.metrics["inference_us"][str(most)], how)
