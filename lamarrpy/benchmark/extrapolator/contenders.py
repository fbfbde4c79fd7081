"""Ways through the magnet, all asked the same: where do these tracks end?"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.field import Grid, MagneticField, write_grid
from lamarrpy.nn.extrapolators.families import Shape, build
from lamarrpy.parameterization.network import Network
from lamarrpy.propagation import SharedSteps, State, runge_kutta
from lamarrpy.tracks import TrackSample
from lamarrpy.train.export import to_onnx
from lamarrpy.train.extrapolation.running import as_input

Array = NDArray[np.float64]

STEP = 100.0
"""Length [mm] of the steps of a field map, and of the fixed steps that LHCb's extrapolators are compared with."""

COUNTS = (6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 80, 96, 128)
"""Numbers of Runge-Kutta steps among which the one of matched accuracy is looked for."""


@dataclass(frozen=True)
class Contender:
    """A way through the magnet.

    Attributes
    ----------
    name : str
        What it is called in the table.
    ends : callable
        From the states of n tracks, and the way dz [mm] of each, to x, y [mm], tx, ty at the ends, shape (n, 4).
    """

    name: str
    ends: Callable[[State, Array], Array]


def of_network(name: str, model: Any) -> Contender:
    """A network, as it runs: ONNX on one thread."""
    network = Network(model if isinstance(model, bytes) else to_onnx(model, _some(), 1e3), {"tracks": 7}, 4, name)

    def ends(start: State, dz: Array) -> Array:
        line = np.stack([start.x + start.tx * dz, start.y + start.ty * dz, start.tx, start.ty], axis=1)
        return line + network(tracks=as_input(start, dz))

    return Contender(name, ends)


def _some() -> NDArray[np.float32]:
    """A few tracks, on which the exported network is compared with the one that learned."""
    random, n = np.random.default_rng(0), 1024
    x, y, tx, ty = (random.uniform(-r, r, n) for r in (500.0, 500.0, 0.2, 0.15))
    qop = random.choice((-1.0, 1.0), n) / random.uniform(5e3, 1e5, n)
    return as_input(State(x, y, np.full(n, 4000.0), tx, ty, qop), np.full(n, 8000.0))


def picard(field: Mapping[str, Any], sweeps: int, **nodes: Any) -> Contender:
    """The sweeps of an RK-PINN from the straight line on, without a network."""
    shape = Shape("picard", field=field, sweeps=sweeps, **nodes)
    return of_network(f"Picard, {sweeps + 1} evaluations", build(shape))


def fixed_steps(field: MagneticField, count: int, name: str = "") -> Contender:
    """Runge-Kutta of fourth order with a number of equal steps."""

    def ends(start: State, dz: Array) -> Array:
        end = runge_kutta(start, [start.z + dz], field, count)
        return np.stack([column[0] for column in end[:4]], axis=1)

    return Contender(name or f"Runge-Kutta, {count} steps", ends)


def shared_steps(field: MagneticField) -> Contender:
    """The fast form of Runge-Kutta, which the propagation stage takes; all tracks end in one plane."""

    def ends(start: State, dz: Array) -> Array:
        end = SharedSteps(field)(start, [float(start.z[0] + dz[0])])
        return np.stack([column[0] for column in end[:4]], axis=1)

    return Contender("Runge-Kutta, shared steps", ends)


def looked_up(field: MagneticField) -> MagneticField:
    """The map of a field with a point every 100 mm, wide enough for all tracks from z = 4 to 12 m."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.npz"
        across = np.arange(-6000.0, 6000.1, STEP)
        # the poles of the dipole pair are at points of the grid: half a step beside them is none
        write_grid(field, path, across, np.arange(-4950.0, 5000.0, STEP), np.arange(3900.0, 12_100.1, STEP))
        return Grid.read(path, field.polarity)


def matched(field: MagneticField, sample: TrackSample, wanted: float) -> int:
    """The fewest Runge-Kutta steps with which 95 % of the tracks are as near to the truth [um] as something else is."""
    for count in COUNTS:
        if distance(fixed_steps(field, count), sample, 0.95) <= wanted:
            return count
    return COUNTS[-1]


def distance(contender: Contender, sample: TrackSample, share: float) -> float:
    """What a share of the tracks ends nearer than to the truth, um."""
    ends = contender.ends(sample.start, sample.dz)
    off: Array = np.hypot(ends[:, 0] - sample.end.x, ends[:, 1] - sample.end.y) * 1e3
    return float(np.quantile(np.nan_to_num(off, nan=np.inf), share))


def times(contenders: list[Contender], sample: TrackSample, rounds: int) -> dict[str, float]:
    """CPU time [us] a track of each, the least of some rounds in which they take turns."""
    best = dict.fromkeys((each.name for each in contenders), np.inf)
    for each in contenders:
        each.ends(sample.start.at(slice(2048)), sample.dz[:2048])
    for _ in range(rounds):
        for each in contenders:
            started = time.process_time()
            each.ends(sample.start, sample.dz)
            best[each.name] = min(best[each.name], time.process_time() - started)
    return {name: 1e6 * seconds / len(sample) for name, seconds in best.items()}
