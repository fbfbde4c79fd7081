"""Stages that decide: their shares in bins beside those of the Detailed Simulation, with true conditions.

A decision is drawn again and again: the shares are known better than from one draw, whatever the stage is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from lamarrpy.benchmark.chain import columns
from lamarrpy.benchmark.chain.comparing import FULL, QUICK, auc, halves, resampled
from lamarrpy.benchmark.chain.figures import FLASH, IDEAL, NEIGHBOURS, Figure, worst
from lamarrpy.benchmark.chain.generated import AUC, SEED
from lamarrpy.benchmark.chain.truth import Truth, without
from lamarrpy.detailed.report.columns import Columns
from lamarrpy.draws import Draws
from lamarrpy.errors import DomainError
from lamarrpy.stages.stage import Stage
from lamarrpy.tables import EventBatch
from lamarrpy.tables.linking import pair_key, row_by_key
from lamarrpy.validate.bins import bin_of
from lamarrpy.validate.calibration import Line, calibration_line
from lamarrpy.validate.metrics import quantile_edges
from lamarrpy.validate.spectra import spectrum

DRAWS, QUICK_DRAWS, NEIGHBOUR_DRAWS = 20, 4, 4
VARIABLES, EDGES, ENTRIES = ("p", "eta", "z"), 10, 500
SLOPE = 0.98, 1.02

_GROUP = 200
"""Rows of like probability below which a group says nothing of the calibration."""

Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Classified:
    """What is compared of a stage.

    Attributes
    ----------
    rows : callable
        From a batch to columns.
    conditions : tuple of str
        Columns that it is told.
    target : str
        The class that it says.
    classes : mapping of int to str
        Their names.
    parts : mapping of str to int or None
        What is compared by itself: the species, None for everything.
    """

    rows: Callable[[EventBatch], Columns]
    conditions: tuple[str, ...]
    target: str
    classes: Mapping[int, str]
    parts: Mapping[str, int | None]


_OF_PARTICLES = ("x", "y", "z", "p", "eta", "phi", "charge", "species")
_YES = {1: "yes"}

CLASSIFIED: dict[str, Classified] = {
    "acceptance": Classified(columns.of_particles, _OF_PARTICLES, "in_acceptance", _YES, columns.SPECIES),
    "efficiency": Classified(
        columns.of_particles, (*_OF_PARTICLES, "in_acceptance"), "track_type", columns.TRACK_TYPES, columns.SPECIES
    ),
    "is_muon": Classified(
        columns.of_tracks, ("p", "eta", "charge", "n_tracks", "track_type"), "is_muon", _YES, columns.IDENTIFIED
    ),
    "photon_efficiency": Classified(
        columns.of_photons, ("p", "eta", "z", "ecal_x", "ecal_y"), "cluster_type", columns.CLUSTER_TYPES, {"": None}
    ),
}
"""By the name of the stage."""


@dataclass(frozen=True)
class _Compared:
    """Rows with what is true, what is drawn, and how well the latter is known.

    Attributes
    ----------
    rows : Columns
        With the true class.
    draws : ndarray of int, shape (draws, n)
        Classes.
    paired : bool
        Whether it is one other draw of the same probabilities: what differs says how uncertain both are.
    """

    rows: Columns
    draws: NDArray[np.int64]
    paired: bool = False

    def at(self, chosen: NDArray[np.bool_]) -> _Compared:
        return replace(self, rows=self.rows.at(chosen), draws=self.draws[:, chosen])


def classified_figures(stage: Stage, truth: Truth, *, quick: bool) -> list[Figure]:
    """All figures of a stage."""
    what = CLASSIFIED[stage.name]
    before = without(truth.first, stage)
    first, second = what.rows(truth.first), what.rows(truth.second)
    drawn = [
        _classes(first, what.rows(stage(before, Draws(SEED + i, stage.name))), what.target)
        for i in range(QUICK_DRAWS if quick else DRAWS)
    ]
    flash = _Compared(first, np.array(drawn, np.int64))
    same = _Compared(*_same(first, second, what.target), paired=True)
    figures: list[Figure] = []
    for part, species in what.parts.items():
        compared = {FLASH: _of(flash, species), IDEAL: _of(same, species)}
        compared[NEIGHBOURS] = _neighbours(compared[FLASH].rows, what)
        figures += _part_figures(stage.name, part, compared, what, quick=quick)
    return figures


def _classes(rows: Columns, said: Columns, target: str) -> NDArray[np.int64]:
    """The classes of rows in what was said of them; 0 where nothing was."""
    keys = (pair_key(each["event_id"], each["particle_id"]) for each in (rows, said))
    return np.append(said[target], 0)[row_by_key(*keys)].astype(np.int64)


def _same(first: Columns, second: Columns, target: str) -> tuple[Columns, NDArray[np.int64]]:
    """The rows that both simulations have, and the second's class of them."""
    a, b = (pair_key(rows["event_id"], rows["particle_id"]) for rows in (first, second))
    _, ours, others = np.intersect1d(a, b, return_indices=True)
    return first.at(ours), second[target][others][None].astype(np.int64)


