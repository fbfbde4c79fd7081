"""Samples as they are compared: checked values, checked weights, and tables of columns of one length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lamarrpy.errors import ConfigError, DomainError, SchemaError, did_you_mean

Array = NDArray[np.float64]
Values = NDArray[Any]
"""One column: real numbers of any dtype."""

Table = Mapping[str, ArrayLike] | NDArray[Any]
"""Columns by name, each of shape (n,), or a matrix of shape (n, columns)."""


def checked_values(values: ArrayLike, what: str, *, missing: bool = False) -> Values:
    """One column of real numbers, booleans as 0 and 1, in the dtype that it came in.

    Parameters
    ----------
    values : array_like, shape (n,)
        Float, integer or boolean.
    what : str
        How an error calls them.
    missing : bool
        Whether NaN may stand for a value that does not exist; infinite ones are refused then and otherwise.

    Raises
    ------
    SchemaError
        If it is not one column of numbers.
    DomainError
        If it is empty, or a value is not finite.
    """
    column = np.asarray(values)
    if np.ma.isMaskedArray(values) or column.ndim != 1 or column.dtype.kind not in "fiub":
        raise SchemaError(
            f"{what}: expected one column of float, integer or boolean values, got {type(values).__name__} of shape"
            f" {column.shape} and dtype {column.dtype}; give one unmasked column of numbers"
        )
    if not len(column):
        raise DomainError(f"{what}: expected at least one row, got none; choose a sample with entries")
    if column.dtype.kind == "b":
        return column.view(np.int8)
    bad = np.isinf(column) if missing else ~np.isfinite(column)
    if column.dtype.kind == "f" and bad.any():
        row = int(np.argmax(bad))
        raise DomainError(
            f"{what}: expected finite values, got {int(bad.sum())} others, the first {column[row]} in row {row};"
            " choose the rows for which the quantity is defined"
        )
    return column


def checked_weights(weights: ArrayLike | None, rows: int, what: str) -> Array | None:
    """The weights of a sample as float64; None if every row counts the same.

    Raises
    ------
    SchemaError
        If there is not one number for each row.
    DomainError
        If a weight is negative or not finite, or all of them are 0.
    """
    if weights is None:
        return None
    w = np.asarray(weights)
    if np.ma.isMaskedArray(weights) or w.shape != (rows,) or w.dtype.kind not in "fiub":
        raise SchemaError(
            f"weights of {what}: expected one number for each of {rows} rows, got {type(weights).__name__} of shape"
            f" {w.shape} and dtype {w.dtype}; give as many weights as values"
        )
    w = w.astype(np.float64, copy=False)
    bad = ~(np.isfinite(w) & (w >= 0.0))
    if bad.any():
        row = int(np.argmax(bad))
        raise DomainError(
            f"weights of {what}: expected finite weights not below 0, got {int(bad.sum())} others, the first {w[row]}"
            f" in row {row}; a sample with negative weights has no distribution function: mend or leave out these rows"
        )
    if not w.any():
        raise DomainError(f"weights of {what}: expected a weight above 0, got {rows} times 0; give rows that count")
    return w


def counted(values: ArrayLike, weights: ArrayLike | None, what: str) -> tuple[Values, Array | None]:
    """Checked values and weights of the rows whose weight is not 0."""
    column = checked_values(values, what)
    w = checked_weights(weights, len(column), what)
    if w is None or w.all():
        return column, w
    return column[w > 0.0], w[w > 0.0]


def same_precision(a: Values, b: Values) -> tuple[Values, Values]:
    """Two float columns in the coarser of their dtypes: what rounding alone sets apart is not a difference.

    Without it a value written as float32 by one simulation and as float64 by the other, such as a point mass at 0.1,
    would never be equal.
    """
    if a.dtype.kind == b.dtype.kind == "f" and a.dtype != b.dtype:
        coarser = min(a.dtype, b.dtype, key=lambda dtype: dtype.itemsize)
        return a.astype(coarser), b.astype(coarser)
    return a, b


def effective_entries(weights: ArrayLike) -> float:
    """How many rows of equal weight are worth as much: (sum of weights)^2 / (sum of their squares).

    Parameters
    ----------
    weights : array_like, shape (n,)
        Finite, not negative, not all 0 (L. Kish, Survey Sampling, 1965).

    Raises
    ------
    SchemaError, DomainError
        If they are not.
    """
    w = checked_weights(weights, np.asarray(weights).size, "the sample")
    assert w is not None
    w = w / w.max()
    return float(w.sum() ** 2 / (w @ w))


def by_name(table: Table, names: Sequence[str] | None, what: str) -> dict[str, ArrayLike]:
    """The columns of a table by name; those of a matrix are called by the names given.

    Raises
    ------
    ConfigError
        If the names of the columns of a matrix are missing or too few or too many.
    SchemaError
        If there is no column.
    """
    if isinstance(table, Mapping):
        columns = dict(table)
    else:
        matrix = np.asarray(table)
        if names is None or matrix.ndim != 2 or matrix.shape[1] != len(names) or len(set(names)) != len(names):
            raise ConfigError(
                f"{what}: expected columns by name, or a matrix of shape (rows, columns) and as many different names,"
                f" got an array of shape {matrix.shape} and names={names}; give names=[...]"
            )
        columns = {name: matrix[:, i] for i, name in enumerate(names)}
    if not columns:
        raise SchemaError(f"{what}: expected at least one column, got none")
    return columns


def same_columns(
    reference: Table, candidate: Table, names: Sequence[str] | None = None, *, missing: bool = False
) -> tuple[dict[str, Values], dict[str, Values]]:
    """Checked columns of two samples, in the order of the reference and in the coarser dtype of each pair.

    Raises
    ------
    SchemaError
        If the two samples do not have the same columns, or the columns of one differ in length.
    """
    a, b = by_name(reference, names, "reference"), by_name(candidate, names, "candidate")
    if set(a) != set(b):
        lacking = sorted(set(a) ^ set(b), key=str)
        raise SchemaError(
            f"expected the same columns in both samples, got {lacking} in only one of them"
            f"{did_you_mean(lacking[0], set(b) if lacking[0] in a else set(a))}; give the same columns of both"
        )
    pairs = {}
    for name in a:
        column = checked_values(a[name], f"reference column {name!r}", missing=missing)
        other = checked_values(b[name], f"candidate column {name!r}", missing=missing)
        pairs[name] = same_precision(column, other)
    ours, others = ({name: pair[i] for name, pair in pairs.items()} for i in (0, 1))
    _one_length(ours, "reference")
    _one_length(others, "candidate")
    return ours, others


def _one_length(columns: dict[str, Values], what: str) -> None:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise SchemaError(f"{what}: expected columns of one length, got {lengths}; give columns of the same rows")


def rows_of(columns: Mapping[str, Values]) -> int:
    """How many rows a table has."""
    return len(next(iter(columns.values())))
