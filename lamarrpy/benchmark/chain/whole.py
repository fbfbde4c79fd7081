"""The whole chain from generator level: tracks of collisions beside those of the Detailed Simulation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from lamarrpy.benchmark.chain import columns
from lamarrpy.benchmark.chain.candidates import chain
from lamarrpy.benchmark.chain.comparing import FULL, QUICK, auc, halves, resampled
from lamarrpy.benchmark.chain.cuts import cut_figures
from lamarrpy.benchmark.chain.figures import FLASH, GAN, IDEAL, NEIGHBOURS, Figure
from lamarrpy.benchmark.chain.resolution import pull_figures, resolution_figures
from lamarrpy.benchmark.chain.sample import Part
from lamarrpy.benchmark.chain.truth import Truth, simulated
from lamarrpy.detailed.report.columns import Columns
from lamarrpy.pipeline import Pipeline
from lamarrpy.tables import EventBatch

SEED = 11
"""Of the chain's draws."""

AUC = 0.57

CONDITIONS = ("species", "true_p", "true_eta", "true_phi", "z", "true_charge")
VARIABLES = (
    *("track_type", "n_tracks", "p", "eta", *columns.RESIDUALS, *columns.QUALITY, *columns.SIGMAS),
    *(*columns.CORRELATIONS, "is_muon", *columns.RICH, *columns.MUON, *columns.COMBINED),
)
"""What the two-sample classifier sees of a track."""


def chain_figures(parts: Sequence[Part], truth: Truth, *, quick: bool) -> tuple[list[Figure], list[str]]:
    """All figures of the chain; and in words what could not be measured."""
    made = {name: simulated(parts, partial(_run, pipeline)) for name, pipeline in _chains()}
    first, second = (_collisions(columns.of_tracks(batch), truth) for batch in (truth.first, truth.second))
    tracks = {name: columns.of_tracks(batch) for name, batch in made.items()}
    pairs = {name: (first, rows) for name, rows in tracks.items()} | {IDEAL: (first, second)}
    names = [name for name in VARIABLES if all(name in rows for _, rows in pairs.values())]
    learned, asked = halves(first)
    pairs[NEIGHBOURS] = asked, resampled(learned, asked, CONDITIONS, names)[0]
    figures = [Figure("chain.auc", _areas(pairs, names, quick), None, AUC)]
    figures.append(Figure("chain.n_tracks_per_event", {FLASH: _per_event(made[FLASH])}, 1.0, 1.0, compared=()))
    figures += pull_figures(pairs)
    figures += resolution_figures(pairs)
    figures += cut_figures(pairs)
    left_out = sorted(set(VARIABLES) - set(names))
    lines = [f"chain: does not say {', '.join(left_out)}"] if left_out else []
    return figures, lines if GAN in made else [*lines, f"chain: no {GAN}, as a stage has no such version"]


def _chains() -> Iterator[tuple[str, Pipeline]]:
    for name in (FLASH, GAN):
        made = chain(name)
        if made is not None:
            yield name, made


def _run(pipeline: Pipeline, batch: EventBatch) -> EventBatch:
    return pipeline(batch, SEED)[0]


def _collisions(rows: Columns, truth: Truth) -> Columns:
    return rows.at(np.isin(rows["event_id"], truth.collisions))


def _areas(pairs: Mapping[str, tuple[Columns, Columns]], names: Sequence[str], quick: bool) -> dict[str, float | None]:
    """Of tracks whose identification is simulated."""
    kinds, size = list(columns.IDENTIFIED.values()), QUICK if quick else FULL
    areas = {}
    for name, pair in pairs.items():
        first, other = (rows.at(np.isin(rows["species"], kinds)) for rows in pair)
        areas[name] = auc(first, other, [*CONDITIONS, *names], size)
    return areas


def _per_event(batch: EventBatch) -> float:
    """Numbers of tracks that an event has, on average."""
    event_id, n_tracks = batch.arrays("events", "event_id", "n_tracks")
    return len(np.unique(np.stack([event_id, n_tracks], axis=1), axis=0)) / len(np.unique(event_id))
