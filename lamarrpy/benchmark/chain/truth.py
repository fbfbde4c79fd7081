"""The Detailed Simulation's events as a stage of the flash simulation would find them: the true conditions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lamarrpy.benchmark.chain.sample import Part
from lamarrpy.io import read_batch
from lamarrpy.stages.flavour import contains_quark
from lamarrpy.stages.stage import Stage
from lamarrpy.tables import PARTICLES, EventBatch
from lamarrpy.tables.batch import to_arrow_index
from lamarrpy.tables.linking import pair_key, row_by_key
from lamarrpy.train.samples.tables import fly

_OF_PARTICLES = ("in_acceptance", "track_type", "in_ecal", "ecal_x", "ecal_y", "cluster_type", "cluster_id")
"""What the Detailed Simulation says of particles."""

_PHOTON, _B_QUARK, _C_QUARK = 22, 5, 4


@dataclass(frozen=True)
class Truth:
    """The test sample with true conditions.

    Attributes
    ----------
    first, second : EventBatch
        Two Detailed Simulations of the same particles: their own tables, and what the propagation stage makes of the
        particles. Of these, the ones that a pipeline follows, photons on the calorimeter's cells, heavy hadrons, and
        the mothers of them; of the tracks, those of charged particles that a pipeline follows.
    collisions : ndarray of int64
        The events that are whole collisions.
    """

    first: EventBatch
    second: EventBatch
    collisions: NDArray[np.int64]


def read_truth(parts: Sequence[Part]) -> Truth:
    """Read the test sample, part by part so that what is not needed of one makes room for the next."""
    first, second, collisions = [], [], []
    for part in parts:
        first.append(_read(part.detailed))
        second.append(_read(part.again))
        if part.collisions:
            collisions.append(first[-1].array("events", "event_id"))
    return Truth(EventBatch.concat(first), EventBatch.concat(second), np.unique(np.concatenate(collisions)))


def simulated(parts: Sequence[Part], simulate: Callable[[EventBatch], EventBatch]) -> EventBatch:
    """The collisions of the test sample from generator level through a flash simulation, as `Truth` keeps them."""
    return EventBatch.concat([_compact(simulate(read_batch(part.generated))) for part in parts if part.collisions])


def _read(path: Path) -> EventBatch:
    return with_true_conditions(read_batch(path))


def with_true_conditions(detailed: EventBatch) -> EventBatch:
    """An output of the Detailed Simulation as a pipeline's stages would find it."""
    flown = fly(detailed)
    known = {name: detailed.array("particles", name)[flown.row] for name in _OF_PARTICLES}
    known["acceptance"] = known["in_acceptance"].astype(np.float64)
    batch = flown.flash.with_columns(PARTICLES.only("acceptance", *_OF_PARTICLES), known)
    events = detailed["events"].select(["event_id", "n_tracks"])
    tables = {"events": events, "tracks": detailed["tracks"], "clusters": detailed["clusters"]}
    return _compact(_with_own_clusters(EventBatch({**batch.tables, **tables})))


def _with_own_clusters(batch: EventBatch) -> EventBatch:
    """Photons have the clusters that are theirs before all others', and clusters those photons."""
    event_id, particle_id, cluster_id = batch.arrays("particles", "event_id", "particle_id", "cluster_id")
    clusters = batch.arrays("clusters", "event_id", "cluster_id", "particle_id")
    at = row_by_key(pair_key(event_id, cluster_id), pair_key(*clusters[:2]))
    own = (at >= 0) & batch.array("particles", "in_ecal")
    own[own] = clusters[2][at[own]] == particle_id[own]
    values = {"cluster_type": np.where(own, batch.array("particles", "cluster_type"), 0)}
    values["cluster_id"] = np.where(own, cluster_id, -1)
    batch = batch.with_columns(PARTICLES.only("cluster_type", "cluster_id"), values)
    kept = batch["clusters"].take(to_arrow_index(np.sort(at[own])))
    return EventBatch({**batch.tables, "clusters": kept})


def _compact(batch: EventBatch) -> EventBatch:
    """Without the particles that no stage asks about, and the tracks that are not of one that a pipeline follows."""
    event_id, particle_id, mother_id = batch.arrays("particles", "event_id", "particle_id", "mother_id")
    pid, propagated = batch.arrays("particles", "pid", "propagated")
    kept = propagated | (pid == _PHOTON) | contains_quark(pid, _B_QUARK) | contains_quark(pid, _C_QUARK)
    kept |= np.isin(pair_key(event_id, particle_id), pair_key(event_id, mother_id)[kept & (mother_id >= 0)])
    following = pair_key(event_id, particle_id)[propagated]
    of_tracks = pair_key(*batch.arrays("tracks", "event_id", "particle_id"))
    tables = {
        "particles": batch["particles"].take(to_arrow_index(np.flatnonzero(kept))),
        "tracks": batch["tracks"].take(to_arrow_index(np.flatnonzero(np.isin(of_tracks, following)))),
    }
    return EventBatch({**batch.tables, **tables})


def without(batch: EventBatch, stage: Stage) -> EventBatch:
    """A batch without what a stage writes: tables that it makes are gone, columns that it adds too."""
    tables = dict(batch.tables)
    for table, schema in stage.writes.items():
        if table not in stage.reads:
            tables.pop(table, None)
        elif table in tables:
            keys = ("event_id", "particle_id", "track_id", "cluster_id", "vertex_id")
            written = [name for name in schema.names if name in tables[table].column_names and name not in keys]
            tables[table] = tables[table].drop_columns(written)
    return EventBatch(tables)
