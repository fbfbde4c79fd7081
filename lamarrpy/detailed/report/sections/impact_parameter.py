"""Position resolution at the point closest to the beam."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lamarrpy.detailed.report.columns import Columns
from lamarrpy.detailed.report.public import finding, points
from lamarrpy.detailed.report.sample import ETA_BINS, HADRONS, LONG, Sample
from lamarrpy.detailed.report.statistics import Measured, bin_rows, evenly, half_width, quantile, ratio
from lamarrpy.page import (
    Figure,
    Finding,
    Section,
    canvas,
    curve,
    log_axis,
    measured,
    published,
    target_band,
    to_svg,
)

_EDGES = (0.25, 0.35, 0.45, 0.6, 0.85, 1.25, 1.75, 2.5, 4.0, 7.0)
"""Bins of pT [GeV]."""

_CONSTANT, _SCATTERING = 12.0, 29.0
"""The expected resolution is one [um] in quadrature with the other [um GeV] over pT."""

_VERTICAL = 0.25
"""Distance [rad] to phi = +-pi/2 within which a track is where the halves of the VELO overlap."""


def impact_parameter(sample: Sample) -> Section:
    """sigma(x) and sigma(y) of prompt Long hadrons against pT and phi, and the correlation of x and tx."""
    long = sample.tracks.at(sample.tracks["track_type"] == LONG)
    hadrons = long.at(np.isin(long["pid"], HADRONS) & long["prompt"])
    hadrons = hadrons.at((hadrons["pt"] > _EDGES[0]) & (hadrons["pt"] < _EDGES[-1]))
    return Section(
        "impact_parameter",
        "Position at the beam",
        "Residuals of prompt Long hadrons at the point closest to the beam. True and reconstructed track are compared"
        " at the z of the reconstructed point, where its covariance holds; the half-width that holds 68 % is given"
        " over 12 µm ⊕ 29 µm/pT[GeV] of each track, so that the width of a bin of pT does not matter, and every"
        " pseudorapidity between 2 and 5 counts the same.",
        [
            *_in_words("x", hadrons),
            *_in_words("y", hadrons),
            finding("sigma_x.vertical_over_rest", _vertical(hadrons), note="x and y together"),
            finding("rho_x_tx.long", quantile(long["rho_x_tx"][~long["ghost"]], 0.5)),
        ],
        [
            partial(_width_figure, hadrons),
            partial(_ratio_figure, hadrons),
            partial(_phi_figure, hadrons),
            partial(_correlation_figure, long),
        ],
    )


def expected(pt: ArrayLike) -> NDArray[np.float64]:
    """The public resolution [um] at a pT [GeV]: 12 um in quadrature with 29 um GeV / pT."""
    return np.asarray(np.hypot(_CONSTANT, _SCATTERING / np.asarray(pt, np.float64)))


def _scaled(hadrons: Columns, axis: str) -> NDArray[np.float64]:
    """Residuals in units of the expected resolution."""
    return 1e3 * hadrons[f"d{axis}"] / expected(hadrons["pt"])


def _widths(residuals: ArrayLike, hadrons: Columns, column: str, edges: ArrayLike) -> list[Measured]:
    """Half-widths of residuals in bins of a column, every pseudorapidity counting the same."""
    residuals = np.asarray(residuals)
    weights = [(rows, evenly(hadrons["eta"][rows], ETA_BINS)) for rows in bin_rows(hadrons[column], edges)]
    return [half_width(residuals[rows], of_rows) for rows, of_rows in weights]


def _in_words(axis: str, hadrons: Columns) -> list[Finding]:
    figures = _widths(_scaled(hadrons, axis), hadrons, "pt", _EDGES)
    return [
        finding(
            f"sigma_{axis}.{1e3 * low:.0f}_{1e3 * high:.0f}mev",
            figure,
            of=f"sigma_{axis}.bins|pT {low:g} to {high:g} GeV",
        )
        for figure, low, high in zip(figures, _EDGES[:-1], _EDGES[1:], strict=True)
    ]


def _is_vertical(hadrons: Columns) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = np.abs(np.abs(hadrons["phi"]) - np.pi / 2) < _VERTICAL
    return near


def _vertical(hadrons: Columns) -> Measured:
    widths = []
    for rows in (_is_vertical(hadrons), ~_is_vertical(hadrons)):
        some = hadrons.at(rows)
        both = np.concatenate([_scaled(some, axis) for axis in "xy"])
        widths.append(half_width(both, np.tile(evenly(some["eta"], ETA_BINS), 2)))
    return ratio(*widths)


def _centres() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    low, high = np.array(_EDGES[:-1]), np.array(_EDGES[1:])
    centre = np.sqrt(low * high)
    return centre, np.array([centre - low, high - centre])


def _width_figure(hadrons: Columns) -> Figure:
    known = points("sigma_x")
    centre, widths = _centres()
    p_t = np.geomspace(0.22, 7.5, 100)
    with canvas() as (figure, axes):
        target_band(axes, p_t, 0.8 * expected(p_t), 1.2 * expected(p_t), "target, 20 %")
        curve(axes, p_t, expected(p_t), "12 ⊕ 29/pT µm", color="#2f7d4f")
        for series, axis in enumerate("xy"):
            found = _widths(1e3 * hadrons[f"d{axis}"], hadrons, "pt", _EDGES)
            measured(axes, centre, found, f"$\\sigma$({axis}), simulation", widths, series)
        published(axes, known.x, known.y, "LHCb full simulation")
        log_axis(axes.xaxis)
        log_axis(axes.yaxis)
        axes.set(xlabel="pT [GeV]", ylabel="resolution [µm]", ylim=(8.0, 220.0))
        axes.legend()
        svg = to_svg(figure, "position-width")
    return Figure(svg, f"Prompt Long hadrons. LHCb full simulation: {known.caption}.", "Position resolution against pT")


def _ratio_figure(hadrons: Columns) -> Figure:
    centre, widths = _centres()
    with canvas() as (figure, axes):
        target_band(axes, (_EDGES[0], _EDGES[-1]), 0.8, 1.2)
        axes.axhline(1.0, color="#2f7d4f", linewidth=1.0)
        for series, axis in enumerate("xy"):
            found = _widths(_scaled(hadrons, axis), hadrons, "pt", _EDGES)
            measured(axes, centre, found, f"$\\sigma$({axis})", widths, series)
        log_axis(axes.xaxis)
        axes.set(xlabel="pT [GeV]", ylabel="resolution / (12 ⊕ 29/pT µm)", ylim=(0.5, 1.6))
        axes.legend()
        svg = to_svg(figure, "position-ratio")
    return Figure(svg, "The same over the expected resolution of each track.", "Resolution over expectation against pT")


def _phi_figure(hadrons: Columns) -> Figure:
    edges = np.linspace(-np.pi, np.pi, 33)
    with canvas() as (figure, axes):
        for series, axis in enumerate("xy"):
            found = _widths(_scaled(hadrons, axis), hadrons, "phi", edges)
            centre = 0.5 * (edges[1:] + edges[:-1])
            measured(axes, centre, found, f"$\\sigma$({axis})", series=series)
        for at in (-np.pi / 2, np.pi / 2):
            axes.axvspan(at - _VERTICAL, at + _VERTICAL, color="#8a93a0", alpha=0.18, linewidth=0.0)
        axes.set(xlabel="φ [rad]", ylabel="resolution / (12 ⊕ 29/pT µm)", ylim=(0.5, 1.8))
        axes.legend(ncols=2)
        svg = to_svg(figure, "position-phi")
    return Figure(
        svg,
        "Against azimuth. Shaded: where the halves of the VELO overlap and the RF foil is thickest.",
        "Resolution over expectation against phi",
    )


def _correlation_figure(long: Columns) -> Figure:
    edges = np.linspace(-1.0, 0.0, 51)
    with canvas() as (figure, axes):
        for name, colour, what in (
            ("rho_x_tx", "#1f4e8c", r"$\rho$(x, tx)"),
            ("rho_y_ty", "#b3362b", r"$\rho$(y, ty)"),
        ):
            axes.hist(long[name][~long["ghost"]], edges, histtype="step", color=colour, label=what, linewidth=1.5)
        axes.axvline(-0.85, color="#2f7d4f", linestyle="--", linewidth=1.2, label="median at most")
        axes.set(xlabel="correlation", ylabel="Long tracks")
        axes.legend()
        svg = to_svg(figure, "position-correlation")
    return Figure(
        svg,
        "Correlation of position and slope in the covariance of Long tracks; LHCb full simulation (Surrogate):"
        " median -0.96, 5 to 95 % quantiles -0.98 to -0.87 (confidence: medium).",
        "Correlation of position and slope",
    )
