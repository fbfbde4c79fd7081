"""The six standard plots of a network: learning curves, residuals, maps, pulls, momentum, predicted against true.

Protocol section 10.1. Every plot is drawn into axes that it is given: so it stands large in the text, and small on the
sheet of each job.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.page.drawing import log_axis
from lamarrpy.study.page.drawn import BLUE, BROWN, GREEN, GREY, RED, VIOLET, any_positive, criteria_lines, numbers
from lamarrpy.study.page.outputs import Residuals
from lamarrpy.study.page.words import number
from lamarrpy.tracks.accuracy import MICRO, OUTPUTS

Array = NDArray[np.float64]

SYMBOLS = ("x", "y", "t_x", "t_y")
"""Outputs as formulas write them."""

INPUTS: tuple[tuple[str, int, float], ...] = (
    (r"start $x$ [m]", 0, 1e-3),
    (r"start $y$ [m]", 1, 1e-3),
    (r"start $t_x$", 3, 1.0),
    (r"start $t_y$", 4, 1.0),
    (r"$q/p$ [1/GeV]", 5, 1e3),
)
"""Input variables: label, column, factor."""

LOSSES = {
    "loss": (BLUE, "-", "training loss"),
    "data": (GREEN, "--", "data"),
    "pde": (BROWN, "--", "equation of motion"),
    "ic": (VIOLET, "--", "initial condition"),
    "score": (RED, "-", "validation score"),
}
"""Colour, dashes and name of each learning curve."""

SPREAD_BINS = 12
"""Bins of momentum in which the spread is taken where a network does not tell its error."""

_FEW = 5
"""Tracks below which a bin tells nothing."""


def unit_of(output: int, scale: float) -> tuple[float, str]:
    """Factor from um or urad, and unit, in which numbers of that scale are well read."""
    names = (("nm", "µm", "mm", "m"), ("nrad", "µrad", "mrad", "rad"))[output > 1]
    power = int(np.clip(np.floor(np.log10(max(scale, 1e-30)) / 3.0), -1, 2))
    return 10.0 ** (-3 * power), names[power + 1]


def learning_curves(axes: Any, entries: Sequence[dict[str, Any]]) -> None:
    """Loss of training batches with its parts, and mean squared error of validation tracks, against the step."""
    steps = [entry["step"] for entry in entries]
    for key, (color, dashes, label) in LOSSES.items():
        values = [entry.get(key) for entry in entries]
        if any_positive(values):
            marker = "o" if key == "score" else ""
            axes.plot(steps, _positive(values), dashes, color=color, marker=marker, markersize=4, label=label)
            axes.set_yscale("log")
    if axes.lines:
        axes.legend(fontsize=10)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")


def residual_histogram(axes: Any, residuals: Residuals, output: int) -> None:
    """How one output lies about the truth."""
    values = residuals.differ[:, output]
    low, high = np.quantile(values, (0.16, 0.84))
    width = max(0.5 * float(high - low), 1e-9)
    factor, unit = unit_of(output, width)
    reach = 4.0 * width * factor
    inside = np.abs(values) * factor < reach
    axes.hist(values[inside] * factor, bins=60, range=(-reach, reach), histtype="stepfilled", color=BLUE, alpha=0.85)
    axes.axvline(0.0, color=GREY, linewidth=0.9, linestyle=":")
    figures = {"mean": values.mean(), "68%": width, "rms": np.sqrt(np.mean(values**2))}
    told = [f"{name} {number(float(value * factor))}" for name, value in figures.items()]
    _say(axes, [*told, f"beyond {1.0 - inside.mean():.1%}"])
    axes.set_xlabel(rf"$\Delta {SYMBOLS[output]}$ [{unit}]")
    axes.set_ylabel("tracks")


def residual_map(axes: Any, residuals: Residuals, output: int, variable: int, label: bool = True) -> None:
    """One output's difference to the truth against an input, as a map with median and central 68 %."""
    name, column, scale = INPUTS[variable]
    x, values = residuals.tracks[:, column] * scale, residuals.differ[:, output]
    reach = max(2.5 * float(np.quantile(np.abs(values), 0.9)), 1e-9)
    factor, unit = unit_of(output, reach / 3.0)
    values, reach = values * factor, reach * factor
    _density(axes, x, np.clip(values, -reach, reach), _edges(x, 32), np.linspace(-reach, reach, 42))
    middle, low, mid, high = _quantiles_along(x, values, _edges(x, 12))
    axes.fill_between(middle, low, high, color=RED, alpha=0.18, linewidth=0.0)
    axes.plot(middle, mid, color=RED, linewidth=1.4)
    axes.set_ylim(-reach, reach)
    axes.set_xlabel(name)
    if label:
        axes.set_ylabel(rf"$\Delta {SYMBOLS[output]}$ [{unit}]")


