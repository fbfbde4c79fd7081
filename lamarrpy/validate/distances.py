"""Distances between two distributions of one variable, exact for ties, point masses and weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import kolmogi

from lamarrpy.errors import DomainError
from lamarrpy.validate.samples import Array, Values, counted, same_precision


def ks_distance(
    a: ArrayLike, b: ArrayLike, weights_a: ArrayLike | None = None, weights_b: ArrayLike | None = None
) -> float:
    """The largest difference between the cumulative distributions of two samples (Kolmogorov-Smirnov).

    Exact: the distributions are compared after every value that occurs, rows of equal value together, so that
    integers and point masses are no approximation. Float columns of different precision are compared in the coarser.

    Parameters
    ----------
    a, b : array_like, shape (n,) and (m,)
        Float, integer or boolean, finite, in the same unit.
    weights_a, weights_b : array_like, shape (n,) and (m,), optional
        Finite, not negative, not all 0.

    Returns
    -------
    float
        0 (the same distribution) to 1 (nothing in common).

    Raises
    ------
    SchemaError
        If an argument is not one column of numbers, or does not have a weight for each row.
    DomainError
        If a sample is empty, a value not finite, or a weight negative or not finite.

    Notes
    -----
    N. V. Smirnov, Ann. Math. Stat. 19 (1948) 279.
    """
    values, difference = _distributions(*_pair(a, b, weights_a, weights_b))
    complete = np.append(values[1:] > values[:-1], True)
    return float(np.max(np.abs(difference), where=complete, initial=0.0))


def wasserstein_over_sigma(
    reference: ArrayLike,
    candidate: ArrayLike,
    weights_reference: ArrayLike | None = None,
    weights_candidate: ArrayLike | None = None,
) -> float:
    """The area between two cumulative distributions, in standard deviations of the reference (Wasserstein-1).

    A shift by a share of the standard deviation gives just that share, whatever the unit.

    Parameters
    ----------
    reference, candidate : array_like, shape (n,) and (m,)
        Float, integer or boolean, finite, in the same unit.
    weights_reference, weights_candidate : array_like, shape (n,) and (m,), optional
        Finite, not negative, not all 0.

    Returns
    -------
    float
        Not negative. If all values of the reference are equal: 0 if those of the candidate equal them, infinite if not.

    Raises
    ------
    SchemaError, DomainError
        As for `ks_distance`.

    Notes
    -----
    S. S. Vallender, Theory Probab. Appl. 18 (1974) 784: in one dimension the distance is this area.
    """
    a, b, w_a, w_b = _pair(reference, candidate, weights_reference, weights_candidate)
    a, b = a.astype(np.float64, copy=False), b.astype(np.float64, copy=False)
    values, difference = _distributions(a, b, w_a, w_b)
    if a.min() == a.max():
        return 0.0 if values[0] == values[-1] else float("inf")
    area = np.abs(difference[:-1]) @ np.diff(values)
    return float(area / _standard_deviation(a, w_a))


def expected_ks(entries_a: float, entries_b: float, quantile: float | None = None) -> float:
    """The Kolmogorov-Smirnov distance that chance alone puts between two samples of one continuous distribution.

    To be shown beside a distance, so that a reader sees how much of it is noise; a distance is judged by its size.

    Parameters
    ----------
    entries_a, entries_b : float
        Rows of each sample, or effective rows if weighted (`effective_entries`), above 0.
    quantile : float, optional
        0 to 1: the distance below which this share of such pairs lies; the mean if left out.

    Raises
    ------
    DomainError
        If the entries are not above 0, or the quantile is not between 0 and 1.

    Notes
    -----
    The limit of many entries, a few per cent too large for hundreds of them, too large for integers and point masses:
    the mean is sqrt(pi / 2) ln 2 / sqrt(n m / (n + m)) (A. Kolmogorov, G. Ist. Ital. Attuari 4 (1933) 83).
    """
    if not (0.0 < entries_a < np.inf and 0.0 < entries_b < np.inf):
        raise DomainError(f"expected entries above 0, got {entries_a} and {entries_b}; give samples with rows")
    if quantile is not None and not 0.0 < quantile < 1.0:
        raise DomainError(f"expected a quantile between 0 and 1, got {quantile}; give 0.95, or None for the mean")
    scaled = np.sqrt(np.pi / 2.0) * np.log(2.0) if quantile is None else kolmogi(1.0 - quantile)
    return float(min(1.0, scaled * np.sqrt(1.0 / entries_a + 1.0 / entries_b)))


def _pair(
    a: ArrayLike, b: ArrayLike, weights_a: ArrayLike | None, weights_b: ArrayLike | None
) -> tuple[Values, Values, Array | None, Array | None]:
    first, w_a = counted(a, weights_a, "first sample")
    second, w_b = counted(b, weights_b, "second sample")
    return *same_precision(first, second), w_a, w_b


def _distributions(a: Values, b: Values, w_a: Array | None, w_b: Array | None) -> tuple[Values, Array]:
    """All values in ascending order, and how much more of ``a`` than of ``b`` lies up to each row.

    Of rows with equal values only the last one has counted all of them.
    """
    a, share_a = _cumulative(a, w_a)
    b, share_b = _cumulative(b, w_b)
    together = np.concatenate([a, b])
    order = np.argsort(together, kind="stable")  # merges the two runs, which are in order already
    rows_a = np.cumsum(order < len(a))
    rows_b = np.arange(1, len(together) + 1) - rows_a
    return together[order], share_a[rows_a] - share_b[rows_b]


def _cumulative(values: Values, weights: Array | None) -> tuple[Values, Array]:
    """Values in ascending order, and the share of the weight in the first 0, 1, 2 ... of them."""
    if weights is None:
        return np.sort(values), np.arange(len(values) + 1) / len(values)
    order = np.argsort(values)
    share = np.concatenate([[0.0], np.cumsum(weights[order])])
    return values[order], share / share[-1]


def _standard_deviation(values: Values, weights: Array | None) -> float:
    mean = np.average(values, weights=weights)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))
