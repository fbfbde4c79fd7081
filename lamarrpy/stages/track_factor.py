"""The covariance of a track as fifteen numbers of which any values make one.

The covariance of (x, y, tx, ty, q/p) is told in the frame of `lamarrpy.stages.track_frame`, as the product F F^T of a
lower triangular matrix with a positive diagonal and its transpose. A track is measured some way from the beam line, so
its position there is its position at the first hits less that way, the lever, times its slope. In the order slope
along, slope across, position along, position across, q/p the rows of F are therefore: how well the slopes are known;
the lever, and how well the first hits know the position; how q/p depends on all of them.

Both directions are measured nearly alike, which is why each quantity is told as its mean and as what tells them apart.
Means are told relative to what is usual for the type of track, its momentum and its steepness. Only the ties of q/p to
the rest are told in x and y, since the magnet bends in x.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.stages.track_frame import direction, frame
from lamarrpy.stages.track_type import TrackType
from lamarrpy.tables.schemas import STATE

Floats = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]
Rows = list[list[Floats]]
"""A lower triangular matrix of each track: the arrays, each of shape (n,), of the rows up to the diagonal."""

COVARIANCE = tuple(f"cov_{a}_{b}" for i, a in enumerate(STATE) for b in STATE[i:])
"""The columns of the upper triangle."""

NUMBERS = (
    *("lever", "slope", "position"),
    *("slope_ratio", "lever_ratio", "position_ratio"),
    *("slope_tilt", "lever_tilt", "position_tilt", "lever_twist"),
    *("momentum", "tie_slope_x", "tie_slope_y", "tie_position_x", "tie_position_y"),
)
"""What is told of a covariance."""

_USUAL = {
    "lever": ((10.4, 0.1, -0.79), (10.6, 0.09, -0.79), (810.0, 0.13, -0.02)),
    "slope": ((1.21e-3, -0.94, -0.36), (1.18e-3, -0.96, -0.38), (6.7e-3, -0.85, 0.08)),
    "position": ((6.5e-3, -0.6, -0.81), (6.6e-3, -0.67, -0.87), (4.8, -0.58, 0.2)),
    "momentum": ((2.4e-3, 0.11, -0.07), (0.18, 0.17, 0.11), (2.1e-3, 0.22, -0.07)),
}
"""Of Long, Upstream and Downstream tracks: value (mm, 1, mm, 1) at 1 GeV and a steepness of 1, powers of p [GeV] and
of the steepness. They are units: nothing depends on them but how evenly the numbers are spread."""

_FOLLOWS = {"lever": (1.6, 1.6, 3.3), "position": (3.3, 3.3, 1.75)}
"""Of the three types: how much the lever is less round where the slopes are, and the position where the lever is. They
are units too."""

_LEAST_ROUND = 2.0
"""Limit of this, for positions that are known twice as well as usual or better."""

_LEAST_OWN = 1e-4
"""Of a row of the factor: diagonal over the length of the rest, so that rounding leaves a positive definite matrix."""

_LEAST_EVEN = 5.0
"""Largest logarithm of how much better one direction is measured than the other."""

_PER_LEVER = 4.0
"""The lever is told as its inverse hyperbolic sine in quarters of the usual: as a logarithm, but it may be negative."""


def factor_of(columns: Columns) -> Rows:
    """The factor of a covariance.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        The true state, ``track_type`` and the covariance.

    Returns
    -------
    list of list of ndarray, shape (n,)
        Its rows, in the order slope along, slope across, position along [mm], position across [mm], q/p in units of the
        true |q/p|. Nothing but NaN comes of a matrix that is not positive definite.
    """
    cos, sin = frame(columns)
    unit = np.abs(columns["true_qop"])
    zero = np.zeros(len(unit))
    one = zero + 1
    basis = {
        "tx": (cos, -sin, zero, zero, zero),
        "ty": (sin, cos, zero, zero, zero),
        "x": (zero, zero, cos, -sin, zero),
        "y": (zero, zero, sin, cos, zero),
        "qop": (zero, zero, zero, zero, one / unit),
    }
    matrix = [[zero] * 5 for _ in range(5)]
    for a in STATE:
        for b in STATE:
            cov = columns[f"cov_{a}_{b}" if f"cov_{a}_{b}" in columns else f"cov_{b}_{a}"]
            for i in range(5):
                for j in range(i + 1):
                    if basis[a][i] is not zero and basis[b][j] is not zero:
                        matrix[i][j] = matrix[i][j] + cov * basis[a][i] * basis[b][j]
    return _cholesky(matrix)


def _cholesky(matrix: Rows) -> Rows:
    factor: Rows = []
    with np.errstate(invalid="ignore", divide="ignore"):
        for i, row in enumerate(matrix):
            own: list[Floats] = []
            for j in range(i):
                rest = row[j] - sum((own[k] * factor[j][k] for k in range(j)), np.zeros(len(row[j])))
                own.append(rest / factor[j][j])
            own.append(np.sqrt(row[i] - sum((value * value for value in own), np.zeros(len(row[i])))))
            factor.append(own)
    return factor


def covariance_of(factor: Rows, columns: Columns) -> dict[str, Floats]:
    """The covariance that a factor stands for: the inverse of `factor_of`.

    Parameters
    ----------
    factor : list of list of ndarray, shape (n,)
        Its rows.
    columns : mapping of str to ndarray, shape (n,)
        The true state and ``track_type``.

    Returns
    -------
    dict of str to ndarray of float64, shape (n,)
        The 15 elements of the upper triangle, by column name.
    """
    cos, sin = frame(columns)
    unit = np.abs(columns["true_qop"])
    (along, across, at_along, at_across, momentum) = factor
    rows = {
        "x": _turned(at_along, at_across, cos, -sin),
        "y": _turned(at_along, at_across, sin, cos),
        "tx": _turned(along, across, cos, -sin),
        "ty": _turned(along, across, sin, cos),
        "qop": [value * unit for value in momentum],
    }
    return {f"cov_{a}_{b}": _product(rows[a], rows[b]) for i, a in enumerate(STATE) for b in STATE[i:]}


def _turned(along: list[Floats], across: list[Floats], of_along: Floats, of_across: Floats) -> list[Floats]:
    mixed = [of_along * a + of_across * b for a, b in zip(along, across[:-1], strict=True)]
    return [*mixed, of_across * across[-1]]


def _product(row: list[Floats], other: list[Floats]) -> Floats:
    out = row[0] * other[0]
    for a, b in zip(row[1:], other[1:], strict=False):
        out = out + a * b
    return out


def numbers_of(factor: Rows, columns: Columns) -> dict[str, Floats]:
    """What is told of a factor.

    Parameters
    ----------
    factor : list of list of ndarray, shape (n,)
        Its rows.
    columns : mapping of str to ndarray, shape (n,)
        The true state and ``track_type``.

    Returns
    -------
    dict of str to ndarray of float64, shape (n,)
        `NUMBERS`.
    """
    (a,), (b_a, b), (x_a, x_b, x), (y_a, y_b, y_x, y), (q_a, q_b, q_x, q_y, q) = factor
    usual, stretch, (cos, sin) = _usual(columns), _stretch(columns), frame(columns)
    along_across, across_across = x_b / b, y_b / b
    along_along, across_along = (x_a - along_across * b_a) / a, (y_a - across_across * b_a) / a
    total = np.sqrt(q_a * q_a + q_b * q_b + q_x * q_x + q_y * q_y + q * q)
    lever, position = usual["lever"], 0.5 * np.log(x * y) - np.log(usual["position"])
    of_slope, of_lever = _follows(position, columns)
    slope_ratio, lever_ratio = np.log(a / b) - stretch, (along_along - across_across) / lever
    slope_tilt, lever_tilt = b_a / b, (along_across + across_along) / lever
    return {
        "lever": np.arcsinh(-0.5 * _PER_LEVER * (along_along + across_across) / lever),
        "slope": 0.5 * np.log(a * b) - np.log(usual["slope"]),
        "position": position,
        "slope_ratio": slope_ratio,
        "lever_ratio": lever_ratio + of_slope * slope_ratio,
        "position_ratio": np.log(x / y) - stretch + of_lever * lever_ratio,
        "slope_tilt": slope_tilt,
        "lever_tilt": lever_tilt + of_slope * slope_tilt,
        "position_tilt": y_x / y + of_lever * lever_tilt,
        "lever_twist": (along_across - across_along) / lever,
        "momentum": np.log(total / usual["momentum"]),
        "tie_slope_x": (cos * q_a - sin * q_b) / q,
        "tie_slope_y": (sin * q_a + cos * q_b) / q,
        "tie_position_x": (cos * q_x - sin * q_y) / q,
        "tie_position_y": (sin * q_x + cos * q_y) / q,
    }


def factor_from(numbers: Columns, columns: Columns) -> Rows:
    """The factor of which something is told: the inverse of `numbers_of`.

    Parameters
    ----------
    numbers : mapping of str to ndarray, shape (n,)
        `NUMBERS`, of any values.
    columns : mapping of str to ndarray, shape (n,)
        The true state and ``track_type``.

    Returns
    -------
    list of list of ndarray, shape (n,)
        Its rows.
    """
    usual, stretch = _usual(columns), _stretch(columns)
    of_slope, of_lever = _follows(numbers["position"], columns)
    ratio = numbers["lever_ratio"] - of_slope * numbers["slope_ratio"]
    tilt, twist = numbers["lever_tilt"] - of_slope * numbers["slope_tilt"], numbers["lever_twist"]
    a, b = _apart(numbers["slope"], numbers["slope_ratio"] + stretch, usual["slope"])
    x, y = _apart(numbers["position"], numbers["position_ratio"] + stretch - of_lever * ratio, usual["position"])
    b_a, y_x = numbers["slope_tilt"] * b, (numbers["position_tilt"] - of_lever * tilt) * y
    mean, half = -usual["lever"] * np.sinh(numbers["lever"]) / _PER_LEVER, 0.5 * usual["lever"]
    along_along, across_across = mean + half * ratio, mean - half * ratio
    along_across, across_along = half * (tilt + twist), half * (tilt - twist)
    cos, sin = frame(columns)
    slope_x, slope_y, position_x, position_y = (numbers[name] for name in NUMBERS[-4:])
    ties = [
        cos * slope_x + sin * slope_y,
        cos * slope_y - sin * slope_x,
        cos * position_x + sin * position_y,
        cos * position_y - sin * position_x,
    ]
    q = usual["momentum"] * np.exp(numbers["momentum"]) / np.sqrt(1 + _product(ties, ties))
    rows = [
        [a],
        [b_a, b],
        [along_along * a + along_across * b_a, along_across * b, x],
        [across_along * a + across_across * b_a, across_across * b, y_x, y],
        [*(tie * q for tie in ties), q],
    ]
    for *others, own in rows[1:]:
        np.maximum(own, _LEAST_OWN * np.sqrt(_product(others, others)), out=own)
    return rows


def _apart(mean: Floats, ratio: Floats, usual: Floats) -> tuple[Floats, Floats]:
    """Two numbers from the logarithms of their geometric mean and of their ratio."""
    middle, root = usual * np.exp(mean), np.exp(0.5 * np.clip(ratio, -_LEAST_EVEN, _LEAST_EVEN))
    return middle * root, middle / root


def _follows(position: Floats, columns: Columns) -> tuple[Floats, Floats]:
    """Factors of `_FOLLOWS`: the better the position is known, the less round it is."""
    kind = np.asarray(columns["track_type"]) - TrackType.long
    of_slope, of_lever = (np.array(_FOLLOWS[name])[kind] for name in ("lever", "position"))
    return of_slope, of_lever * np.minimum(np.exp(-position), _LEAST_ROUND)


def _stretch(columns: Columns) -> Floats:
    """Logarithm of what scattering by some angle does more to the slope along than to that across."""
    steepness, _, _ = direction(columns)
    return np.asarray(0.5 * np.log1p(steepness * steepness))


def _usual(columns: Columns) -> dict[str, Floats]:
    steepness, _, _ = direction(columns)
    kind = np.asarray(columns["track_type"]) - TrackType.long
    log_p, log_t = np.log(columns["true_p"] / 1e3), np.log(steepness)
    out = {}
    for name, table in _USUAL.items():
        value, of_p, of_t = (np.array(column)[kind] for column in zip(*table, strict=True))
        out[name] = value * np.exp(of_p * log_p + of_t * log_t)
    return out
