"""Resolution of primary vertices."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.report.columns import Columns
from lamarrpy.detailed.report.public import finding, points
from lamarrpy.detailed.report.sample import Sample
from lamarrpy.detailed.report.statistics import half_width, in_bins
from lamarrpy.page import Figure, Section, canvas, measured, published, target_band, to_svg

_TRACKS = 25
_RANGE = (20, 30)
"""Numbers of tracks, first and last, of the vertices that stand for 25."""

_EDGES = np.array([4.5, 7.5, 10.5, 13.5, 16.5, 20.5, 24.5, 29.5, 36.5, 45.5, 60.5])


def vertices(sample: Sample) -> Section:
    """Residuals of reconstructed vertices of events of pp collisions, against their number of tracks."""
    found = sample.vertices.at(sample.vertices["collisions"])
    near = found.at((found["n_tracks"] >= _RANGE[0]) & (found["n_tracks"] <= _RANGE[1]))
    return Section(
        "vertices",
        "Primary vertices",
        "Reconstructed less true position of the vertices of events of pp collisions: the half-width about the median"
        f" that holds 68 %. Vertices of {_RANGE[0]} to {_RANGE[1]} tracks stand for 25, the residual of each scaled"
        " by √(tracks / 25).",
        [finding(f"primary_vertex.{axis}", half_width(_scaled(near, axis)).times(1e3)) for axis in "xyz"],
        [
            partial(_figure, found, "xy", "transverse", r"$\sigma$(x), $\sigma$(y) [µm]", (10.4, 15.6)),
            partial(_figure, found, "z", "z", r"$\sigma$(z) [µm]", (56.8, 85.2)),
        ],
    )


def _scaled(near: Columns, axis: str) -> NDArray[np.float64]:
    """Residuals as those of a vertex of 25 tracks."""
    return np.asarray(near[f"d{axis}"] * np.sqrt(near["n_tracks"] / _TRACKS))


def _figure(found: Columns, axes_of: str, key: str, label: str, band: tuple[float, float]) -> Figure:
    known, formula = points(f"primary_vertex_{key}"), points(f"rapidsim_{key}")
    centre = np.array([np.mean(np.arange(np.ceil(a), b)) for a, b in pairwise(_EDGES)])
    with canvas() as (figure, axes):
        target_band(axes, _RANGE, *band)
        for number, axis in enumerate(axes_of):
            widths = [w.times(1e3) for w in in_bins(found[f"d{axis}"], found["n_tracks"], _EDGES, half_width)]
            spread = np.array([centre - _EDGES[:-1], _EDGES[1:] - centre])
            measured(axes, centre, widths, f"{axis}, simulation", spread, number)
        published(axes, formula.x, formula.y, "RapidSim", color="#8a93a0")
        published(axes, known.x, known.y, "published")
        axes.set(xlabel="tracks of the vertex", ylabel=label)
        axes.set_ylim(bottom=0.0)
        axes.legend()
        svg = to_svg(figure, f"vertices-{key}")
    return Figure(
        svg, f"Published: {known.caption}. RapidSim: {formula.caption}.", f"Resolution of vertices, {axes_of}"
    )
