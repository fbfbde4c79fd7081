"""Static scores: how good a network is, by a number that nothing trained beside it has a say in; lower is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.nn.density import density_of
from lamarrpy.train.loop import Score
from lamarrpy.train.problem import Problem
from lamarrpy.train.rows import Float32s
from lamarrpy.validate.metrics import in_bins, ks_distance, quantile_edges, two_sample_auc, wasserstein_over_sigma

Columns = dict[str, NDArray[Any]]

_CHUNK = 16_384
_BINS = 3
"""Of each condition whose bins a score looks at."""

_LEAST = 1000
"""Rows of a bin worth looking at."""


def draw(network: keras.Model, conditions: Float32s, seed: int) -> Float32s:
    """What a generator makes of conditions, with the same random numbers every time, shape (n, t)."""
    latents = network.inputs[1].shape[-1]
    numbers = np.random.default_rng((seed, 4)).normal(size=(len(conditions), latents)).astype(np.float32)
    return apply(network, conditions, numbers)


def apply(network: keras.Model, *inputs: Float32s) -> Float32s:
    """The output of a network for many rows."""
    answer = _graph(network)
    pieces = [
        np.asarray(answer(*(tf.constant(rows[first : first + _CHUNK]) for rows in inputs)))
        for first in range(0, len(inputs[0]), _CHUNK)
    ]
    return np.concatenate(pieces)


@lru_cache(maxsize=4)
def _graph(network: keras.Model) -> Any:
    """The network as a graph, which is traced once for all evaluations of a training."""
    return tf.function(lambda *some: network(list(some), training=False), reduce_retracing=True)


@lru_cache(maxsize=4)
def _density_graph(network: keras.Model) -> Any:
    return tf.function(density_of(network).log_density, reduce_retracing=True)


def ks_score(problem: Problem) -> Score:
    """The largest Kolmogorov-Smirnov distance of any target, over all rows and in bins of the conditions."""
    return _distance_score(problem, ks_distance)


def wasserstein_score(problem: Problem) -> Score:
    """The largest Wasserstein distance over standard deviation of any target, over all rows and in bins."""
    return _distance_score(problem, wasserstein_over_sigma)


def _distance_score(problem: Problem, metric: Callable[..., float]) -> Score:
    """The largest distance over targets and bins of p, eta, n_tracks or whichever conditions the recipe names."""
    part, names = problem.parts["validation"], problem.recipe.score_bins or tuple(problem.recipe.conditions)
    given, weights = problem.given("validation"), problem.weights("validation")
    bins = {name: quantile_edges(part[name], _BINS, weights) for name in names}

    def score(network: keras.Model) -> float:
        drawn = draw(network, given, problem.recipe.seed)
        if not np.isfinite(drawn).all():
            return math.inf
        made = problem.targets.inverse_columns(drawn)
        return max(
            _worst(metric, part[target], made[target], {name: part[name] for name in names}, bins, weights)
            for target in made
        )

    return score


def _worst(
    metric: Callable[..., float],
    wanted: NDArray[Any],
    made: NDArray[Any],
    conditions: Columns,
    bins: Mapping[str, NDArray[np.float64]],
    weights: NDArray[np.float64] | None,
) -> float:
    """The largest distance over all rows and in the bins of each condition that hold enough of them."""
    found = [metric(wanted, made, weights, weights)]
    for name, edges in bins.items():
        one = {name: conditions[name]}
        least = min(_LEAST, len(wanted))
        value = in_bins(metric, wanted, made, {name: edges}, one, one, weights, weights, minimum=least).value
        found.append(float(np.nanmax(value)) if np.isfinite(value).any() else 0.0)
    return max(found)


def auc_score(problem: Problem) -> Score:
    """By how much the AUC of a boosted classifier that tells validation rows from generated ones exceeds one half."""
    part, weights = problem.parts["validation"], problem.weights("validation")
    given = problem.given("validation")
    known = {name: part[name] for name in problem.recipe.conditions}
    wanted = known | {name: part[name] for name in problem.recipe.targets}
    twin = np.arange(len(part))  # rows of the same conditions are kept on one side

    def score(network: keras.Model) -> float:
        drawn = draw(network, given, problem.recipe.seed)
        if not np.isfinite(drawn).all():
            return math.inf
        made = known | problem.targets.inverse_columns(drawn)
        test = two_sample_auc(
            wanted, made, weights, weights, seed=problem.recipe.seed, groups=(twin, twin), importance_rows=1
        )
        return test.auc - 0.5

    return score


def nll_score(problem: Problem) -> Score:
    """The mean negative log density of validation rows."""
    rows = problem.rows("validation").epoch(0)

    def score(network: keras.Model) -> float:
        evaluate = _density_graph(network)
        total = 0.0
        for first in range(0, len(rows), _CHUNK):
            some = slice(first, first + _CHUNK)
            density = evaluate(tf.constant(rows.targets[some]), tf.constant(rows.conditions[some]))
            total -= float(np.asarray(density, np.float64) @ rows.weights[some])
        return total / float(rows.weights.sum(dtype=np.float64))

    return score


SCORES: dict[str, Callable[[Problem], Score]] = {
    "ks": ks_score,
    "wasserstein": wasserstein_score,
    "auc": auc_score,
    "nll": nll_score,
}
"""Every score of generators, by its name in recipes."""


def make_score(name: str | None, problem: Problem) -> Score | None:
    """A score by name, of the validation rows; None without a name or such rows.

    Raises
    ------
    ConfigError
        If the name is unknown.
    """
    if name is None:
        return None
    if name not in SCORES:
        raise ConfigError(f"expected a score out of {', '.join(SCORES)}, got {name!r}{did_you_mean(name, SCORES)}")
    return SCORES[name](problem) if len(problem.parts["validation"]) else None
