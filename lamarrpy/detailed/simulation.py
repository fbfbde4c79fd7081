"""The Detailed Simulation: particles through the detector, hits, tracks, vertices."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.cutflow import CutFlow
from lamarrpy.detailed import bookkeeping, tables
from lamarrpy.detailed.geometry import Detector, lhcb_detector
from lamarrpy.detailed.hits import measure
from lamarrpy.detailed.reconstruction.candidates import WITH_VELO, Candidates, FittedTracks, TrackType
from lamarrpy.detailed.reconstruction.finding import Found, find_tracks
from lamarrpy.detailed.reconstruction.fit import fit
from lamarrpy.detailed.reconstruction.ghosts import CLASSIFIED, ghost_probability
from lamarrpy.detailed.reconstruction.vertices import Vertices, fit_vertices
from lamarrpy.detailed.secondaries import secondaries
from lamarrpy.detailed.tables import Followed, Reconstructed
from lamarrpy.detailed.transport import ChargedParticles, charged_particles, transport
from lamarrpy.detailed.tuning import tuning
from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.field import MagneticField, Polarity, magnetic_field
from lamarrpy.io.index import whole_events
from lamarrpy.propagation import BeamLine, SharedSteps, closest_to_beam
from lamarrpy.propagation.true_states import beam_lines, closest_columns, origins
from lamarrpy.shipped import shipped
from lamarrpy.tables import EventBatch
from lamarrpy.tables.linking import row_of

Mask = NDArray[np.bool_]


PARTICLES_AT_ONCE = 20_000
"""Charged particles simulated together: enough to make each of many small steps worth its call, 1 GB of memory."""

_NEUTRAL = (22, 130, 2112, -2112, 12, -12, 14, -14, 16, -16)
"""Neutral particles that leave generators undecayed in number."""


@cache
def _field(polarity: Polarity) -> MagneticField:
    return magnetic_field("lhcb", polarity)


@dataclass(frozen=True)
class DetailedSimulation:
    """LHCb's tracking system in Run 2, particle by particle and hit by hit.

    Charged particles fly through field and material and leave hits; tracks are found among these and
    fitted; vertices are fitted from the tracks. No efficiency and no resolution goes in.

    Parameters
    ----------
    polarity : {"MagUp", "MagDown"}
        Polarity of the magnet.

    Raises
    ------
    ConfigError
        If there is no such polarity.
    """

    polarity: Polarity = "MagUp"

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
        return ("events", "vertices", "particles", "tracks")

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
        field = _field(self.polarity)
        followed, found, of_way = _follow(batch, field, draws)
        fitted, good, of_fit = _fit(found.candidates, lhcb_detector(), field)
        result, of_output = _with_tables(batch, followed, found, fitted, good)
        return result, CutFlow.of_input(batch) + of_way + of_fit + of_output

    def select_output(self, batch: EventBatch) -> EventBatch:
        """All that it makes."""
        return batch

    def describe(self) -> dict[str, Any]:
        """The polarity, and the hashes of the files that say what the detector is and how it is read out."""
        folder = shipped("models", "detailed")
        files = sorted(path for path in folder.rglob("*") if path.suffix in (".yaml", ".onnx", ".json"))
        hashes = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
        return {"name": self.name, "polarity": self.polarity, "files": hashes}

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


def _follow(batch: EventBatch, field: MagneticField, draws: Draws) -> tuple[Followed, Found, CutFlow]:
    """Let the particles of a batch fly, leave hits and be found; what is not needed any more is let go of."""
    detector = lhcb_detector()
    particles, refused = charged_particles(batch, detector)
    rows = _rows_of(particles, batch)
    beam = beam_lines(batch, rows)
    truth = transport(particles, detector, field, draws.stage("transport"))
    hits = measure(truth, detector, draws.stage("hits"))
    found = find_tracks(truth, hits, beam, detector, field, draws.stage("finding"))
    made = secondaries(batch, truth, rows)
    followed = Followed(rows, _true_columns(batch, rows, beam, field), found.in_acceptance, made)
    flow = bookkeeping.of_origins(len(rows), refused) + bookkeeping.of_transport(truth)
    return followed, found, flow + bookkeeping.of_finding(found.candidates, found.in_acceptance, found.track_type)


def _rows_of(particles: ChargedParticles, batch: EventBatch) -> NDArray[np.intp]:
    """The rows of ``particles`` in the batch."""
    keys = batch.arrays("particles", "event_id", "particle_id")
    return row_of((particles.event_id, particles.particle_id), keys, "particles")


def _true_columns(
    batch: EventBatch, rows: NDArray[np.intp], beam: BeamLine, field: MagneticField
) -> dict[str, NDArray[Any]]:
    """Kinematics and the true state closest to the beam line, as the propagation stage has them."""
    start, columns = origins(batch, rows)
    return {**columns, **closest_columns(closest_to_beam(start, beam, SharedSteps(field))), "true_qop": start.qop}


def _fit(candidates: Candidates, detector: Detector, field: MagneticField) -> tuple[FittedTracks, Mask, CutFlow]:
    """Fit the candidates; which of them are good tracks."""
    fitted, largest = fit(candidates, detector, field), tuning("quality")["largest_chi2_per_dof"]
    good = fitted.good(largest)
    return fitted, good, bookkeeping.of_fit(fitted.sensible, good, largest)


def _with_tables(
    batch: EventBatch, followed: Followed, found: Found, fitted: FittedTracks, good: Mask
) -> tuple[EventBatch, CutFlow]:
    """The batch with all that came out."""
    candidates = found.candidates
    in_velo = good & np.isin(candidates.track_type, WITH_VELO)
    vertices = _vertices(batch, candidates, fitted, in_velo)
    in_t = batch.array("particles", "event_id")[followed.rows[found.track_type == TrackType.t]]
    batch = tables.with_events(batch, np.concatenate([candidates.event_id[good], in_t]), vertices.event_id)
    tracks = _tracks(batch, candidates, fitted, good & np.isin(candidates.track_type, CLASSIFIED))
    batch = tables.with_vertices(batch, vertices)
    batch = tables.with_tracks(batch, followed, tracks)
    batch = tables.with_particles(batch, followed, tracks)
    reconstructed = batch.array("vertices", "reconstructed")
    ghosts = int(np.count_nonzero(tracks.row < 0))
    counts = bookkeeping.of_output(tracks.track_type, ghosts, int(np.count_nonzero(reconstructed)), len(reconstructed))
    return batch, counts


def _vertices(batch: EventBatch, candidates: Candidates, fitted: FittedTracks, rows: Mask) -> Vertices:
    """The vertices of tracks with VELO hits, sought along the beam: the mean of an event's collisions in x and y."""
    events = batch.array("events", "event_id")
    at = np.searchsorted(np.sort(events), batch.array("vertices", "event_id"))
    number = np.maximum(np.bincount(at, minlength=len(events)), 1)
    x, y = (np.bincount(at, batch.array("vertices", f"true_{a}"), minlength=len(events)) / number for a in "xy")
    event_id = candidates.event_id[rows]
    own = np.searchsorted(np.sort(events), event_id)
    return fit_vertices(event_id, fitted.state.at(rows), fitted.covariance[rows], BeamLine(x[own], y[own]))


def _tracks(batch: EventBatch, candidates: Candidates, fitted: FittedTracks, rows: Mask) -> Reconstructed:
    """The candidates in these rows as tracks, with the probability that they are ghosts."""
    event_id, track_type, some = candidates.event_id[rows], candidates.track_type[rows], fitted.at(rows)
    n_tracks = batch.array("events", "n_tracks")[tables.event_positions(batch, event_id)]
    ghost_prob = ghost_probability(some, track_type, n_tracks.astype(np.int64), lhcb_detector())
    return Reconstructed(event_id, track_type, candidates.row[rows], some, ghost_prob)
