"""ProbNN beside what calibration data give."""

from __future__ import annotations

import csv
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.report.columns import Columns
from lamarrpy.detailed.report.identity import SPECIES
from lamarrpy.detailed.report.public import finding
from lamarrpy.detailed.report.sample import LONG, Sample
from lamarrpy.detailed.report.statistics import combine, evenly, in_bins, share
from lamarrpy.page import Figure, Finding, Section, canvas, to_svg
from lamarrpy.page.drawing import PUBLISHED, SERIES

_BINS = ((0, 40), (40, 80), (80, 120))
_EDGES_OF = {0: (2, 6, 10, 15, 20, 25, 30, 35, 40), 40: (40, 50, 60, 70, 80), 80: (80, 100, 120)}
_CUTS = (20, 50)
"""Bins of p [GeV], and cuts in per cent."""

_LEAST = 2.0
"""Momentum [GeV] from which on the calibration samples reach."""

_PAIRS = {"k": ("kaon", "pion", "proton"), "p": ("proton", "pion", "kaon")}
"""Of which species ProbNN of kaon and proton is published in figures."""

_NAMES = {"e": "electron", "mu": "muon", "pi": "pion", "k": "kaon", "p": "proton"}
_EDGES = np.linspace(0.0, 1.0, 11)


def prob_nn(sample: Sample) -> Section:
    """Efficiencies of cuts on ProbNN, and its distributions beside the public ones."""
    tracks = sample.identity.tracks
    long = tracks.at((tracks["track_type"] == LONG) & (tracks["pid"] != 0) & (tracks["p"] > _LEAST))
    informed = long.at(long["in_rich1"] | long["in_rich2"])
    return Section(
        "prob_nn",
        "ProbNN",
        f"Long tracks above {_LEAST:g} GeV that go through a RICH, in bins of momentum as those of the public figures,"
        " in which all momenta count alike: the calibration samples behind these are harder than the tracks of"
        " collisions. Below 40 GeV they are of pp collisions, above of all events.",
        [*_efficiencies(informed)],
        [partial(_histograms, informed, variable, bounds) for variable in _NAMES for bounds in _BINS[:2]],
    )


def _in_bin(tracks: Columns, species: str, bounds: tuple[int, int]) -> Columns:
    low, high = bounds
    rows = tracks.at((tracks["pid"] == SPECIES[species]) & (tracks["p"] > low) & (tracks["p"] < high))
    return rows.at(rows["collisions"]) if low == 0 and species != "electron" else rows


def _efficiencies(tracks: Columns) -> list[Finding]:
    out = []
    for variable, whose in _PAIRS.items():
        for species in whose:
            for low, high in _BINS:
                rows = _in_bin(tracks, species, (low, high))
                for cut in _CUTS:
                    passed = rows[f"prob_nn_{variable}"] > 0.01 * cut
                    parts = in_bins(passed, rows["p"], _EDGES_OF[low], share)
                    found = combine(parts, list(np.diff(_EDGES_OF[low])))
                    out.append(finding(f"prob_nn.{variable}_above_{cut}.{species}.{low}_{high}gev", found))
    return out


@cache
def public_histograms() -> dict[tuple[str, str, int], NDArray[np.float64]]:
    """Shares of ten bins of ProbNN by species, variable and lower end of the bin of p [GeV]."""
    path = Path(__file__).parent.parent / "probnn_histograms.csv"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {
        (row["species"], row["variable"].removeprefix("ProbNN"), int(row["p_min"])): np.array(
            [float(row[f"w{i}"]) for i in range(10)]
        )
        for row in csv.DictReader(lines)
    }


def _histograms(tracks: Columns, variable: str, bounds: tuple[int, int]) -> Figure:
    """The distribution of one ProbNN for its own species and for pions."""
    own, other = _NAMES[variable], "kaon" if variable == "pi" else "pion"
    with canvas() as (figure, axes):
        for number, species in enumerate((own, other)):
            rows = _in_bin(tracks, species, bounds)
            rows = rows.at(np.isfinite(rows[f"prob_nn_{variable}"]))
            weights = evenly(rows["p"], _EDGES_OF[bounds[0]])
            counts = np.histogram(rows[f"prob_nn_{variable}"], _EDGES, weights=weights)[0] / max(weights.sum(), 1e-9)
            axes.stairs(np.maximum(counts, 1e-5), _EDGES, color=SERIES[number], linewidth=1.7, label=species)
            known = public_histograms()[species, variable, bounds[0]]
            style = {"linestyle": "none", "marker": "so"[number], "markerfacecolor": "white", "markersize": 5.5}
            centre = 0.5 * (_EDGES[1:] + _EDGES[:-1])
            there = known > 0.0
            axes.plot(centre[there], known[there], color=PUBLISHED, label=f"{species}, data", **style)
        low, high = bounds
        axes.set(xlabel=f"ProbNN{variable}, {low} to {high} GeV", ylabel="share a bin", yscale="log", ylim=(5e-4, 2.0))
        axes.legend(ncols=2)
        svg = to_svg(figure, f"prob-nn-{variable}-{low}")
    return Figure(
        svg,
        f"ProbNN{variable} of {own}s and {other}s of {low} to {high} GeV; data: calibration samples as RapidSim has"
        " them (confidence: medium)" + (". Tracks with isMuon alone have it here." if variable == "mu" else "."),
        f"Distribution of ProbNN{variable}",
    )
