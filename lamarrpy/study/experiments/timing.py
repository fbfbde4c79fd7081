"""Experiment 4: how fast networks and integrators are on the same tracks (protocol section 6)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from lamarrpy.benchmark.processes import run_module
from lamarrpy.errors import LamarrpyError
from lamarrpy.field import MagneticField
from lamarrpy.propagation import runge_kutta
from lamarrpy.strict import Strict
from lamarrpy.study.experiments.selection import architectures
from lamarrpy.study.jobs import Job, Outcome
from lamarrpy.study.stopwatch import Integrator, Order
from lamarrpy.study.study import Study
from lamarrpy.tracks import TrackSample
from lamarrpy.tracks.accuracy import accuracy

NAME = "timing"
QUESTION = "What is the inference speed compared to classical Runge-Kutta integration?"
ALONE = True

SAMPLE = "main.test"
"""Whose tracks are extrapolated, by all contenders."""

STANDARD = "runge_kutta_40"
"""The integrator that factors are told against: 40 equal steps, 0.1 um or better above 5 GeV.

Where all tracks start in one plane and end in another, as the protocol's do, they step together, which makes it several
times faster; ``runge_kutta_anywhere`` takes the same steps without that.
"""

STEPS = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128)
"""Numbers of steps among which the one is sought whose accuracy a network has."""

_MATCHING = 2000
"""Tracks that are enough for it."""

KEYS = ("contender", "engine", "threads", "device", "batch")
"""What tells one measurement from another."""

_GPU_ENGINES = ("function", "xla")

Engine = Literal["keras", "function", "xla", "onnx", "pipeline"]
Method = Literal["runge_kutta", "in_planes", "dormand_prince", "shared_steps"]
Row = dict[str, Any]


class Options(Strict):
    """How much is timed."""

    networks: tuple[str, ...] = Field(
        ("mlp_small", "pinn_small", "rkpinn_small", "rkpinn_tiny"), description="jobs of the architecture comparison"
    )
    engines: tuple[Engine, ...] = Field(("keras", "function", "xla", "onnx", "pipeline"), description="what runs them")
    threads: tuple[int, ...] = Field((1, 2), description="numbers of threads")
    batches: tuple[int, ...] = Field((1, 10, 100, 1000, 10_000, 100_000), description="tracks at once")
    warmup: int = Field(100, ge=0, description="passes that do not count")
    passes: int = Field(1000, ge=1, description="passes that count")
    seconds: float = Field(0.05, gt=0, description="time after which either is cut short, of each contender and batch")
    integrated: int = Field(10_000, ge=1, description="most tracks at once of integrators, which take 4096 at a time")
    tolerance: float = Field(1e-3, gt=0, description="of a step of the adaptive integrator [mm]")
    spacing: float = Field(100.0, gt=0, description="nodes of the map that one integrator looks the field up in [mm]")
    map_steps: int = Field(16, ge=1, description="steps of that integrator")


def jobs(study: Study) -> list[Job]:
    """The networks that are timed, all of the architecture comparison."""
    return architectures(study, study.options(NAME, Options).networks, NAME)


def run(study: Study) -> dict[str, Any]:
    """Time networks by engine, threads and batch, and integrators on the same tracks.

    Returns
    -------
    dict
        ``rows``: contender, kind (network or integrator), engine, threads, device, batch, passes made, time [us] of the
        first pass, mean, deviation and quantiles of a pass, us_per_track (from the median) and per_second.
        ``contenders``: accuracy of each. ``speedup``: factor over ``over`` at the same batch and threads, ``matched``
        if that integrator has the network's accuracy. ``memory`` [MB] by engine and threads. ``agreement``:
        distance_68 [um] of each network by engine. ``failed``: what could not be timed, and why.
    """
    options, outcomes = study.options(NAME, Options), study.outcomes(jobs(study))
    sample, field = study.sample(SAMPLE), study.track_recipe(SAMPLE).field
    matched = {name: matched_steps(sample, field.make(), one.metrics["test"]["distance_95"])
               for name, one in outcomes.items()}  # fmt: skip
    wanted = integrators(options, sample, [steps for steps in matched.values() if steps])
    common = {
        "warmup": options.warmup, "passes": options.passes, "seconds": options.seconds,
        "samples": str(study.samples.folder.resolve()), "sample": SAMPLE,
        "field": {"kind": field.kind, "polarity": field.polarity, **field.settings},
    }  # fmt: skip
    folders = {name: str(one.folder.resolve()) for name, one in outcomes.items()}
    found: dict[str, Any] = {"rows": [], "memory": [], "agreement": {}, "failed": []}
    contenders = {name: _about(one) for name, one in outcomes.items()}
    for order in _orders(options, common, folders, wanted):
        study.tell(f"timing: {order.engine} on {order.threads} thread(s){', with a GPU' if order.gpu else ''}")
        _take_in(found, contenders, order)
    speedup = speedups(found["rows"], matched)
    return {
        **found,
        "contenders": contenders,
        "matched_steps": matched,
        "speedup": speedup,
        "latency": [_latency(row) for row in found["rows"] if row["batch"] == 1],
        "conclusion": conclusion(found["rows"], speedup, contenders),
    }


def _about(outcome: Outcome) -> Row:
    family = outcome.recipe.architecture.family
    return {"kind": "network", "family": family, "parameters": outcome.history["parameters"], **outcome.metrics["test"]}


def matched_steps(sample: TrackSample, field: MagneticField, distance_95: float | None) -> int | None:
    """The fewest Runge-Kutta steps that carry 95 % of tracks as close to their true end as a network does.

    Parameters
    ----------
    sample : TrackSample
        Tracks with their true end.
    field : MagneticField
        That they go through.
    distance_95 : float or None, um
        Below which 95 % of the network's distances lie.

    Returns
    -------
    int or None
        One of `STEPS`; None if the network has no figure, or is better than the most steps.
    """
    some = sample.at(slice(_MATCHING))
    true = np.stack([some.end.x, some.end.y, some.end.tx, some.end.ty], axis=1)
    for steps in STEPS if distance_95 is not None else ():
        there = runge_kutta(some.start, [some.start.z + some.dz], field, steps)
        got = accuracy(np.stack([there.x[0], there.y[0], there.tx[0], there.ty[0]], axis=1), true)
        if got["share_finite"] == 1.0 and got["distance_95"] <= distance_95:
            return steps
    return None


def integrators(options: Options, sample: TrackSample, matched: Sequence[int]) -> dict[str, Integrator]:
    """Methods of integration to be timed, by name; adaptive, and with fixed steps (protocol section 6.2.2)."""
    longest, ends = float(np.max(sample.dz)), np.ptp(sample.start.z + sample.dz) == 0.0
    together: Method = "in_planes" if ends and np.ptp(sample.start.z) == 0.0 else "runge_kutta"
    found = {
        STANDARD: Integrator(method=together, steps=40),
        "runge_kutta_100mm": Integrator(method=together, steps=int(np.ceil(longest / 100.0))),
        "runge_kutta_anywhere": Integrator(method="runge_kutta", steps=40),
        "runge_kutta_map": Integrator(method="runge_kutta", steps=options.map_steps, spacing=options.spacing),
        "dormand_prince": Integrator(method="dormand_prince", tolerance=options.tolerance),
    }
    if ends:
        found["shared_steps"] = Integrator(method="shared_steps")
    return found | {f"runge_kutta_{steps}": Integrator(method=together, steps=steps) for steps in sorted(matched)}


def _orders(
    options: Options, common: dict[str, Any], folders: dict[str, str], wanted: Mapping[str, Integrator]
) -> Iterator[Order]:
    for threads in options.threads:
        fewer = [batch for batch in options.batches if batch <= options.integrated] or [min(options.batches)]
        yield Order(engine="numpy", threads=threads, batches=fewer, integrators=dict(wanted), **common)
        for engine in options.engines if folders else ():
            if engine != "pipeline" or threads == 1:  # one thread is what the pipeline gives a network
                yield Order(engine=engine, threads=threads, batches=options.batches, networks=folders, **common)
    for engine in options.engines if folders and _has_gpu() else ():
        if engine in _GPU_ENGINES:
            yield Order(engine=engine, gpu=True, batches=options.batches, networks=folders, **common)


def _has_gpu() -> bool:
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def _take_in(found: dict[str, Any], contenders: dict[str, Row], order: Order) -> None:
    """Carry an order out in a process of its own, and sort what it says in."""
    where = {"engine": order.engine, "threads": order.threads}
    try:
        told = _carried_out(order)
    except LamarrpyError as error:
        found["failed"].append({**where, "gpu": order.gpu, "reason": str(error).splitlines()[-1]})
        return
    for name, figures in told["accuracy"].items():
        if order.engine == "numpy":
            contenders.setdefault(name, {"kind": "integrator", **order.integrators[name].model_dump(), **figures})
        else:
            found["agreement"].setdefault(name, {})[order.engine] = figures["distance_68"]
    for row in told["rows"]:
        about = contenders[row["contender"]]
        found["rows"].append({**row, **where, "device": told["device"], "kind": about["kind"],
                              "family": about.get("family")})  # fmt: skip
    found["memory"].append({**where, "device": told["device"], **told["memory"]})


def _carried_out(order: Order) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="lamarrpy-timing-") as folder:
        path = Path(folder) / "order.json"
        path.write_text(order.model_dump_json(), encoding="utf-8")
        said: dict[str, Any] = json.loads(run_module("timing", "lamarrpy.study.stopwatch", str(path)))
    return said


def _latency(row: Row) -> Row:
    return {key: row[key] for key in ("contender", "engine", "threads", "device", "p50_us", "p95_us", "p99_us")}


def speedups(rows: Sequence[Row], matched: Mapping[str, int | None]) -> list[Row]:
    """How many times faster each network is than each integrator, on as many threads.

    Parameters
    ----------
    rows : sequence of dict
        Of `run`. Integrators count with as many tracks at once, or with the most that they were given, if fewer.
    matched : mapping of str to int
        Steps of Runge-Kutta that are as accurate as each network.
    """
    found = []
    for row in rows:
        if row["kind"] == "network":
            steps = matched.get(row["contender"])
            for other in _against(row, rows):
                found.append({
                    **{key: row[key] for key in KEYS},
                    "over": other["contender"],
                    "factor": other["us_per_track"] / row["us_per_track"],
                    "matched": other["contender"] == f"runge_kutta_{steps}",
                })  # fmt: skip
    return found


def _against(row: Row, rows: Sequence[Row]) -> list[Row]:
    """The row of each integrator that a network's is held against."""
    slow = [one for one in rows if one["kind"] == "integrator" and one["threads"] == row["threads"]
            and one["batch"] <= row["batch"]]  # fmt: skip
    return list({one["contender"]: one for one in sorted(slow, key=lambda one: float(one["batch"]))}.values())


