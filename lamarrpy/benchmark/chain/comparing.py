"""How far rows of one simulation are from those of another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.benchmark.chain.sample import SPACING
from lamarrpy.detailed.report.columns import Columns
from lamarrpy.errors import DomainError
from lamarrpy.parameterization.neighbours import Neighbours
from lamarrpy.validate.bins import Metric
from lamarrpy.validate.metrics import in_bins, ks_distance, quantile_edges, two_sample_auc, wasserstein_over_sigma

BINS = {"p": 4, "eta": 3, "n_tracks": 3}
"""Bins of equal population of each variable, taken together."""

IN_BIN = 1000
"""Rows that a bin needs."""

_CODES = ("species", "track_type", "is_muon", "charge", "true_charge", "flavour", "cluster_type")
"""Conditions that have no order: a neighbour has the same."""
_APART = 1000.0

_FEWEST = 100
"""Rows with a value, of either sample, from which on it is worth looking at."""


class Distance(NamedTuple):
    """How far a target is.

    Attributes
    ----------
    wasserstein : float
        Over the standard deviation, all rows.
    in_bins : float or None
        The same in the worst bin; None if none has enough rows.
    ks : float
        Largest difference of cumulative distributions, all rows.
    """

    wasserstein: float
    in_bins: float | None
    ks: float


class Size(NamedTuple):
    """How much a comparison may take: rows of either sample, and trees, of the two-sample classifier."""

    rows: int
    trees: int


FULL, QUICK = Size(100_000, 100), Size(5_000, 20)


def distances(first: Columns, other: Columns, targets: Sequence[str], bins: Sequence[str]) -> dict[str, Distance]:
    """Every target's, over the rows for which it exists, unless that are too few.

    Parameters
    ----------
    first, other : Columns
        The reference and what is compared with it.
    targets : sequence of str
        Columns of both.
    bins : sequence of str
        The variables of the bins, in the order of `BINS`, as the columns are called; empty for none.
    """
    if min(first.rows, other.rows) < _FEWEST:
        return {}
    edges = {name: quantile_edges(first[name], count) for name, count in zip(bins, BINS.values(), strict=False)}
    there = {target: (_there(first, target), _there(other, target)) for target in targets}
    enough = {target: pair for target, pair in there.items() if min(rows.rows for rows in pair) >= _FEWEST}
    return {target: _distance(*pair, target, edges) for target, pair in enough.items()}


def _there(columns: Columns, target: str) -> Columns:
    return columns.at(np.isfinite(columns[target]))


def _distance(first: Columns, other: Columns, target: str, edges: dict[str, NDArray[np.float64]]) -> Distance:
    a, b = first[target], other[target]
    return Distance(
        wasserstein_over_sigma(a, b), _worst(wasserstein_over_sigma, first, other, target, edges), ks_distance(a, b)
    )


def _worst(metric: Metric, first: Columns, other: Columns, target: str, edges: dict[str, Any]) -> float | None:
    if not edges:
        return None
    try:
        return in_bins(metric, first[target], other[target], edges, first, other, minimum=IN_BIN).maximum
    except DomainError:
        return None


def auc(first: Columns, other: Columns, names: Sequence[str], size: Size) -> float | None:
    """Two-sample AUC of columns; None if there are too few rows.

    Columns that hardly any row has are left out. The samples are of the same particles: those of an event, in whatever
    sample, are judged by trees that know none of them.
    """
    if min(first.rows, other.rows) < _FEWEST:
        return None
    seen = [n for n in names if np.isfinite(first[n]).sum() + np.isfinite(other[n]).sum() >= 2 * _FEWEST]
    a, b = ({name: columns[name] for name in seen} for columns in (first, other))
    groups = first["event_id"] % SPACING, other["event_id"] % SPACING  # a repeated event is the same again
    try:
        return two_sample_auc(a, b, seed=1, groups=groups, rows=size.rows, max_iter=size.trees, importance_rows=0).auc
    except DomainError:
        return None


def halves(columns: Columns) -> tuple[Columns, Columns]:
    """Rows of even and of odd events: those that nearest neighbours are taken from, and those that are answered."""
    even = columns["event_id"] % 2 == 0
    return columns.at(even), columns.at(~even)


def resampled(
    learned: Columns, asked: Columns, conditions: Sequence[str], targets: Sequence[str], draws: int = 1
) -> list[Columns]:
    """Rows that are answered with the targets of rows whose conditions are near, so many times.

    A condition counts by its rank among the learned rows; rows of another species or class are no neighbours.
    """
    ranks = [_ranked(learned[name], asked[name], name) for name in conditions]
    known, wanted = (np.stack([pair[i] for pair in ranks], axis=1) for i in (0, 1))
    neighbours = Neighbours(known, {name: learned[name] for name in targets})
    answers = []
    for draw in range(draws):
        numbers = np.random.default_rng(draw).random(asked.rows)
        answers.append(Columns({**asked, **neighbours(wanted, numbers)}))
    return answers


def _ranked(learned: NDArray[Any], asked: NDArray[Any], name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if name in _CODES:
        return _APART * learned.astype(np.float64), _APART * asked.astype(np.float64)
    ordered = np.sort(learned)
    return tuple(  # type: ignore[return-value]
        0.5 * (np.searchsorted(ordered, v, "left") + np.searchsorted(ordered, v, "right")) / len(ordered)
        for v in (learned, asked)
    )
