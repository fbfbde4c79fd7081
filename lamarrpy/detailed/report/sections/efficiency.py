"""Which particles become which class of track."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.report.columns import Columns
from lamarrpy.detailed.report.public import finding, hadron_mix, points
from lamarrpy.detailed.report.sample import DOWNSTREAM, ELECTRON, HADRONS, LONG, MUON, UPSTREAM, Sample, particle_key
from lamarrpy.detailed.report.statistics import Measured, combine, in_bins, ratio, share
from lamarrpy.page import Figure, Finding, Section, Table, canvas, log_axis, measured, published, to_svg
from lamarrpy.tables.linking import row_by_key

_WINDOW = 1.15
"""Factor between a momentum and either end of the range in which an efficiency is taken."""

_ETA_HALF_WIDTH = 0.15
_P_EDGES = np.geomspace(1.5, 100.0, 13)

_DIP_ABOVE = 10.0
"""Momentum [GeV] from which on the dip of hadrons is looked for."""

_DIP_STEP = 0.05
_DIP_EDGES = np.arange(3.9, 4.8 + 1e-9, _DIP_STEP)
_DIP, _BESIDE = (4.3, 4.5), ((4.1, 4.25), (4.55, 4.65))

_VELO_END, _FAR, _TT_END = 900.0, 2200.0, 2640.0
"""z [mm] between which a particle is born beyond the VELO and before TT."""

_NAMES = {LONG: "Long", UPSTREAM: "Upstream", DOWNSTREAM: "Downstream", 0: "not reconstructed"}
_SPECIES: dict[str, tuple[int, ...]] = {"muon": (MUON,), "hadron": HADRONS, "electron": (ELECTRON,)}


def efficiency(sample: Sample) -> Section:
    """Efficiencies given in_acceptance, by species, momentum, pseudorapidity and origin."""
    accepted = sample.particles.at(sample.particles["in_acceptance"])
    prompt = accepted.at(accepted["prompt"])
    return Section(
        "efficiency",
        "Reconstruction efficiency",
        "Shares of the particles in acceptance that become a track of a class. Prompt particles were born less than"
        f" 1 mm from their collision. A momentum stands for what is within {100 * (_WINDOW - 1):.0f} % of it, a"
        f" pseudorapidity for ± {_ETA_HALF_WIDTH}; hadrons at η = 3 are pions, kaons and protons mixed as in"
        " LHCb events with a heavy hadron, whatever the mix of the sample.",
        [*_at_three(prompt), *_dip(prompt), *_beyond_velo(sample.particles)],
        [
            partial(_curves, prompt, "long", "Long", ("muon_3", "muon_4", "hadron_3", "electron_3")),
            partial(_curves, prompt, "long-eta", "Long", ("hadron_2.2", "hadron_3.5", "hadron_4.4", "hadron_4.7")),
            partial(_curves, prompt, "upstream", "Upstream", ("muon_3", "hadron_3")),
            partial(_eta_figure, prompt),
            partial(_origin_figure, sample.particles),
        ],
        [_composition(accepted.at(accepted["collisions"]))],
    )


def _near(particles: Columns, p: float, eta: float = 3.0) -> Columns:
    in_eta = np.abs(particles["eta"] - eta) < _ETA_HALF_WIDTH
    return particles.at(in_eta & (np.abs(np.log(particles["p"] / p)) < np.log(_WINDOW)))


def _is_long(particles: Columns) -> NDArray[np.bool_]:
    return np.asarray(particles["track_type"] == LONG)


def _hadrons(near: Columns) -> Measured:
    """Long efficiency of hadrons in the mix of the public figures."""
    mix = hadron_mix()
    parts = [share(_is_long(near.at(near["pid"] == pid))) for pid in mix]
    return combine(parts, list(mix.values()))


def _at_three(prompt: Columns) -> list[Finding]:
    """Muons at eta 3, and how much less often hadrons are found there."""
    out, losses = [], {}
    for p in (2, 10, 50):
        muons = share(_is_long(_muons(_near(prompt, p))))
        out.append(finding(f"efficiency.long.muon.{p}gev", muons))
    for p in (10, 3, 2):
        near = _near(prompt, p)
        found = ratio(_hadrons(near), share(_is_long(_muons(near))))
        losses[p] = found if found.value is None else found._replace(value=1.0 - found.value)
        out.append(finding(f"efficiency.long.hadron_loss.{p}gev", losses[p]))
    out.append(finding("efficiency.long.hadron_loss.3gev_over_10gev", ratio(losses[3], losses[10])))
    return out


def _muons(particles: Columns) -> Columns:
    return particles.at(particles["pid"] == MUON)


def _dip(prompt: Columns) -> list[Finding]:
    """The efficiency in the dip over that at both sides of it, and where it is least."""
    hadrons = prompt.at(np.isin(prompt["pid"], HADRONS) & (prompt["p"] > _DIP_ABOVE))
    beside = combine([share(_is_long(_between(hadrons, *sides))) for sides in _BESIDE], [1.0, 1.0])
    edges = np.arange(_DIP[0], _DIP[1] + 1e-9, _DIP_STEP)
    found = in_bins(_is_long(hadrons), hadrons["eta"], edges, share)
    nothing, name = Measured(None, None, 0), "efficiency.long.hadron_dip"
    filled = [(each.value, number) for number, each in enumerate(found) if each.value is not None]
    deepest = at = nothing
    if filled:
        number = min(filled)[1]
        deepest = found[number]
        at = Measured(float(edges[number]) + 0.5 * _DIP_STEP, 0.5 * _DIP_STEP, deepest.entries)
    return [
        finding(name, ratio(share(_is_long(_between(hadrons, *_DIP))), beside)),
        finding(f"{name}.deepest", ratio(deepest, beside)),
        finding(f"{name}.eta", at, note="the error is half a bin" if at.value else ""),
    ]


def _between(particles: Columns, low: float, high: float) -> Columns:
    return particles.at((particles["eta"] > low) & (particles["eta"] < high))


def _beyond_velo(particles: Columns) -> list[Finding]:
    """Classes of what is born beyond the VELO, and of muons of kaons and pions that decay there.

    A muon of a decay in flight and its mother are one track, which is written as the mother's. It is one
    of the muon if that has left hits in it: an Upstream track has none of a muon born behind TT.
    """
    beyond = particles.at(particles["z"] > _VELO_END)
    mothers = mother_rows(particles, beyond)
    muons = (beyond["pid"] == MUON) & (mothers >= 0)
    theirs = particles.at(mothers[muons])
    seen = (theirs["track_type"] != UPSTREAM) | (beyond["z"][muons] < _TT_END)
    found = theirs.at((theirs["track_type"] > 0) & seen)
    near = (beyond["z"] < _FAR) & (mothers < 0) & (beyond["track_type"] > 0)
    direct = beyond["track_type"][near]
    return [
        finding("beyond_velo.downstream", share(direct == DOWNSTREAM)),
        finding("beyond_velo.muon_from_kaon.long", share(_is_long(found))),
        *(
            finding(f"beyond_velo.muon_from_kaon.long.{name}", share(_is_long(found.at(found["pid"] == pid))))
            for name, pid in (("of_pions", 211), ("of_kaons", 321))
        ),
    ]


def mother_rows(particles: Columns, daughters: Columns) -> NDArray[np.intp]:
    """The row of each particle's mother if that is a charged kaon or pion that was followed, else -1."""
    at = row_by_key(particle_key(daughters, "mother_id"), particle_key(particles))
    is_meson = np.isin(particles["pid"], (211, 321))
    return np.where((at >= 0) & (daughters["mother_id"] >= 0) & is_meson[at], at, -1)


