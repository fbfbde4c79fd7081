"""Generators with a density, learned by maximum likelihood: conditional histograms and flows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras

from lamarrpy.errors import ConfigError
from lamarrpy.nn.flows import FLOWS, Flow
from lamarrpy.nn.histograms import HistogramShape, conditional_histograms
from lamarrpy.train.learned import Learned, Watch
from lamarrpy.train.likelihood import LikelihoodLearner
from lamarrpy.train.loop import Plan
from lamarrpy.train.players import descent_of, lengthened
from lamarrpy.train.problem import Problem
from lamarrpy.train.recipe import NetworkRecipe, Schedule, TrainingRecipe, checked_options
from lamarrpy.train.scores import make_score

AUTOREGRESSIVE = "autoregressive"

DENSITIES = (AUTOREGRESSIVE, *FLOWS)
"""Algorithms that know the density of what they make, and so can teach."""

_USUAL = {
    name: Schedule(1500 if name == AUTOREGRESSIVE else 5000, 1024, 2e-3, "adamw", score="nll") for name in DENSITIES
}
"""One minute and three of one core, for eight targets of a usual number of rows; longer, they learn rows by heart."""

_CLIP = 10.0
"""Norm that a gradient is cut to."""

_EVALUATIONS = 20
"""In a training, at most."""


def learn_density(problem: Problem, watch: Watch) -> Learned:
    """Train the histograms or the flow that a recipe asks for."""
    recipe = problem.recipe
    network = train_density(problem, watch, recipe.algorithm, recipe.network, recipe.training, recipe.options)
    return Learned("generator", problem.targets, network)


def train_density(
    problem: Problem,
    watch: Watch,
    algorithm: str,
    network: NetworkRecipe,
    training: TrainingRecipe,
    options: Mapping[str, Any],
) -> keras.Model:
    """Train histograms or a flow.

    Parameters
    ----------
    problem : Problem
        What is to be learned.
    watch : Watch
        Who watches.
    algorithm : str
        One of `DENSITIES`.
    network, training : NetworkRecipe, TrainingRecipe
        Sizes and rates; what they leave out is as usual.
    options : mapping
        Further numbers of `HistogramShape` or `FlowShape`.

    Returns
    -------
    keras.Model
        [conditions, latents] to targets, as standard normal numbers.

    Raises
    ------
    ConfigError
        If a number or an option is not one of the algorithm.
    """
    density = _build(problem, algorithm, network, options)
    how = training.over(lengthened(_USUAL[algorithm], problem))
    learner = LikelihoodLearner(density, descent_of(how, clip=_CLIP))
    plan = Plan(how.steps, how.batch, problem.recipe.seed, how.patience, max(1, how.steps // _EVALUATIONS))
    return watch.fit(algorithm, learner, problem.rows("training"), plan, make_score(how.score, problem))


def _build(problem: Problem, algorithm: str, network: NetworkRecipe, options: Mapping[str, Any]) -> Any:
    sizes = {key: value for key, value in (("width", network.width), ("layers", network.layers)) if value is not None}
    unused = set(network.model_dump(exclude_none=True)) - set(sizes)
    if unused:
        raise ConfigError(
            f"{algorithm}: expected layers and width of its networks, got {', '.join(sorted(unused))} too, which they"
            " do not have: leave it out"
        )
    usual: Any = HistogramShape() if algorithm == AUTOREGRESSIVE else FLOWS[algorithm]
    shape = replace(usual, **{**checked_options(algorithm, options, vars(usual)), **sizes})
    conditions, seed = problem.conditions.width_out, problem.recipe.seed
    if algorithm == AUTOREGRESSIVE:
        return conditional_histograms(conditions, list(problem.mass_ranges().values()), shape, seed)
    return Flow(problem.targets.width_out, conditions, shape, seed)
