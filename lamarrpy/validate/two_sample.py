"""A classifier that tries to tell a simulation from its reference, and what gives the simulation away."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lamarrpy.errors import ConfigError, DomainError, SchemaError
from lamarrpy.validate.auc import Auc, Placements
from lamarrpy.validate.samples import Array, Table, Values, checked_weights, rows_of, same_columns

FEWEST = 50
"""Rows of each sample in each part below which a classifier cannot be trained and tested."""

_BLOCK = 100_000
"""Rows classified together, so that no second copy of a table is made."""

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Importance:
    """How much a feature gives the candidate away.

    Attributes
    ----------
    name : str
        Of the feature.
    drop : float
        What the area under the curve loses when its values are shuffled between all rows.
    error : float
        Standard error of the drop.
    """

    name: str
    drop: float
    error: float


@dataclass(frozen=True)
class TwoSample:
    """How well a classifier tells a candidate from its reference.

    Attributes
    ----------
    auc, error : float
        Area under the ROC curve on rows that the classifier has not seen, and its standard error: 0.5 if the two
        cannot be told apart by this classifier with these rows.
    importances : tuple of Importance
        The features, most telling first; empty if not asked for.
    rows_reference, rows_candidate : int
        Rows that took part: more rows let a classifier see more.
    folds : int
        Parts the samples were cut into.
    seed : int
        Of cutting, training and shuffling.
    """

    auc: float
    error: float
    importances: tuple[Importance, ...]
    rows_reference: int
    rows_candidate: int
    folds: int
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data for JSON."""
        return asdict(self)


def two_sample_auc(
    reference: Table,
    candidate: Table,
    weights_reference: ArrayLike | None = None,
    weights_candidate: ArrayLike | None = None,
    *,
    seed: int,
    names: Sequence[str] | None = None,
    groups: tuple[ArrayLike, ArrayLike] | None = None,
    folds: int = 2,
    rows: int | None = None,
    max_iter: int = 100,
    learning_rate: float = 0.1,
    max_leaf_nodes: int = 31,
    importance_rows: int = 20_000,
    threads: int = 1,
) -> TwoSample:
    """Train gradient-boosted trees to tell the candidate from the reference, on rows other than those they judge.

    Both samples are cut into parts by chance; each part is judged by trees trained on all others, and the areas under
    the ROC curves of the parts are averaged. A distribution that differs nowhere gives 0.5 within the error.

    Parameters
    ----------
    reference, candidate : mapping of str to array_like of shape (n,), or ndarray of shape (n, features)
        The same features, float, integer or boolean; NaN is a missing value, which the trees see as such.
    weights_reference, weights_candidate : array_like, shape (n,) and (m,), optional
        Finite, not negative, not all 0. Both samples count the same in all, whatever their sums.
    seed : int
        Of everything that is left to chance: the same seed and rows give the same figures.
    names : sequence of str, optional
        Of the features, if the samples are matrices.
    groups : tuple of two array_like of int, shape (n,) and (m,), optional
        Rows of the same group, of either sample, lie in the same part: the events that they are of. Needed where the
        samples share some columns row by row, such as the conditions of a simulation that answers the very particles
        of its reference: trees that have seen one of such twins take the other one for it, and the area comes out
        below the true one, even below 0.5.
    folds : int
        Parts, at least 2.
    rows : int, optional
        Take at most so many rows of each sample, chosen by chance.
    max_iter, learning_rate, max_leaf_nodes : int, float, int
        Trees, their learning rate, and the leaves of each: the size of the classifier. It never stops early.
    threads : int
        Of the training; with one, figures do not depend on the machine, and a small sample does not wait for others
        that share its cores.
    importance_rows : int
        Rows of each part, of both samples together, on which features are shuffled; 0 for no ranking.

    Returns
    -------
    TwoSample

    Raises
    ------
    ConfigError
        If scikit-learn is missing, or an option is not as said.
    SchemaError
        If the samples do not have the same features, or columns differ in length, or groups are not as said.
    DomainError
        If values are infinite, weights not as said, or a part has fewer than 50 rows of a sample.

    Notes
    -----
    D. Lopez-Paz, M. Oquab, ICLR 2017 (classifier two-sample tests). The error is that of DeLong of one part, not
    divided by the root of their number: where the samples hardly differ, what trees learn in one part and find in
    another is nearly the same both ways, so that the areas of the parts rise and fall together.
    """
    ours, others = same_columns(reference, candidate, names, missing=True)
    if folds < 2 or importance_rows < 0 or threads < 1 or (rows is not None and rows < 1):
        raise ConfigError(
            f"expected folds >= 2, importance_rows >= 0, threads >= 1 and rows >= 1 or None, got {folds},"
            f" {importance_rows}, {threads}, {rows}"
        )
    w_a = checked_weights(weights_reference, rows_of(ours), "reference")
    w_b = checked_weights(weights_candidate, rows_of(others), "candidate")
    random = np.random.default_rng(seed)
    lengths = rows_of(ours), rows_of(others)
    parts_of = (None, None) if groups is None else _together_in_parts(groups, lengths, folds, random)
    samples = tuple(
        _Sample(columns, w, folds, rows, random, what, part_of)
        for columns, w, what, part_of in zip(
            (ours, others), (w_a, w_b), ("reference", "candidate"), parts_of, strict=True
        )
    )
    options = {"max_iter": max_iter, "learning_rate": learning_rate, "max_leaf_nodes": max_leaf_nodes}
    with _limited(threads):
        parts = [_judge(samples, fold, options, importance_rows, random) for fold in range(folds)]
    auc = _together([part.auc for part in parts])
    drops = {name: _together([part.drops[name] for part in parts]) for name in parts[0].drops}
    ranked = sorted((Importance(name, *drop) for name, drop in drops.items()), key=lambda item: -item.drop)
    return TwoSample(*auc, tuple(ranked), len(samples[0].part), len(samples[1].part), folds, seed)


