"""How long a call takes: warm-up, passes, and the distribution of their durations."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lamarrpy.errors import ConfigError

_MICRO = 1e-3
"""Microseconds of a nanosecond."""


@dataclass(frozen=True)
class Passes:
    """How often a call is repeated (protocol section 6.2.1: 100 passes of warm-up, 1000 that count).

    Attributes
    ----------
    warmup : int
        Passes that do not count.
    count : int
        Passes that count.
    seconds : float, s
        Time after which no further pass of either is begun; how many were made is told, at least one of each.

    Raises
    ------
    ConfigError
        If a number makes no sense.
    """

    warmup: int = 100
    count: int = 1000
    seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.warmup < 0 or self.count < 1 or not self.seconds > 0.0:
            raise ConfigError(
                f"expected warmup >= 0, at least one pass and seconds above 0, got {self.warmup}, {self.count} and"
                f" {self.seconds}"
            )


def timed(call: Callable[[], Any], passes: Passes) -> dict[str, float]:
    """Time a call.

    Parameters
    ----------
    call : callable
        What is timed; what it returns is dropped.
    passes : Passes
        How often.

    Returns
    -------
    dict
        ``first_us`` of the very first call, which may compile something; ``warmup`` and ``passes`` that were made;
        ``mean_us``, ``std_us`` and the quantiles ``p50_us``, ``p95_us``, ``p99_us`` of a pass.
    """
    (first,) = _durations(call, 1, passes.seconds)
    warmup = _durations(call, passes.warmup - 1, passes.seconds - 1e-9 * first, fewest=0)
    taken = np.array(_durations(call, passes.count, passes.seconds)) * _MICRO
    p50, p95, p99 = np.quantile(taken, (0.5, 0.95, 0.99))
    return {
        "first_us": first * _MICRO,
        "warmup": 1 + len(warmup),
        "passes": len(taken),
        "mean_us": float(taken.mean()),
        "std_us": float(taken.std()),
        "p50_us": float(p50),
        "p95_us": float(p95),
        "p99_us": float(p99),
    }


def _durations(call: Callable[[], Any], count: int, seconds: float, fewest: int = 1) -> list[int]:
    """Nanoseconds of each pass: so many, or those that are begun before the time is over."""
    taken: list[int] = []
    until = time.perf_counter_ns() + int(seconds * 1e9)
    while len(taken) < count and (len(taken) < fewest or time.perf_counter_ns() < until):
        began = time.perf_counter_ns()
        call()
        taken.append(time.perf_counter_ns() - began)
    return taken