def _select(prompt: Columns, what: str) -> tuple[Columns, str]:
    """The particles of a public curve such as hadron_3.5, and what to call them."""
    species, eta = what.split("_")
    chosen = np.isin(prompt["pid"], _SPECIES[species]) & (np.abs(prompt["eta"] - float(eta)) < _ETA_HALF_WIDTH)
    return prompt.at(chosen), f"{species}s, η = {eta}"


def _curves(prompt: Columns, key: str, name: str, which: tuple[str, ...]) -> Figure:
    kind = next(number for number, text in _NAMES.items() if text == name)
    centre = np.sqrt(_P_EDGES[:-1] * _P_EDGES[1:])
    with canvas() as (figure, axes):
        for number, what in enumerate(which):
            particles, label = _select(prompt, what)
            found = in_bins(particles["track_type"] == kind, particles["p"], _P_EDGES, share)
            measured(axes, centre, found, label, series=number)
            known = points(f"efficiency_{what}_{name.lower()}")
            colour = axes.containers[-1].lines[0].get_color()
            published(axes, known.x, known.y, "", color=colour)
        top = 1.25 if name == "Long" else 0.4
        log_axis(axes.xaxis)
        axes.set(xlabel="p [GeV]", ylabel=f"share found as {name}", ylim=(0.0, top))
        axes.legend(ncols=2, loc="upper center")
        svg = to_svg(figure, f"efficiency-{key}")
    return Figure(
        svg,
        f"Prompt particles in acceptance. Filled: simulation; open squares on dotted lines: {known.caption}."
        " Hadrons are those of the sample, in its mix.",
        f"Share found as {name} against momentum",
    )