def _limited(threads: int) -> AbstractContextManager[Any]:
    """A context in which scikit-learn uses so many threads."""
    try:
        import sklearn.ensemble  # noqa: F401 its threads can only be limited once they are there
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        raise ConfigError("the two-sample classifier needs scikit-learn: pip install 'lamarrpy[train]'") from None
    limits: AbstractContextManager[Any] = threadpool_limits(threads, user_api="openmp")
    return limits


def _together_in_parts(
    groups: tuple[ArrayLike, ArrayLike], lengths: tuple[int, int], folds: int, random: np.random.Generator
) -> tuple[Rows, Rows]:
    """The part of each row of both samples: groups, in random order, lie in part 0, 1, ... in turn."""
    ours, others = (np.asarray(column) for column in groups)
    for column, rows in zip((ours, others), lengths, strict=True):
        if column.shape != (rows,) or column.dtype.kind not in "iu":
            raise SchemaError(
                f"groups: expected one whole number for each of {rows} rows, got shape {column.shape} and dtype"
                f" {column.dtype}; give the event of each row"
            )
    known, group = np.unique(np.concatenate([ours, others]), return_inverse=True)
    part = (random.permutation(len(known)) % folds)[group]
    return part[: len(ours)], part[len(ours) :]


class _Sample:
    """One sample cut into parts.

    The rows that take part, in random order, lie in part 0, 1, ... in turn, unless it is told where.
    """

    def __init__(
        self,
        columns: dict[str, Values],
        weights: Array | None,
        folds: int,
        rows: int | None,
        random: np.random.Generator,
        what: str,
        part_of: Rows | None,
    ) -> None:
        n = rows_of(columns)
        counted = np.arange(n) if weights is None else np.flatnonzero(weights)
        self.columns = columns
        self.chosen = random.permutation(counted)[:rows]
        self.part = np.arange(len(self.chosen)) % folds if part_of is None else part_of[self.chosen]
        if np.bincount(self.part, minlength=folds).min() < FEWEST:
            raise DomainError(
                f"{what}: expected at least {FEWEST} rows in each of {folds} parts, got {len(self.chosen)} rows in all;"
                " give more rows"
            )
        self._weights = weights

    def weights(self, rows: Rows) -> Array:
        """Their weights, of mean 1."""
        w = np.ones(len(rows)) if self._weights is None else self._weights[rows]
        return np.asarray(w / w.mean())


