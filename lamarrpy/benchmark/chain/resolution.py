"""Pulls, and resolutions in bins of kinematics, of the tracks of the whole chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from lamarrpy.benchmark.chain import columns
from lamarrpy.benchmark.chain.figures import FLASH, Figure, worst
from lamarrpy.detailed.report.columns import Columns
from lamarrpy.detailed.report.statistics import Measured, half_width, in_bins
from lamarrpy.validate.metrics import quantile_edges

Pairs = Mapping[str, tuple[Columns, Columns]]
"""What each competitor is to be compared with, and what it says."""

CLASSES = {name: number for number, name in columns.TRACK_TYPES.items() if number}

PULLS = {"x": "dx", "y": "dy", "tx": "dtx", "ty": "dty", "qop": "dqop"}
"""Residual of each parameter."""

PULL = 0.9, 1.1

RESOLUTIONS: dict[str, str] = {"p": "dp_over_p", "x": "dx", "y": "dy", "tx": "dtx", "ty": "dty"}

VARIABLES: dict[str, Callable[[Columns], columns.Values]] = {
    "inverse_pt": lambda rows: 1.0 / rows["true_pt"],
    "phi": lambda rows: rows["true_phi"],
    "p": lambda rows: rows["true_p"],
    "steepness": lambda rows: 1.0 / np.sinh(rows["true_eta"]),
}
"""What the resolutions are looked at against; the steepness is the slope to the beam."""

BINS, ENTRIES = 8, 500
WITHIN, ERRORS = 0.05, 3.0


def _of_class(rows: Columns, name: str) -> Columns:
    """The tracks of a class that are not of electrons, whose bremsstrahlung no covariance covers."""
    return rows.at((rows["track_type"] == CLASSES[name]) & (rows["species"] != columns.SPECIES["electron"]))


def pull_figures(pairs: Pairs) -> Iterator[Figure]:
    """Widths of pulls with the covariance of each track, and over those of the Detailed Simulation.

    A width is half of the central 68.27 %. Nothing if a simulation has no covariance.
    """
    for name in CLASSES:
        chosen = {who: (_of_class(first, name), _of_class(other, name)) for who, (first, other) in pairs.items()}
        for parameter, residual in PULLS.items():
            widths = {who: _pull(other, parameter, residual) for who, (_, other) in chosen.items()}
            true = {who: _pull(first, parameter, residual) for who, (first, _) in chosen.items()}
            ratios = {
                who: w / t if w and t else None for (who, w), t in zip(widths.items(), true.values(), strict=True)
            }
            yield Figure(f"chain.pull_width.{name}.{parameter}", widths, *PULL)
            yield Figure(f"chain.pull_ratio.{name}.{parameter}", ratios, headline=False, compared=())


def _pull(rows: Columns, parameter: str, residual: str) -> float | None:
    if residual not in rows or f"sigma_{parameter}" not in rows:
        return None
    return half_width(rows[residual] / rows[f"sigma_{parameter}"]).value


def resolution_figures(pairs: Pairs) -> Iterator[Figure]:
    """By how much the worst bin of each variable is beyond 5 % or three standard errors of the difference."""
    for name in CLASSES:
        chosen = {who: (_of_class(first, name), _of_class(other, name)) for who, (first, other) in pairs.items()}
        for quantity, residual in RESOLUTIONS.items():
            far = {
                f"chain.resolution.{name}.{quantity}.{variable}": {
                    who: _excess(*pair, residual, of) for who, pair in chosen.items()
                }
                for variable, of in VARIABLES.items()
            }
            largest = {who: worst([each[who] for each in far.values()]) for who in chosen}
            yield Figure(f"chain.resolution.{name}.{quantity}", largest, None, 1.0)
            for key, each in far.items():
                yield Figure(key, {FLASH: each[FLASH]}, None, 1.0, headline=False, compared=())


def _excess(first: Columns, other: Columns, residual: str, of: Callable[[Columns], columns.Values]) -> float | None:
    if residual not in other or residual not in first or min(first.rows, other.rows) < ENTRIES:
        return None
    edges = quantile_edges(of(first), BINS)
    ours, others = (in_bins(rows[residual], of(rows), edges, half_width) for rows in (first, other))
    return worst([_beyond(a, b) for a, b in zip(ours, others, strict=True)])


def _beyond(first: Measured, other: Measured) -> float | None:
    if first.value is None or other.value is None or min(first.entries, other.entries) < ENTRIES:
        return None
    assert first.error is not None
    assert other.error is not None
    allowed = max(WITHIN * first.value, ERRORS * float(np.hypot(first.error, other.error)))
    return abs(other.value - first.value) / allowed
