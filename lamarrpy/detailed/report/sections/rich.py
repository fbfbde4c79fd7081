"""What the Cherenkov detectors tell apart."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.report.columns import Columns
from lamarrpy.detailed.report.identity import SPECIES
from lamarrpy.detailed.report.public import finding, points
from lamarrpy.detailed.report.sample import LONG, Sample
from lamarrpy.detailed.report.statistics import Measured, in_bins, share
from lamarrpy.detailed.rich.radiators import radiators
from lamarrpy.page import Figure, Finding, Section, canvas, log_axis, measured, published, to_svg
from lamarrpy.page.drawing import SERIES
from lamarrpy.particles import mass

_RANGE = (2.0, 100.0)
_CUTS = (0.0, 5.0)
_SHAPE = ((2.64, 9.3), (10.0, 40.0), (40.0, 60.0), (60.0, 80.0), (80.0, 100.0))
_P_EDGES = (2.0, 2.7, 4.0, 6.0, 9.3, 12.0, 16.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0)


def rich(sample: Sample) -> Section:
    """Efficiencies and misidentification of cuts on RichDLL, and where RichDLL is exactly zero."""
    tracks = sample.identity.tracks
    long = _informed(tracks.at((tracks["track_type"] == LONG) & (tracks["pid"] != 0)))
    collisions = long.at(long["collisions"])
    return Section(
        "rich",
        "RICH",
        "Long tracks of kaons, pions and protons with RICH information, 2 to 100 GeV: those that go through the gas of"
        " a RICH above the pion's threshold there, so that the likelihoods of kaon and pion differ. Averages are over"
        " events of pp collisions, bins of momentum over all events.",
        [*_averages(collisions), *_shape(long), *_protons(long), *_zeros(tracks)],
        [
            partial(_kaon_figure, long, 0.0),
            partial(_kaon_figure, long, 5.0),
            partial(_proton_figure, long),
            partial(_dll_figure, collisions),
        ],
    )


def _thresholds(species: str) -> tuple[float, float]:
    """Momenta [GeV] above which a species radiates in RICH1 and RICH2."""
    heavy = float(mass(np.array([SPECIES[species]]))[0])
    first, second = (1e-3 * radiator.threshold(heavy) for radiator in radiators())
    return first, second


def _can_radiate(tracks: Columns, species: str) -> NDArray[np.bool_]:
    """Whether a species of the track's momentum would radiate in a gas that the track goes through."""
    out = np.zeros(tracks.rows, bool)
    for name, least in zip(("in_rich1", "in_rich2"), _thresholds(species), strict=True):
        out |= tracks[name] & (tracks["p"] > least)
    return out


def _informed(tracks: Columns) -> Columns:
    in_range = (tracks["p"] > _RANGE[0]) & (tracks["p"] < _RANGE[1])
    return tracks.at(in_range & _can_radiate(tracks, "pion"))


def _of(tracks: Columns, species: str) -> Columns:
    return tracks.at(tracks["pid"] == SPECIES[species])


def _between(tracks: Columns, low: float, high: float) -> Columns:
    return tracks.at((tracks["p"] > low) & (tracks["p"] < high))


def _passing(tracks: Columns, species: str, cut: float, dll: str = "rich_dll_k") -> Measured:
    return share(_of(tracks, species)[dll] > cut)


def _averages(tracks: Columns) -> list[Finding]:
    out = []
    for cut in _CUTS:
        for species in ("kaon", "pion"):
            out.append(finding(f"rich.dll_k_above_{cut:g}.{species}", _passing(tracks, species, cut)))
    return out


def _shape(tracks: Columns) -> list[Finding]:
    """How efficiency and misidentification go with momentum."""
    out = []
    for low, high in _SHAPE:
        here = _between(tracks, low, high)
        for species in ("kaon", "pion"):
            name = f"rich.dll_k_above_0.{species}.{low:g}_{high:g}gev".replace(".64", "")
            out.append(finding(name, _passing(here, species, 0.0)))
    return out


def _protons(tracks: Columns) -> list[Finding]:
    high, best = _between(tracks, 20.0, 100.0), _between(tracks, 30.0, 80.0)
    difference = Columns({**best, "p_k": best["rich_dll_p"] - best["rich_dll_k"]})
    return [
        finding("rich.dll_p_above_0.proton", _passing(high, "proton", 0.0, "rich_dll_p")),
        finding("rich.dll_p_above_0.pion", _passing(high, "pion", 0.0, "rich_dll_p")),
        finding("rich.dll_p_k_above_0.proton", _passing(difference, "proton", 0.0, "p_k")),
        finding("rich.dll_p_k_above_0.kaon", _passing(difference, "kaon", 0.0, "p_k")),
    ]