def conclusion(rows: Sequence[Row], speedup: Sequence[Row], contenders: Mapping[str, Row]) -> str:
    """What the times say, network by network, on one thread and many tracks at once."""
    timed = [row for row in rows if row["kind"] == "network" and row["threads"] == 1 and row["device"] == "cpu"]
    if not timed:
        return "No network was timed."
    most = max(row["batch"] for row in timed)
    told = [f"On one thread, {most:,} tracks at a time:"]
    for name in dict.fromkeys(row["contender"] for row in timed):
        mine = [row for row in timed if (row["contender"], row["batch"]) == (name, most)]
        told.append(_sentence(min(mine, key=lambda row: float(row["us_per_track"])), speedup, contenders))
    alone = [row for row in timed if row["batch"] == 1]
    if alone:
        quick = min(alone, key=lambda row: float(row["p50_us"]))
        told.append(
            f"One track alone is soonest extrapolated by {quick['contender']} with {quick['engine']}: half of the"
            f" passes within {quick['p50_us']:.0f} us, 99 % within {quick['p99_us']:.0f} us."
        )
    return " ".join(told)


def _sentence(best: Row, speedup: Sequence[Row], contenders: Mapping[str, Row]) -> str:
    factors = {row["over"]: row["factor"] for row in speedup if all(row[key] == best[key] for key in KEYS)}
    told = f"{best['contender']} takes {best['us_per_track']:.3g} us a track with {best['engine']}"
    if STANDARD in factors:
        told += f", {_times(factors[STANDARD])} than 40 Runge-Kutta steps"
    error = contenders[best["contender"]]["distance_95"]
    if error is None:
        return f"{told}; it has no finite answers."
    equal = [name for name in factors if (contenders[name]["distance_95"] or np.inf) <= error
             and contenders[name]["share_finite"] == 1.0]  # fmt: skip
    if not equal:
        return f"{told}; 95 % of its ends are within {error:.3g} um, which no integrator here reaches."
    fastest = min(equal, key=factors.__getitem__)
    return (
        f"{told} and {_times(factors[fastest])} than {fastest}, the fastest integrator that is as accurate"
        f" (95 % within {error:.3g} um)."
    )


def _times(factor: float) -> str:
    return f"{factor:.3g} times less" if factor >= 1.0 else f"{1.0 / factor:.3g} times more"
