"""The tables of the Detailed Simulation: truth and reconstruction, as the schemas of lamarrpy have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lamarrpy.detailed.reconstruction.candidates import FittedTracks
from lamarrpy.detailed.reconstruction.vertices import Vertices, match_vertices
from lamarrpy.propagation import State
from lamarrpy.propagation.true_states import CLOSEST, KINEMATICS, scatter
from lamarrpy.tables import CLUSTERS, EVENTS, PARTICLES, TRACKS, VERTICES, EventBatch
from lamarrpy.tables.arrow import to_arrow, to_numpy
from lamarrpy.tables.batch import to_arrow_index
from lamarrpy.tables.linking import row_of
from lamarrpy.tables.schemas import STATE, covariance_columns

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
Columns = dict[str, NDArray[Any]]

OF_PARTICLES = PARTICLES.only("propagated", *KINEMATICS, *CLOSEST, "in_acceptance", "track_type")
OF_PHOTONS = PARTICLES.only("in_ecal", "ecal_x", "ecal_y", "cluster_type", "cluster_id")
OF_VERTICES = VERTICES.only(*(name for name in VERTICES.names if not name.startswith("true_")))
OF_EVENTS = EVENTS.only("n_tracks", "n_pvs")
OF_HITS = EVENTS.only("n_rich1_hits", "n_rich2_hits", "n_spd_hits")
OF_TRACKS = TRACKS.only(*TRACKS.names[: TRACKS.names.index("ghost_prob") + 1])
OF_IDENTIFICATION = TRACKS.only(*TRACKS.names[TRACKS.names.index("identified") : TRACKS.names.index("prob_nn_p") + 1])
OF_CLUSTERS = CLUSTERS.only(*CLUSTERS.names[: CLUSTERS.names.index("is_not_h") + 1])
"""What the Detailed Simulation writes of each table, besides what the generator provides.

``OF_PHOTONS``, ``OF_HITS``, ``OF_IDENTIFICATION`` and ``OF_CLUSTERS`` are of the detectors that identify particles.
"""

_TRUE = dict(
    zip(
        ("true_x", "true_y", "true_z", "true_tx", "true_ty", "true_p", "true_pt", "true_eta", "true_phi"),
        (*CLOSEST, "p", "pt", "eta", "phi"),
        strict=True,
    )
)
"""Columns of ``tracks`` that repeat one of ``particles``."""


class Followed(NamedTuple):
    """The n particles that were followed.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Of the particles in ``particles``.
    columns : dict of str to ndarray, each of shape (n,)
        Kinematics and the state closest to the beam line, and ``true_qop``.
    in_acceptance : ndarray of bool, shape (n,)
        Whether they leave enough hits.
    made : dict of str to ndarray
        The particles that they have made in the detector, as `secondaries` gives them.
    """

    rows: Rows
    columns: Columns
    in_acceptance: NDArray[np.bool_]
    made: Columns


class Reconstructed(NamedTuple):
    """The m tracks that are kept: Long, Upstream and Downstream.

    Attributes
    ----------
    event_id, track_type : ndarray of int, shape (m,)
        The event and class of each.
    row : ndarray of int, shape (m,)
        Of the particle in ``Followed``, -1 for a ghost.
    fitted : FittedTracks
        Their fit.
    ghost_prob : ndarray, shape (m,)
        Probability to be a random combination of hits.
    identity : dict of str to ndarray, each of shape (m,)
        The columns of ``OF_IDENTIFICATION``; empty if nothing identifies them.
    """

    event_id: NDArray[np.int64]
    track_type: NDArray[np.int64]
    row: Rows
    fitted: FittedTracks
    ghost_prob: Array
    identity: Columns


def with_particles(batch: EventBatch, followed: Followed, tracks: Reconstructed) -> EventBatch:
    """The batch whose particles have truth, acceptance and class, and are joined by those made in the detector."""
    n = batch["particles"].num_rows
    track_type = np.zeros(len(followed.rows), np.int32)
    true = tracks.row >= 0
    track_type[tracks.row[true]] = tracks.track_type[true]
    values: Columns = {
        "propagated": scatter(np.ones(len(followed.rows), bool), followed.rows, n, False),
        "in_acceptance": scatter(followed.in_acceptance, followed.rows, n, False),
        "track_type": scatter(track_type, followed.rows, n, 0),
    }
    values |= {name: scatter(followed.columns[name], followed.rows, n, np.nan) for name in (*KINEMATICS, *CLOSEST)}
    made = followed.made
    whole = batch.with_columns(OF_PARTICLES, values)["particles"]
    more = {**made, **_unknown(len(made["pid"]))}
    fields = [PARTICLES[name].field if name in more else whole.field(name) for name in whole.column_names]
    added = pa.Table.from_arrays(
        [
            to_arrow(PARTICLES[f.name], more[f.name]) if f.name in more else pa.nulls(len(made["pid"]), f.type)
            for f in fields
        ],
        schema=pa.schema(fields),
    )
    joined = pa.concat_tables([whole.cast(added.schema), added]).combine_chunks()
    return EventBatch({**batch.tables, "particles": _events_together(joined, batch)})


def _unknown(rows: int) -> Columns:
    """What the particles made in the detector have not got: they are not followed on their own."""
    nothing: Columns = {"propagated": np.zeros(rows, bool), "in_acceptance": np.zeros(rows, bool)}
    nothing["track_type"] = np.zeros(rows, np.int32)
    return nothing | {name: np.full(rows, np.nan) for name in (*KINEMATICS, *CLOSEST)}


def _events_together(table: pa.Table, batch: EventBatch) -> pa.Table:
    """The rows of each event one after the other, the events in their order."""
    at = event_positions(batch, to_numpy(table.column("event_id")))
    return table.take(to_arrow_index(np.argsort(at, kind="stable")))


def event_positions(batch: EventBatch, event_id: NDArray[np.int64]) -> Rows:
    """Row in ``events`` of each of these events, shape of ``event_id``."""
    known = batch.array("events", "event_id")
    order = np.argsort(known, kind="stable")
    return np.asarray(order[np.searchsorted(known[order], event_id)], np.intp)


def number_in_event(event_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many rows of the same event stand before each, shape of ``event_id``."""
    order = np.argsort(event_id, kind="stable")
    ordered = event_id[order]
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    return number


