"""How good a model is on rows that it has never seen: figures for its manifest and card."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.parameterization.parameterization import Classifier, Parameterization
from lamarrpy.train.table import Table
from lamarrpy.validate.calibration import summary
from lamarrpy.validate.metrics import ks_distance, two_sample_auc, wasserstein_over_sigma

Columns = dict[str, NDArray[Any]]

_FEWEST = 100
"""Test rows below which no classifier is asked to tell them from generated ones."""

_GIVEAWAYS = 5
"""Features named as those that give a model away."""


@dataclass(frozen=True)
class Measured:
    """Test rows, what the model makes of them, and the figures.

    Attributes
    ----------
    figures : dict
        Plain data.
    given, wanted, made : dict of str to ndarray of shape (n,)
        Conditions and targets of the rows, and targets of the model.
    weights : ndarray of shape (n,) or None
        Of the rows.
    probabilities : ndarray of shape (n, classes) or None
        Of a classifier.
    """

    figures: dict[str, Any]
    given: Columns = field(default_factory=dict)
    wanted: Columns = field(default_factory=dict)
    made: Columns = field(default_factory=dict)
    weights: NDArray[np.float64] | None = None
    probabilities: NDArray[np.float64] | None = None


def measure(model: Parameterization, test: Table, weight: str | None, seed: int) -> Measured:
    """Draw the targets of test rows, and compare them with their own.

    Parameters
    ----------
    model : Parameterization
        The model.
    test : Table
        Rows with its conditions and targets; there may be none, then there are no figures.
    weight : str or None
        Column of their weights.
    seed : int
        Of the draws.
    """
    if not len(test):
        return Measured({})
    weights = None if weight is None else np.asarray(test[weight], np.float64)
    made = model(test.columns, Draws(seed, "test").rows(np.arange(len(test))))
    given = {condition.name: test[condition.name] for condition in model.manifest.conditions}
    wanted = {target.name: test[target.name] for target in model.manifest.targets}
    probabilities = model.probabilities(test.columns) if isinstance(model, Classifier) else None
    if probabilities is not None:
        figures = _of_classifier(model, test, probabilities, weights)
    else:
        figures = _of_generator(given, wanted, made, weights, seed)
    return Measured({"rows": len(test), **figures}, given, wanted, made, weights, probabilities)


def _of_generator(
    given: Columns, wanted: Columns, made: Columns, weights: NDArray[np.float64] | None, seed: int
) -> dict[str, Any]:
    rows = len(next(iter(wanted.values())))
    enough = (rows if weights is None else np.count_nonzero(weights)) >= _FEWEST
    told_apart = _two_sample(given | wanted, given | made, weights, seed) if enough else {}
    distances = {"ks": ks_distance, "wasserstein_over_sigma": wasserstein_over_sigma}
    return told_apart | {
        name: {target: float(distance(wanted[target], made[target], weights, weights)) for target in made}
        for name, distance in distances.items()
    }


def _two_sample(wanted: Columns, made: Columns, weights: NDArray[np.float64] | None, seed: int) -> dict[str, Any]:
    twin = np.arange(len(next(iter(wanted.values()))))  # rows of the same conditions are kept on one side
    tested = two_sample_auc(wanted, made, weights, weights, seed=seed, groups=(twin, twin))
    return {
        "two_sample_auc": tested.auc,
        "two_sample_auc_error": tested.error,
        "given_away_by": [feature.name for feature in tested.importances[:_GIVEAWAYS]],
    }


def _of_classifier(
    model: Parameterization, test: Table, probabilities: NDArray[np.float64], weights: NDArray[np.float64] | None
) -> dict[str, Any]:
    (target,) = model.manifest.targets
    here = np.searchsorted(np.asarray(model.manifest.classes), test[target.name].astype(np.float64))
    return {"calibration": summary(probabilities, here, model.manifest.class_names, weights)}
