"""Ranges that a quantity of a track is drawn from: one value, an interval, or several intervals."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BeforeValidator

Array = NDArray[np.float64]
Intervals = tuple[tuple[float, float], ...]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _spell_out(content: Any) -> Any:
    """A number or one pair as a list of pairs."""
    if _is_number(content):
        return [[content, content]]
    if isinstance(content, list | tuple) and len(content) == 2 and all(_is_number(value) for value in content):
        return [list(content)]
    pairs = isinstance(content, list | tuple) and all(
        isinstance(pair, list | tuple) and len(pair) == 2 and all(_is_number(value) for value in pair)
        for pair in content
    )
    if not pairs or not content:
        raise ValueError(f"expected a number, [low, high], or a list of [low, high], got {content!r}")
    return [list(pair) for pair in content]


def _check_order(intervals: Intervals) -> Intervals:
    edges = [edge for pair in intervals for edge in pair]
    single = len(intervals) == 1 and edges[0] == edges[1]
    if not single and not all(a < b for a, b in zip(edges[::2], edges[1::2], strict=True)):
        raise ValueError(f"expected low < high, got {[list(pair) for pair in intervals]}")
    if any(a > b for a, b in zip(edges[1:-1:2], edges[2::2], strict=True)):
        raise ValueError(f"expected ranges that follow each other, got {[list(pair) for pair in intervals]}")
    return intervals


Ranges = Annotated[Intervals, BeforeValidator(_spell_out), AfterValidator(_check_order)]
"""In a recipe: a number, ``[low, high]``, or a list of ``[low, high]`` in ascending order."""


def fixed(ranges: Intervals) -> float | None:
    """The value, if there is only one."""
    low, high = ranges[0]
    return low if len(ranges) == 1 and low == high else None


def contains(ranges: Intervals, values: Array) -> NDArray[np.bool_]:
    """Which values lie in one of the ranges, shape (n,)."""
    inside = np.zeros(len(values), bool)
    for low, high in ranges:
        inside |= (values >= low) & (values <= high)
    return inside


def uniform(ranges: Intervals, u: Array) -> Array:
    """Spread uniform numbers evenly over ranges.

    Parameters
    ----------
    ranges : tuple of (low, high)
        Where to; a range gets a share that goes as its length.
    u : ndarray, shape (n,)
        Numbers between 0 and 1.

    Returns
    -------
    ndarray, shape (n,)
    """
    value = fixed(ranges)
    if value is not None:
        return np.full(len(u), value)
    lengths = np.array([high - low for low, high in ranges])
    before = np.concatenate([[0.0], np.cumsum(lengths)])
    at = u * before[-1]
    which = np.minimum(np.searchsorted(before, at, side="right") - 1, len(ranges) - 1)
    lows, highs = np.array(ranges).T
    values: Array = np.minimum(lows[which] + (at - before[which]), highs[which])
    return values