@dataclass(frozen=True)
class _Part:
    auc: Auc
    drops: dict[str, Auc]


def _judge(
    samples: tuple[_Sample, ...], fold: int, options: dict[str, Any], importance_rows: int, random: np.random.Generator
) -> _Part:
    """Judge one part by trees trained on all others."""
    trees = _train(samples, [np.sort(s.chosen[s.part != fold]) for s in samples], options, random)
    tested = [s.chosen[s.part == fold] for s in samples]
    auc = _placements(samples, tested, [_scores(trees, s, rows) for s, rows in zip(samples, tested, strict=True)]).auc()
    if not importance_rows:
        return _Part(auc, {})
    some = [rows[: max(1, importance_rows // 2)] for rows in tested]
    return _Part(auc, _drops(trees, samples, some, random))


def _train(samples: tuple[_Sample, ...], rows: list[Rows], options: dict[str, Any], random: np.random.Generator) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    label = np.repeat([0, 1], [len(r) for r in rows])
    weights = [s.weights(r) for s, r in zip(samples, rows, strict=True)]
    balanced = np.concatenate([w * (len(label) / (2.0 * len(w))) for w in weights])
    trees = HistGradientBoostingClassifier(
        **options, early_stopping=False, random_state=int(random.integers(2**31 - 1))
    )
    return trees.fit(_matrix(samples, rows), label, sample_weight=balanced)


def _matrix(samples: tuple[_Sample, ...], rows: list[Rows]) -> Array:
    """Rows of the samples one after the other, shape (rows, features), each feature in one piece of memory."""
    out = np.empty((sum(map(len, rows)), len(samples[0].columns)), order="F")
    for i, name in enumerate(samples[0].columns):
        np.concatenate([s.columns[name][r] for s, r in zip(samples, rows, strict=True)], out=out[:, i])
    return out


def _scores(trees: Any, sample: _Sample, rows: Rows) -> Array:
    starts = range(0, len(rows), _BLOCK)
    blocks = [_matrix((sample,), [rows[start : start + _BLOCK]]) for start in starts]
    return np.concatenate([trees.decision_function(block) for block in blocks])


def _placements(samples: tuple[_Sample, ...], rows: list[Rows], scores: list[Array]) -> Placements:
    weights = [s.weights(r) for s, r in zip(samples, rows, strict=True)]
    return Placements(scores[1], scores[0], weights[1], weights[0])


def _drops(trees: Any, samples: tuple[_Sample, ...], rows: list[Rows], random: np.random.Generator) -> dict[str, Auc]:
    """What the area loses when one feature after the other is shuffled between all rows."""
    matrix = _matrix(samples, rows)
    split = [len(rows[0])]

    def placements() -> Placements:
        return _placements(samples, rows, np.split(trees.decision_function(matrix), split))

    whole = placements()
    drops = {}
    for i, name in enumerate(samples[0].columns):
        kept = matrix[:, i].copy()
        matrix[:, i] = random.permutation(kept)
        drops[name] = whole.minus(placements())
        matrix[:, i] = kept
    return drops


def _together(parts: list[Auc]) -> Auc:
    """The mean of the parts; its error is theirs, as the parts are not independent of each other."""
    return Auc(float(np.mean([p.value for p in parts])), float(np.sqrt(np.mean([p.error**2 for p in parts]))))