def with_tracks(batch: EventBatch, followed: Followed, tracks: Reconstructed) -> EventBatch:
    """The batch with the table of tracks, ghosts included, whose truth is null."""
    order = np.argsort(event_positions(batch, tracks.event_id), kind="stable")
    row = tracks.row[order]
    fitted = tracks.fitted
    values: Columns = {
        "event_id": tracks.event_id[order],
        "track_id": number_in_event(tracks.event_id)[order],
        "track_type": tracks.track_type[order],
        **_truth_of(batch, followed, row),
        **_kinematics(State(*(column[order] for column in fitted.state))),
        **_covariance(fitted.covariance[order], STATE),
        "chi2_per_dof": (fitted.chi2 / np.maximum(fitted.ndof, 1))[order],
        "ndof": fitted.ndof[order],
        "ghost_prob": tracks.ghost_prob[order],
        **{name: column[order] for name, column in tracks.identity.items()},
    }
    return batch.with_table(OF_TRACKS.plus(OF_IDENTIFICATION) if tracks.identity else OF_TRACKS, values)


def _truth_of(batch: EventBatch, followed: Followed, row: Rows) -> Columns:
    """The truth of tracks by row of the particle in ``followed``; null for -1."""
    matched = row >= 0
    true = row[matched]

    def spread(values: NDArray[Any], elsewhere: float) -> NDArray[Any]:
        return scatter(values, np.flatnonzero(matched), len(row), elsewhere)

    ids = {"particle_id": "particle_id", "vertex_id": "vertex_id", "true_pid": "pid"}
    values = {
        name: spread(batch.array("particles", column)[followed.rows[true]], 0 if name == "true_pid" else -1)
        for name, column in ids.items()
    }
    values |= {name: spread(followed.columns[column][true], np.nan) for name, column in _TRUE.items()}
    return {**values, "matched": matched, "true_qop": spread(followed.columns["true_qop"][true], np.nan)}


