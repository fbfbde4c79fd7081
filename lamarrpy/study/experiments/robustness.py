"""Experiment 5: what networks answer to tracks unlike those that they have learned from (protocol section 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lamarrpy.field import MagneticField, magnetic_field
from lamarrpy.propagation import State, runge_kutta
from lamarrpy.strict import Strict
from lamarrpy.study.config import merged
from lamarrpy.study.experiments.selection import architectures
from lamarrpy.study.field_map import map_of
from lamarrpy.study.jobs import Job
from lamarrpy.study.study import Study
from lamarrpy.tracks import TrackRecipe, TrackSample, load_track_recipe, true_end
from lamarrpy.tracks.accuracy import accuracy
from lamarrpy.tracks.ranges import Intervals, fixed
from lamarrpy.tracks.starts import Box
from lamarrpy.train.extrapolation.running import answers, as_input, deviations

NAME = "robustness"
QUESTION = "How do networks fail on tracks outside their training range, and how does Runge-Kutta fare there?"
ALONE = False

INTEGRATOR, STEPS = "runge_kutta_40", 40
"""The classical extrapolator beside the networks: in the field that those have learned, whatever the true field is."""

RIM = 0.95
"""Part of a box that counts as its middle, not as its boundary."""

BELOW, ABOVE, STEEPER, FARTHER = 0.8, 1.1, 4.0 / 3.0, 1.5
"""How far outside: 0.4 GeV where training begins at 0.5, 110 where it ends at 100, slopes of 0.4 beyond 0.3."""

LENGTHS = (0.5, 0.9, 1.1)
"""Ways other than that of the training, in units of it."""

STRONGER = 1.01
"""A field by so much stronger."""

_MAP_STEPS, _ANY_MOMENTUM = 160, 1e29

Array = NDArray[np.float64]
Extrapolate = Callable[[State, Array], Array]
"""From n states and dz to deviations from the straight line, shape (n, 4)."""


class Options(Strict):
    """How much is tested."""

    networks: tuple[str, ...] = Field(
        ("mlp_small", "pinn_small", "rkpinn_small"), description="jobs of the architecture comparison"
    )
    tracks: int = Field(4000, ge=100, description="of each case")


@dataclass(frozen=True)
class Case:
    """Tracks that are asked for.

    Attributes
    ----------
    name, group, description : str
        Which, of what kind, and in words.
    sample : TrackSample
        The tracks and where they truly end.
    kept : float
        Share of the drawn tracks that get there.
    told : float
        What q/p is multiplied by before extrapolators are told it.
    """

    name: str
    group: str
    description: str
    sample: TrackSample
    kept: float
    told: float = 1.0


def jobs(study: Study) -> list[Job]:
    """The networks that are tested, all of the architecture comparison."""
    return architectures(study, study.options(NAME, Options).networks, NAME)


def run(study: Study) -> dict[str, Any]:
    """Errors and failures of networks, and of Runge-Kutta on the same tracks, case by case.

    Returns
    -------
    dict
        ``rows``: case, group, description, contender, family, kept, the figures of `accuracy`, and ``degradation``:
        distance_95 over that of the interpolation. ``edge_cases``: case, contender, n, ``finite`` (share of answers),
        ``worst_um``, the largest deviation from the answer where that is known.
    """
    contenders = extrapolators(study)
    rows = [row for case in cases(study) for row in _judged(case, contenders)]
    plain = {row["contender"]: row["distance_95"] for row in rows if row["case"] == "interpolation"}
    for row in rows:
        inside, here = plain[row["contender"]], row["distance_95"]
        row["degradation"] = here / inside if here is not None and inside else None
    return {
        "rows": rows,
        "edge_cases": edge_cases(study.sample("main.test").at(slice(100)), contenders),
        "conclusion": conclusion(rows),
    }


def extrapolators(study: Study) -> dict[str, tuple[str, Extrapolate]]:
    """Family and function of each contender by name."""
    field = study.track_recipe().field.make()
    found: dict[str, tuple[str, Extrapolate]] = {}
    for name, outcome in study.outcomes(jobs(study)).items():
        found[name] = (outcome.recipe.architecture.family, partial(_of_network, outcome.network()))
    return found | {INTEGRATOR: ("integrator", partial(integrated, field=field))}


def _of_network(network: Any, start: State, dz: Array) -> Array:
    return answers(network, as_input(start, dz))[:, :4].astype(np.float64)


def integrated(start: State, dz: Array, field: MagneticField, steps: int = STEPS) -> Array:
    """Deviations from the straight line by Runge-Kutta steps, shape (n, 4); NaN for tracks that curl."""
    there = runge_kutta(start, [start.z + dz], field, steps)
    x, y = there.x[0] - start.x - start.tx * dz, there.y[0] - start.y - start.ty * dz
    return np.stack([x, y, there.tx[0] - start.tx, there.ty[0] - start.ty], axis=1)


def _judged(case: Case, contenders: dict[str, tuple[str, Extrapolate]]) -> Iterator[dict[str, Any]]:
    start = case.sample.start._replace(qop=case.told * case.sample.start.qop)
    true = deviations(case.sample)
    for name, (family, extrapolate) in contenders.items():
        yield {
            "case": case.name, "group": case.group, "description": case.description, "contender": name,
            "family": family, "kept": case.kept, **accuracy(extrapolate(start, case.sample.dz), true),
        }  # fmt: skip


# ---- tracks


def cases(study: Study) -> Iterator[Case]:
    """All cases that the main tracks of a study allow: those on its box need one."""
    options, recipe = study.options(NAME, Options), study.track_recipe()
    sample = study.sample("main.test").at(slice(options.tracks))
    kept = study.samples.about("main.test").get("fractions", {}).get("kept", 1.0)
    yield Case("interpolation", "interpolation", "tracks as in training", sample, kept)
    for name, group, description, changes in variations(recipe):
        changed = load_track_recipe(merged(recipe.as_data(), changes))
        key = study.add_sample(f"{NAME}.{name}", changed, options.tracks)
        drawn = study.sample(key)
        yield Case(name, group, description, drawn, study.samples.about(key)["fractions"]["kept"])
    yield from other_fields(sample, recipe)


Variation = tuple[str, str, str, dict[str, Any]]
"""Name, group, description, and what is changed in the recipe of the tracks."""


def variations(recipe: TrackRecipe) -> Iterator[Variation]:
    """How the recipe of the training's tracks is changed for tracks at its rim and outside."""
    if isinstance(recipe.start, Box):
        yield from _around_box(recipe.start)
    low, high = recipe.momentum.p[0][0], recipe.momentum.p[-1][1]
    log = {"law": "log_uniform"}
    yield ("momentum_below", "momentum", f"p from {BELOW * low / 1e3:g} to {low / 1e3:g} GeV",
           {"momentum": {"p": [BELOW * low, low], **log}})  # fmt: skip
    if high < _ANY_MOMENTUM:
        yield ("momentum_above", "momentum", f"p from {high / 1e3:g} to {ABOVE * high / 1e3:g} GeV",
               {"momentum": {"p": [high, ABOVE * high], **log}})  # fmt: skip
    length = None if recipe.length.dz is None else fixed(recipe.length.dz)
    for factor in LENGTHS if length is not None else ():
        dz = factor * float(length or 0.0)
        yield f"length_{dz:.0f}", "length", f"dz = {dz:g} mm in place of {length:g}", {"length": {"dz": dz}}


