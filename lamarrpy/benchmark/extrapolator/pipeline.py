"""The propagation stage with the neural extrapolator beside the one with Runge-Kutta, on the particles of a gun."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from lamarrpy.benchmark.checks import Check
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field
from lamarrpy.generate import generate
from lamarrpy.particles import charge
from lamarrpy.propagation import Crossings, State, dormand_prince
from lamarrpy.shipped import shipped
from lamarrpy.stages.propagation import LEFT_OVER, Propagation
from lamarrpy.tables import EventBatch
from lamarrpy.tables.schemas import PLANES

WAYS = ("mid_tt", "mid_t", "ecal")


def pipeline_checks(*, quick: bool) -> Iterator[Check]:
    """Time of the stage by either method, taking turns; their errors at the worst plane; what is left over."""
    batch = next(iter(generate(shipped("data", "recipes", "gun.yaml"), events=1250 if quick else 2500, seed=2)))
    stages = {method: Propagation(method=method, planes=WAYS) for method in ("neural", "runge_kutta")}
    best = dict.fromkeys(stages, np.inf)
    done: dict[str, EventBatch] = {}
    for _ in range(3 if quick else 7):
        for method, stage in stages.items():
            started = time.process_time()
            done[method] = stage(batch, Draws(0))
            best[method] = min(best[method], time.process_time() - started)
    yield Check("extrapolator.pipeline.speedup", best["runge_kutta"] / best["neural"], 1.0, None, "")
    propagated = done["neural"].array("particles", "propagated")
    for method, seconds in best.items():
        yield Check(f"extrapolator.pipeline.time.{method}", 1e6 * seconds / propagated.sum(), None, None, "us")
    left = done["neural"].array("particles", LEFT_OVER)[propagated]
    yield Check("extrapolator.pipeline.left_to_runge_kutta", float(left.mean()), None, None, "")
    rows = np.random.default_rng(1).permutation(np.flatnonzero(propagated))[: 5_000 if quick else 20_000]
    truth = _truth(done["neural"], rows)
    for method, after in done.items():
        for share in (0.68, 0.95):
            error = max(_distance(after, rows, truth, i, share) for i in range(len(WAYS)))
            yield Check(f"extrapolator.pipeline.error_{100 * share:.0f}.{method}", error, None, None, "um")


def _truth(batch: EventBatch, rows: np.ndarray) -> Crossings:
    names = ("x", "y", "z", "tx", "ty", "p", "pid")
    x, y, z, tx, ty, p, pid = (column[rows] for column in batch.arrays("particles", *names))
    return dormand_prince(
        State(x, y, z, tx, ty, charge(pid) / p), [PLANES[way] for way in WAYS], magnetic_field("lhcb")
    )


def _distance(batch: EventBatch, rows: np.ndarray, truth: Crossings, plane: int, share: float) -> float:
    x, y = (batch.array("particles", f"{axis}_{WAYS[plane]}")[rows] for axis in "xy")
    off = 1e3 * np.hypot(x - truth.x[plane], y - truth.y[plane])
    return float(np.nanquantile(off[truth.reaches[plane]], share))
