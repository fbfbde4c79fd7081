"""Who is taken for a muon."""

from __future__ import annotations

from functools import partial

import numpy as np

from lamarrpy.detailed.report.columns import Columns
from lamarrpy.detailed.report.identity import SPECIES
from lamarrpy.detailed.report.page import Figure, Finding, Section, canvas, log_axis, measured, published, to_svg
from lamarrpy.detailed.report.page.drawing import SERIES
from lamarrpy.detailed.report.public import finding, hadron_mix, points
from lamarrpy.detailed.report.sample import LONG, Sample
from lamarrpy.detailed.report.statistics import FEWEST, Measured, combine, in_bins, ratio, share

_LEAST, _ALL = 3.0, 6.0
"""Momentum [GeV] from which on isMuon can be true, and from which on muons come through all iron."""

_BINS = ((0.0, 40.0), (40.0, 80.0), (80.0, 120.0))
_EFFICIENCY = 0.93
_CUTS = (1.75, 2.25)
_HADRONS = ("kaon", "pion", "proton")
_P_EDGES = (3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 14.0, 20.0, 30.0, 40.0, 60.0, 80.0, 120.0)


def muon(sample: Sample) -> Section:
    """isMuon of muons and hadrons, and what the likelihoods add."""
    tracks = sample.identity.tracks
    long = tracks.at((tracks["track_type"] == LONG) & tracks["in_muon"] & (tracks["pid"] != 0))
    return Section(
        "muon",
        "Muon system",
        "Long tracks that straight on go through all muon stations. Shares of hadrons below 40 GeV are over events of"
        " pp collisions; above, where these have too few, over all events. muDLL is MuonMuLL less MuonBgLL.",
        [*_is_muon(long), *_hadrons(long), *_likelihood(long)],
        [partial(_muon_figure, long), partial(_hadron_figure, long), partial(_dll_figure, long)],
    )


def _of(tracks: Columns, species: str, low: float = 0.0, high: float = np.inf) -> Columns:
    return tracks.at((tracks["pid"] == SPECIES[species]) & (tracks["p"] > low) & (tracks["p"] < high))


def _is_muon(tracks: Columns) -> list[Finding]:
    return [
        finding("muon.is_muon.muon", share(_of(tracks, "muon", _ALL)["is_muon"])),
        finding("muon.is_muon.muon.3_6gev", share(_of(tracks, "muon", _LEAST, _ALL)["is_muon"])),
    ]


def _misidentified(tracks: Columns, species: str, low: float, high: float) -> Measured:
    """In per cent."""
    rows = _of(tracks, species, max(low, _LEAST), high)
    return share((rows.at(rows["collisions"]) if low == 0.0 else rows)["is_muon"]).times(100.0)


def _hadrons(tracks: Columns) -> list[Finding]:
    out = []
    for low, high in _BINS:
        found = {species: _misidentified(tracks, species, low, high) for species in _HADRONS}
        where = f"{low:g}_{high:g}gev"
        out += [finding(f"muon.is_muon.{species}.{where}", figure) for species, figure in found.items()]
        if low == 0.0:
            out.append(finding(f"muon.is_muon.kaon_over_pion.{where}", ratio(found["kaon"], found["pion"])))
            out.append(finding(f"muon.is_muon.proton_over_pion.{where}", ratio(found["proton"], found["pion"])))
    return out


def _passing(tracks: Columns, cut: float) -> Measured:
    return share(tracks["is_muon"] & (np.nan_to_num(tracks["mu_dll"], nan=-np.inf) > cut))


def _mixed(tracks: Columns, cut: float) -> Measured:
    """Share of hadrons that pass, in the mix of the public figures."""
    names = {number: name for name, number in SPECIES.items()}
    parts = [_passing(_of(tracks, names[pid], _LEAST), cut) for pid in hadron_mix()]
    return combine(parts, list(hadron_mix().values()))


def _cut(muons: Columns, efficiency: float) -> float | None:
    """The cut on muDLL that so many muons pass, None if they are too few."""
    if muons.rows < FEWEST:
        return None
    values = np.sort(np.where(muons["is_muon"], np.nan_to_num(muons["mu_dll"], nan=-np.inf), -np.inf))
    return float(values[int((1.0 - efficiency) * len(values))])


def _likelihood(tracks: Columns) -> list[Finding]:
    """What a cut on muDLL leaves."""
    collisions, muons = tracks.at(tracks["collisions"]), _of(tracks, "muon", _LEAST)
    cut = _cut(muons, _EFFICIENCY)
    nothing = Measured(None, None, muons.rows)
    misid = nothing if cut is None else _mixed(collisions, cut)
    out = [finding("muon.mu_dll.hadron_misid_at_93", misid.times(100.0))]
    out.append(finding("muon.mu_dll.cut_at_93", nothing if cut is None else Measured(cut, None, muons.rows)))
    for value in _CUTS:
        name = f"{100 * value:.0f}"
        out.append(finding(f"muon.mu_dll_above_{name}.muon", _passing(muons, value)))
        out.append(finding(f"muon.mu_dll_above_{name}.hadron", _mixed(collisions, value).times(100.0)))
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
        axes.set(xlabel="p [GeV]", ylabel="share of muons", ylim=(0.5, 1.02))
        axes.legend(loc="lower right")
        svg = to_svg(figure, "muon-efficiency")
    return Figure(svg, "Muons against momentum.", "Muon efficiency against momentum")


def _hadron_figure(tracks: Columns) -> Figure:
    with canvas() as (figure, axes):
        for number, species in enumerate(_HADRONS):
            rows = _of(tracks, species, _LEAST)
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
