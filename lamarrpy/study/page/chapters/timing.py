"""Times of networks and integrators on the same tracks: throughput, latency, speed-up, memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lamarrpy.page.content import Table
from lamarrpy.page.drawing import log_axis
from lamarrpy.study.page.drawn import BLUE, COLORS, FAMILY_STYLES, GREY, INK, MARKERS, RED, Drawing, drawn
from lamarrpy.study.page.outputs import Outputs
from lamarrpy.study.page.speed import one_core
from lamarrpy.study.page.words import table_of

TITLE = "4. Timing"
ABOUT = (
    "Protocol section 6. Some passes warm up and do not count; then as many are made as the configuration asks for,"
    " within the time that it allows. A time is the median of the passes."
)

Rows = Sequence[Mapping[str, Any]]

_LINES = {
    "contender": "extrapolator", "engine": "engine", "threads": "threads", "device": "device",
    "batch": "tracks at once", "passes": "passes", "first_us": "first pass [µs]", "mean_us": "mean [µs]",
    "std_us": "deviation [µs]", "p50_us": "median [µs]", "us_per_track": "µs a track", "per_second": "tracks a second",
}  # fmt: skip

_FACTORS = {
    "contender": "network", "engine": "engine", "threads": "threads", "device": "device", "over": "faster than",
    "factor": "times", "matched": "as accurate",
}  # fmt: skip

_SHADES = (GREY, INK, "#8f99a6", "#3a4656", "#b0b8c2")
_BATCH = "Time a track against the number of tracks at once, on one thread, each network with its fastest engine."
_ACCURACY = (
    "95 % of the distances to the true end against the time a track takes, the most tracks at once, on one thread:"
    " networks and integrators alike."
)
_ENGINES = (
    "What runs a network matters: time a track by engine, for each of the networks; markers as in the first figure."
)
_FEWER = "Integrators, which go through tracks in blocks, count with the most that they were given, if fewer."
_LATENCY = "One track alone: median (point), 95 % (tick) and 99 % (end of the line) of the passes."


def drawings(outputs: Outputs, result: Mapping[str, Any]) -> list[Drawing]:
    """Time against batch, engines against each other, accuracy against time, latency of one track."""
    rows, contenders = one_core(result["rows"]), result["contenders"]
    if not rows:
        return []
    found = [
        drawn("timing-batch", lambda _, axes: _batches(axes, rows), _BATCH, "time a track against batch size"),
        drawn("timing-accuracy", lambda _, axes: _frontier(axes, rows, contenders), _ACCURACY, "accuracy against time"),
    ]
    networks = [row for row in rows if row["kind"] == "network"]
    if networks:
        found.append(drawn("timing-engines", lambda _, axes: _engines(axes, networks), _ENGINES, "time by engine"))
    alone = sorted((row for row in rows if row["batch"] == 1), key=lambda row: -float(row["p50_us"]))
    if alone:
        high = 0.28 * len(alone) + 1.3
        found.append(drawn("timing-latency", lambda _, axes: _latency(axes, alone), _LATENCY, "latency of one track",
                           size=(6.6, high), left=0.42, bottom=0.8 / high))  # fmt: skip
    return found


def tables(outputs: Outputs, result: Mapping[str, Any]) -> list[Table]:
    """Speed-up, latency, memory, agreement of engines, failures, and all times."""
    most = max((row["batch"] for row in result["speedup"]), default=0)
    factors = [row for row in result["speedup"] if row["batch"] == most]
    agreement = [{"network": name, **engines} for name, engines in result["agreement"].items()]
    found = [
        table_of(factors, f"How many times faster networks are, {most:,} tracks at once. {_FEWER}", _FACTORS),
        table_of(result["latency"], "One track alone: quantiles of the passes."),
        table_of(result["memory"], "Resident memory of the process, once all is imported and at its peak."),
        table_of(agreement, "68 % of the distances to the true end [µm] by engine: all must agree."),
        table_of(result["failed"], "What could not be timed."),
        table_of(result["rows"], "All times.", _LINES),
    ]
    return [table for table in found if table.rows]


def _styles(rows: Rows) -> dict[str, dict[str, Any]]:
    """How each contender is drawn: in the colour of its family, or in grey for integrators."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        name, family = row["contender"], row["family"]
        if name not in found:
            color, marker = FAMILY_STYLES[family] if row["kind"] == "network" else (GREY, "^")
            same = sum(row["kind"] == style["kind"] and family == style["family"] for style in found.values())
            if row["kind"] != "network":
                color = _SHADES[same % len(_SHADES)]
            shape = {"marker": MARKERS[same % 6] if same else marker, "linestyle": ("-", "--", ":")[same % 3]}
            found[name] = {"kind": row["kind"], "family": family, "color": color, **shape}
    return {name: {key: style[key] for key in ("color", "marker", "linestyle")} for name, style in found.items()}


