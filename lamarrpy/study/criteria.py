"""What is asked of a neural extrapolator (G. Scriven's protocol, section 1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamarrpy.tracks.accuracy import OUTPUTS

POSITION, SLOPE = 10.0, 10.0
"""Largest rms error of x and y [um], and of tx and ty [urad]."""

TARGET = 1.0
"""The same as one would like to have it [um and urad]."""

BIAS = 0.1
"""Largest mean error [um and urad]."""

SPEED_UP = 10.0
"""How many times as fast as Runge-Kutta, at least."""


def is_accurate(test: Mapping[str, Any], limit: float | None = None) -> bool:
    """Whether an accuracy meets the criteria of position and angle; with a limit, that for both."""
    bounds = {"x": POSITION, "y": POSITION, "tx": SLOPE, "ty": SLOPE}
    rmse, finite = test["rmse"], test["share_finite"] == 1.0
    return finite and all(
        rmse[name] is not None and rmse[name] < (bounds[name] if limit is None else limit) for name in OUTPUTS
    )


def is_unbiased(test: Mapping[str, Any]) -> bool:
    """Whether all mean errors are small enough."""
    means = test["mean"]
    return all(means[name] is not None and abs(means[name]) < BIAS for name in OUTPUTS)