def _of(compared: _Compared, species: int | None) -> _Compared:
    return compared if species is None else compared.at(compared.rows["species"] == species)


def _neighbours(rows: Columns, what: Classified) -> _Compared:
    learned, asked = halves(rows)
    if not learned.rows or not asked.rows:
        return _Compared(asked, np.zeros((1, asked.rows), np.int64))
    answers = resampled(learned, asked, what.conditions, [what.target], NEIGHBOUR_DRAWS)
    return _Compared(asked, np.array([each[what.target] for each in answers], np.int64))


def _part_figures(
    stage: str, part: str, compared: Mapping[str, _Compared], what: Classified, *, quick: bool
) -> list[Figure]:
    ending = f".{part}" if part else ""
    names, size = [*what.conditions, what.target], QUICK if quick else FULL
    areas = {
        name: auc(c.rows, Columns({**c.rows, what.target: c.draws[0]}), names, size) for name, c in compared.items()
    }
    figures = [Figure(f"{stage}.auc{ending}", areas, None, AUC)]
    far: dict[str, dict[str, float | None]] = {
        f"{label}.{variable}": {name: _excess(c, what.target, number, variable) for name, c in compared.items()}
        for (number, label), variable in product(what.classes.items(), VARIABLES)
    }
    largest = {name: worst([each[name] for each in far.values()]) for name in compared}
    figures.append(Figure(f"{stage}.spectrum{ending}", largest, None, 1.0))
    figures += [
        Figure(f"{stage}.spectrum{ending}.{key}", {FLASH: each[FLASH]}, None, 1.0, headline=False, compared=())
        for key, each in far.items()
    ]
    for number, label in what.classes.items():
        line = _line(compared[FLASH], what.target, number)
        name = f"{stage}.calibration_slope{ending}" + (f".{label}" if len(what.classes) > 1 else "")
        figures.append(Figure(name, {FLASH: line and line.slope}, *SLOPE, compared=()))
        error = {FLASH: line and line.slope_error}
        figures.append(Figure(f"{name}.error", error, headline=False, compared=()))
    return figures


def _excess(compared: _Compared, target: str, number: int, variable: str) -> float | None:
    """By how much the worst bin is beyond what is allowed: 2 % or three standard errors of the difference."""
    rows = compared.rows
    if not rows.rows:
        return None
    true, said = rows[target] == number, compared.draws == number
    edges = quantile_edges(rows[variable], EDGES)
    found = spectrum(rows[variable], edges, said.mean(axis=0), true)
    at, bins = bin_of(rows[variable], edges), len(edges) - 1
    variance = np.bincount(at[at >= 0], _variance(true, said, compared.paired)[at >= 0], minlength=bins)
    error = np.sqrt(np.maximum(variance, 1.0))  # what was never drawn is not known better than to one entry
    return replace(found, error=error).worst(ENTRIES)


def _variance(true: NDArray[np.bool_], said: NDArray[np.bool_], paired: bool) -> Shares:
    """Of the difference between what is true and the mean of the draws, shape (n,), without bias in sums.

    p (1 - p) (1 + 1/k) with p (1 - p) from the k draws; for two draws of one probability, what differs between them.
    """
    if paired:
        differs: Shares = (true != said[0]).astype(np.float64)
        return differs
    k, share = len(said), said.mean(axis=0)
    variance: Shares = share * (1.0 - share) * ((k + 1.0) / max(k - 1.0, 1.0))
    return variance


def _line(compared: _Compared, target: str, number: int) -> Line | None:
    """The calibration line, from draws alone.

    Rows are grouped by momentum and by the share of one half of the draws; a group's probability is its share in the
    other half, which the choice of the group does not bias.
    """
    said, half = compared.draws == number, len(compared.draws) // 2
    if not compared.rows.rows or not half:
        return None
    momentum = bin_of(compared.rows["p"], quantile_edges(compared.rows["p"], EDGES))
    group = momentum * (half + 1) + said[:half].sum(axis=0)
    size = np.bincount(group)
    expected = (np.bincount(group, said[half:].sum(axis=0)) + 0.5) / (size * (len(said) - half) + 1.0)
    kept = size[group] >= _GROUP
    try:
        return calibration_line(expected[group[kept]], compared.rows[target][kept] == number)
    except DomainError:
        return None