def mean_map(axes: Any, residuals: Residuals, output: int) -> None:
    """Mean difference to the truth over the plane where tracks start."""
    x, y, values = residuals.tracks[:, 0] * 1e-3, residuals.tracks[:, 1] * 1e-3, residuals.differ[:, output]
    bins = (_edges(x, 16), _edges(y, 16))
    cap = max(float(np.quantile(np.abs(values), 0.98)), 1e-9)  # a few far ones would hide the pattern
    total = np.histogram2d(x, y, bins=bins, weights=np.clip(values, -cap, cap))[0]
    count = np.histogram2d(x, y, bins=bins)[0]
    mean = np.ma.masked_invalid(np.where(count >= _FEW, total / np.maximum(count, 1), np.nan))
    top = float(np.quantile(np.abs(mean.compressed()), 0.95)) if mean.count() else 1.0
    factor, unit = unit_of(output, top)
    shown = {"vmin": -top * factor, "vmax": top * factor, "cmap": "RdBu_r", "rasterized": True}
    image = axes.pcolormesh(*bins, mean.T * factor, **shown)
    axes.figure.colorbar(image, ax=axes, pad=0.02).set_label(rf"mean $\Delta {SYMBOLS[output]}$ [{unit}]", fontsize=11)
    axes.set_xlabel(INPUTS[0][0])
    axes.set_ylabel(INPUTS[1][0])


def pulls_of(residuals: Residuals) -> tuple[Array, bool]:
    """Differences over their expected spread, and whether the network told that spread itself.

    Where it did not, the spread is half of the central 68 % of every other track in a bin of momentum, and pulls are
    those of the tracks between them: the shape says whether errors are normal, their width is one by construction.

    Returns
    -------
    ndarray, shape (k, 4); bool
    """
    if residuals.error is not None:
        return residuals.differ / np.maximum(residuals.error * MICRO, 1e-12), True
    odd = np.arange(len(residuals.p)) % 2 == 1
    if not odd.any():
        return np.zeros((0, len(OUTPUTS))), False
    edges = np.quantile(residuals.p, np.linspace(0.0, 1.0, SPREAD_BINS + 1))
    place = np.clip(np.searchsorted(edges, residuals.p, side="right") - 1, 0, SPREAD_BINS - 1)
    spread = np.full((SPREAD_BINS, len(OUTPUTS)), np.nan)
    for one in range(SPREAD_BINS):
        mine = residuals.differ[~odd & (place == one)]
        if len(mine) >= _FEW:
            low, high = np.quantile(mine, (0.16, 0.84), axis=0)
            spread[one] = 0.5 * (high - low)
    pulls = residuals.differ[odd] / np.maximum(spread[place[odd]], 1e-12)
    kept: Array = pulls[np.isfinite(pulls).all(axis=1)]
    return kept, False


def pull_histogram(axes: Any, pulls: Array, output: int) -> None:
    """Pulls of one output beside the normal density; the outermost bins hold what lies beyond."""
    values, bins = pulls[:, output], np.linspace(-6.0, 6.0, 49)
    if len(values):
        counts = np.histogram(np.clip(values, -5.99, 5.99), bins)[0]
        axes.stairs(counts / (len(values) * (bins[1] - bins[0])), bins, fill=True, color=BLUE, alpha=0.85)
        low, high = np.quantile(values, (0.16, 0.84))
        told = {"mean": values.mean(), "68%": 0.5 * (high - low)}
        far = f"|pull| > 3: {np.mean(np.abs(values) > 3.0):.1%}"
        _say(axes, [*(f"{name} {number(float(value))}" for name, value in told.items()), far])
    normal_density(axes, -6.0, 6.0)
    axes.set_yscale("log")
    axes.set_ylim(2e-5, 30.0)
    axes.set_xlabel(rf"pull of ${SYMBOLS[output]}$")
    axes.set_ylabel("density")


def normal_density(axes: Any, low: float, high: float) -> None:
    """The density that pulls have if errors are true."""
    x = np.linspace(low, high, 121)
    axes.plot(x, np.exp(-0.5 * x**2) / np.sqrt(2.0 * np.pi), color=RED, linewidth=1.4)


