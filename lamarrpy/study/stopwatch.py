"""Times extrapolators in a process of its own, whose threads and memory are known.

``python -m lamarrpy.study.stopwatch ORDER.json`` reads an `Order`, and prints what it has measured as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lamarrpy.errors import ConfigError
from lamarrpy.field import MagneticField, magnetic_field
from lamarrpy.propagation import Crossings, SharedSteps, State, dormand_prince, runge_kutta
from lamarrpy.propagation.motion import KAPPA, runge_kutta_step
from lamarrpy.propagation.state import direction, slopes
from lamarrpy.strict import Strict
from lamarrpy.study.clock import Passes, timed
from lamarrpy.study.field_map import map_of
from lamarrpy.study.samples import Samples
from lamarrpy.tracks import TrackSample
from lamarrpy.tracks.accuracy import accuracy

Array = NDArray[np.float64]
Extrapolate = Callable[[State, Array], Array]
"""From n states and how far each goes to x, y, tx, ty at the ends, shape (n, 4)."""

Answer = Callable[[NDArray[np.float32]], NDArray[np.floating[Any]]]
"""A network: from tracks, shape (n, 7), to deviations from the straight line, shape (n, 4) or more columns."""

BLOCK = 4096
"""Tracks that an integrator takes at once: as many as stay in the processor's cache."""

ENGINES = {
    "keras": "the Keras network, operation by operation",
    "function": "the Keras network as a graph (tf.function)",
    "xla": "that graph, compiled for each batch size (jit_compile)",
    "onnx": "ONNX Runtime, the whole batch at once",
    "pipeline": "ONNX Runtime, 1024 tracks at a time: how lamarrpy runs networks",
    "numpy": "integration of the equation of motion in NumPy",
}
"""What runs an extrapolator, by name."""


class Integrator(Strict):
    """A method to integrate the equation of motion."""

    method: Literal["runge_kutta", "in_planes", "dormand_prince", "shared_steps"] = Field(
        description="in_planes is runge_kutta for tracks that all start in one plane and end in another"
    )
    steps: int = Field(40, ge=1, description="equal steps of runge_kutta and in_planes")
    tolerance: float = Field(1e-3, gt=0, description="of a step of dormand_prince [mm]")
    spacing: float | None = Field(None, gt=0, description="nodes [mm] of a map to look the field up in")


class Order(Strict):
    """What is to be timed."""

    engine: Literal["keras", "function", "xla", "onnx", "pipeline", "numpy"]
    threads: int = Field(1, ge=1)
    gpu: bool = Field(False, description="whether TensorFlow may use one")
    batches: tuple[int, ...]
    warmup: int
    passes: int
    seconds: float
    samples: str = Field(description="folder of the study's samples")
    sample: str = Field(description="name of the one whose tracks are extrapolated")
    field: dict[str, Any]
    networks: dict[str, str] = Field({}, description="folders of jobs by name")
    integrators: dict[str, Integrator] = Field({}, description="for the engine numpy")


def measure(order: Order) -> dict[str, Any]:
    """Time what is ordered.

    Returns
    -------
    dict
        ``rows``: one a contender and batch size; ``accuracy`` of each contender on the tracks of the largest batch;
        ``memory``: resident memory [MB] with everything imported, and at its peak; ``device``.
    """
    sample = Samples(Path(order.samples)).read(order.sample)
    contenders = dict(_contenders(order, sample))
    before = _peak_memory()
    passes = Passes(order.warmup, order.passes, order.seconds)
    rows, found = [], {}
    for name, extrapolate in contenders.items():
        for batch in sorted(order.batches):
            tracks = sample.at(np.resize(np.arange(len(sample)), batch))
            took = timed(lambda e=extrapolate, t=tracks: e(t.start, t.dz), passes)  # type: ignore[misc]
            rows.append({"contender": name, "batch": batch, **took, **_per_track(took["p50_us"], batch)})
        end = tracks.end
        found[name] = accuracy(extrapolate(tracks.start, tracks.dz), np.stack([end.x, end.y, end.tx, end.ty], axis=1))
    memory = {"imported_mb": before, "peak_mb": _peak_memory()}
    return {"rows": rows, "accuracy": found, "memory": memory, "device": _device(order)}


def _per_track(microseconds: float, batch: int) -> dict[str, float]:
    return {"us_per_track": microseconds / batch, "per_second": 1e6 * batch / microseconds}


def _peak_memory() -> float:
    """Resident memory of this process at its peak [MB]."""
    unit = 1.0 if sys.platform == "darwin" else 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _device(order: Order) -> str:
    if not order.gpu:
        return "cpu"
    import tensorflow as tf

    return "gpu" if tf.config.list_physical_devices("GPU") else "cpu"


def _contenders(order: Order, sample: TrackSample) -> Iterator[tuple[str, Extrapolate]]:
    if order.engine == "numpy":
        for name, integrator in order.integrators.items():
            yield name, _shared_out(integrating(integrator, order.field, sample), order.threads)
    elif order.engine in ("onnx", "pipeline"):
        for name, folder in order.networks.items():
            model = (Path(folder) / "model.onnx").read_bytes()
            yield name, through(_onnx(model, order.threads) if order.engine == "onnx" else _in_blocks(model, name))
    else:
        for name, network in _loaded(order):
            yield name, through(_TENSORFLOW[order.engine](network))


