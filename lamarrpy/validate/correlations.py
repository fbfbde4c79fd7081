"""Correlations of the columns of two samples, of values or of ranks, and where they differ most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lamarrpy.errors import ConfigError, SchemaError, did_you_mean
from lamarrpy.validate.samples import Array, Table, Values, checked_weights, rows_of, same_columns

METHODS = ("pearson", "spearman")
"""Correlation of the values, or of their ranks."""

_BLOCK = 32768
"""Rows multiplied together, so that no second copy of a table is made."""


@dataclass(frozen=True)
class CorrelationDifference:
    """Correlations of two samples, and the pair of columns in which they differ most.

    Attributes
    ----------
    names : tuple of str
        Of the rows and columns of the matrices.
    reference, candidate : ndarray of float64, shape (columns, columns)
        Of each sample.
    largest : float
        The largest absolute difference.
    pair : tuple of (str, str)
        Where it is.
    """

    names: tuple[str, ...]
    reference: Array
    candidate: Array
    largest: float
    pair: tuple[str, str]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data for JSON."""
        return {
            "names": list(self.names),
            "reference": self.reference.tolist(),
            "candidate": self.candidate.tolist(),
            "largest": self.largest,
            "pair": list(self.pair),
        }


def correlation_matrix(
    columns: Table,
    weights: ArrayLike | None = None,
    method: str = "pearson",
    *,
    names: Sequence[str] | None = None,
) -> Array:
    """Correlations between all columns of a sample.

    Parameters
    ----------
    columns : mapping of str to array_like of shape (n,), or ndarray of shape (n, columns)
        Float, integer or boolean, finite.
    weights : array_like, shape (n,), optional
        Finite, not negative, not all 0.
    method : str
        ``"pearson"``: of the values; ``"spearman"``: of their ranks, equal values sharing the mean of theirs,
        which heavy tails do not disturb.
    names : sequence of str, optional
        Of the columns of a matrix.

    Returns
    -------
    ndarray of float64, shape (columns, columns)
        1 on the diagonal. A column that is the same in all rows correlates to 0 with the others.

    Raises
    ------
    ConfigError
        If the method is unknown, or the names do not fit a matrix.
    SchemaError, DomainError
        If columns or weights are not as said.
    """
    if names is None and isinstance(columns, np.ndarray) and columns.ndim == 2:
        names = [str(i) for i in range(columns.shape[1])]
    checked, _ = same_columns(columns, columns, names)
    return _correlations(checked, checked_weights(weights, rows_of(checked), "the sample"), method)


def correlation_difference(
    reference: Table,
    candidate: Table,
    weights_reference: ArrayLike | None = None,
    weights_candidate: ArrayLike | None = None,
    method: str = "pearson",
    *,
    names: Sequence[str] | None = None,
) -> CorrelationDifference:
    """Where the correlations of two samples differ most.

    Parameters
    ----------
    reference, candidate : mapping of str to array_like of shape (n,), or ndarray of shape (n, columns)
        The same columns, at least two.
    weights_reference, weights_candidate : array_like, shape (n,) and (m,), optional
        Finite, not negative, not all 0.
    method : str
        As for `correlation_matrix`.
    names : sequence of str, optional
        Of the columns, if the samples are matrices.

    Raises
    ------
    ConfigError
        If the method is unknown, or the names do not fit a matrix.
    SchemaError, DomainError
        If the samples do not have the same columns, or fewer than two, or values or weights are not as said.
    """
    ours, others = same_columns(reference, candidate, names)
    if len(ours) < 2:
        raise SchemaError(f"expected at least two columns to correlate, got {list(ours)}; give more")
    a = _correlations(ours, checked_weights(weights_reference, rows_of(ours), "reference"), method)
    b = _correlations(others, checked_weights(weights_candidate, rows_of(others), "candidate"), method)
    order = tuple(ours)
    upper = np.triu_indices(len(order), 1)
    differences = np.abs(a - b)[upper]
    worst = int(np.argmax(differences))
    pair = order[upper[0][worst]], order[upper[1][worst]]
    return CorrelationDifference(order, a, b, float(differences[worst]), pair)


def _correlations(columns: dict[str, Values], weights: Array | None, method: str) -> Array:
    if method not in METHODS:
        raise ConfigError(
            f"expected a correlation out of {', '.join(METHODS)}, got {method!r}{did_you_mean(method, METHODS)}"
        )
    kept = None if weights is None or weights.all() else weights > 0.0
    w = weights if kept is None or weights is None else weights[kept]
    chosen = list(columns.values()) if kept is None else [column[kept] for column in columns.values()]
    if method == "spearman":
        chosen = [_ranks(column, w) for column in chosen]
    return _pearson(chosen, w)


def _pearson(columns: list[Values], weights: Array | None) -> Array:
    """Correlations from products of blocks of rows, each column centred and in units of its spread."""
    n = len(columns[0])
    means = np.array([np.average(column.astype(np.float64), weights=weights) for column in columns])
    scales = np.array([_spread(column) for column in columns])
    products = np.zeros((len(columns), len(columns)))
    for start in range(0, n, _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = np.stack([column[rows] for column in columns]).astype(np.float64)
        block = (block - means[:, None]) / scales[:, None]
        products += (block if weights is None else block * weights[rows]) @ block.T
    variances = np.diag(products).copy()
    constant = [column.min() == column.max() for column in columns]
    variances[constant] = np.inf
    correlations = np.clip(products / np.sqrt(np.outer(variances, variances)), -1.0, 1.0)
    np.fill_diagonal(correlations, 1.0)
    return correlations


def _spread(column: Values) -> float:
    """A scale that keeps squares of any unit within float64; 1 for a column without any."""
    return (float(column.max()) - float(column.min())) or 1.0


def _ranks(column: Values, weights: Array | None) -> Array:
    """The weight below each row and half of the weight of its equals, itself included."""
    order = np.argsort(column)
    v = column[order]
    cumulative = np.arange(len(v) + 1.0) if weights is None else np.append(0.0, np.cumsum(weights[order]))
    first = np.flatnonzero(np.append(True, v[1:] > v[:-1]))
    last = np.append(first[1:], len(v))
    ranks = np.empty(len(v))
    ranks[order] = np.repeat(0.5 * (cumulative[first] + cumulative[last]), last - first)
    return ranks
