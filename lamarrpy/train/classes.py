"""Classifiers as a recipe asks for them: a network in phases, or boosted trees as the baseline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.nn.players import classifier
from lamarrpy.train.boosted import boosted_classifier
from lamarrpy.train.classification import TWO_PHASES, ClassificationLearner, Phase, validation_cross_entropy
from lamarrpy.train.learned import Learned, Watch
from lamarrpy.train.loop import Plan
from lamarrpy.train.players import body_of, lengthened
from lamarrpy.train.problem import Problem
from lamarrpy.train.recipe import Layers, Schedule, checked_options
from lamarrpy.train.rows import Rows, mean_one

_USUAL = Schedule(2_000, 2048, 3e-3)
_BODY = Layers(5, 128, "relu")
_EVALUATIONS = 40

_MOST = 100
"""Classes; more distinct values than these are no classes."""


def learn_classes(problem: Problem, watch: Watch) -> Learned:
    """Train a network to tell the probability of each class, in two phases."""
    recipe, classes = problem.recipe, classes_of(problem)
    checked_options("classifier", recipe.options, {})
    how = recipe.training.over(lengthened(_USUAL, problem))
    network = classifier(
        problem.conditions.width_out, len(classes), body_of(recipe.network.over(_BODY)._replace(l2=0.0), recipe.seed)
    )
    learner = ClassificationLearner(network, how.steps, _phases(problem, how))
    plan = Plan(how.steps, how.batch, recipe.seed, how.patience, max(1, how.steps // _EVALUATIONS))
    seen = class_rows(problem, "training", classes)
    unseen = len(problem.parts["validation"]) > 0
    score = validation_cross_entropy(class_rows(problem, "validation", classes)) if unseen else None
    network = watch.fit("classifier", learner, seen, plan, score)
    return Learned("classifier", network=network, classes=classes)


def learn_boosted(problem: Problem, watch: Watch) -> Learned:
    """Grow boosted trees that tell the probability of each class."""
    classes = classes_of(problem)
    rows = class_rows(problem, "training", classes)
    unseen = [f"{value:g}" for value, there in zip(classes, rows.targets.max(axis=0), strict=True) if not there]
    if unseen:
        raise DomainError(
            f"expected training rows of every class, got none of {', '.join(unseen)}: use more data, leave so rare a"
            " class out, or take the algorithm classifier"
        )
    labels = np.argmax(rows.targets, axis=1)
    options = checked_options("boosted", problem.recipe.options, boosted_classifier.__kwdefaults__ or {})
    model, _ = boosted_classifier(rows.conditions, labels, rows.weights, problem.recipe.seed, **options)
    return Learned("classifier", model=model, classes=classes)


def _phases(problem: Problem, how: Schedule) -> tuple[Phase, ...]:
    """The usual two phases, at the rate and with the penalty of the recipe."""
    scale, l2 = how.rate / TWO_PHASES[0].rate, problem.recipe.network.l2
    return tuple(
        replace(
            phase,
            rate=phase.rate * scale,
            final_rate=phase.final_rate * scale,
            l2=_L2 if l2 is None else l2,
        )
        for phase in TWO_PHASES
    )


_L2 = 1e-6
"""Far below the thesis's 5e-4, which holds weights so near zero that probabilities near their bounds are never met."""


def classes_of(problem: Problem) -> tuple[float, ...]:
    """The values of the one target of a classifier, in any part of its rows, rising.

    Raises
    ------
    ConfigError, DomainError
        If there are several targets, or values that are no classes.
    """
    names = tuple(problem.recipe.targets)
    if len(names) != 1:
        raise ConfigError(f"expected one target of a classifier, got {', '.join(names)}: train one for each")
    found = np.unique(np.concatenate([table[names[0]] for table in problem.parts.values()]))
    if not 2 <= len(found) <= _MOST:
        raise DomainError(
            f"target {names[0]!r}: expected 2 to {_MOST} classes, got {len(found)} values; a target that is not a class"
            " takes a generator, such as the algorithm distilled"
        )
    return tuple(float(value) for value in found)


def class_rows(problem: Problem, part: str, classes: tuple[float, ...]) -> Rows:
    """The rows of a part with one column for each class."""
    (name,) = problem.recipe.targets
    values: NDArray[np.float64] = np.asarray(problem.parts[part][name], np.float64)
    targets = (values[:, None] == np.asarray(classes)).astype(np.float32)
    return Rows(problem.given(part), targets, mean_one(problem.weights(part), len(values)))