def through(answer: Answer) -> Extrapolate:
    """A network as an extrapolator: to what it answers the straight line is added, in float64."""

    def extrapolate(start: State, dz: Array) -> Array:
        tracks = np.empty((len(dz), 7), np.float32)
        for column, values in enumerate((*start, dz)):
            tracks[:, column] = values
        end = np.stack([start.x + start.tx * dz, start.y + start.ty * dz, start.tx, start.ty], axis=1)
        end += answer(tracks)[:, :4]
        return end

    return extrapolate


def integrating(wanted: Integrator, field: dict[str, Any], sample: TrackSample) -> Extrapolate:
    """An integrator as an extrapolator.

    Parameters
    ----------
    wanted : Integrator
        The method.
    field : mapping
        As `lamarrpy.field.magnetic_field` takes it.
    sample : TrackSample
        Tracks like those that it will be given: a map is made as large as they need it.

    Raises
    ------
    ConfigError
        If ``shared_steps`` is wanted for tracks that do not all end at one z, or ``in_planes`` for tracks that do
        not all start at one z either.
    """
    through_field = magnetic_field(**field)
    if wanted.spacing is not None:
        through_field = map_of(through_field, sample, wanted.spacing)
    if wanted.method == "in_planes":
        return _in_planes(through_field, _one(sample.start.z, "start"), _one(sample.end.z, "end"), wanted.steps)
    if wanted.method == "shared_steps":
        planes, steps = [_one(sample.end.z, "end")], SharedSteps(through_field)
        return lambda start, dz: _at_first(steps(start, planes))
    if wanted.method == "dormand_prince":
        return lambda start, dz: _at_first(dormand_prince(start, [start.z + dz], through_field, wanted.tolerance))
    return lambda start, dz: _at_first(runge_kutta(start, [start.z + dz], through_field, wanted.steps))


def _one(z: Array, what: str) -> float:
    if not len(z) or np.ptp(z) > 0.0:
        raise ConfigError(f"expected tracks that {what} at one z, got {len(np.unique(z))}: leave this integrator out")
    return float(z[0])


def _at_first(there: Crossings) -> Array:
    return np.stack([there.x[0], there.y[0], there.tx[0], there.ty[0]], axis=1)


def _in_planes(field: MagneticField, first: float, last: float, steps: int) -> Extrapolate:
    """Runge-Kutta steps that all tracks make together: the field is needed in planes alone, where it is cheap."""
    step = (last - first) / steps
    planes = [field.at_plane(first + 0.5 * i * step) for i in range(2 * steps + 1)]

    def extrapolate(start: State, dz: Array) -> Array:
        track = (start.x.copy(), start.y.copy(), *direction(start.tx, start.ty))
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            for i in range(0, 2 * steps, 2):
                runge_kutta_step(track, KAPPA * start.qop, step, (planes[i], planes[i + 1], planes[i + 2]))
            return np.stack([*track[:2], *slopes(*track[2:])], axis=1)

    return extrapolate


def _shared_out(extrapolate: Extrapolate, threads: int) -> Extrapolate:
    """The same in blocks, on so many threads."""
    pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def in_blocks(start: State, dz: Array) -> Array:
        size = min(BLOCK, -(-len(dz) // threads))
        blocks = [slice(first, first + size) for first in range(0, len(dz), size)]
        if pool is None or len(blocks) == 1:
            return np.concatenate([extrapolate(start.at(block), dz[block]) for block in blocks])
        return np.concatenate(list(pool.map(lambda block: extrapolate(start.at(block), dz[block]), blocks)))

    return in_blocks


def _onnx(model: bytes, threads: int) -> Answer:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [session.get_outputs()[0].name]

    def answer(tracks: NDArray[np.float32]) -> NDArray[np.float32]:
        out: NDArray[np.float32] = session.run(names, {"tracks": tracks})[0]
        return out

    return answer


def _in_blocks(model: bytes, name: str) -> Answer:
    from lamarrpy.parameterization.network import Network

    network = Network(model, {"tracks": 7}, 4, name)
    return lambda tracks: network(tracks=tracks)


def _loaded(order: Order) -> Iterator[tuple[str, Any]]:
    """The Keras networks, with TensorFlow on as many threads as are ordered."""
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(order.threads)
    if not order.gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    from lamarrpy.train.quiet import quiet_tensorflow

    quiet_tensorflow(order.threads)
    import lamarrpy.nn.extrapolators.families  # noqa: F401  its layers have to be known
    from lamarrpy.train.export import from_keras

    for name, folder in order.networks.items():
        yield name, from_keras((Path(folder) / "model.keras").read_bytes())


def _keras(network: Any) -> Answer:
    import tensorflow as tf

    return lambda tracks: np.asarray(network(tf.constant(tracks), training=False))


def _graph(network: Any, compiled: bool) -> Answer:
    import tensorflow as tf

    given = [tf.TensorSpec((None, 7), tf.float32)]
    graph = tf.function(
        lambda tracks: network(tracks, training=False),
        input_signature=None if compiled else given,  # XLA wants to know the size of the batch
        jit_compile=compiled,
        reduce_retracing=False,
    )
    return lambda tracks: np.asarray(graph(tf.constant(tracks)))


_TENSORFLOW: dict[str, Callable[[Any], Answer]] = {
    "keras": _keras,
    "function": lambda network: _graph(network, compiled=False),
    "xla": lambda network: _graph(network, compiled=True),
}


def main() -> None:
    """Read the order, and print what was measured as JSON."""
    order = Order.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(json.dumps(measure(order)))


if __name__ == "__main__":
    main()
