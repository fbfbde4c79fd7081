"""``lamarrpy benchmark extrapolator``: the networks beside integration, in both fields, in one run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from lamarrpy.benchmark.checks import Check
from lamarrpy.benchmark.extrapolator.contenders import (
    STEP,
    Contender,
    distance,
    fixed_steps,
    looked_up,
    matched,
    picard,
    shared_steps,
    times,
)
from lamarrpy.benchmark.extrapolator.matrices import jacobian_error
from lamarrpy.benchmark.extrapolator.pipeline import pipeline_checks
from lamarrpy.benchmark.extrapolator.table import Row, tell
from lamarrpy.benchmark.extrapolator.trained import QUICK_STEPS, STEPS, other_families, pulls, train_plan
from lamarrpy.field import magnetic_field
from lamarrpy.propagation.neural import NeuralExtrapolator
from lamarrpy.shipped import shipped
from lamarrpy.tracks import TrackSample, load_track_recipe, make_sample
from lamarrpy.tracks.accuracy import accuracy
from lamarrpy.train.extrapolation.shipping import in_field

FIELDS = ("lhcb", "dipole_pair")
SAMPLES = ("box", "acceptance")

NODES: dict[str, dict[str, Any]] = {
    "lhcb": {"nodes": 20, "middle": 4500.0, "width": 2500.0, "start": 4000.0, "end": 12_000.0},
    "dipole_pair": {"nodes": 12, "middle": 5000.0, "width": 4000.0, "start": 4000.0, "end": 12_000.0},
}
"""Nodes of the fixed extrapolators, which Picard sweeps without a network have too."""

_BARS: dict[str, dict[str, float]] = {
    "p5": {"rms_x": 1.0, "rms_y": 1.0, "rms_tx": 0.2, "rms_ty": 0.2, "distance_95": 1.5},
    "p2": {"distance_68": 1.0, "distance_95": 5.0, "rms_x": 10.0},
}
_BIAS = 0.1
_VARIABLE_BARS = {"p5": 1.0, "p2": 10.0}
_LOWEST = {"p5": 5000.0, "p2": 2000.0}
"""Bars [um, urad] from 5 and from 2 GeV, and the momenta [MeV]."""

BINS: dict[str, tuple[float, ...]] = {
    "p": (2e3, 5e3, 10e3, 20e3, 50e3, 100e3),
    "y": (0.0, 250.0, 500.0, 1000.0),
    "tx": (0.0, 0.1, 0.2, 0.3),
}
"""Edges of bins of momentum [MeV], and of the size of height [mm] and slope at the start."""


def extrapolator_checks(*, quick: bool) -> Iterator[Check]:
    """Measure the checks one by one.

    Parameters
    ----------
    quick : bool
        10,000 tracks a sample instead of 60,000, the shipped extrapolators alone, and short trainings of what has to
        be trained.
    """
    tracks = 10_000 if quick else 60_000
    with tempfile.TemporaryDirectory(prefix="lamarrpy-benchmark-") as name:
        for field in FIELDS:
            yield from _fixed(field, tracks, Path(name), quick)
        for field in FIELDS:
            yield from _variable(field, tracks, Path(name), quick)
        yield from _in_bins(tracks)
        yield from _pulls(tracks, quick)
        yield jacobian_error(100 if quick else 1000)
        yield from pipeline_checks(quick=quick)


def _samples(field: str, tracks: int) -> dict[str, TrackSample]:
    recipes = {name: in_field(load_track_recipe(name), {"kind": field}) for name in SAMPLES}
    return {name: make_sample(recipe, tracks, seed=77) for name, recipe in recipes.items()}


def _fixed(field: str, tracks: int, folder: Path, quick: bool) -> Iterator[Check]:
    """From z = 4 to 12 m: accuracy, speed, and what the network is worth, in one field."""
    samples = _samples(field, tracks)
    trained = None if quick else train_plan(_plan("fixed", field), folder)
    known = None if quick and field != "lhcb" else _neural("fixed", field, trained)
    yield Check(f"extrapolator.training_cpu.fixed.{field}", trained.cpu_seconds if trained else None, None, 600.0, "s")
    for name, sample in samples.items():
        yield from _accuracy(f"{field}.{name}", known, sample)
    yield from _speed(field, known, samples, quick)


def _plan(kind: str, field: str) -> str:
    return kind if field == "lhcb" else f"{kind}_{field}"


def _neural(kind: str, field: str, trained: Any) -> Contender:
    """The network: the one that ships, of ``lhcb``, the one that was just trained, of another field."""
    folder = shipped("models", "extrapolator", kind) if field == "lhcb" else trained.folder
    neural = NeuralExtrapolator(folder, magnetic_field(field))

    def ends(start: Any, dz: Any) -> Any:
        end, inside = neural.extrapolate(start, start.z + dz)
        out = np.stack([end.x, end.y, end.tx, end.ty], axis=1)
        out[~inside] = np.nan
        return out

    return Contender("network", ends)


def _figures(ends: Any, sample: TrackSample, lowest: float) -> dict[str, float]:
    """Errors [um, urad] of the tracks from a momentum [MeV] on, but for those left to Runge-Kutta."""
    rows = (sample.p >= lowest) & np.isfinite(ends).all(axis=1)
    true = np.stack([sample.end.x, sample.end.y, sample.end.tx, sample.end.ty], axis=1)
    found = accuracy(ends[rows], true[rows])
    told = {f"rms_{axis}": found["rmse"][axis] for axis in ("x", "y", "tx", "ty")}
    told |= {f"mean_{axis}": found["mean"][axis] for axis in ("x", "y", "tx", "ty")}
    return told | {"distance_68": found["distance_68"], "distance_95": found["distance_95"]}


def _accuracy(where: str, known: Contender | None, sample: TrackSample) -> Iterator[Check]:
    ends = None if known is None else known.ends(sample.start, sample.dz)
    for label, lowest in _LOWEST.items():
        found = {} if ends is None else _figures(ends, sample, lowest)
        for quantity, high in _BARS[label].items():
            name = f"extrapolator.{quantity}.{where}.{label}"
            yield Check(name, found.get(quantity), None, high, _unit(quantity))
        if label == "p5":
            for axis in ("x", "y", "tx", "ty"):
                value = found.get(f"mean_{axis}")
                yield Check(f"extrapolator.mean_{axis}.{where}.{label}", value, -_BIAS, _BIAS, _unit(axis))
    left = None if ends is None else float(np.mean(~np.isfinite(ends).all(axis=1)))
    yield Check(f"extrapolator.left_to_runge_kutta.{where}", left, None, None, "")


def _unit(quantity: str) -> str:
    return "urad" if quantity.endswith(("tx", "ty")) else "um"


def _speed(field: str, known: Contender | None, samples: dict[str, TrackSample], quick: bool) -> Iterator[Check]:
    """Time a track on one thread, all contenders taking turns, and the table of all of them."""
    made, sample = magnetic_field(field), samples["box"]
    few = sample.at(slice(4096))
    wanted = 1.5 if known is None else distance(known, sample, 0.95)
    count = matched(made, few, wanted)
    steps = int(8000.0 / STEP)
    table = {
        "matched": fixed_steps(made, count, f"Runge-Kutta, {count} steps (matched)"),
        "steps_100mm": fixed_steps(made, steps, f"Runge-Kutta, {steps} steps of {STEP:g} mm"),
        "trilinear_16": fixed_steps(looked_up(made), 16, "Runge-Kutta, 16 steps, map"),
    }
    sweeps = [picard({"kind": field}, n, **NODES[field]) for n in range(6)]
    others = [*sweeps, shared_steps(made)]
    if not quick:
        others += other_families(field)
    fast = [*([known] if known else []), *others]
    taken = times(fast, sample, 3 if quick else 5) | times(list(table.values()), few, 2)
    network = None if known is None else taken[known.name]
    for what, low in (("trilinear_16", 10.0), ("steps_100mm", 10.0), ("matched", 4.0)):
        ratio = None if network is None else taken[table[what].name] / network
        yield Check(f"extrapolator.speedup.{field}.{what}", ratio, low, None, "")
    ratio = None if network is None else taken[others[len(sweeps)].name] / network
    yield Check(f"extrapolator.speedup.{field}.shared_steps", ratio, None, None, "")
    yield Check(f"extrapolator.time.{field}", network, None, None, "us")
    rows = [_row(each, sample, taken[each.name]) for each in [*fast, *table.values()]]
    yield _gain(field, known, sweeps, {row.name: row for row in rows})
    tell(field, rows, known.name if known else None)


def _row(contender: Contender, sample: TrackSample, time: float) -> Row:
    some = sample if "Runge-Kutta" not in contender.name else sample.at(slice(4096))
    ends = contender.ends(some.start, some.dz)
    return Row(contender.name, time, _figures(ends, some, 5000.0), _figures(ends, some, 2000.0))


def _gain(field: str, known: Contender | None, sweeps: list[Contender], rows: dict[str, Row]) -> Check:
    """How much smaller the rms of x from 2 GeV is than that of Picard sweeps that cost at least as much."""
    value = None
    if known is not None:
        mine = rows[known.name]
        dearer = [rows[each.name] for each in sweeps if rows[each.name].time >= mine.time] or [rows[sweeps[-1].name]]
        value = min(dearer, key=lambda row: row.time).from_2["rms_x"] / mine.from_2["rms_x"]
    return Check(f"extrapolator.gain_over_picard.{field}", value, 3.0, None, "")


def _variable(field: str, tracks: int, folder: Path, quick: bool) -> Iterator[Check]:
    """From any origin before the T stations to any plane."""
    trained = None if quick else train_plan(_plan("variable", field), folder)
    yield Check(
        f"extrapolator.training_cpu.variable.{field}", trained.cpu_seconds if trained else None, None, 600.0, "s"
    )
    known = None if quick and field != "lhcb" else _neural("variable", field, trained)
    sample = make_sample(in_field(load_track_recipe("variable"), {"kind": field}), tracks // 2, seed=77)
    ends = None if known is None else known.ends(sample.start, sample.dz)
    for label, lowest in _LOWEST.items():
        found = {} if ends is None else _figures(ends, sample, lowest)
        for quantity, high in (("distance_68", None), ("distance_95", _VARIABLE_BARS[label])):
            name = f"extrapolator.{quantity}.{field}.variable.{label}"
            yield Check(name, found.get(quantity), None, high, "um")
    left = None if ends is None else float(np.mean(~np.isfinite(ends).all(axis=1)))
    yield Check(f"extrapolator.left_to_runge_kutta.{field}.variable", left, None, None, "")


def _in_bins(tracks: int) -> Iterator[Check]:
    """Half the central 68 % of the residuals, and their mean, in bins of momentum, height and slope: ``lhcb``."""
    sample = _samples("lhcb", tracks)["box"]
    ends = _neural("fixed", "lhcb", None).ends(sample.start, sample.dz)
    true = np.stack([sample.end.x, sample.end.y, sample.end.tx, sample.end.ty], axis=1)
    values = {"p": sample.p, "y": np.abs(sample.start.y), "tx": np.abs(sample.start.tx)}
    for by, edges in BINS.items():
        for low, high in pairwise(edges):
            rows = (values[by] >= low) & (values[by] <= high) & np.isfinite(ends).all(axis=1)
            found = accuracy(ends[rows], true[rows])
            scale = 1e-3 if by == "p" else 1.0
            label = f"{by}_{low * scale:g}_{high * scale:g}".replace("0.", "0p")
            for axis in ("x", "y", "tx", "ty"):
                yield Check(f"extrapolator.width_{axis}.{label}", found["width_68"][axis], None, None, _unit(axis))
                yield Check(f"extrapolator.bias_{axis}.{label}", found["mean"][axis], None, None, _unit(axis))


def _pulls(tracks: int, quick: bool) -> Iterator[Check]:
    """Mean and width of the pulls of a network that tells its own error."""
    found = pulls(_samples("lhcb", min(tracks, 20_000))["box"], QUICK_STEPS if quick else STEPS)
    for i, axis in enumerate(("x", "y", "tx", "ty")):
        low, middle, high = np.quantile(found[:, i], (0.16, 0.5, 0.84))
        yield Check(f"extrapolator.pull_mean.{axis}", float(middle), None, None, "")
        yield Check(f"extrapolator.pull_width.{axis}", float(0.5 * (high - low)), None, None, "")
