"""A weighted sample as point masses and knots of its quantile function, at positions of a standard normal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.parameterization.transforms.knots import EDGE, Knots

Floats = NDArray[np.float64]

Masses = Literal["auto", "all"] | Sequence[float]
"""Values of finite probability: found by their weight, every value, or these."""

_LEAST_SHARE = 1e-9
"""Share of the weight that every value has at least, so that float64 can tell its place among its neighbours."""

_AUTO_SHARE = 0.01
"""Share of the weight from which a repeated value is a point mass."""

_MOST_MASSES = 10_000
"""Masses beyond which a column is not discrete."""

_FEWEST_KNOTS = 32
"""Of a continuous part, however short, if it has as many values."""

_TAIL = 0.05
"""Share of the distribution that says how it goes on beyond its end."""

_SHORTEST_TAIL = 0.5
"""And how much of the normal's axis that has to be at least."""


class _Distinct(NamedTuple):
    """Rising values that differ, their shares of the weight, and the rows that have them."""

    x: Floats
    share: Floats
    rows: NDArray[np.int64]


def knots_of(values: Floats, share: Floats, masses: Masses, knots: int) -> Knots:
    """The quantile function of a weighted sample.

    A value is placed at the middle of its range of ranks. Knots are spaced evenly on the axis of the
    normal, so that tails are resolved as well as the middle, and jumps between values keep both ends.

    Parameters
    ----------
    values, share : ndarray of float64, shape (n,)
        Finite values, and shares of the weight that add up to 1, all above 0.
    masses : "auto", "all" or sequence of float
        Values of finite probability. "auto": what holds at least 1 % of the weight, in two rows or more.
    knots : int
        About as many, for the continuous parts together.

    Raises
    ------
    ConfigError
        If ``masses`` or ``knots`` cannot be understood.
    DomainError
        If there are more than 10,000 masses.
    """
    if isinstance(knots, bool) or not isinstance(knots, int) or knots < 2:
        raise ConfigError(f"expected a number of knots of 2 or more, got {knots!r}")
    distinct = _distinct(values, share)
    is_mass = _is_mass(distinct, masses)
    low, middle, high = _ranges(distinct.share)
    z, x = [], []
    for part, spacing in _parts(middle, is_mass, knots):
        if is_mass[part.start]:
            z.append(np.array([max(low[part.start], -EDGE), min(high[part.start], EDGE)]))
            x.append(distinct.x[[part.start, part.start]])
        else:
            some = _spread(middle[part], distinct.x[part], spacing)
            z.append(some[0])
            x.append(some[1])
    knots_z, knots_x = np.concatenate(z), np.concatenate(x)
    # A sum with 0 makes of -0 the 0 that it equals.
    return Knots(knots_z, knots_x + 0.0, distinct.x[is_mass] + 0.0, _slopes(knots_z, knots_x))


def _distinct(values: Floats, share: Floats) -> _Distinct:
    x, where, rows = np.unique(values, return_inverse=True, return_counts=True)
    total = np.maximum(np.bincount(where.reshape(-1), share, len(x)), _LEAST_SHARE)
    return _Distinct(x, total / total.sum(), rows)


def _is_mass(distinct: _Distinct, masses: Masses) -> NDArray[np.bool_]:
    if isinstance(masses, str):
        if masses not in ("auto", "all"):
            raise ConfigError(f"expected masses as 'auto', 'all' or a list of numbers, got {masses!r}")
        repeated = (distinct.share >= _AUTO_SHARE) & (distinct.rows > 1)
        found = repeated if masses == "auto" else np.ones(len(distinct.x), bool)
    else:
        found = _among(distinct.x, masses)
    if len(found) == 1:
        found = np.ones(1, bool)
    if found.sum() > _MOST_MASSES:
        raise DomainError(
            f"expected at most {_MOST_MASSES} masses, got {int(found.sum())} different values; name the masses, or"
            " leave them to 'auto'"
        )
    return found