def _kinematics(state: State) -> Columns:
    """Reconstructed state, momentum and charge."""
    p, slope = 1.0 / np.abs(state.qop), np.hypot(state.tx, state.ty)
    return {
        **{name: getattr(state, name) for name in ("x", "y", "z", "tx", "ty", "qop")},
        "p": p,
        "pt": p * slope / np.sqrt(1.0 + slope**2),
        "eta": np.arcsinh(1.0 / np.maximum(slope, 1e-12)),
        "phi": np.arctan2(state.ty, state.tx),
        "charge": np.where(state.qop < 0.0, -1, 1),
    }


def _covariance(matrix: Array, names: tuple[str, ...]) -> Columns:
    """The upper triangle of matrices of shape (m, k, k) as columns."""
    columns = covariance_columns(names, "")
    row, column = np.triu_indices(len(names))
    return {c.name: matrix[:, i, j] for c, i, j in zip(columns, row, column, strict=True)}


def with_vertices(batch: EventBatch, vertices: Vertices) -> EventBatch:
    """The batch whose collisions have the vertices that were reconstructed of them."""
    event_id, x, y, z = batch.arrays("vertices", "event_id", "true_x", "true_y", "true_z")
    match = match_vertices(vertices, event_id, x, y, z)
    found = match >= 0
    at, n = np.flatnonzero(found), len(match)
    values: Columns = {"reconstructed": found, "n_tracks": scatter(vertices.n_tracks[match[at]], at, n, 0)}
    position = {axis: getattr(vertices, axis) for axis in ("x", "y", "z")}
    position |= _covariance(vertices.covariance, ("x", "y", "z"))
    values |= {name: scatter(column[match[at]], at, n, np.nan) for name, column in position.items()}
    keys: Mapping[str, Any] = {name: batch.array("vertices", name) for name in VERTICES.key}
    return batch.with_columns(OF_VERTICES, {**keys, **values})


def with_events(batch: EventBatch, tracks_of: NDArray[np.int64], vertices_of: NDArray[np.int64]) -> EventBatch:
    """The batch whose events have the numbers of tracks and vertices, counted from the events of each."""
    n = batch["events"].num_rows
    counts = (np.bincount(event_positions(batch, ids), minlength=n) for ids in (tracks_of, vertices_of))
    return batch.with_columns(OF_EVENTS, dict(zip(OF_EVENTS.names, counts, strict=True)))


def with_hits(batch: EventBatch, hits: Columns) -> EventBatch:
    """The batch whose events have the numbers of hits, given in the order of the events."""
    return batch.with_columns(OF_HITS, hits)


def with_photons(batch: EventBatch, photons: Columns) -> EventBatch:
    """The batch whose photons know where they end and as what they are found.

    Parameters
    ----------
    batch : EventBatch
        With all particles, those made in the detector too.
    photons : dict of str to ndarray, each of shape (k,)
        event_id, particle_id, and the columns of ``OF_PHOTONS`` but for in_ecal, of photons that end on the cells.
    """
    n = batch["particles"].num_rows
    keys = batch.arrays("particles", "event_id", "particle_id")
    rows = row_of((photons["event_id"], photons["particle_id"]), keys, "particles")
    values: Columns = {"in_ecal": scatter(np.ones(len(rows), bool), rows, n, False)}
    values |= {name: scatter(photons[name], rows, n, np.nan) for name in ("ecal_x", "ecal_y")}
    for name, none in (("cluster_type", 0), ("cluster_id", -1)):
        values[name] = scatter(photons[name], rows, n, none)
    return batch.with_columns(OF_PHOTONS, values)


def with_clusters(batch: EventBatch, clusters: Columns) -> EventBatch:
    """The batch with the table of clusters.

    Parameters
    ----------
    batch : EventBatch
        Any.
    clusters : dict of str to ndarray, each of shape (k,)
        The columns of ``OF_CLUSTERS``, in any order.
    """
    order = np.argsort(event_positions(batch, clusters["event_id"]), kind="stable")
    return batch.with_table(OF_CLUSTERS, {name: column[order] for name, column in clusters.items()})
