"""The default recipe: a teacher learns the distribution slowly and well, a one-shot student to answer like it."""

from __future__ import annotations

import keras

from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.nn.players import generator
from lamarrpy.train.density import DENSITIES, train_density
from lamarrpy.train.distillation import RegressionLearner, teach
from lamarrpy.train.game import check_tuning, tune
from lamarrpy.train.learned import Learned, Watch
from lamarrpy.train.loop import Plan
from lamarrpy.train.players import body_of, descent_of
from lamarrpy.train.problem import Problem
from lamarrpy.train.recipe import Layers, Schedule, checked_options
from lamarrpy.train.scores import make_score

_USUAL = Schedule(20_000, 2048, 2e-3)
_EVALUATIONS = 20
_BODY = Layers(5, 128, "silu")


def learn_by_distillation(problem: Problem, watch: Watch) -> Learned:
    """Train a teacher, then its student; tune the student against real rows if the recipe says so."""
    recipe, teacher = problem.recipe, problem.recipe.teacher
    if teacher.algorithm not in DENSITIES:
        raise ConfigError(
            f"expected a teacher out of {', '.join(DENSITIES)}, got {teacher.algorithm!r}"
            f"{did_you_mean(teacher.algorithm, DENSITIES)}"
        )
    checked_options("distilled", recipe.options, {})
    make_score(recipe.training.score, problem)  # a wrong name is told now, not after the teacher's minutes
    if recipe.tuning is not None:
        check_tuning(problem, recipe.tuning)
    master = train_density(problem, watch, teacher.algorithm, teacher.network, teacher.training, teacher.options)
    student = _train_student(problem, watch, master)
    if recipe.tuning is not None:
        student = tune(problem, watch, student, recipe.tuning)
    return Learned("generator", problem.targets, student)


def _train_student(problem: Problem, watch: Watch, teacher: keras.Model) -> keras.Model:
    recipe = problem.recipe
    rows = problem.rows("training").epoch(0)
    lessons = teach(teacher, rows.conditions, rows.weights, recipe.teacher.pairs, recipe.seed)
    targets = problem.targets.width_out
    body = body_of(recipe.network.over(_BODY), recipe.seed)
    student = generator(problem.conditions.width_out, targets, targets, body, True, "student")
    how = recipe.training.over(_USUAL)
    learner = RegressionLearner(student, descent_of(how).build(student.trainable_variables), lessons.metric)
    plan = Plan(how.steps, how.batch, recipe.seed, how.patience, max(1, how.steps // _EVALUATIONS))
    score = make_score(how.score, problem)
    return watch.fit("student", learner, lessons.rows, plan, score)
