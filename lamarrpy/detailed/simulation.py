"""The Detailed Simulation: particles through the detector, hits, tracks, vertices, identification."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.cutflow import CutFlow
from lamarrpy.detailed import bookkeeping, tables
from lamarrpy.detailed.approach import approach
from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.identification.answer import Identified, identify, observe
from lamarrpy.detailed.reconstruction.ghosts import ghost_probability
from lamarrpy.detailed.tables import Reconstructed
from lamarrpy.detailed.tracking import Tracked, field_of, track
from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.field import Polarity
from lamarrpy.io.index import whole_events
from lamarrpy.shipped import shipped
from lamarrpy.tables import EventBatch

PARTICLES_AT_ONCE = 20_000
"""Charged particles simulated together: enough to make each of many small steps worth its call, 1 GB of memory."""

_NEUTRAL = (22, 130, 2112, -2112, 12, -12, 14, -14, 16, -16)
"""Neutral particles that leave generators undecayed in number."""


@dataclass(frozen=True)
class DetailedSimulation:
    """LHCb's detector in Run 2, particle by particle and hit by hit.

    Charged particles fly through field and material and leave hits; tracks are found among these and
    fitted; vertices are fitted from the tracks. Cherenkov photons, energies in the calorimeters and hits in the
    muon stations identify them. No efficiency, no resolution and no misidentification goes in.

    Parameters
    ----------
    polarity : {"MagUp", "MagDown"}
        Polarity of the magnet.
    identification : bool
        Whether RICH, calorimeters and muon stations see the events too; the tracking system alone is faster.

    Raises
    ------
    ConfigError
        If there is no such polarity.
    """

    polarity: Polarity = "MagUp"
    identification: bool = True

    def __post_init__(self) -> None:
        if self.polarity not in ("MagUp", "MagDown"):
            raise ConfigError(f"expected the polarity MagUp or MagDown, got {self.polarity!r}")

    @property
    def name(self) -> str:
        """What it is called in messages and provenance."""
        return "detailed"

    @property
    def output_tables(self) -> tuple[str, ...]:
        """The tables it writes."""
        tracking = ("events", "vertices", "particles", "tracks")
        return (*tracking, "clusters") if self.identification else tracking

    def rows_per_chunk(self, rows: int) -> int:
        """Particle rows that it is best given at a time: of collisions, one in six of them is followed.

        Fewer of a small input, so that there is work for all workers.
        """
        return min(65_536, max(16_384, rows // 8))

    def __call__(self, batch: EventBatch, seed: int) -> tuple[EventBatch, CutFlow]:
        """Simulate a batch of whole events.

        Parameters
        ----------
        batch : EventBatch
            The generator-level tables: events, vertices, particles.
        seed : int
            Seed of the run.

        Returns
        -------
        batch : EventBatch
            These tables with what was reconstructed, and ``tracks``.
        cutflow : CutFlow
            How many particles and tracks came through each step.
        """
        batches, flows = zip(*(self._simulate(block, Draws(seed)) for block in _blocks(batch)), strict=True)
        return EventBatch.concat(list(batches)), sum(flows, start=CutFlow())

    def _simulate(self, batch: EventBatch, draws: Draws) -> tuple[EventBatch, CutFlow]:
        """Simulate as many events as fit into memory."""
        field = field_of(self.polarity)
        tracked = track(batch, field, draws)
        some = tracked.tracks
        ghost_prob = ghost_probability(some.fitted, some.track_type, some.n_tracks, lhcb_detector())
        identified = None
        if self.identification:
            where = approach(batch, tracked, field, draws)
            seen = observe(where, batch.array("events", "event_id"), draws)
            identified = identify(where, some, ghost_prob, seen)
        result = _with_tables(tracked, ghost_prob, identified)
        return result, CutFlow.of_input(batch) + tracked.flow + bookkeeping.of_result(result)

    def select_output(self, batch: EventBatch) -> EventBatch:
        """All that it makes."""
        return batch

    def describe(self) -> dict[str, Any]:
        """The polarity, and the hashes of the files that say what the detector is and how it is read out."""
        folder = shipped("models", "detailed")
        files = sorted(path for path in folder.rglob("*") if path.suffix in (".yaml", ".onnx", ".json"))
        hashes = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
        how = {"polarity": self.polarity, "identification": self.identification}
        return {"name": self.name, **how, "files": hashes}

    def remarks(self, cutflow: CutFlow) -> tuple[str, ...]:
        """A warning if there were particles that should not be there."""
        warning = bookkeeping.refused_in(cutflow).warning
        return (f"warning: {warning}",) if warning else ()


def _blocks(batch: EventBatch) -> Iterator[EventBatch]:
    """The events some at a time, so that the hits of their charged particles fit into memory; one block at least."""
    events = batch.array("events", "event_id")
    pid, status, pz = batch.arrays("particles", "pid", "status", "pz")
    likely = (status == 1) & (pz > 0.0) & ~np.isin(pid, _NEUTRAL)
    at = tables.event_positions(batch, batch.array("particles", "event_id")[likely])
    blocks = list(whole_events(np.bincount(at, minlength=len(events)), PARTICLES_AT_ONCE, 0, len(events)))
    if len(blocks) < 2:
        yield batch
        return
    for start, stop in blocks:
        yield batch.select_events(events[start:stop])


def _with_tables(tracked: Tracked, ghost_prob: NDArray[np.float64], identified: Identified | None) -> EventBatch:
    """The batch with all that came out."""
    some = tracked.tracks
    identity = identified.tracks if identified else {}
    tracks = Reconstructed(some.event_id, some.track_type, some.row, some.fitted, ghost_prob, identity)
    batch = tables.with_tracks(tracked.batch, tracked.followed, tracks)
    batch = tables.with_particles(batch, tracked.followed, tracks)
    if identified is None:
        return batch
    batch = tables.with_photons(tables.with_hits(batch, identified.hits), identified.photons)
    return tables.with_clusters(batch, identified.clusters)