def _fastest(rows: Rows, name: str) -> dict[int, float]:
    """Microseconds a track of the fastest engine of a contender by batch, in the order of batches."""
    found: dict[int, float] = {}
    for row in sorted((row for row in rows if row["contender"] == name), key=lambda row: int(row["batch"])):
        found[row["batch"]] = min(found.get(row["batch"], float("inf")), row["us_per_track"])
    return found


def _batches(axes: Any, rows: Rows) -> None:
    for name, style in _styles(rows).items():
        best = _fastest(rows, name)
        axes.plot(list(best), list(best.values()), markersize=4.5, label=_short(name), **style)
    _log_log(axes)
    axes.legend(fontsize=9, ncols=2)


def _frontier(axes: Any, rows: Rows, contenders: Mapping[str, Any]) -> None:
    for name, style in _styles(rows).items():
        time, error = list(_fastest(rows, name).values())[-1], contenders[name]["distance_95"]
        if error:
            axes.plot([time], [error], **{**style, "linestyle": "none"}, markersize=7)
            axes.annotate(_short(name), (time, error), xytext=(5, 4), fontsize=9.5, color=style["color"],
                          textcoords="offset points")  # fmt: skip
    log_axis(axes.xaxis)
    axes.set_yscale("log")
    axes.margins(x=0.25, y=0.1)
    axes.set_xlabel("µs a track")
    axes.set_ylabel("95% of distances [µm]")


def _engines(axes: Any, rows: Rows) -> None:
    styles = _styles(rows)
    for number, engine in enumerate(dict.fromkeys(row["engine"] for row in rows)):
        for one, (name, style) in enumerate(styles.items()):
            mine = _fastest([row for row in rows if row["engine"] == engine], name)
            label = engine if one == 0 else None
            look = {"color": COLORS[number % 6], "marker": style["marker"], "markersize": 4, "linewidth": 1.1}
            axes.plot(list(mine), list(mine.values()), label=label, **look)
    _log_log(axes)
    axes.legend()


def _latency(axes: Any, rows: Rows) -> None:
    for place, row in enumerate(rows):
        color = RED if row["kind"] == "network" else BLUE
        axes.plot([row["p50_us"], row["p99_us"]], [place, place], color=color, linewidth=1.2)
        axes.plot([row["p50_us"]], [place], "o", color=color, markersize=5)
        axes.plot([row["p95_us"]], [place], "|", color=color, markersize=9)
    axes.set_yticks(range(len(rows)), [f"{_short(row['contender'])}, {row['engine']}" for row in rows], fontsize=9.5)
    axes.tick_params(axis="y", which="both", length=0)
    axes.set_ylim(-0.8, len(rows) - 0.2)
    axes.set_xscale("log")
    axes.set_xlabel("µs a pass")


def _log_log(axes: Any) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("tracks at once")
    axes.set_ylabel("µs a track")


def _short(name: str) -> str:
    return name.replace("runge_kutta", "RK").replace("_", " ")
