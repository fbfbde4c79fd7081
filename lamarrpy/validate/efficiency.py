"""Efficiency curves: the share that passes in bins of a variable, with binomial intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri

from lamarrpy.errors import ConfigError, DomainError, SchemaError, did_you_mean
from lamarrpy.validate.bins import bin_of, checked_edges, plain
from lamarrpy.validate.samples import Array, checked_values, checked_weights

ONE_SIGMA = 0.6826894921370859
"""Share of a normal distribution within one standard deviation."""


@dataclass(frozen=True)
class Efficiency:
    """The share that passes in each bin of a variable.

    Attributes
    ----------
    edges : ndarray of float64, shape (bins + 1,)
        In the unit of the variable.
    value, low, high : ndarray of float64, shape (bins,)
        The share that passes and its interval; NaN, 0 and 1 for a bin without entries.
    entries : ndarray of int64, shape (bins,)
        Rows with a weight above 0.
    effective : ndarray of float64, shape (bins,)
        As many rows of equal weight are worth as much; the interval is made of them.
    """

    edges: Array
    value: Array
    low: Array
    high: Array
    entries: NDArray[np.int64]
    effective: Array

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data for JSON: None for the value of an empty bin, "inf" for an infinite edge."""
        return {name: plain(getattr(self, name)) for name in ("edges", "value", "low", "high", "effective")} | {
            "entries": self.entries.tolist()
        }


def efficiency(
    passed: ArrayLike,
    variable: ArrayLike,
    edges: ArrayLike,
    weights: ArrayLike | None = None,
    level: float = ONE_SIGMA,
    method: str = "wilson",
) -> Efficiency:
    """The share that passes in bins of a variable, with an interval for each bin.

    Parameters
    ----------
    passed : array_like, shape (n,)
        Boolean, or 0 and 1.
    variable : array_like, shape (n,)
        Float, integer or boolean, finite.
    edges : array_like, shape (bins + 1,)
        Ascending; a bin holds its lower edge, the last one its upper edge as well. What lies outside does not count.
    weights : array_like, shape (n,), optional
        Finite, not negative, not all 0. They enter the interval as effective entries, (sum w)^2 / sum w^2.
    level : float
        How often the interval holds the true efficiency, 0 to 1; 68.3 % if left out.
    method : str
        ``"wilson"``: right on average; ``"clopper-pearson"``: at least the level for every efficiency, wider.

    Raises
    ------
    ConfigError
        If edges do not ascend, or level or method are not as said.
    SchemaError, DomainError
        If passed, variable or weights are not as said.

    Notes
    -----
    E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209; C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404.
    """
    if method not in INTERVALS or not 0.0 < level < 1.0:
        raise ConfigError(
            f"expected an interval out of {', '.join(INTERVALS)} and a level between 0 and 1, got {method!r} and"
            f" {level}{did_you_mean(method, INTERVALS)}"
        )
    ends = checked_edges(edges, "the variable")
    column = checked_values(variable, "the variable")
    w = checked_weights(weights, len(column), "the efficiency")
    w = np.ones(len(column)) if w is None else w
    at = np.where(w > 0.0, bin_of(column, ends), -1) + 1
    p = _checked_passed(passed, len(column))
    entries, total, above, squares = (
        np.bincount(at, x, minlength=len(ends))[1:] for x in (None, w, np.where(p, w, 0.0), w * w)
    )
    some = entries > 0
    value = np.divide(above, total, out=np.full(len(total), np.nan), where=some)
    effective = np.divide(total**2, squares, out=np.zeros(len(total)), where=some)
    low, high = np.zeros(len(total)), np.ones(len(total))
    low[some], high[some] = INTERVALS[method](value[some], effective[some], level)
    return Efficiency(ends, value, low, high, entries.astype(np.int64), effective)


def wilson(share: Array, entries: Array, level: float = ONE_SIGMA) -> tuple[Array, Array]:
    """The efficiencies that are not further from the share than so many of their own standard deviations (Wilson).

    Parameters
    ----------
    share, entries : ndarray of float64, same shape
        What passed, 0 to 1, out of how many; above 0.
    level : float
        How often the interval holds the true efficiency, on average.
    """
    z2 = ndtri(0.5 * (1.0 + level)) ** 2
    middle = (share + 0.5 * z2 / entries) / (1.0 + z2 / entries)
    half = np.sqrt(z2 * (share * (1.0 - share) + 0.25 * z2 / entries) / entries) / (1.0 + z2 / entries)
    return np.clip(middle - half, 0.0, share), np.clip(middle + half, share, 1.0)


def clopper_pearson(share: Array, entries: Array, level: float = ONE_SIGMA) -> tuple[Array, Array]:
    """The efficiencies for which the share is not among the rarest to either side (Clopper-Pearson).

    Parameters are those of `wilson`; entries need not be integers.
    """
    tail = 0.5 * (1.0 - level)
    k = share * entries
    low = np.where(share > 0.0, betaincinv(np.maximum(k, 1e-300), entries - k + 1.0, tail), 0.0)
    high = np.where(share < 1.0, betaincinv(k + 1.0, np.maximum(entries - k, 1e-300), 1.0 - tail), 1.0)
    return np.minimum(low, share), np.maximum(high, share)


INTERVALS: dict[str, Callable[[Array, Array, float], tuple[Array, Array]]] = {
    "wilson": wilson,
    "clopper-pearson": clopper_pearson,
}
"""Intervals of a share by name."""


def _checked_passed(passed: ArrayLike, rows: int) -> NDArray[np.bool_]:
    p = checked_values(passed, "what passed")
    if len(p) != rows:
        raise SchemaError(f"expected whether it passed for each of {rows} rows, got {len(p)}; give one a row")
    if not np.all((p == 0) | (p == 1)):
        raise DomainError("expected True or False, or 1 or 0, for what passed, got other values; cut on them first")
    return p.astype(bool)
