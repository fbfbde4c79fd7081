"""Adversarial learning as a recipe asks for it: any algorithm, from nothing or from a generator that has learned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from lamarrpy.nn.algorithms import algorithm
from lamarrpy.nn.auxiliary import AuxiliaryFeatures
from lamarrpy.nn.players import discriminator, generator, referee
from lamarrpy.parameterization.transforms import PerColumn
from lamarrpy.train.adversarial import AdversarialLearner, Game
from lamarrpy.train.learned import Learned, Watch
from lamarrpy.train.loop import Plan
from lamarrpy.train.players import body_of, descent_of
from lamarrpy.train.problem import Problem
from lamarrpy.train.recipe import AdversarialRecipe, Layers, Schedule, TuningRecipe, checked_options
from lamarrpy.train.scores import make_score

_USUAL = Schedule(12_000, 2048, 1e-3, "adam", score="ks")
_TUNING = Schedule(2_000, 2048, 2e-5, "adam", score="auc")
_PLAYER = Layers(5, 128, "leaky_relu")
_REFEREE = Layers(3, 64, "leaky_relu")
_AVERAGE = 0.999
_FASTER = 2.0
"""The discriminator's rate over the generator's, as in the thesis."""

_EVALUATIONS, _TUNING_EVALUATIONS = 40, 10
_ENOUGH = 1000
"""Validation rows for a score by classifier."""

_CRITIC = 1e-3
"""The discriminator's rate in tuning: it knows nothing yet, of a generator that knows nearly all."""


def learn_adversarially(problem: Problem, watch: Watch) -> Learned:
    """Train the generator of a recipe whose algorithm is an adversarial one.

    Unless the recipe says how many random numbers it takes, it takes one a target and begins with these themselves:
    each target has the right distribution from the first step, and what is learned is how they depend on all else.
    """
    recipe, layers = problem.recipe, problem.recipe.network.over(_PLAYER)
    checked_options(recipe.algorithm, recipe.options, {})
    targets = problem.targets.width_out
    latents = layers.latents or targets
    body = body_of(layers, recipe.seed)
    network = generator(problem.conditions.width_out, latents, targets, body, shortcut=not layers.latents)
    how = recipe.training.over(_USUAL)
    played = recipe.algorithm, recipe.adversarial, _game(how, recipe.adversarial)
    network = _play(problem, watch, "adversarial", network, played, how, _EVALUATIONS)
    return Learned("generator", problem.targets, network)


def check_tuning(problem: Problem, recipe: TuningRecipe) -> None:
    """Find out whether a recipe can be followed, before a student has learned for minutes.

    Raises
    ------
    ConfigError
        If it names something that does not exist.
    """
    algorithm(recipe.algorithm, recipe.adversarial.loss, recipe.adversarial.penalty, recipe.adversarial.matching)
    make_score(recipe.training.over(_usual_tuning(problem)).score, problem)
    _features(problem)()


def _usual_tuning(problem: Problem) -> Schedule:
    """By the score that sees all, or one that is content with few rows."""
    return _TUNING if len(problem.parts["validation"]) >= _ENOUGH else _TUNING._replace(score="ks")


def tune(problem: Problem, watch: Watch, student: keras.Model, recipe: TuningRecipe) -> keras.Model:
    """Let a generator that has learned play against a discriminator of real rows, at a low rate.

    The generator begins to move slowly, so that the discriminator knows something by then, and stays as it was if its
    score does not get better.
    """
    how, rules = recipe.training.over(_usual_tuning(problem)), recipe.adversarial
    game = _game(how, rules.model_copy(update={"discriminator_rate": rules.discriminator_rate or _CRITIC}))
    game = replace(game, generator=replace(game.generator, warmup=game.generator.steps // 2))
    before, score = student.get_weights(), make_score(how.score, problem)
    reached = None if score is None else score(student)
    tuned = _play(problem, watch, "tuning", student, (recipe.algorithm, rules, game), how, _TUNING_EVALUATIONS)
    if reached is not None and reached <= min(watch.curves["tuning"].scores):
        tuned.set_weights(before)
    return tuned


def _play(
    problem: Problem,
    watch: Watch,
    phase: str,
    network: keras.Model,
    rules_of_play: tuple[str, AdversarialRecipe, Game],
    how: Schedule,
    evaluations: int,
) -> keras.Model:
    name, recipe, game = rules_of_play
    rules = algorithm(name, recipe.loss, recipe.penalty, recipe.matching)
    conditions, targets = problem.conditions.width_out, problem.targets.width_out
    features = _features(problem)
    against = discriminator(
        conditions,
        targets,
        body_of(recipe.discriminator.over(_PLAYER), problem.recipe.seed),
        features(),
        rules.loss.outputs,
    )
    watching = (
        referee(conditions, targets, body_of(_REFEREE, problem.recipe.seed), features()) if recipe.referee else None
    )
    learner = AdversarialLearner(network, against, rules, game, watching)
    plan = Plan(how.steps, how.batch, problem.recipe.seed, how.patience, max(1, how.steps // evaluations))
    return watch.fit(phase, learner, problem.rows("training"), plan, make_score(how.score, problem))


def _game(how: Schedule, recipe: AdversarialRecipe) -> Game:
    rate = recipe.discriminator_rate or _FASTER * how.rate
    updates = how._replace(steps=max(1, how.steps // recipe.discriminator_steps))
    return Game(
        generator=descent_of(updates, last=0.02),
        discriminator=descent_of(how._replace(rate=rate), last=0.02),
        discriminator_steps=recipe.discriminator_steps,
        average=(_AVERAGE if recipe.average is None else recipe.average) or None,
        noise=recipe.noise,
    )


def _features(problem: Problem) -> Callable[[], Any]:
    """Makes the auxiliary features of a recipe, new ones for each player; None if there are none."""
    recipe = problem.recipe
    if not recipe.auxiliary:
        return lambda: None
    knots = {name: knots_of(problem.targets, name) for name in recipe.targets}
    rows = problem.rows("training").epoch(0)
    return lambda: AuxiliaryFeatures(recipe.auxiliary, list(recipe.targets), knots).fit(rows.targets, rows.weights)


def knots_of(targets: PerColumn, name: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The physical values of a target at some of its standard normal numbers: the way back, as a table."""
    transform = targets.columns[name]
    ranges = np.ravel(getattr(transform, "mass_ranges", ()))
    edges = ranges[np.isfinite(ranges)]
    z = np.unique(np.concatenate([np.linspace(-4.5, 4.5, 901), edges - 1e-4, edges + 1e-4]).astype(np.float32))
    return z, transform.inverse(z[:, None])[:, 0]
