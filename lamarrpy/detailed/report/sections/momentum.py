"""Momentum resolution of the three classes of tracks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from lamarrpy.detailed.report.columns import Columns
from lamarrpy.detailed.report.public import finding, points
from lamarrpy.detailed.report.sample import DOWNSTREAM, ETA_BINS, HADRONS, LONG, UPSTREAM, Sample
from lamarrpy.detailed.report.statistics import Measured, bin_rows, combine, evenly, half_width, ratio
from lamarrpy.page import (
    Figure,
    Finding,
    Section,
    canvas,
    log_axis,
    measured,
    published,
    target_band,
    to_svg,
)

_LONG_BINS = (3, 5, 8, 12, 20, 30, 50, 80, 100)
_UPSTREAM_BINS = (2, 5, 10, 20, 50)
_DOWNSTREAM_BINS = (3, 5, 12, 20, 50, 100)
_RANGE = (3.0, 100.0)
_WINDOW = 1.12
"""Factor between a public momentum and either end of the range of momenta that is set beside it."""


def momentum(sample: Sample) -> Section:
    """dp/p of hadrons, as the half-width about the median that holds 68 %."""
    hadrons = sample.tracks.at(np.isin(sample.tracks["pid"], HADRONS))
    classes = [hadrons.at(hadrons["track_type"] == kind) for kind in (LONG, UPSTREAM, DOWNSTREAM)]
    long, _, downstream = classes
    in_long, in_upstream, in_downstream = (
        _resolution(tracks, edges)
        for tracks, edges in zip(classes, (_LONG_BINS, _UPSTREAM_BINS, _DOWNSTREAM_BINS), strict=True)
    )
    ratios = _ratios(long)
    whole = downstream.at((downstream["p"] > _RANGE[0]) & (downstream["p"] < _RANGE[1]))
    return Section(
        "momentum",
        "Momentum resolution",
        "The half-width about the median that holds 68 % of (reconstructed less true) / true momentum, of pions, kaons"
        " and protons, every pseudorapidity between 2 and 5 counting the same; the true momentum is that at the origin."
        " The published curve holds what data add to a detector without flaws: only its shape is asked for. "
        "Upstream tracks see nothing but the fringe of the magnet.",
        [
            *_in_words("dp_over_p.long", in_long, _LONG_BINS),
            *_against_published(ratios),
            *_in_words("dp_over_p.upstream", in_upstream, _UPSTREAM_BINS),
            finding("dp_over_p.downstream", _width(whole)),
            *_in_words("dp_over_p.downstream", in_downstream, _DOWNSTREAM_BINS),
        ],
        [
            partial(_long_figure, in_long),
            partial(_ratio_figure, ratios),
            partial(_class_figure, "upstream", "Upstream", in_upstream, _UPSTREAM_BINS, (10.0, 40.0)),
            partial(_class_figure, "downstream", "Downstream", in_downstream, _DOWNSTREAM_BINS, (0.6, 1.0)),
        ],
    )


def _resolution(tracks: Columns, edges: Sequence[float]) -> list[Measured]:
    """Per cent, in bins of the true momentum."""
    return [_width(tracks.at(rows)) for rows in bin_rows(tracks["p"], edges)]


def _width(tracks: Columns) -> Measured:
    """Per cent, every pseudorapidity counting the same."""
    return half_width(tracks["dp_over_p"], evenly(tracks["eta"], ETA_BINS)).times(100.0)


def _in_words(name: str, figures: list[Measured], edges: Sequence[int]) -> list[Finding]:
    return [
        finding(f"{name}.{low}_{high}gev", figure, of=f"{name}.bins|{low} to {high} GeV")
        for figure, low, high in zip(figures, edges[:-1], edges[1:], strict=True)
    ]


def _ratios(long: Columns) -> list[Measured]:
    """The resolution around each public momentum over the published one."""
    known = points("dp_over_p_published")
    near = [long.at(np.abs(np.log(long["p"] / p)) < np.log(_WINDOW)) for p in known.x]
    return [_width(tracks).times(1.0 / y) for tracks, y in zip(near, known.y, strict=True)]


def _against_published(ratios: list[Measured]) -> list[Finding]:
    """The mean ratio to the published curve, and the largest deviation from it."""
    mean = combine(ratios, [1.0] * len(ratios))
    away = [ratio(each, Measured(mean.value, 0.0, mean.entries)) for each in ratios]
    worst = max(away, key=lambda each: abs(each.value - 1.0) if each.value is not None else np.inf)
    where = points("dp_over_p_published").x[away.index(worst)]
    deviation = worst if worst.value is None else worst._replace(value=abs(worst.value - 1.0))
    return [
        finding("dp_over_p.long.factor", mean),
        finding("dp_over_p.long.deviation", deviation, note=f"at {where:g} GeV" if deviation.value is not None else ""),
    ]


def _long_figure(figures: list[Measured]) -> Figure:
    surrogate, curve = points("dp_over_p_long"), points("dp_over_p_published")
    with canvas() as (figure, axes):
        target_band(axes, _RANGE, 0.28, 0.65)
        _draw(axes, figures, _LONG_BINS)
        published(axes, surrogate.x, surrogate.y, "LHCb full simulation, core")
        published(axes, curve.x, curve.y, "published, tails included", color="#8a93a0")
        log_axis(axes.xaxis)
        axes.set(xlabel="p [GeV]", ylabel="δp/p [%]", ylim=(0.0, 1.3))
        axes.legend(loc="upper left")
        svg = to_svg(figure, "momentum-long")
    return Figure(
        svg,
        f"Long hadrons. LHCb full simulation: {surrogate.caption}. Published: {curve.caption}.",
        "Momentum resolution of Long tracks against momentum",
    )


def _ratio_figure(ratios: list[Measured]) -> Figure:
    known, mean = points("dp_over_p_published"), combine(ratios, [1.0] * len(ratios))
    with canvas() as (figure, axes):
        if mean.value is not None:
            target_band(axes, (4.5, 270.0), 0.75 * mean.value, 1.25 * mean.value, "25 % around the mean")
            axes.axhline(mean.value, color="#2f7d4f", linewidth=1.0)
        measured(axes, known.x, ratios, "simulation / published")
        log_axis(axes.xaxis)
        axes.set(xlabel="p [GeV]", ylabel="ratio of δp/p", ylim=(0.0, 1.3))
        axes.legend(loc="lower left")
        svg = to_svg(figure, "momentum-ratio")
    return Figure(
        svg,
        f"Long hadrons within {100 * (_WINDOW - 1):.0f} % of each published momentum, over {known.caption}.",
        "Ratio of the momentum resolution to the published curve",
    )


def _class_figure(
    key: str, name: str, figures: list[Measured], edges: Sequence[float], band: tuple[float, float]
) -> Figure:
    known = points(f"dp_over_p_{key}")
    with canvas() as (figure, axes):
        target_band(axes, (edges[0], edges[-1]), *band)
        _draw(axes, figures, edges)
        published(axes, known.x, known.y, "LHCb full simulation")
        log_axis(axes.xaxis)
        axes.set(xlabel="p [GeV]", ylabel="δp/p [%]")
        axes.set_ylim(bottom=0.0)
        axes.legend()
        svg = to_svg(figure, f"momentum-{key}")
    return Figure(
        svg, f"{name} hadrons. LHCb full simulation: {known.caption}.", f"Momentum resolution of {name} tracks"
    )


def _draw(axes: Any, figures: list[Measured], edges: Sequence[float]) -> None:
    low, high = np.array(edges[:-1], float), np.array(edges[1:], float)
    centre = np.sqrt(low * high)
    measured(axes, centre, figures, "simulation", np.array([centre - low, high - centre]))
