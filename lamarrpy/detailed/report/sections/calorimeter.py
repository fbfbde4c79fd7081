"""Photons in the calorimeter: how well they are measured, how many are found, and which are split."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.report.columns import Columns
from lamarrpy.detailed.report.identity import Identity
from lamarrpy.detailed.report.public import finding, points
from lamarrpy.detailed.report.sample import Sample
from lamarrpy.detailed.report.statistics import FEWEST, Measured, half_width, in_bins, quantile, share
from lamarrpy.page import Figure, Finding, Section, canvas, curve, log_axis, measured, to_svg
from lamarrpy.page.drawing import SERIES

Array = NDArray[np.float64]

SINGLE, SPLIT = 1, 2
"""Classes of clusters."""

_E_BINS = ((1.5, 2.5), (4.0, 6.0), (8.0, 12.0), (16.0, 24.0), (40.0, 60.0))
_E_EDGES = (1.0, 1.5, 2.5, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 40.0, 60.0, 100.0)
_PT_EDGES = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0)
_PT_CENTRE = 0.5 * (np.array(_PT_EDGES[1:]) + np.array(_PT_EDGES[:-1]))
_LEAST_ET = 0.075
"""Transverse energy [GeV] from which on LHCb looks for photons, of bremsstrahlung."""

_MASS = (100.0, 170.0)
"""Masses [MeV] around that of the pi0 in which its peak is looked for."""


class _Pairs(NamedTuple):
    """Both photons of a pi0: mass [MeV] as reconstructed, transverse momentum [GeV], and their classes."""

    mass: Array
    pt: Array
    both: NDArray[np.int8]


def calorimeter(sample: Sample) -> Section:
    """Energy resolution, pi0 peak, transition from single to split photons, share found, clones."""
    every = sample.identity
    photons = every.photons.at(every.photons["collisions"])
    identity = every._replace(photons=photons)
    clusters = every.clusters.at(every.clusters["collisions"])
    pairs, of_guns_too = _pairs(identity), _pairs(every)
    return Section(
        "calorimeter",
        "Photons",
        "Photons of the generator in events of pp collisions that point at the calorimeter's cells, and for the"
        " transition from single to split ones neutral pions of a gun, too. A photon is reconstructed if a neutral"
        " cluster lies within a Molière radius and within twice the energy resolution of it; clusters are single, or"
        " one of two into which a merged one was split.",
        [
            *_resolution(identity),
            finding("calorimeter.pi0.mass", quantile(_peak(pairs), 0.5)),
            finding("calorimeter.pi0.width", half_width(_peak(pairs))),
            finding("calorimeter.transition_pt", _transition(of_guns_too, 0.5)),
            finding("calorimeter.transition_pt.begin", _transition(of_guns_too, 0.2)),
            finding("calorimeter.reconstructed", share(photons["cluster_type"][photons["pt"] > _LEAST_ET] > 0)),
            finding("calorimeter.reconstructed.above_200mev", share(photons["cluster_type"][photons["pt"] > 0.2] > 0)),
            finding("calorimeter.clones", _clones(photons)),
            finding("calorimeter.photon_id_above_50.photon", _identified(clusters, True)),
            finding("calorimeter.photon_id_above_50.background", _identified(clusters, False)),
        ],
        [
            partial(_resolution_figure, identity),
            partial(_mass_figure, pairs),
            partial(_class_figure, of_guns_too),
            partial(_identification_figure, clusters),
        ],
    )


def _found(identity: Identity) -> tuple[Array, Array]:
    """Energy [GeV] of single photons, and reconstructed less true energy in its unit."""
    photons = identity.photons.at((identity.photons["cluster_type"] == SINGLE) & (identity.photons["cluster"] >= 0))
    return photons["e"], identity.clusters["e"][photons["cluster"]] / photons["e"] - 1.0


def _resolution(identity: Identity) -> list[Finding]:
    energy, off = _found(identity)
    out = []
    for low, high in _E_BINS:
        width = half_width(off[(energy > low) & (energy < high)]).times(100.0)
        middle = f"{0.5 * (low + high):g}gev"
        out.append(finding(f"calorimeter.energy_resolution.{middle}", width))
    return out


def _pairs(identity: Identity) -> _Pairs:
    """The pi0 whose photons both have a cluster."""
    photons = identity.photons.at((identity.photons["pair"] >= 0) & (identity.photons["cluster"] >= 0))
    order = np.argsort(photons["pair"], kind="stable")
    photons = photons.at(order)
    first = np.flatnonzero(np.diff(photons["pair"], append=-1) == 0)
    one, two = photons.at(first), photons.at(first + 1)
    directions, energies = [], []
    for some in (one, two):
        x, y = (identity.clusters[axis][some["cluster"]] for axis in "xy")
        # as seen from the pi0, through where the true photon ends
        way = (np.hypot(some["x"] - some["origin_x"], some["y"] - some["origin_y"])) / np.maximum(
            np.hypot(some["px"], some["py"]), 1e-9
        )
        z = way * some["pz"]
        vector = np.stack([x - some["origin_x"], y - some["origin_y"], z], axis=1)
        directions.append(vector / np.linalg.norm(vector, axis=1, keepdims=True))
        energies.append(1e3 * identity.clusters["e"][some["cluster"]].astype(float))
    apart = np.sum((directions[0] - directions[1]) ** 2, axis=1)
    pt = np.hypot(*(one["e"] * one[f"p{a}"] + two["e"] * two[f"p{a}"] for a in "xy"))
    mass = np.sqrt(energies[0] * energies[1] * apart)
    return _Pairs(mass, pt, np.where(one["cluster_type"] == two["cluster_type"], one["cluster_type"], 0))


def _peak(pairs: _Pairs) -> Array:
    """Masses of resolved pi0 around the peak."""
    return np.asarray(pairs.mass[(pairs.both == SINGLE) & (pairs.mass > _MASS[0]) & (pairs.mass < _MASS[1])])


def _transition(pairs: _Pairs, level: float) -> Measured:
    """Transverse momentum [GeV] of pi0 both of whose photons are found, at which such a share of them is split."""
    shares = in_bins(_split(pairs), pairs.pt, _PT_EDGES, share)
    known = [(x, each) for x, each in zip(_PT_CENTRE, shares, strict=True) if each.value is not None]
    for (x0, below), (x1, above) in pairwise(known):
        if below.value is None or above.value is None or above.error is None:
            continue
        if below.value < level <= above.value:
            slope = (above.value - below.value) / (x1 - x0)
            return Measured(float(x0 + (level - below.value) / slope), float(above.error / slope), len(pairs.pt))
    return Measured(None, None, min(len(pairs.pt), FEWEST - 1))


def _split(pairs: _Pairs) -> NDArray[np.bool_]:
    return np.asarray(pairs.both == SPLIT)


def _clones(photons: Columns) -> Measured:
    """Share of the reconstructed photons that share their cluster with another one."""
    own = photons["cluster"][photons["cluster_type"] > 0]
    _, which, count = np.unique(own, return_inverse=True, return_counts=True)
    return share((count[which] > 1) if len(own) else np.zeros(0, bool)).times(100.0)


def _identified(clusters: Columns, photon: bool) -> Measured:
    return share(clusters["photon_id"][(clusters["particle_id"] >= 0) == photon] > 0.5)


def _curves(energy: Array) -> tuple[Array, Array]:
    """Design and in-situ resolution [%] at energies [GeV]."""
    design = 100.0 * np.sqrt(0.095**2 / energy + 0.009**2)
    return design, 100.0 * np.sqrt(0.096**2 / energy + 0.037**2 + (0.395 / energy) ** 2)


def _resolution_figure(identity: Identity) -> Figure:
    energy, off = _found(identity)
    centre = np.sqrt(np.array(_E_EDGES[1:]) * np.array(_E_EDGES[:-1]))
    fine = np.geomspace(_E_EDGES[0], _E_EDGES[-1], 100)
    with canvas() as (figure, axes):
        found = [each.times(100.0) for each in in_bins(off, energy, _E_EDGES, half_width)]
        measured(axes, centre, found, "single photons")
        for values, label, dashes in zip(_curves(fine), ("design", "in situ"), ("--", "-"), strict=True):
            curve(axes, fine, values, label, dashes=dashes)
        log_axis(axes.xaxis)
        axes.set(xlabel="E [GeV]", ylabel="\N{GREEK SMALL LETTER SIGMA}(E)/E [%]", ylim=(0.0, 25.0))
        axes.legend()
        svg = to_svg(figure, "calorimeter-resolution")
    return Figure(
        svg,
        "Energy resolution of single photons in events of collisions, half of the width that holds 68 %. Design:"
        " 9.5 %/√E ⊕ 0.9 %; in situ: 9.6 %/√E ⊕ 3.7 % ⊕ 395 MeV/E (Thesis, equation 1.8; confidence: high).",
        "Energy resolution of photons",
    )


def _mass_figure(pairs: _Pairs) -> Figure:
    edges = np.linspace(0.0, 300.0, 61)
    with canvas() as (figure, axes):
        for number, (kind, label) in enumerate(((SINGLE, "both single"), (SPLIT, "both split"))):
            counts = np.histogram(pairs.mass[pairs.both == kind], edges)[0]
            axes.stairs(counts, edges, color=SERIES[number], linewidth=1.6, label=label)
        axes.axvline(134.98, color="grey", linestyle=":", linewidth=1.2)
        axes.set(xlabel=r"m($\gamma\gamma$) [MeV]", ylabel=r"$\pi^0$ / 5 MeV")
        axes.legend()
        svg = to_svg(figure, "calorimeter-pi0")
    return Figure(svg, "Mass of π⁰ both of whose photons are found.", "Mass of neutral pions")


def _class_figure(pairs: _Pairs) -> Figure:
    with canvas() as (figure, axes):
        for number, (kind, label) in enumerate(((SINGLE, "both single"), (SPLIT, "both split"), (0, "one of each"))):
            found = in_bins(pairs.both == kind, pairs.pt, _PT_EDGES, share)
            measured(axes, _PT_CENTRE, found, label, series=number)
        axes.axvline(points("calorimeter.transition_pt").x[0], color="grey", linestyle=":", linewidth=1.2)
        axes.set(xlabel=r"$p_T(\pi^0)$ [GeV]", ylabel="share of $\\pi^0$ found", ylim=(0.0, 1.05))
        axes.legend()
        svg = to_svg(figure, "calorimeter-classes")
    known = points("calorimeter.transition_pt")
    return Figure(
        svg,
        "π⁰ both of whose photons are found, as two single clusters or as one that was split. Published: split ones"
        f" prevail above 2 GeV ({known.caption}).",
        "Classes of neutral pions against transverse momentum",
    )


def _identification_figure(clusters: Columns) -> Figure:
    edges = np.linspace(0.0, 1.0, 41)
    with canvas() as (figure, axes):
        for number, (photon, label) in enumerate(((True, "photons"), (False, "other clusters"))):
            values = clusters["photon_id"][(clusters["particle_id"] >= 0) == photon]
            counts = np.histogram(values, edges)[0] / max(len(values), 1)
            axes.stairs(np.maximum(counts, 1e-5), edges, color=SERIES[number], linewidth=1.6, label=label)
        axes.set(xlabel="PhotonID", ylabel="share a bin", yscale="log", ylim=(1e-3, 2.0))
        axes.legend()
        svg = to_svg(figure, "calorimeter-photon-id")
    return Figure(svg, "PhotonID of clusters that stand for a photon, and of all others.", "Distribution of PhotonID")
