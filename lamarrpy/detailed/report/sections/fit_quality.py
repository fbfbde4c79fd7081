"""How well the fit knows its errors: degrees of freedom, chi2 and pulls."""

from __future__ import annotations

from functools import partial

import numpy as np

from lamarrpy.detailed.report.columns import Columns
from lamarrpy.detailed.report.public import finding, points
from lamarrpy.detailed.report.sample import DOWNSTREAM, ELECTRON, LONG, UPSTREAM, Sample
from lamarrpy.detailed.report.statistics import core_mean, half_width, in_bins, quantile
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
from lamarrpy.page.drawing import SERIES
from lamarrpy.tables.schemas import STATE

_CLASSES = {"long": LONG, "upstream": UPSTREAM, "downstream": DOWNSTREAM}
_IN_WORDS = {"x": "x", "y": "y", "tx": "tx", "ty": "ty", "qop": "q/p"}
_P_EDGES = (2, 3, 5, 8, 12, 20, 30, 50, 80, 120)


def fit_quality(sample: Sample) -> Section:
    """Degrees of freedom, chi2 per degree and pulls of the tracks of particles, electrons aside."""
    tracks = sample.tracks.at(~sample.tracks["ghost"] & (sample.tracks["pid"] != ELECTRON))
    classes = {name: tracks.at(tracks["track_type"] == kind) for name, kind in _CLASSES.items()}
    return Section(
        "fit_quality",
        "Track fit",
        "Tracks of hadrons and muons, decays in flight and interactions included; electrons, whose bremsstrahlung no"
        " covariance covers, are left out. The width of a pull is the half-width about its median that holds 68 %;"
        " its mean is that of what lies within three of zero.",
        [
            *(finding(f"ndof.{name}", quantile(rows["ndof"], 0.5)) for name, rows in classes.items()),
            finding("chi2_per_dof.long.median", quantile(classes["long"]["chi2_per_dof"], 0.5)),
            finding("chi2_per_dof.long.q95", quantile(classes["long"]["chi2_per_dof"], 0.95)),
            finding("chi2_per_dof.upstream.median", quantile(classes["upstream"]["chi2_per_dof"], 0.5)),
            finding("chi2_per_dof.downstream.median", quantile(classes["downstream"]["chi2_per_dof"], 0.5)),
            *(each for name, rows in classes.items() for each in _pulls(name, rows)),
        ],
        [
            partial(_quantile_figure, "ndof", "degrees of freedom", classes, (0.0, 50.0)),
            partial(_quantile_figure, "chi2_per_dof", "χ²/ndof", classes, (0.0, 3.0)),
            partial(_pull_figure, classes["long"]),
            partial(_width_figure, classes["long"]),
        ],
    )


def _pulls(name: str, tracks: Columns) -> list[Finding]:
    """Width and mean of the pulls of the five parameters."""
    out = []
    for what, figure in (("pull_width", half_width), ("pull_mean", core_mean)):
        for parameter in STATE:
            found = figure(tracks[f"pull_{parameter}"])
            out.append(finding(f"{what}.{name}.{parameter}", found, of=f"{what}.{name}|{_IN_WORDS[parameter]}"))
    return out


def _quantile_figure(column: str, label: str, classes: dict[str, Columns], limits: tuple[float, float]) -> Figure:
    known = points(column)
    with canvas() as (figure, axes):
        for number, (name, tracks) in enumerate(classes.items()):
            values = np.sort(tracks[column])
            if len(values):
                share = (np.arange(len(values)) + 0.5) / len(values)
                step = max(len(values) // 2000, 1)
                axes.plot(values[::step], share[::step], color=SERIES[number], linewidth=1.5, label=name.capitalize())
        published(axes, known.y, known.x, "LHCb full simulation, Long")
        axes.set(xlabel=label, ylabel="share of tracks below", xlim=limits, ylim=(0.0, 1.02))
        axes.legend(loc="lower right")
        svg = to_svg(figure, f"fit-{column.replace('_', '-')}")
    return Figure(svg, f"LHCb full simulation: {known.caption}.", f"Distribution of {label} by class of track")


def _pull_figure(long: Columns) -> Figure:
    edges = np.linspace(-5.0, 5.0, 61)
    centre = 0.5 * (edges[1:] + edges[:-1])
    with canvas() as (figure, axes):
        for number, parameter in enumerate(STATE):
            density = np.histogram(long[f"pull_{parameter}"], edges)[0] / max(long.rows, 1) / (edges[1] - edges[0])
            label = _IN_WORDS[parameter]
            axes.step(centre, density, where="mid", color=SERIES[number], linewidth=1.3, label=label)
        axes.plot(centre, np.exp(-(centre**2) / 2) / np.sqrt(2 * np.pi), "k--", linewidth=1.2, label="normal")
        axes.set(xlabel="(reconstructed \N{MINUS SIGN} true) / error", ylabel="density", yscale="log", ylim=(2e-4, 3.0))
        axes.legend(ncols=3, loc="upper center")
        svg = to_svg(figure, "fit-pulls")
    return Figure(svg, "Pulls of the five parameters of Long tracks, and the normal distribution.", "Pulls")


def _width_figure(long: Columns) -> Figure:
    centre = np.sqrt(np.array(_P_EDGES[:-1], float) * np.array(_P_EDGES[1:]))
    with canvas() as (figure, axes):
        target_band(axes, (_P_EDGES[0], _P_EDGES[-1]), 0.9, 1.1, "target of the whole")
        for number, parameter in enumerate(STATE):
            found = in_bins(long[f"pull_{parameter}"], long["p"], _P_EDGES, half_width)
            shifted = centre * 1.02 ** (number - 2)
            measured(axes, shifted, found, _IN_WORDS[parameter], series=number)
        log_axis(axes.xaxis)
        axes.set(xlabel="p [GeV]", ylabel="width of the pull", ylim=(0.7, 1.5))
        axes.legend(ncols=3)
        svg = to_svg(figure, "fit-pull-widths")
    return Figure(svg, "Width of the pulls of Long tracks against momentum.", "Pull widths against momentum")
