"""The search for better numbers of a recipe, by a score of the networks that they lead to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import OptunaError
from sqlalchemy.exc import SQLAlchemyError

from lamarrpy.errors import ConfigError
from lamarrpy.train.classes import learn_classes
from lamarrpy.train.learned import Watch
from lamarrpy.train.learners import learner
from lamarrpy.train.loop import DivergenceError
from lamarrpy.train.names import Names
from lamarrpy.train.preparation import Prepare
from lamarrpy.train.problem import make_problem
from lamarrpy.train.recipe import Recipe, SearchRecipe, changed, make_recipe
from lamarrpy.train.running import rows_for
from lamarrpy.train.scores import SCORES
from lamarrpy.train.table import Table

USUAL = {
    "training.rate": SearchRecipe(low=1e-4, high=5e-3, log=True),
    "training.batch": SearchRecipe(choices=(512, 1024, 2048, 4096)),
    "network.layers": SearchRecipe(low=2, high=8, integer=True),
    "network.width": SearchRecipe(choices=(32, 64, 128, 256)),
}
"""What is searched if the recipe does not say."""

_PATIENT_TRIALS, _PATIENT_STEPS = 4, 2


def tune(
    recipe: Recipe,
    data: Path | Sequence[Path],
    trials: int,
    storage: str | None = None,
    study: str | None = None,
    score: str | None = None,
    tell: Callable[[int, float | None, Mapping[str, Any]], None] | None = None,
    table: str | None = None,
    prepare: Prepare | None = None,
    names: Names | None = None,
) -> tuple[Recipe, optuna.Study]:
    """Train again and again with other numbers, and find those with the lowest score on validation rows.

    Trials whose score falls behind the median of the earlier ones at the same step are given up (Optuna's median
    pruner); the next numbers are drawn where the good ones were (tree-structured Parzen estimator, J. Bergstra et al.,
    NIPS 2011). Several processes may work on a study in the same storage.

    Parameters
    ----------
    recipe : Recipe
        What is to be learned; its ``search`` says which numbers may change.
    data : path or sequence of paths
        The table.
    trials : int
        How many more.
    storage : str, optional
        Where the study is kept, such as ``sqlite:///tuning.db`` or ``postgresql://...``; in memory without.
    study : str, optional
        Its name there; that of the recipe if left out. One that is there goes on.
    score : str, optional
        By which: one of `lamarrpy.train.scores.SCORES`, "ks" if left out; classifiers go by their cross entropy.
    tell : callable, optional
        Told the number of each trial that is over, its score (None if given up) and its numbers.
    table : str, optional
        Which table, of a file with several.
    prepare : callable, optional
        Makes the columns of the recipe out of those that it reads.

    Returns
    -------
    (Recipe, optuna.Study)
        The recipe with the best numbers, and all trials.

    Raises
    ------
    ConfigError
        If there is nothing to score on, or every trial was given up.
    """
    is_classifier = learner(recipe.algorithm) is learn_classes
    _check(recipe, score, is_classifier)
    content = recipe.model_dump(mode="json", exclude_defaults=True) | {"name": recipe.name}
    if not is_classifier:
        content = changed(content, _scored(recipe, score))
    rows = rows_for(recipe, data, table, prepare, names)
    found = _study(storage, study or recipe.name)

    def say(_: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        if tell is not None:
            tell(trial.number, trial.value if trial.state.name == "COMPLETE" else None, trial.params)

    def attempt(trial: optuna.Trial) -> float:
        # Each trial has a seed of its own: a study that goes on, or another process, must not try the same again.
        found.sampler = optuna.samplers.TPESampler(seed=recipe.seed * 1_000_003 + trial.number & 0xFFFFFFFF)
        return _try(trial, content, recipe.search or USUAL, rows)

    found.optimize(attempt, n_trials=trials, callbacks=[say])
    if not any(trial.state.name == "COMPLETE" for trial in found.trials):
        raise ConfigError(f"expected a trial that was not given up, got none out of {len(found.trials)}: make more")
    return make_recipe(changed(content, found.best_params)), found


def _scored(recipe: Recipe, score: str | None) -> dict[str, str]:
    """What has to change in a recipe for its last phase to be judged by a score."""
    if recipe.tuning is None:
        return {"training.score": score or recipe.training.score or "ks"}
    return {"tuning.training.score": score or recipe.tuning.training.score or "ks"}


def _study(storage: str | None, name: str) -> optuna.Study:
    pruner = optuna.pruners.MedianPruner(_PATIENT_TRIALS, _PATIENT_STEPS)
    try:
        return optuna.create_study(storage=storage, study_name=name, load_if_exists=True, pruner=pruner)
    except (OptunaError, SQLAlchemyError, ImportError) as error:
        raise ConfigError(
            f"expected a storage such as sqlite:///FILE or postgresql://USER@HOST/DATABASE, got {storage!r}, which"
            f" cannot be opened: {str(error).splitlines()[0]}"
        ) from None


def _check(recipe: Recipe, score: str | None, is_classifier: bool) -> None:
    if recipe.split[1] <= 0.0:
        raise ConfigError(f"expected validation rows to score on, got the split {recipe.split}: set its second share")
    if recipe.algorithm in ("neighbours", "boosted"):
        raise ConfigError(f"expected an algorithm that trains a network, got {recipe.algorithm!r}: nothing to tune")
    if is_classifier and score is not None:
        raise ConfigError(f"expected no --score with a classifier, which goes by its cross entropy, got {score!r}")
    if score is not None and score not in SCORES:
        raise ConfigError(f"expected a score out of {', '.join(SCORES)}, got {score!r}")


def _try(trial: optuna.Trial, content: Mapping[str, Any], search: Mapping[str, SearchRecipe], rows: Table) -> float:
    """The best score of a training with numbers that the study suggests."""
    recipe = make_recipe(changed(content, {key: _suggest(trial, key, where) for key, where in search.items()}))
    before = {recipe.teacher.algorithm} if recipe.algorithm == "distilled" else set()
    before |= {"student"} if recipe.tuning is not None else set()
    evaluated: set[float] = set()

    def watch(phase: str, step: int, steps: int, figures: dict[str, float]) -> None:
        if "score" not in figures or phase in before:
            return
        if figures["step"] not in evaluated:
            evaluated.add(figures["step"])
            trial.report(figures["score"], len(evaluated))
            if trial.should_prune():
                raise optuna.TrialPruned

    seen = Watch(tell=watch)
    problem = make_problem(recipe, rows)
    try:
        learner(recipe.algorithm)(problem, seen)
    except DivergenceError:
        raise optuna.TrialPruned from None
    scores = list(seen.curves.values())[-1].scores
    best = min(scores, default=math.inf)
    if not math.isfinite(best):
        raise optuna.TrialPruned
    return best


def _suggest(trial: optuna.Trial, key: str, where: SearchRecipe) -> Any:
    try:
        return _suggested(trial, key, where)
    except ValueError as error:  # Optuna's, about choices that are not those of earlier trials
        raise ConfigError(
            f"expected a search like that of the earlier trials of the study, got another one of {key}: {error};"
            " choose another --study"
        ) from None


def _suggested(trial: optuna.Trial, key: str, where: SearchRecipe) -> Any:
    if where.choices:
        return trial.suggest_categorical(key, list(where.choices))
    assert where.low is not None
    assert where.high is not None
    if where.integer:
        return trial.suggest_int(key, round(where.low), round(where.high), log=where.log)
    return trial.suggest_float(key, where.low, where.high, log=where.log)