def _eta_figure(prompt: Columns) -> Figure:
    above = prompt.at(prompt["p"] > _DIP_ABOVE)
    edges = np.concatenate([np.arange(1.6, 3.9, 0.1), _DIP_EDGES, np.arange(4.9, 5.3, 0.1)])
    with canvas() as (figure, axes):
        for number, (species, pids) in enumerate(_SPECIES.items()):
            rows = above.at(np.isin(above["pid"], pids))
            found = in_bins(_is_long(rows), rows["eta"], edges, share)
            centre = 0.5 * (edges[1:] + edges[:-1])
            measured(axes, centre, found, f"{species}s", series=number)
        known = [points(f"efficiency_hadron_{eta}_long") for eta in ("2.2", "3", "3.5", "4.4", "4.7")]
        published(axes, [2.2, 3.0, 3.5, 4.4, 4.7], [k.y[4] for k in known], "LHCb full simulation, hadrons, 20 GeV")
        axes.axvspan(*_DIP, color="#8a93a0", alpha=0.18, linewidth=0.0)
        axes.set(xlabel="η", ylabel="share found as Long", ylim=(0.0, 1.3))
        axes.legend(ncols=2, loc="upper center")
        svg = to_svg(figure, "efficiency-eta")
    return Figure(
        svg,
        f"Prompt particles above {_DIP_ABOVE:g} GeV. Shaded: where the beam pipe's cone changes and hadrons are"
        f" lost. LHCb full simulation: {known[0].caption}.",
        "Long efficiency against pseudorapidity",
    )


def _origin_figure(particles: Columns) -> Figure:
    edges = np.array([-200, 0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1200, 1500, 1800, 2200, 2600])
    found = particles.at(particles["track_type"] > 0)  # daughters of decays in flight have no class
    with canvas() as (figure, axes):
        for number, kind in enumerate((LONG, UPSTREAM, DOWNSTREAM)):
            shares = in_bins(found["track_type"] == kind, found["z"], edges, share)
            centre = 0.5 * (edges[1:] + edges[:-1])
            measured(axes, centre, shares, _NAMES[kind], series=number)
        axes.axvspan(-175, 750, color="#8a93a0", alpha=0.18, linewidth=0.0)
        axes.set(xlabel="z of origin [mm]", ylabel="share of reconstructed", ylim=(0.0, 1.25))
        axes.legend(ncols=3, loc="upper center")
        svg = to_svg(figure, "efficiency-origin")
    return Figure(
        svg,
        "Classes of reconstructed particles against where they were born. Shaded: the VELO.",
        "Classes of tracks against origin",
    )


def _composition(accepted: Columns) -> Table:
    known = points("composition")
    rows = []
    for kind, value in zip(known.x, known.y, strict=True):
        found = share(accepted["track_type"] == kind)
        told = "\N{EN DASH}" if found.value is None else f"{100 * found.value:.1f} ± {100 * (found.error or 0.0):.1f} %"
        rows.append((_NAMES[int(kind)], told, f"{100 * value:.0f} %"))
    return Table(
        ("class", "simulation", "public"),
        rows,
        f"Particles in acceptance in events of pp collisions, {accepted.rows:,} of them. Public: {known.caption}.",
    )