def _around_box(box: Box) -> Iterator[Variation]:
    half = {name: _half(getattr(box, name)) for name in ("x", "y", "tx", "ty")}
    rim = {name: RIM * size for name, size in half.items()}
    yield ("boundary", "boundary", f"at least one of x, y, tx, ty in the outermost {1 - RIM:.0%} of its range",
           {"start": {"hollow": rim}})  # fmt: skip
    for name, keys, factor in (("slopes", ("tx", "ty"), STEEPER), ("position", ("x", "y"), FARTHER)):
        wider = {key: [-factor * half[key], factor * half[key]] for key in keys}
        yield (name, name, f"{' or '.join(keys)} outside the range, by up to a factor {factor:.3g}",
               {"start": {**wider, "hollow": {key: half[key] for key in keys}}})  # fmt: skip


def _half(ranges: Intervals) -> float:
    return max(abs(edge) for pair in ranges for edge in pair)


def other_fields(sample: TrackSample, recipe: TrackRecipe) -> Iterator[Case]:
    """The same starts in fields that the networks have not learned."""
    field = recipe.field.make()
    stronger = sample.start._replace(qop=STRONGER * sample.start.qop)  # what a field bends goes as B q/p
    scaled, kept = _carried(sample, stronger, field)
    words = f"a field stronger by {STRONGER - 1:.0%}"
    yield Case("field_scaled", "field", words, scaled, kept)
    yield Case("field_scaled_told", "field", f"{words}, and q/p told larger by as much", scaled, kept, STRONGER)
    mapped = map_of(field, sample)
    ends = integrated(sample.start, sample.dz, mapped, _MAP_STEPS)
    yield Case("field_map", "field", "the same field, as a map with nodes every 100 mm", *_ending(sample, ends))
    kind = "dipole_pair" if recipe.field.kind != "dipole_pair" else "lhcb"
    other = magnetic_field(kind, recipe.field.polarity)
    yield Case(f"field_{kind}", "field", f"another field: {kind}", *_carried(sample, sample.start, other))