def _among(x: Floats, masses: Sequence[float]) -> NDArray[np.bool_]:
    """Which values are declared masses, as they are or as float32 has them."""
    try:
        declared = np.asarray(list(masses), np.float64)
    except (TypeError, ValueError):
        declared = np.array([np.nan])
    if declared.ndim != 1 or not np.isfinite(declared).all():
        raise ConfigError(f"expected masses as 'auto', 'all' or a list of finite numbers, got {masses!r}")
    rounded = declared.astype(np.float32).astype(np.float64)
    return np.isin(x, declared) | np.isin(x, rounded[~np.isin(declared, x)])


def _ranges(share: Floats) -> tuple[Floats, Floats, Floats]:
    """Where the range of ranks of each value starts, has its middle and ends, on the axis of the normal."""
    below = np.concatenate([[0.0], np.cumsum(share)])
    above = np.concatenate([np.cumsum(share[::-1])[::-1], [0.0]])
    edges = normal(below, above)
    return edges[:-1], normal(below[:-1] + 0.5 * share, above[1:] + 0.5 * share), edges[1:]


def normal(below: Floats, above: Floats) -> Floats:
    """The quantile of a standard normal, exact in both tails, from the probabilities below and above."""
    lower: Floats = ndtri(np.minimum(below, above))
    return np.where(below <= above, lower, -lower)


def _parts(middle: Floats, is_mass: NDArray[np.bool_], knots: int) -> Iterator[tuple[slice, float]]:
    """Each mass, and each run of values between masses, with the spacing of its knots."""
    changes = np.flatnonzero(is_mass[1:] | is_mass[:-1]) + 1
    starts = np.concatenate([[0], changes]).astype(int)
    ends = np.append(starts[1:], len(middle))
    length = middle[ends - 1] - middle[starts]
    spacing = float(length[~is_mass[starts]].sum()) / knots
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        yield slice(start, end), spacing


def _spread(z: Floats, x: Floats, spacing: float) -> tuple[Floats, Floats]:
    """Knots of a continuous part, about so far apart, of values x at positions z."""
    count = _FEWEST_KNOTS
    if spacing > 0.0:
        count = max(count, round((z[-1] - z[0]) / spacing) + 1)
    if len(x) <= count:
        return z, x
    at = np.linspace(z[0], z[-1], count)
    jumps = _jumps(z, x, at)
    at = np.unique(np.concatenate([at, z[jumps], z[jumps + 1]]))
    values = np.interp(at, z, x)
    new = np.concatenate([[True], np.diff(values) > 0.0])
    return at[new], values[new]


def _jumps(z: Floats, x: Floats, at: Floats) -> NDArray[np.intp]:
    """Where two neighbours are further apart than all others between two knots: nothing may be put between them."""
    steps, size = np.diff(x), np.diff(np.interp(at, z, x))
    interval = np.clip(np.searchsorted(at, 0.5 * (z[1:] + z[:-1]), side="right") - 1, 0, len(size) - 1)
    crowded = np.bincount(interval, minlength=len(size)) > 3
    jumps: NDArray[np.intp] = np.flatnonzero(crowded[interval] & (steps > 0.5 * size[interval]))
    return jumps


def _slopes(z: Floats, x: Floats) -> Floats:
    """dx/dz below and above, of the outer few percent; 0 where a mass is at the edge."""
    return np.array([_slope(-z[::-1], -x[::-1]), _slope(z, x)])


def _slope(z: Floats, x: Floats) -> float:
    if x[-1] == x[-2]:
        return 0.0
    flat = np.flatnonzero(x[1:] == x[:-1])
    start = z[flat[-1] + 1] if len(flat) else z[0]
    reference = max(start, min(-float(ndtri(_TAIL)), z[-1] - _SHORTEST_TAIL))
    slope = (x[-1] - np.interp(reference, z, x)) / (z[-1] - reference)
    return float(np.clip(slope, 1e-140, 1e150))
