"""How far extrapolated tracks end from the true ones: the figures of every experiment."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Accuracy = dict[str, Any]

OUTPUTS = ("x", "y", "tx", "ty")
"""Columns of deviations, and keys of the figures of each."""

UNITS = {"x": "um", "y": "um", "tx": "urad", "ty": "urad"}
"""In which the figures are told."""

MICRO = np.array([1e3, 1e3, 1e6, 1e6])
"""From mm and 1 to um and urad."""


def accuracy(predicted: NDArray[np.floating[Any]], true: NDArray[np.floating[Any]]) -> Accuracy:
    """Errors of extrapolated states.

    Parameters
    ----------
    predicted, true : ndarray, shape (n, 4)
        x, y [mm], tx, ty at the end, or their deviations from the straight line, which differ by as much.

    Returns
    -------
    dict
        ``n`` tracks, ``share_finite`` of their answers; of the finite ones ``mae``, ``rmse``, ``max`` (absolute),
        ``mean`` (the bias) and ``width_68`` (half of the central 68 %), each a dict by `OUTPUTS` in um and urad;
        ``distance_rms``, ``distance_68`` and ``distance_95`` [um]: of the distance in x and y. None where no answer
        is finite.
    """
    differ = (np.asarray(predicted, np.float64)[:, :4] - np.asarray(true, np.float64)) * MICRO
    finite = np.isfinite(differ).all(axis=1)
    told: Accuracy = {"n": len(differ), "share_finite": float(finite.mean()) if len(differ) else 0.0}
    return told | _figures(differ[finite])


def _figures(differ: Array) -> Accuracy:
    if not len(differ):
        nothing = dict.fromkeys(OUTPUTS)
        distances = dict.fromkeys(("distance_rms", "distance_68", "distance_95"))
        return {**{name: dict(nothing) for name in ("mae", "rmse", "max", "mean", "width_68")}, **distances}
    low, high = np.quantile(differ, (0.16, 0.84), axis=0)
    distance = np.hypot(differ[:, 0], differ[:, 1])
    return {
        "mae": _by_output(np.abs(differ).mean(axis=0)),
        "rmse": _by_output(_rms(differ)),
        "max": _by_output(np.abs(differ).max(axis=0)),
        "mean": _by_output(differ.mean(axis=0)),
        "width_68": _by_output(0.5 * (high - low)),
        "distance_rms": float(_rms(distance)),
        "distance_68": float(np.quantile(distance, 0.68)),
        "distance_95": float(np.quantile(distance, 0.95)),
    }


def _rms(values: Array) -> Any:
    return np.sqrt(np.mean(values**2, axis=0))


def _by_output(values: Array) -> dict[str, float]:
    return dict(zip(OUTPUTS, map(float, values), strict=True))


def accuracy_in_bins(
    predicted: NDArray[np.floating[Any]], true: NDArray[np.floating[Any]], p: Array, edges: Sequence[float]
) -> list[Accuracy]:
    """Errors in bins of momentum.

    Parameters
    ----------
    predicted, true : ndarray, shape (n, 4)
        As for `accuracy`.
    p : ndarray, shape (n,), MeV
        Momentum of each track.
    edges : sequence of float, MeV
        Of the bins, ascending.

    Returns
    -------
    list of dict
        ``p_low``, ``p_high`` [MeV] and the figures of `accuracy`, of each bin with tracks in it.
    """
    bins = []
    for low, high in pairwise(edges):
        inside = (p >= low) & (p < high)
        if inside.any():
            bins.append({"p_low": float(low), "p_high": float(high)} | accuracy(predicted[inside], true[inside]))
    return bins


def momentum_edges(p: Array, most: int = 8) -> list[float]:
    """Edges [MeV] of bins of momentum that cover all tracks, evenly spread in the logarithm."""
    low, high = float(np.min(p)), float(np.max(p))
    edges = np.geomspace(low, high, most + 1)
    edges[0], edges[-1] = low, np.nextafter(high, np.inf)
    return [float(edge) for edge in edges]