def _carried(sample: TrackSample, start: State, field: MagneticField) -> tuple[TrackSample, float]:
    """The tracks of a sample, where starts like theirs truly end; those that get there, and their share."""
    there = true_end(start, sample.dz, field)
    good = there.reaches & there.converged
    end = there.end._replace(qop=sample.start.qop)
    return TrackSample(sample.start.at(good), sample.dz[good], end.at(good)), float(good.mean())


def _ending(sample: TrackSample, ends: Array) -> tuple[TrackSample, float]:
    """The tracks of a sample with other deviations from the straight line, shape (n, 4); NaN is left out."""
    start, good = sample.start, np.isfinite(ends).all(axis=1)
    dz = sample.dz
    x, y = start.x + start.tx * dz + ends[:, 0], start.y + start.ty * dz + ends[:, 1]
    end = State(x, y, start.z + dz, start.tx + ends[:, 2], start.ty + ends[:, 3], start.qop)
    return TrackSample(start.at(good), dz[good], end.at(good)), float(good.mean())


# ---- failures


def edge_cases(sample: TrackSample, contenders: dict[str, tuple[str, Extrapolate]]) -> list[dict[str, Any]]:
    """What is answered to tracks at the edge of sense: whether finite, and whether right where the answer is known."""
    start, zero = sample.start, np.zeros(len(sample))
    asked: dict[str, tuple[State, Array, bool]] = {
        "neutral": (start._replace(qop=zero), sample.dz, True),
        "no_way": (start, zero, True),
        "curling": (start._replace(qop=np.sign(start.qop) / 100.0), sample.dz, False),
        "steep": (start._replace(tx=zero + 3.0), sample.dz, False),
        "far": (start._replace(x=zero + 1e5), sample.dz, False),
        "not_a_number": (start._replace(x=zero + np.nan), sample.dz, False),
    }
    rows = []
    for case, (state, dz, straight) in asked.items():
        for name, (family, extrapolate) in contenders.items():
            got = extrapolate(state, dz)
            finite = np.isfinite(got).all(axis=1)
            worst = 1e3 * float(np.abs(got[:, :2]).max()) if straight and finite.all() else None
            rows.append({"case": case, "contender": name, "family": family, "n": len(got),
                         "finite": float(finite.mean()), "worst_um": worst})  # fmt: skip
    return rows


def conclusion(rows: Sequence[dict[str, Any]]) -> str:
    """What the cases say, contender by contender."""
    told = []
    for name in dict.fromkeys(row["contender"] for row in rows):
        mine = [row for row in rows if row["contender"] == name]
        outside = [row for row in mine if row["degradation"] is not None and row["case"] != "interpolation"]
        if mine[0]["distance_95"] is None or not outside:
            told.append(f"{name} has no finite answer to tracks as in training.")
            continue
        factors: dict[str, float] = {}
        for row in outside:
            key = row["case"] if row["group"] == "field" else row["group"]
            factors[key] = max(row["degradation"], factors.get(key, 0.0))
        listed = ", ".join(f"{factor:.3g} for {key}" for key, factor in factors.items())
        lost = sum(round(row["n"] * (1.0 - row["share_finite"])) for row in mine)
        told.append(
            f"{name}: 95 % within {mine[0]['distance_95']:.3g} um as in training, times at worst {listed};"
            f" {lost} answers are not finite."
        )
    return " ".join(told)
