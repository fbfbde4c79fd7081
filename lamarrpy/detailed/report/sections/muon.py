"""Who is taken for a muon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.report.columns import Columns
from lamarrpy.detailed.report.identity import SPECIES
from lamarrpy.detailed.report.public import finding, hadron_mix, points
from lamarrpy.detailed.report.sample import LONG, Sample
from lamarrpy.detailed.report.statistics import FEWEST, Measured, combine, in_bins, ratio, share
from lamarrpy.page import Figure, Finding, Section, canvas, log_axis, measured, published, to_svg
from lamarrpy.page.drawing import SERIES

Passed = NDArray[np.bool_]

_LEAST, _THROUGH = 3.0, 6.0
"""Momentum [GeV] from which on isMuon can be true, and from which on muons come through all iron."""

_BINS = {"0_40gev": (3, 6, 10, 15, 20, 30, 40), "40_80gev": (40, 60, 80), "80_120gev": (80, 100, 120)}
_ALL_STATIONS = (10, 15, 20, 30, 40, 60, 80, 100)
_WHOLE = (3, 6, *_ALL_STATIONS)
"""Edges of p [GeV] between which all momenta count alike: of the published bins, from where on all stations are asked
for, and from where on isMuon can be true."""

_EFFICIENCY = 0.93
_CUTS = (1.75, 2.25)
_ENOUGH = 40.0
"""Momentum [GeV] from which on collisions have too few hadrons, and those of guns count too."""

_HADRONS = ("kaon", "pion", "proton")
_P_EDGES = (3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 14.0, 20.0, 30.0, 40.0, 60.0, 80.0, 120.0)


def muon(sample: Sample) -> Section:
    """isMuon of muons and hadrons, and what the likelihoods add."""
    tracks = sample.identity.tracks
    long = tracks.at((tracks["track_type"] == LONG) & tracks["in_muon"] & (tracks["pid"] != 0))
    return Section(
        "muon",
        "Muon system",
        "Long tracks that straight on go through all muon stations. Hadrons are those of events with at most two muons,"
        " and below 40 GeV of pp collisions; all momenta of a bin count alike, since the calibration samples behind the"
        " public figures are harder than the tracks of collisions. muDLL is MuonMuLL less MuonBgLL.",
        [*_is_muon(long), *_hadrons(long), *_likelihood(long)],
        [partial(_muon_figure, long), partial(_hadron_figure, long), partial(_dll_figure, long)],
    )


def _of(tracks: Columns, species: str, low: float = 0.0, high: float = np.inf) -> Columns:
    return tracks.at((tracks["pid"] == SPECIES[species]) & (tracks["p"] > low) & (tracks["p"] < high))


def _is_muon(tracks: Columns) -> list[Finding]:
    return [
        finding("muon.is_muon.muon", share(_of(tracks, "muon", _THROUGH)["is_muon"])),
        finding("muon.is_muon.muon.3_6gev", share(_of(tracks, "muon", _LEAST, _THROUGH)["is_muon"])),
    ]


def _evenly(tracks: Columns, species: str, edges: Sequence[float], passed: Callable[[Columns], Passed]) -> Measured:
    """Share of a species that passes, in per cent, all momenta alike."""
    rows = _of(tracks, species, edges[0], edges[-1])
    rows = rows.at(rows["few_muons"] & (rows["collisions"] | (rows["p"] > _ENOUGH)))
    found = in_bins(passed(rows), rows["p"], edges, share)
    return combine(found, list(np.diff(edges))).times(100.0)


def _hadrons(tracks: Columns) -> list[Finding]:
    out = []
    for where, edges in _BINS.items():
        found = {species: _evenly(tracks, species, edges, lambda rows: rows["is_muon"]) for species in _HADRONS}
        out += [finding(f"muon.is_muon.{species}.{where}", figure) for species, figure in found.items()]
        if where == "0_40gev":
            out.append(finding(f"muon.is_muon.kaon_over_pion.{where}", ratio(found["kaon"], found["pion"])))
            out.append(finding(f"muon.is_muon.proton_over_pion.{where}", ratio(found["proton"], found["pion"])))
    return out


def _above(cut: float, tracks: Columns) -> Passed:
    """Whether tracks have isMuon and a muDLL above a cut."""
    return np.asarray(tracks["is_muon"] & (np.nan_to_num(tracks["mu_dll"], nan=-np.inf) > cut))


def _mixed(tracks: Columns, edges: Sequence[float], cut: float) -> Measured:
    """Hadrons that pass, in the mix of the public figures, in per cent."""
    names = {number: name for name, number in SPECIES.items()}
    parts = [_evenly(tracks, names[pid], edges, partial(_above, cut)) for pid in hadron_mix()]
    return combine(parts, list(hadron_mix().values()))


def _cut(muons: Columns, efficiency: float) -> float | None:
    """The cut on muDLL that so many muons pass, None if they are too few."""
    if muons.rows < FEWEST:
        return None
    values = np.sort(np.where(muons["is_muon"], np.nan_to_num(muons["mu_dll"], nan=-np.inf), -np.inf))
    return float(values[int((1.0 - efficiency) * len(values))])


def _likelihood(tracks: Columns) -> list[Finding]:
    """What a cut on muDLL leaves."""
    out = []
    for name, edges in (("hadron_misid_at_93", _ALL_STATIONS), ("hadron_misid_at_93.3_100gev", _WHOLE)):
        muons = _of(tracks, "muon", edges[0], edges[-1])
        cut, nothing = _cut(muons, _EFFICIENCY), Measured(None, None, muons.rows)
        out.append(finding(f"muon.mu_dll.{name}", nothing if cut is None else _mixed(tracks, edges, cut)))
        if edges == _ALL_STATIONS:
            out.append(finding("muon.mu_dll.cut_at_93", nothing if cut is None else Measured(cut, None, muons.rows)))
    for value in _CUTS:
        name = f"{100 * value:.0f}"
        out.append(finding(f"muon.mu_dll_above_{name}.muon", share(_above(value, _of(tracks, "muon", _WHOLE[0])))))
        out.append(finding(f"muon.mu_dll_above_{name}.hadron", _mixed(tracks, _WHOLE, value)))
    return out


_CENTRE = np.sqrt(np.array(_P_EDGES[1:]) * np.array(_P_EDGES[:-1]))


def _muon_figure(tracks: Columns) -> Figure:
    muons = _of(tracks, "muon", _LEAST)
    with canvas() as (figure, axes):
        for number, (passed, label) in enumerate(
            ((muons["is_muon"], "isMuon"), (muons["is_muon"] & (muons["mu_dll"] > _CUTS[0]), f"muDLL > {_CUTS[0]}"))
        ):
            measured(axes, _CENTRE, in_bins(passed, muons["p"], _P_EDGES, share), label, series=number)
        axes.axhspan(0.95, 0.98, color="#2f7d4f", alpha=0.16, linewidth=0.0, label="target above 6 GeV")
        log_axis(axes.xaxis)
        axes.set(xlabel="p [GeV]", ylabel="share of muons", ylim=(0.3, 1.05))
        axes.legend(loc="center right", bbox_to_anchor=(1.0, 0.68))
        svg = to_svg(figure, "muon-efficiency")
    return Figure(svg, "Muons against momentum.", "Muon efficiency against momentum")


def _hadron_figure(tracks: Columns) -> Figure:
    with canvas() as (figure, axes):
        for number, species in enumerate(_HADRONS):
            rows = _of(tracks, species, _LEAST)
            rows = rows.at(rows["few_muons"])
            found = [figure.times(100.0) for figure in in_bins(rows["is_muon"], rows["p"], _P_EDGES, share)]
            measured(axes, _CENTRE, found, species, series=number)
            known = points(f"muon.is_muon.{species}")
            published(axes, known.x, known.y, f"published, {species}", SERIES[number])
        log_axis(axes.xaxis)
        axes.set(xlabel="p [GeV]", ylabel="isMuon [%]", yscale="log", ylim=(0.05, 30.0))
        axes.legend(ncols=2)
        svg = to_svg(figure, "muon-hadrons")
    return Figure(svg, f"Hadrons with isMuon against momentum. Published: {known.caption}.", "Hadrons taken for muons")


def _dll_figure(tracks: Columns) -> Figure:
    edges = np.linspace(-3.0, 8.0, 56)
    with canvas() as (figure, axes):
        for number, species in enumerate(("muon", *_HADRONS)):
            rows = _of(tracks, species, _LEAST)
            values = np.clip(rows["mu_dll"][rows["is_muon"]], edges[0], edges[-1])
            counts = np.histogram(values, edges)[0] / max(len(values), 1)
            axes.stairs(counts, edges, color=SERIES[number], label=species, linewidth=1.5)
        axes.set(xlabel="muDLL", ylabel="share a bin")
        axes.legend()
        svg = to_svg(figure, "muon-dll")
    return Figure(svg, "muDLL of tracks with isMuon; what lies beyond is in the last bins.", "Distribution of muDLL")
