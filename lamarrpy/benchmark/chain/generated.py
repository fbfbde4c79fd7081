"""Stages that generate values, each with true conditions, beside the Detailed Simulation that gave them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lamarrpy.benchmark.chain import columns
from lamarrpy.benchmark.chain.candidates import versions
from lamarrpy.benchmark.chain.comparing import FULL, QUICK, Distance, auc, distances, halves, resampled
from lamarrpy.benchmark.chain.figures import FLASH, IDEAL, NEIGHBOURS, Figure, worst
from lamarrpy.benchmark.chain.truth import Truth, without
from lamarrpy.detailed.report.columns import Columns
from lamarrpy.draws import Draws
from lamarrpy.stages.stage import Stage
from lamarrpy.tables import EventBatch

SEED = 1
"""Of what the stages draw."""

AUC, WASSERSTEIN, WASSERSTEIN_IN_BINS, KS = 0.53, 0.03, 0.10, 0.02
"""Bars of every stage."""

_FIT = {
    **{name: (name,) for name in ("n_tracks", *columns.QUALITY)},
    "x": columns.RESIDUALS,
    "cov_x_x": columns.SIGMAS + columns.CORRELATIONS,
}
"""What is compared of a column of the track fit: it may be told or said, by any of its stages in any order."""

_TRUE = ("true_x", "true_y", "true_z", "true_p", "true_eta", "true_phi", "true_charge", "species", "track_type")
_KNOWN = ("p", "eta", "charge", "n_tracks", "track_type")


@dataclass(frozen=True)
class Generated:
    """What is compared of a stage.

    Attributes
    ----------
    rows : callable
        From a batch to columns.
    conditions, targets : tuple of str
        Columns that it is told, and that it says.
    parts : mapping of str to callable
        What is compared by itself, by name: which rows; "" for everything.
    bins : tuple of str
        The columns that are momentum, pseudorapidity and number of tracks.
    """

    rows: Callable[[EventBatch], Columns]
    conditions: tuple[str, ...]
    targets: tuple[str, ...]
    parts: Mapping[str, Callable[[Columns], columns.Values]]
    bins: tuple[str, ...] = ("p", "eta", "n_tracks")


def _everything(rows: Columns) -> columns.Values:
    return np.ones(rows.rows, bool)


def _is(species: int, *flags: str) -> Callable[[Columns], columns.Values]:
    """Rows of a species for which the flags hold."""

    def chosen(rows: Columns) -> columns.Values:
        kept: columns.Values = np.logical_and.reduce(
            [rows["species"] == species, *(rows[f].astype(bool) for f in flags)]
        )
        return kept

    return chosen


_ALL = {"": _everything}
_BY_SPECIES = {name: _is(number) for name, number in columns.IDENTIFIED.items()}
_MUON_LIKE = {name: _is(number, "is_muon") for name, number in columns.IDENTIFIED.items()}
_TRUTH = ("true_p", "true_eta", "n_tracks")

GENERATED: dict[str, Generated] = {
    "occupancy": Generated(columns.of_events, ("flavour",), ("n_tracks",), _ALL, ()),
    "resolution": Generated(columns.of_tracks, _TRUE, (), _ALL, _TRUTH),
    "covariance": Generated(columns.of_tracks, _TRUE, (), _ALL, _TRUTH),
    "rich": Generated(columns.of_tracks, _KNOWN, columns.RICH, _BY_SPECIES),
    "muon": Generated(columns.of_tracks, _KNOWN, columns.MUON, _MUON_LIKE),
    "global_pid": Generated(
        columns.of_tracks, (*_KNOWN, "is_muon", *columns.RICH, *columns.MUON), columns.COMBINED, _BY_SPECIES
    ),
    "photon_resolution": Generated(
        columns.of_photons,
        ("p", "eta", "z", "ecal_x", "ecal_y", "cluster_type"),
        columns.CLUSTER,
        {"": lambda rows: rows["cluster_type"] > 0},
        ("p", "eta", "n_tracks"),
    ),
}
"""By the name of the stage."""


def generated_figures(stage: Stage, truth: Truth, *, quick: bool) -> tuple[list[Figure], list[str]]:
    """All figures of a stage; and in words what could not be measured."""
    what = _of(stage)
    candidates, missing = versions(stage)
    first, second = (_rows(what, batch, truth, stage.name) for batch in (truth.first, truth.second))
    said = {}
    for name, each in candidates.items():
        after = each(without(truth.first, each), Draws(SEED, each.name))
        said[name] = _rows(what, after, truth, stage.name)
    targets = [name for name in what.targets if all(name in rows for rows in said.values())]
    left_out = sorted(set(what.targets) - set(targets))
    lines = [missing] if missing else []
    lines += [f"{stage.name}: does not say {', '.join(left_out)}"] if left_out else []
    figures: list[Figure] = []
    for part, chosen in what.parts.items():
        pairs = {name: (first.at(chosen(first)), rows.at(chosen(first))) for name, rows in said.items()}
        pairs[IDEAL] = first.at(chosen(first)), second.at(chosen(second))
        pairs[NEIGHBOURS] = _resampled(pairs[IDEAL][0], what, targets)
        figures += part_figures(stage.name, part, pairs, what, targets, quick=quick)
    return figures, lines


def _of(stage: Stage) -> Generated:
    """What is compared of a stage; of those of the track fit, what they read and write."""
    what = GENERATED[stage.name]
    read = {table: set(schema.names) for table, schema in stage.reads.items()}
    if stage.name == "occupancy" and "propagated" in read.get("particles", ()):
        return replace(what, conditions=(*what.conditions, "n_charged"))
    if stage.name not in ("resolution", "covariance"):
        return what
    written = set(stage.writes["tracks"].names)
    known = (read["tracks"] | read.get("events", set())) - written
    told, said = (tuple(c for name, each in _FIT.items() if name in names for c in each) for names in (known, written))
    return replace(what, conditions=what.conditions + told, targets=said)


def _rows(what: Generated, batch: EventBatch, truth: Truth, stage: str) -> Columns:
    rows = what.rows(batch)
    return rows.at(np.isin(rows["event_id"], truth.collisions)) if stage == "occupancy" else rows


def _resampled(rows: Columns, what: Generated, targets: Sequence[str]) -> tuple[Columns, Columns]:
    """The odd events, and the same answered from the even ones."""
    learned, asked = halves(rows)
    conditions = [name for name in what.conditions if np.isfinite(rows[name]).all()]
    if not learned.rows or not asked.rows:
        return asked, asked
    return asked, resampled(learned, asked, conditions, targets)[0]


def part_figures(
    stage: str,
    part: str,
    pairs: Mapping[str, tuple[Columns, Columns]],
    what: Generated,
    targets: Sequence[str],
    *,
    quick: bool,
) -> list[Figure]:
    """The figures of one part, from what each competitor is to be compared with and what it says."""
    ending = f".{part}" if part else ""
    names = [*what.conditions, *targets]
    size = QUICK if quick else FULL
    areas = {name: auc(first, other, names, size) for name, (first, other) in pairs.items()}
    far = {name: distances(*pair, targets, what.bins) for name, pair in pairs.items()}
    figures = [Figure(f"{stage}.auc{ending}", areas, None, AUC)]
    for quantity, attribute, bar, unit in (
        ("wasserstein", "wasserstein", WASSERSTEIN, "sigma"),
        ("wasserstein_in_bins", "in_bins", WASSERSTEIN_IN_BINS, "sigma"),
        ("ks", "ks", KS, ""),
    ):
        largest = {name: worst([getattr(d, attribute) for d in found.values()]) for name, found in far.items()}
        figures.append(Figure(f"{stage}.{quantity}{ending}", largest, None, bar, unit))
        figures += list(_each(f"{stage}.{quantity}{ending}", far.get(FLASH, {}), attribute, bar, unit, targets))
    return figures


def _each(
    name: str, found: Mapping[str, Distance], attribute: str, bar: float, unit: str, targets: Sequence[str]
) -> Iterator[Figure]:
    """The same of each target, of the default alone."""
    for target in targets:
        value = getattr(found[target], attribute) if target in found else None
        yield Figure(f"{name}.{target}", {FLASH: value}, None, bar, unit, headline=False, compared=())
