"""The standard plots of a network as figures of the page, and the most telling ones small on one sheet."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

from lamarrpy.page.drawing import canvas
from lamarrpy.study.page.content import Picture
from lamarrpy.study.page.drawn import Drawing, drawn, tidy
from lamarrpy.study.page.outputs import JobFiles, Residuals
from lamarrpy.study.page.standard import (
    INPUTS,
    correlation,
    learning_curves,
    mean_map,
    momentum_dependence,
    pull_histogram,
    pulls_of,
    residual_histogram,
    residual_map,
)
from lamarrpy.tracks.accuracy import OUTPUTS

_FOUR: dict[str, Any] = {
    "rows": 2, "columns": 2, "size": (8.0, 6.2),
    "left": 0.12, "right": 0.985, "bottom": 0.1, "wspace": 0.3, "hspace": 0.34,
}  # fmt: skip
"""Four panels, one an output."""

_DPI, _SHADES = 70, 128


def standard_figures(job: JobFiles) -> list[Drawing]:
    """The six plots, each drawn when it is called; those without anything to draw are left out."""
    found = [_curves(job)]
    if job.metrics["bins"]:
        found.append(_momentum(job))
    if job.residuals is not None:
        found += [_residuals(job, job.residuals), _pulls(job, job.residuals)]
        found += [_maps(job, job.residuals, output) for output in (0, 1)]
        found.append(_correlations(job, job.residuals))
    return found


def sheet(job: JobFiles) -> Picture:
    """All six small as one PNG, for x."""
    with canvas(2, 3, (14.0, 7.4)) as (figure, axes):
        figure.subplots_adjust(left=0.06, right=0.985, bottom=0.09, top=0.985, wspace=0.24, hspace=0.27)
        places = list(axes.flat)
        learning_curves(places[0], job.history["entries"])
        momentum_dependence(places[1], job.metrics["bins"])
        if job.residuals is None:
            for place in places[2:]:
                place.set_axis_off()
        else:
            _small(places[2:], job.residuals)
        tidy(figure)
        return Picture(_png(figure), f"learning curves, errors, maps and pulls of {job.name}")


def _small(places: list[Any], residuals: Residuals) -> None:
    residual_histogram(places[0], residuals, 0)
    residual_map(places[1], residuals, 0, 4)
    pull_histogram(places[2], pulls_of(residuals)[0], 0)
    correlation(places[3], residuals, 0)


def _png(figure: Any) -> str:
    """A figure as PNG of few colours, in base64."""
    from PIL import Image

    raw, small = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", dpi=_DPI)
    raw.seek(0)
    with Image.open(raw) as image:
        few = image.convert("RGB").quantize(_SHADES, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode("ascii")


def _each_output(draw: Callable[[Any, int], None]) -> Callable[[Any, Any], None]:
    """What is drawn into four panels."""

    def into(figure: Any, axes: Any) -> None:
        for output, place in enumerate(axes.flat):
            draw(place, output)

    return into


def _curves(job: JobFiles) -> Drawing:
    same = "in the unit of an MLP's or a PINN's loss"
    if job.family == "rk_pinn":
        same = (
            "while its training loss is in other units: ends in tens of µm (data), and the guessed force against the"
            " one that its sweeps arrive at (equation of motion)"
        )
    caption = (
        f"{job.name}: learning curves, parts without their weights. The validation score is the mean squared error in"
        f" units of the sample's spread, {same}."
    )
    entries = job.history["entries"]
    return drawn(
        f"{job.name}-curves", lambda _, axes: learning_curves(axes, entries), caption, f"learning curves of {job.name}"
    )


def _momentum(job: JobFiles) -> Drawing:
    def draw(figure: Any, axes: Any) -> None:
        for place, slopes in zip(axes, (False, True), strict=True):
            momentum_dependence(place, job.metrics["bins"], slopes)

    caption = f"{job.name}: errors on test tracks by momentum; dotted the criteria of 10 and 1 µm or µrad."
    return drawn(
        f"{job.name}-momentum", draw, caption, f"errors of {job.name} by momentum",
        columns=2, size=(8.0, 5.4), left=0.1, bottom=0.125, wspace=0.32,
    )  # fmt: skip


def _residuals(job: JobFiles, residuals: Residuals) -> Drawing:
    caption = (
        f"{job.name}: predicted less true on {len(residuals.p):,} test tracks, within four times half of the central"
        " 68 %."
    )
    draw = _each_output(lambda place, output: residual_histogram(place, residuals, output))
    return drawn(f"{job.name}-residuals", draw, caption, f"residuals of {job.name}", **_FOUR)


def _pulls(job: JobFiles, residuals: Residuals) -> Drawing:
    pulls, own = pulls_of(residuals)
    how = "over the error that the network tells"
    if not own:
        how = (
            "over half of the central 68 % of other tracks of their momentum, as this network tells no error: the shape"
            " is what counts, the width is one by construction"
        )
    caption = f"{job.name}: pulls, {how}. The line is the normal density."
    draw = _each_output(lambda place, output: pull_histogram(place, pulls, output))
    return drawn(f"{job.name}-pulls", draw, caption, f"pulls of {job.name}", **_FOUR)


def _maps(job: JobFiles, residuals: Residuals, output: int) -> Drawing:
    def draw(figure: Any, axes: Any) -> None:
        places = list(axes.flat)
        for variable in range(len(INPUTS)):
            residual_map(places[variable], residuals, output, variable, label=variable % 3 == 0)
        mean_map(places[-1], residuals, output)

    caption = (
        f"{job.name}: error of {OUTPUTS[output]} against each input, with its median and central 68 % (red), and its"
        " mean over the plane where tracks start."
    )
    return drawn(
        f"{job.name}-map-{OUTPUTS[output]}", draw, caption, f"error of {OUTPUTS[output]} of {job.name} by input",
        rows=2, columns=3, size=(12.0, 6.6), left=0.07, right=0.965, bottom=0.09, wspace=0.25, hspace=0.3,
    )  # fmt: skip


def _correlations(job: JobFiles, residuals: Residuals) -> Drawing:
    caption = (
        f"{job.name}: predicted against true deviation from the straight line, and the part of its variance that is not"
        " explained."
    )
    draw = _each_output(lambda place, output: correlation(place, residuals, output))
    return drawn(f"{job.name}-correlation", draw, caption, f"predicted against true of {job.name}", **_FOUR)