def momentum_dependence(axes: Any, bins: Sequence[dict[str, Any]], slopes: bool = False) -> None:
    """Errors in bins of momentum beside the criteria of 10 and 1 um or urad."""
    middle = [np.sqrt(entry["p_low"] * entry["p_high"]) * 1e-3 for entry in bins]
    lines = {
        "68% of distances": (BLUE, "o-", [entry["distance_68"] for entry in bins]),
        "95% of distances": (RED, "s-", [entry["distance_95"] for entry in bins]),
        "$x$, rms": (GREEN, "D--", [entry["rmse"]["x"] for entry in bins]),
    }
    if slopes:
        lines = {
            f"${symbol}$, rms": (color, style, [entry["rmse"][output] for entry in bins])
            for symbol, output, color, style in (("t_x", "tx", BLUE, "o-"), ("t_y", "ty", GREEN, "D--"))
        }
    for label, (color, style, values) in lines.items():
        if any_positive(values):
            axes.plot(middle, _positive(values), style, color=color, markersize=4.5, label=label)
    if axes.lines:
        criteria_lines(axes)
        log_axis(axes.xaxis)
        axes.set_yscale("log")
        axes.legend(fontsize=10)
    axes.set_xlabel("momentum [GeV]")
    axes.set_ylabel("error [µrad]" if slopes else "error [µm]")


def correlation(axes: Any, residuals: Residuals, output: int) -> None:
    """Predicted against true deviation from the straight line."""
    true, predicted = residuals.true[:, output], residuals.predicted[:, output]
    reach = max(float(np.quantile(np.abs(true), 0.995)), 1e-9)
    factor, unit = ((1e-3, "m"), (1.0, ""))[output > 1]
    if reach * factor < 0.05:
        factor, unit = 1e3 * factor, "mm" if output < 2 else "mrad"
    true, predicted, reach = true * factor, predicted * factor, reach * factor
    edges = np.linspace(-reach, reach, 61)
    _density(axes, true, np.clip(predicted, -reach, reach), edges, edges)
    axes.plot([-reach, reach], [-reach, reach], color=RED, linewidth=0.8, linestyle=":")
    variance = float(np.var(true))
    missing = float(np.mean((predicted - true) ** 2)) / variance if variance > 0.0 else float("nan")
    _say(axes, [f"$1 - R^2$ = {missing:.1e}"])
    end = f" [{unit}]" if unit else ""
    axes.set_xlabel(rf"true $\delta {SYMBOLS[output]}${end}")
    axes.set_ylabel(rf"predicted $\delta {SYMBOLS[output]}${end}")


def _say(axes: Any, lines: Sequence[str]) -> None:
    axes.text(0.03, 0.96, "\n".join(lines), transform=axes.transAxes, va="top", fontsize=10.5)


def _density(axes: Any, x: Array, y: Array, columns: Array, rows: Array) -> None:
    from matplotlib.colors import LogNorm

    counts = np.histogram2d(x, y, bins=(columns, rows))[0].T
    norm = LogNorm(0.5, max(1.0, float(counts.max())))
    axes.pcolormesh(columns, rows, np.ma.masked_less(counts, 0.5), cmap="Blues", norm=norm, rasterized=True)


def _edges(x: Array, bins: int) -> Array:
    low, high = (float(edge) for edge in np.quantile(x, (0.002, 0.998)))
    if not high > low:  # the same for all tracks
        margin = max(1e-3, 1e-3 * abs(low))
        low, high = low - margin, high + margin
    return np.linspace(low, high, bins + 1)


def _quantiles_along(x: Array, values: Array, edges: Array) -> tuple[Array, Array, Array, Array]:
    """Middles of bins, and the quantiles 16, 50 and 84 % of the values in each."""
    place = np.digitize(x, edges) - 1
    found = []
    for one in range(len(edges) - 1):
        mine = values[place == one]
        if len(mine) >= _FEW:
            found.append((0.5 * (edges[one] + edges[one + 1]), *np.quantile(mine, (0.16, 0.5, 0.84))))
    table = np.array(found, np.float64).reshape(-1, 4)
    return table[:, 0], table[:, 1], table[:, 2], table[:, 3]


def _positive(values: Sequence[Any]) -> Array:
    found = numbers(values)
    return np.where(found > 0.0, found, np.nan)
