"""Every algorithm by its name in recipes."""

from __future__ import annotations

from collections.abc import Callable

from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.nn.algorithms import ALGORITHMS
from lamarrpy.train.classes import learn_boosted, learn_classes
from lamarrpy.train.density import DENSITIES, learn_density
from lamarrpy.train.game import learn_adversarially
from lamarrpy.train.learned import Learned, Watch
from lamarrpy.train.marginals import calibrate
from lamarrpy.train.problem import Problem
from lamarrpy.train.resampling import learn_by_heart
from lamarrpy.train.students import learn_by_distillation

Learn = Callable[[Problem, Watch], Learned]

LEARNERS: dict[str, Learn] = {
    "distilled": learn_by_distillation,
    **dict.fromkeys(DENSITIES, learn_density),
    **dict.fromkeys(ALGORITHMS, learn_adversarially),
    "neighbours": learn_by_heart,
    "classifier": learn_classes,
    "boosted": learn_boosted,
}
"""The default recipe; densities that can teach it; the games of thesis table 4.5; the baseline; classifiers."""


def learner(name: str) -> Learn:
    """An algorithm by name, hyphens and underscores alike.

    Raises
    ------
    ConfigError
        If there is none.
    """
    spelled = name.replace("-", "_")
    if spelled not in LEARNERS:
        raise ConfigError(
            f"expected an algorithm out of {', '.join(LEARNERS)}, got {name!r}{did_you_mean(name, LEARNERS)}"
        )
    return LEARNERS[spelled]


def learn(problem: Problem, watch: Watch) -> Learned:
    """Train by the algorithm of the recipe; generators are calibrated then.

    Raises
    ------
    ConfigError
        If there is no such algorithm.
    """
    return calibrate(problem, learner(problem.recipe.algorithm)(problem, watch))
