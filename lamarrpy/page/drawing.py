"""Plots in one style: what was measured, what is published, and the band it has to lie in."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure as MatplotlibFigure

SERIES = ("#1f4e8c", "#b3362b", "#2f7d4f", "#8a5a00", "#6a3d9a", "#0f7f8c")
"""Colours of what was measured, in order of their appearance."""

PUBLISHED = "#e07b00"
"""Colour of public figures."""

_STYLE: Any = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 13.0,
    "axes.labelsize": 14.0,
    "axes.linewidth": 1.1,
    "axes.xmargin": 0.03,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "xtick.major.size": 6.0,
    "ytick.major.size": 6.0,
    "xtick.minor.size": 3.0,
    "ytick.minor.size": 3.0,
    "legend.frameon": False,
    "legend.fontsize": 11.5,
    "svg.fonttype": "path",
    "figure.subplot.left": 0.16,
    "figure.subplot.right": 0.98,
    "figure.subplot.bottom": 0.145,
    "figure.subplot.top": 0.975,
}


class Estimate(Protocol):
    """A figure and its error, None if there is none."""

    @property
    def value(self) -> float | None:
        """The figure."""

    @property
    def error(self) -> float | None:
        """Its statistical error."""


@contextmanager
def canvas(rows: int = 1, columns: int = 1, size: tuple[float, float] = (6.0, 4.2)) -> Iterator[tuple[Any, Any]]:
    """A figure and its axes in the style of the page, forgotten afterwards.

    Yields
    ------
    figure, axes
        The axes as ``Figure.subplots`` gives them.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure as MatplotlibFigure

    with mpl.rc_context(_STYLE):
        figure = MatplotlibFigure(figsize=size)
        yield figure, figure.subplots(rows, columns)


def to_svg(figure: MatplotlibFigure, name: str) -> str:
    """A figure as an SVG element to stand in HTML; its ids begin with the name and so collide with no other."""
    import matplotlib as mpl

    text = io.StringIO()
    style: Any = {**_STYLE, "svg.hashsalt": f"lamarrpy-{name}"}
    with mpl.rc_context(style):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = text.getvalue()[text.getvalue().index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    return re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"([^>]*?) (?:width|height)="[^"]*"', r"\1\2", svg, count=1)


def log_axis(axis: Axis) -> None:
    """Make an axis logarithmic, with 1, 2 and 5 of each decade written out."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    (axis.axes.set_xscale if axis is axis.axes.xaxis else axis.axes.set_yscale)("log")
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(LogLocator(subs=range(1, 10)))
    axis.set_minor_formatter(NullFormatter())


def measured(
    axes: Axes,
    x: ArrayLike,
    figures: Sequence[Estimate],
    label: str,
    widths: ArrayLike | None = None,
    series: int = 0,
) -> None:
    """Draw what the simulation gives, as points with errors; None is left out."""
    y, dy = (_numbers([getattr(each, name) for each in figures]) for name in ("value", "error"))
    there = np.isfinite(y)
    spread = None if widths is None else np.asarray(widths, float)[..., there]
    axes.errorbar(
        np.asarray(x, float)[there],
        y[there],
        yerr=np.nan_to_num(dy[there]),
        xerr=spread,
        fmt="osD^vP"[series % 6],
        color=SERIES[series % len(SERIES)],
        markersize=4.5,
        linewidth=1.3,
        label=label,
        zorder=3,
    )


def published(axes: Axes, x: ArrayLike, y: ArrayLike, label: str, color: str = PUBLISHED) -> None:
    """Draw public figures, as open squares."""
    style: dict[str, Any] = {
        "marker": "s",
        "markerfacecolor": "white",
        "markeredgewidth": 1.5,
        "markersize": 6.0,
    }
    axes.plot(np.asarray(x, float), np.asarray(y, float), linestyle=":", color=color, label=label, zorder=2, **style)


def curve(axes: Axes, x: ArrayLike, y: ArrayLike, label: str, color: str = PUBLISHED, dashes: str = "-") -> None:
    """Draw a public figure that is a formula, as a line."""
    axes.plot(np.asarray(x, float), np.asarray(y, float), color=color, linestyle=dashes, linewidth=1.8, label=label)


def target_band(axes: Axes, x: ArrayLike, low: ArrayLike, high: ArrayLike, label: str = "target") -> None:
    """Shade where the points have to lie."""
    x, low, high = (np.asarray(values, float) for values in (x, low, high))
    axes.fill_between(
        x, np.broadcast_to(low, x.shape), np.broadcast_to(high, x.shape), color="#2f7d4f", alpha=0.16, linewidth=0.0,
        label=label, zorder=0,
    )  # fmt: skip


def _numbers(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], np.float64)