def _zeros(tracks: Columns) -> list[Finding]:
    """RichDLLs that are exactly zero where they may not be, and that are not where they must be."""
    zero, same = tracks["rich_dll_k"] == 0.0, tracks["rich_dll_p"] == tracks["rich_dll_k"]
    pion, kaon = _can_radiate(tracks, "pion"), _can_radiate(tracks, "kaon")
    return [
        finding("rich.zero_dll_k.above_threshold", share(zero[pion])),
        finding("rich.zero_dll_k.elsewhere", share(zero[~pion])),
        finding("rich.zero_dll_p_k.above_threshold", share(same[kaon])),
        finding("rich.zero_dll_p_k.elsewhere", share(same[~kaon])),
    ]


_CENTRE = np.sqrt(np.array(_P_EDGES[1:]) * np.array(_P_EDGES[:-1]))


def _kaon_figure(tracks: Columns, cut: float) -> Figure:
    with canvas() as (figure, axes):
        for number, (species, label) in enumerate((("kaon", "K as K"), ("pion", "π as K"))):
            rows = _of(tracks, species)
            found = in_bins(rows["rich_dll_k"] > cut, rows["p"], _P_EDGES, share)
            measured(axes, _CENTRE, found, label, series=number)
        told = ""
        if cut == 0.0:
            for species, colour in (("kaon", SERIES[0]), ("pion", SERIES[1])):
                known = points(f"rich.dll_k_above_0.{species}")
                published(axes, known.x, known.y, f"published, {'K' if species == 'kaon' else 'π'}", colour)
            told = f" Published: {known.caption}."
        log_axis(axes.xaxis)
        axes.set(xlabel="p [GeV]", ylabel=f"share with RichDLLk > {cut:g}", ylim=(0.0, 1.05))
        axes.legend(loc="center left")
        svg = to_svg(figure, f"rich-kaons-{cut:g}")
    return Figure(svg, f"Long tracks against momentum.{told}", f"Efficiency of RichDLLk > {cut:g} against momentum")


def _proton_figure(tracks: Columns) -> Figure:
    both = Columns({**tracks, "p_k": tracks["rich_dll_p"] - tracks["rich_dll_k"]})
    shown = (
        ("proton", "rich_dll_p", "p, p \N{MINUS SIGN} π"),
        ("pion", "rich_dll_p", "π, p \N{MINUS SIGN} π"),
        ("proton", "p_k", "p, p \N{MINUS SIGN} K"),
        ("kaon", "p_k", "K, p \N{MINUS SIGN} K"),
    )
    with canvas() as (figure, axes):
        for number, (species, dll, label) in enumerate(shown):
            rows = _of(both, species)
            found = in_bins(rows[dll] > 0.0, rows["p"], _P_EDGES, share)
            measured(axes, _CENTRE * 1.01 ** (number - 1.5), found, label, series=number)
        for least, name in zip(_thresholds("kaon"), ("RICH1", "RICH2"), strict=True):
            axes.axvline(least, color="grey", linestyle=":", linewidth=1.0)
            axes.text(least * 1.02, 1.02, f"K in {name}", fontsize=9, color="grey")
        log_axis(axes.xaxis)
        axes.set(xlabel="p [GeV]", ylabel="share with the difference > 0", ylim=(0.0, 1.1))
        axes.legend(loc="center left")
        svg = to_svg(figure, "rich-protons")
    return Figure(
        svg,
        "Differences of log-likelihoods of proton and pion, and of proton and kaon. Below the kaon's threshold the"
        " second is exactly 0, and not above it.",
        "Efficiencies of protons against momentum",
    )


def _dll_figure(tracks: Columns) -> Figure:
    edges = np.linspace(-80.0, 80.0, 81)
    with canvas() as (figure, axes):
        for number, species in enumerate(("kaon", "pion", "proton")):
            values = np.clip(_of(_between(tracks, 10.0, 30.0), species)["rich_dll_k"], edges[0], edges[-1])
            counts = np.histogram(values, edges)[0] / max(len(values), 1)
            axes.stairs(counts, edges, color=SERIES[number], label=species, linewidth=1.5)
        axes.set(xlabel="RichDLLk", ylabel="share a bin")
        axes.legend()
        svg = to_svg(figure, "rich-dll")
    return Figure(svg, "RichDLLk of Long tracks of 10 to 30 GeV; what lies beyond is in the last bins.", "RichDLLk")
