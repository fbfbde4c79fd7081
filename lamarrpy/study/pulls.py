"""Whether errors that a network states of itself are true: pulls, coverage, and what would make them true."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from lamarrpy.errors import SchemaError
from lamarrpy.tracks.accuracy import MICRO, OUTPUTS

Array = NDArray[np.float64]

ONE, TWO = 0.6826895, 0.9544997
"""Share of a normal distribution within one and two standard deviations."""

EDGES = np.linspace(-5.0, 5.0, 51)
"""Of the histogram of pulls; what lies beyond is in the outermost bins."""

SMALLEST = 1e-12
"""Stated error [mm or 1] below which it is taken as this: a pull has to be a number."""


def pulls(predicted: Array, true: Array, error: Array) -> Array:
    """Residuals over their stated errors, standard normal if those are true (protocol section 10.1).

    Parameters
    ----------
    predicted, true, error : ndarray, shape (n, 4)
        x, y [mm], tx, ty; an error is one standard deviation.

    Returns
    -------
    ndarray, shape (n, 4)

    Raises
    ------
    SchemaError
        If the shapes differ, or an error is negative.
    """
    if not predicted.shape == true.shape == error.shape:
        raise SchemaError(
            f"expected predicted, true and error of one shape, got {predicted.shape}, {true.shape}, {error.shape}"
        )
    if np.any(error < 0.0):
        raise SchemaError(f"expected errors that are not negative, got {np.nanmin(error)}")
    found: Array = (predicted - true) / np.maximum(error, SMALLEST)
    return found


def widths(values: Array) -> Array:
    """Half of the central 68 % of each column, shape (columns,): the standard deviation of a normal one."""
    low, high = np.nanquantile(values, (0.5 - 0.5 * ONE, 0.5 + 0.5 * ONE), axis=0)
    half: Array = 0.5 * (high - low)
    return half


def calibration(found: Array) -> Array:
    """By what each stated error has to be multiplied for that share of all pulls to lie within +-1, shape (4,)."""
    factors: Array = np.nanquantile(np.abs(found), ONE, axis=0)
    return factors


def coverage(found: Array, sigmas: float) -> Array:
    """Share of tracks whose truth lies within so many stated errors, shape (4,)."""
    inside: Array = (np.abs(found) <= sigmas).mean(axis=0)
    return inside


def histogram(found: Array) -> dict[str, list[float]]:
    """Edges and counts of one column of pulls, shape (n,)."""
    counts, edges = np.histogram(np.clip(found, EDGES[0], EDGES[-1]), EDGES)
    return {"edges": [float(edge) for edge in edges], "counts": [int(count) for count in counts]}


def rank_correlation(a: Array, b: Array) -> float | None:
    """Spearman's correlation of two columns, shape (n,); None if one of them is constant."""
    ranks = [rankdata(column) for column in (a, b)]
    if min(float(np.ptp(column)) for column in ranks) == 0.0:
        return None
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def judged(predicted: Array, true: Array, error: Array, factors: Array) -> list[dict[str, Any]]:
    """Stated errors against what they should be, one row an output.

    Parameters
    ----------
    predicted, true, error : ndarray, shape (n, 4)
        As for `pulls`.
    factors : ndarray, shape (4,)
        `calibration` of other tracks, by which errors are multiplied for ``calibrated_68`` and ``calibrated_95``.

    Returns
    -------
    list of dict
        ``output``; ``pull_mean``, ``pull_width`` (half the central 68 %), ``pull_rms``; ``coverage_68`` and
        ``coverage_95``, the shares within one and two errors (0.683 and 0.954 if they are true);
        ``sigma_median`` and ``error_68`` [um or urad], the median error stated and that below which 68 % of the
        residuals lie; ``factor``; ``rank_correlation`` of error and residual.
    """
    found = pulls(predicted, true, error)
    scaled = found / np.maximum(factors, SMALLEST)
    residual = np.abs(predicted - true)
    columns = {
        "pull_mean": found.mean(axis=0),
        "pull_width": widths(found),
        "pull_rms": np.sqrt((found**2).mean(axis=0)),
        "coverage_68": coverage(found, 1.0),
        "coverage_95": coverage(found, 2.0),
        "sigma_median": np.median(error, axis=0) * MICRO,
        "error_68": np.quantile(residual, ONE, axis=0) * MICRO,
        "factor": factors,
        "calibrated_68": coverage(scaled, 1.0),
        "calibrated_95": coverage(scaled, 2.0),
    }
    return [
        {"output": name, **{key: float(values[i]) for key, values in columns.items()},
         "rank_correlation": rank_correlation(error[:, i], residual[:, i])}
        for i, name in enumerate(OUTPUTS)
    ]  # fmt: skip
