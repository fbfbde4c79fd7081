"""Tracks of no particle, and the classifier against them."""

from __future__ import annotations

from functools import partial

import numpy as np

from lamarrpy.detailed.report.columns import Columns
from lamarrpy.detailed.report.public import finding
from lamarrpy.detailed.report.sample import LONG, Sample
from lamarrpy.detailed.report.statistics import in_bins, share
from lamarrpy.page import Figure, Section, canvas, measured, to_svg
from lamarrpy.page.drawing import SERIES

_CUT = 0.4
"""Largest ghost_prob of a good track."""

_OCCUPANCY = (0, 50, 100, 150, 200, 250, 300, 400, 600)


def ghosts(sample: Sample) -> Section:
    """Shares of ghosts among Long tracks in events of pp collisions, before and after the classifier."""
    long = sample.tracks.at((sample.tracks["track_type"] == LONG) & sample.tracks["collisions"])
    kept = long.at(long["ghost_prob"] < _CUT)
    return Section(
        "ghosts",
        "Ghost tracks",
        "Long tracks in events of pp collisions that no particle left, before and after ghost_prob < 0.4, and the"
        " share of the others that this costs. Events of particle guns do not count: their occupancy is not that"
        " of collisions.",
        [
            finding("ghosts.long.before", share(long["ghost"])),
            finding("ghosts.long.after", share(kept["ghost"])),
            finding("ghosts.long.signal_loss", share(long.at(~long["ghost"])["ghost_prob"] >= _CUT)),
        ],
        [partial(_probability_figure, long), partial(_occupancy_figure, long)],
    )


def _probability_figure(long: Columns) -> Figure:
    edges = np.linspace(0.0, 1.0, 41)
    with canvas() as (figure, axes):
        for ghost, label in ((False, "tracks of particles"), (True, "ghosts")):
            values = long["ghost_prob"][long["ghost"] == ghost]
            counts = np.histogram(values, edges)[0] / max(len(values), 1)
            axes.stairs(np.maximum(counts, 1e-6), edges, color=SERIES[ghost], label=label, linewidth=1.6)
        axes.axvline(_CUT, color="#2f7d4f", linestyle="--", linewidth=1.2, label="cut")
        axes.set(xlabel="ghost_prob", ylabel="share a bin", yscale="log", ylim=(2e-4, 2.0))
        axes.legend()
        svg = to_svg(figure, "ghosts-probability")
    return Figure(svg, "The classifier's answer for Long tracks, each kind normalised.", "Distribution of ghost_prob")


def _occupancy_figure(long: Columns) -> Figure:
    kept = long.at(long["ghost_prob"] < _CUT)
    centre = 0.5 * (np.array(_OCCUPANCY[1:]) + np.array(_OCCUPANCY[:-1]))
    with canvas() as (figure, axes):
        for number, (rows, label) in enumerate(((long, "all"), (kept, "ghost_prob < 0.4"))):
            found = in_bins(rows["ghost"], rows["occupancy"], _OCCUPANCY, share)
            measured(axes, centre, found, label, series=number)
        axes.axhspan(0.06, 0.20, color=SERIES[0], alpha=0.10, linewidth=0.0, label="target before, all events")
        axes.axhspan(0.03, 0.10, color=SERIES[1], alpha=0.12, linewidth=0.0, label="target after, all events")
        axes.set(xlabel="tracks of the event", ylabel="ghosts among Long tracks", ylim=(0.0, 0.4))
        axes.legend(loc="upper left")
        svg = to_svg(figure, "ghosts-occupancy")
    return Figure(
        svg,
        "Against the number of tracks of the event. Public: 6.5 % in minimum bias to 20 % at high multiplicity,"
        " about halved by the cut (PERF; confidence: high).",
        "Share of ghosts against tracks of the event",
    )
