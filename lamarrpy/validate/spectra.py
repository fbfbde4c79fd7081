"""Spectra of what came true beside spectra weighted with predicted probabilities.

The comparison of figures 4.10-4.17 of the thesis: for an efficiency that is learned, the kinematics of the particles
that pass must be those of all particles, each counted with its probability to pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lamarrpy.errors import SchemaError
from lamarrpy.validate.bins import bin_of, checked_edges, plain
from lamarrpy.validate.predictions import as_plain, checked, counted_in, each_class, summed
from lamarrpy.validate.samples import Array, checked_values


@dataclass(frozen=True)
class Spectrum:
    """The spectrum of what came true beside that of all rows weighted with the predicted probability.

    Attributes
    ----------
    edges : ndarray of float64, shape (bins + 1,)
        In the unit of the variable.
    true, predicted : ndarray of float64, shape (bins,)
        Sum of the weights of the rows that came true; sum of weight times probability of all rows.
    error : ndarray of float64, shape (bins,)
        Standard error of the first if the second is right: sqrt(sum of weight^2 p (1 - p)), Poisson-binomial.
    entries, passed : ndarray of int64, shape (bins,)
        Rows with a weight above 0: all of them, and those that came true.
    """

    edges: Array
    true: Array
    predicted: Array
    error: Array
    entries: NDArray[np.int64]
    passed: NDArray[np.int64]

    @property
    def pull(self) -> Array:
        """Predicted minus true in units of its error; 0 where they are equal, infinite where p left no doubt."""
        return _over(self.predicted - self.true, self.error)

    @property
    def relative(self) -> Array:
        """Predicted minus true over true; 0 where they are equal, infinite where there should be nothing."""
        return _over(self.predicted - self.true, self.true)

    def excess(self, within: float = 0.02, errors: float = 3.0) -> Array:
        """The difference over what is allowed, the larger of a part of the true and some standard errors.

        Parameters
        ----------
        within : float
            Relative difference that is always allowed.
        errors : float
            Standard errors that are always allowed.

        Returns
        -------
        ndarray of float64, shape (bins,)
            Up to 1 where they agree.
        """
        return np.abs(_over(self.predicted - self.true, np.maximum(within * self.true, errors * self.error)))

    def worst(self, minimum: int = 500, within: float = 0.02, errors: float = 3.0) -> float | None:
        """The largest `excess` of the bins with that many entries; None if there is none."""
        enough = self.entries >= minimum
        return float(self.excess(within, errors)[enough].max()) if enough.any() else None

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data for JSON, with pull and relative difference: "inf" for an infinite number."""
        return as_plain(self.__dict__) | {"pull": plain(self.pull), "relative": plain(self.relative)}


def spectrum(
    variable: ArrayLike,
    edges: ArrayLike,
    predicted: ArrayLike,
    outcome: ArrayLike,
    weights: ArrayLike | None = None,
) -> Spectrum:
    """Compare what came true with what was predicted in bins of a variable, as in figures 4.10-4.17 of the thesis.

    Parameters
    ----------
    variable : array_like, shape (n,)
        Such as p in MeV, eta, or z in mm.
    edges : array_like, shape (bins + 1,)
        Ascending; a bin holds its lower edge, the last one its upper edge as well. What lies outside does not count.
    predicted, outcome, weights
        As for `reliability`.

    Raises
    ------
    ConfigError
        If edges do not ascend.
    SchemaError, DomainError
        If columns are not as said.
    """
    rows = checked(predicted, outcome, weights)
    ends, column = checked_edges(edges, "the variable"), checked_values(variable, "the variable")
    if len(column) != len(rows.p):
        raise SchemaError(f"expected {len(rows.p)} rows of the variable, got {len(column)}; give one a row")
    at, count = np.where(rows.w > 0.0, bin_of(column, ends), -1), len(ends) - 1
    true, foreseen, variance = (
        summed(what, at, count) for what in (rows.w * rows.y, rows.w * rows.p, rows.w**2 * rows.p * (1.0 - rows.p))
    )
    return Spectrum(
        ends, true, foreseen, np.sqrt(variance), counted_in(at, count), counted_in(at[rows.y == 1.0], count)
    )


def spectra(
    variables: Mapping[str, ArrayLike],
    edges: Mapping[str, ArrayLike],
    predicted: ArrayLike,
    classes: ArrayLike,
    names: Sequence[str],
    weights: ArrayLike | None = None,
) -> dict[tuple[str, str], Spectrum]:
    """The spectra of every class in every variable that has edges, by (class, variable).

    Parameters
    ----------
    variables : mapping of str to array_like, shape (n,)
        At least those of the edges.
    edges : mapping of str to array_like, shape (bins + 1,)
        Of each variable to be looked at.
    predicted, classes, names
        As for `each_class`.
    weights : array_like, shape (n,), optional
        As for `reliability`.

    Raises
    ------
    SchemaError
        If a variable of the edges is missing; otherwise as `spectrum` and `each_class`.
    """
    missing = sorted(set(edges) - set(variables))
    if missing:
        raise SchemaError(f"expected the variables {sorted(edges)}, got {sorted(variables)}: {missing} missing")
    return {
        (name, variable): spectrum(variables[variable], ends, p, y, weights)
        for name, p, y in each_class(predicted, classes, names)
        for variable, ends in edges.items()
    }


def _over(difference: Array, scale: Array) -> Array:
    """A difference in units of a scale: 0 over 0 is 0, anything else over 0 infinite."""
    safe = np.divide(difference, scale, out=np.zeros(len(scale)), where=scale > 0.0)
    return np.where((scale == 0.0) & (difference != 0.0), np.copysign(np.inf, difference), safe)
