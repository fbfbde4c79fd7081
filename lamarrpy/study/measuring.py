"""How good a trained extrapolator is on tracks that it has not seen, and how long it takes for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from lamarrpy.nn.extrapolators.tracks import OUTPUTS, TRACKS
from lamarrpy.tracks import TrackSample
from lamarrpy.tracks.accuracy import Accuracy, accuracy, accuracy_in_bins, momentum_edges
from lamarrpy.train.extrapolation.learner import ExtrapolatorLearner, Weights
from lamarrpy.train.extrapolation.recipe import ExtrapolatorRecipe
from lamarrpy.train.extrapolation.running import answers, as_input, deviations
from lamarrpy.train.loop import Batch

KEPT = 20_000
"""Tracks of the test sample whose residuals are kept, and of the training sample that are looked at again."""

BATCHES = (1, 100, 10_000)
"""How many tracks at once where the time is taken (protocol section 3.3)."""

_PHYSICS, _POINTS = 2048, 4
"""Tracks, and points of each, where the equation of motion is looked at."""

Floats = NDArray[np.floating[Any]]


def unit_of(sample: TrackSample) -> Floats:
    """Spread of the deviations of a training sample, shape (4,): what losses and errors are told in."""
    spread: Floats = np.maximum(deviations(sample).astype(np.float32).std(axis=0), 1e-9)
    return spread


def measure(
    network: keras.Model, recipe: ExtrapolatorRecipe, sample: TrackSample, test: TrackSample, unit: Floats
) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Metrics and residuals of a network.

    Parameters
    ----------
    network : keras.Model
        From tracks to deviations.
    recipe : ExtrapolatorRecipe
        By which it has learned.
    sample, test : TrackSample
        Tracks that it has learned from, and others.
    unit : ndarray, shape (4,)
        As `unit_of` gives it.

    Returns
    -------
    dict, dict of str to ndarray
        The content of metrics.json but for the times, and the arrays of residuals.npz.
    """
    seen = sample.at(slice(KEPT))
    predicted, true = _answer(network, test), deviations(test)
    again, known = _answer(network, seen), deviations(seen)
    figures: dict[str, Any] = {"test": accuracy(predicted, true), "train": accuracy(again, known)}
    figures["bins"] = accuracy_in_bins(predicted, true, test.p, momentum_edges(test.p))
    figures["loss"] = {"train": _loss(again, known, unit), "test": _loss(predicted, true, unit)}
    figures["generalization_gap"] = _gap(figures["test"]["distance_rms"], figures["train"]["distance_rms"])
    figures["physics"] = physics(network, recipe, sample, test, unit)
    few = slice(KEPT)
    kept = {"tracks": np.stack([*test.start, test.dz], axis=1)[few], "true": true[few]}
    kept["predicted"] = predicted[few, :OUTPUTS].astype(np.float64)
    if recipe.architecture.spread:
        kept["error"] = np.exp(np.minimum(predicted[few, OUTPUTS:].astype(np.float64), 50.0)) * unit
    return figures, kept


def _answer(network: keras.Model, sample: TrackSample) -> Floats:
    return answers(network, as_input(sample.start, sample.dz))


def accuracy_on(network: keras.Model, sample: TrackSample) -> Accuracy:
    """Errors of a network on other tracks than those of its own test sample."""
    return accuracy(_answer(network, sample), deviations(sample))


def _loss(predicted: Floats, true: Floats, unit: Floats) -> float:
    """Mean squared difference in units of the spread, as the score of the training is."""
    return float(np.mean(((predicted[:, :OUTPUTS] - true) / unit) ** 2))


def _gap(test: float | None, train: float | None) -> float | None:
    """By how much of itself the error grows on tracks that were not learned from."""
    return None if test is None or not train else test / train - 1.0


def physics(
    network: keras.Model, recipe: ExtrapolatorRecipe, sample: TrackSample, test: TrackSample, unit: Floats
) -> dict[str, float]:
    """How well a network keeps to the equation of motion and to its start: ``pde`` and ``ic`` of its loss, unweighted.

    An mlp has neither. That the momentum is conserved needs no measuring: q/p is not among the answers.
    """
    if recipe.architecture.family == "mlp":
        return {}
    weights = Weights(1.0, 1.0, 1.0)
    shape = recipe.shape(sample)
    learner = ExtrapolatorLearner(shape, weights, unit.tolist(), recipe.descent, _POINTS, network)
    some = test.at(slice(_PHYSICS))
    rows = [as_input(some.start, some.dz), deviations(some).astype(np.float32), np.ones(len(some), np.float32)]
    found = learner.losses(Batch(*map(tf.constant, rows)), tf.constant((0, 0), tf.int32))
    return {name: float(found[name]) for name in ("pde", "ic")}


def inference_times(model: bytes, tracks: NDArray[np.float32]) -> dict[str, float]:
    """Microseconds a track that a network takes as ONNX on one thread, by the number of tracks given at once."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    times = {}
    for batch in BATCHES:
        given = {TRACKS: np.resize(tracks, (batch, tracks.shape[1]))}
        times[str(batch)] = 1e6 * shortest_time(lambda given=given: session.run(None, given)) / batch  # type: ignore[misc]
    return times


def shortest_time(call: Callable[[], object], warm_up: int = 3, least: int = 5, seconds: float = 0.2) -> float:
    """Shortest time [s] of a call, of as many as fit into some time: other work of the machine only adds to it."""
    for _ in range(warm_up):
        call()
    taken: list[float] = []
    while len(taken) < least or sum(taken) < seconds:
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return min(taken)
