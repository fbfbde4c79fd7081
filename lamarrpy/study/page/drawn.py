"""How the figures of a study are drawn: colours of the families, and figures that wait until they are asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.page.drawing import SERIES, canvas, log_axis, to_svg
from lamarrpy.study.criteria import POSITION, TARGET
from lamarrpy.study.page.content import Plate
from lamarrpy.study.page.words import number

Array = NDArray[np.float64]
Drawing = Callable[[], Plate]

COLORS = SERIES
BLUE, RED, GREEN, BROWN, VIOLET, TEAL = SERIES
GREY, INK = "#5b6675", "#1b2430"

FAMILY_STYLES: dict[str, tuple[str, str]] = {"mlp": (BLUE, "o"), "pinn": (GREEN, "s"), "rk_pinn": (RED, "D")}
"""Colour and marker of each family."""

MARKERS = "osD^vP"

_SHORT = 100.0
"""Range of a logarithmic axis below which powers of ten alone would be too few."""

_MARGINS = {"left": 0.13, "right": 0.98, "bottom": 0.145, "top": 0.975}


def ident(text: str) -> str:
    """A name as an id of the page may be written."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def drawn(
    name: str,
    draw: Callable[[Any, Any], None],
    caption: str,
    alt: str,
    *,
    rows: int = 1,
    columns: int = 1,
    size: tuple[float, float] = (6.6, 4.5),
    **margins: float,
) -> Drawing:
    """A figure that is drawn when it is called.

    Parameters
    ----------
    name : str
        Its own on the page: what its ids begin with.
    draw : callable
        Given the figure and its axes, as ``Figure.subplots`` gives them.
    caption, alt : str
        What stands under it, and what is told to those who cannot see it.
    rows, columns, size
        Of the figure.
    **margins
        Of ``Figure.subplots_adjust``, where others are wanted.
    """

    def make() -> Plate:
        with canvas(rows, columns, size) as (figure, axes):
            figure.subplots_adjust(**{**_MARGINS, **margins})
            draw(figure, axes)
            tidy(figure)
            return Plate(to_svg(figure, ident(name)), caption, alt, columns > 2)

    return make


def tidy(figure: Any, most: int = 30) -> None:
    """Write short logarithmic axes out, and leave small ticks away where there are many, or several panels.

    Small ticks take most of the time of drawing.
    """
    from matplotlib.ticker import NullLocator

    crowded = len(figure.axes) > 2
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            if axis.get_scale() == "log" and high < _SHORT * low:
                log_axis(axis)
            if crowded or len(axis.get_minorticklocs()) > most:
                axis.set_minor_locator(NullLocator())


def criteria_lines(axes: Any) -> None:
    """Dotted lines at what is asked for, and at the target."""
    for height in (TARGET, POSITION):
        axes.axhline(height, color=GREY, linewidth=0.9, linestyle=":", zorder=0)


def bars(axes: Any, labels: Sequence[str], values: Sequence[float | None], colors: Sequence[str], head: str) -> None:
    """Horizontal bars on a logarithmic axis, each with its number; the first one on top."""
    places = np.arange(len(labels))[::-1]
    known = numbers(values)
    good = np.isfinite(known) & (known > 0.0)
    low = float(known[good].min()) if good.any() else 1.0
    for place, value, color, fine in zip(places, known, colors, good, strict=True):
        if fine:
            axes.barh(place, value, color=color, height=0.7, alpha=0.85)
        at = (float(value) if fine else low, place)
        axes.annotate(number(float(value)), at, xytext=(4, 0), va="center", fontsize=10, textcoords="offset points")
    axes.set_xscale("log")
    if good.any():
        axes.set_xlim(low / 3.0, float(known[good].max()) * 6.0)
    axes.set_yticks(places, labels, fontsize=11)
    axes.tick_params(axis="y", which="both", length=0)
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.set_xlabel(head)


def bars_figure(
    name: str, rows: Sequence[tuple[str, str, float | None]], head: str, caption: str, alt: str, left: float
) -> Drawing:
    """A figure of bars, as high as there are rows: label, colour and value of each."""
    labels, colors, values = (list(column) for column in zip(*rows, strict=True))
    return drawn(
        name,
        lambda _, axes: bars(axes, labels, values, colors, head),
        caption,
        alt,
        size=(6.6, 0.34 * len(rows) + 1.3),
        left=left,
        bottom=0.8 / (0.34 * len(rows) + 1.3),
    )


def heat(axes: Any, values: Array, rows: Sequence[str], columns: Sequence[str]) -> None:
    """A matrix of positive numbers, written into fields that are the darker the larger they are."""
    from matplotlib.colors import LogNorm

    good = np.isfinite(values) & (values > 0.0)
    low, high = (float(values[good].min()), float(values[good].max())) if good.any() else (0.5, 1.0)
    norm = LogNorm(low, max(high, low * 1.01))
    axes.imshow(np.ma.masked_where(~good, values), cmap="Blues", norm=norm, aspect="auto", interpolation="nearest")
    for (row, column), value in np.ndenumerate(values):
        dark = bool(good[row, column]) and float(norm(value)) > 0.6
        told = number(float(value))
        axes.text(column, row, told, ha="center", va="center", fontsize=11, color="white" if dark else INK)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(which="both", length=0)


def numbers(values: Sequence[Any]) -> Array:
    """Numbers, with NaN for None."""
    return np.array([np.nan if value is None else float(value) for value in values], np.float64)


def any_positive(values: Sequence[Any]) -> bool:
    """Whether a logarithmic axis has something to show."""
    found = numbers(values)
    return bool((found[np.isfinite(found)] > 0.0).any())
