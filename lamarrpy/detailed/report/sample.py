"""What the checks need of a simulated sample, read some rows at a time from its tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lamarrpy.detailed.report.columns import Columns
from lamarrpy.detailed.report.identity import Identity, read_identity
from lamarrpy.errors import InputError, SchemaError
from lamarrpy.io.inputs import StoredTables, open_tables
from lamarrpy.io.stored import StoredTable
from lamarrpy.tables.arrow import to_numpy
from lamarrpy.tables.linking import pair_key, row_by_key
from lamarrpy.tables.schemas import STATE

PROMPT = 1.0
"""Distance [mm] to its pp collision within which a particle is prompt."""

PHOTONS = 10
"""Undecayed photons that make an event one of pp collisions: particle guns do not shoot so many."""

LONG, UPSTREAM, DOWNSTREAM = 3, 4, 5
"""Classes of reconstructed tracks, as LHCb numbers them."""

ETA_BINS = np.arange(2.0, 5.01, 0.25)
"""Bins of pseudorapidity that count the same in resolutions: guns may prefer some."""

HADRONS, MUON, ELECTRON = (211, 321, 2212), 13, 11

_MADE_IN_DETECTOR = 3
"""Status of particles that are not the generator's."""

_PARTICLES = (
    "event_id", "particle_id", "mother_id", "vertex_id", "pid", "x", "y", "z", "status",
    "propagated", "p", "eta", "in_acceptance", "track_type",
)  # fmt: skip
_TRUTH = ("true_x", "true_y", "true_z", "true_tx", "true_ty", "true_qop")
_KINEMATICS = ("true_p", "true_pt", "true_eta", "true_phi")
_QUALITY = ("chi2_per_dof", "ndof", "ghost_prob")
_COVARIANCE = tuple(f"cov_{name}_{name}" for name in STATE)
_TRACKS = (
    "event_id", "particle_id", "track_type", "true_pid", *_TRUTH, *_KINEMATICS, "x", "y", "z", "tx", "ty", "qop", "p",
    *_COVARIANCE, "cov_x_tx", "cov_y_ty", *_QUALITY,
)  # fmt: skip
_VERTICES = (
    "event_id", "vertex_id", "true_x", "true_y", "true_z", "reconstructed", "x", "y", "z", "n_tracks",
)  # fmt: skip


class Sample(NamedTuple):
    """A simulated sample.

    Attributes
    ----------
    particles : Columns
        Those the simulation followed and the charged daughters of their decays in flight: event_id,
        particle_id, mother_id, pid (absolute), z [mm], p [GeV], eta, prompt, in_acceptance, track_type,
        collisions (whether the event is one of pp collisions).
    tracks : Columns
        event_id, track_type, pid (absolute, 0 for ghosts), prompt, ghost, collisions, occupancy (tracks of the
        event), p, pt [GeV], eta, phi, dx, dy, dtx, dty, dqop (residuals at the z of the reconstructed state),
        pull_x ... pull_qop, dp_over_p, rho_x_tx, rho_y_ty, chi2_per_dof, ndof, ghost_prob.
    vertices : Columns
        reconstructed, collisions, n_tracks, and the residuals dx, dy, dz [mm].
    events : int
        How many events.
    identity : Identity
        What identifies particles.
    """

    particles: Columns
    tracks: Columns
    vertices: Columns
    events: int
    identity: Identity


def read_sample(path: Path) -> Sample:
    """Read a sample that ``lamarrpy detailed`` wrote, a block of rows at a time, and keep what the checks need.

    Raises
    ------
    InputError
        If there is no such input, or one of its tables is missing.
    SchemaError
        If a column is missing: the sample is not one of the Detailed Simulation.
    """
    with open_tables(path) as tables:
        events = _whole(tables, "events", ("event_id", "n_tracks"))
        vertices = _whole(tables, "vertices", _VERTICES)
        collisions = _collision_events(tables)
        particles = Columns.joined([_particles(block, vertices) for block in _blocks(tables, "particles", _PARTICLES)])
        particles = _with(particles, collisions=np.isin(particles["event_id"], collisions))
        tracks = Columns.joined([_tracks(block, particles) for block in _blocks(tables, "tracks", _TRACKS)])
        identity = read_identity(partial(_blocks, tables), "clusters" in tables, collisions)
    occupancy = events["n_tracks"][row_by_key(tracks["event_id"], events["event_id"])].astype(np.float32)
    tracks = _with(tracks, collisions=np.isin(tracks["event_id"], collisions), occupancy=occupancy)
    return Sample(particles, tracks, _vertices(vertices, collisions), events.rows, identity)


def _table(tables: StoredTables, name: str, columns: Sequence[str]) -> StoredTable:
    if name not in tables:
        raise InputError(
            f"{tables.root}: expected a sample of the Detailed Simulation, but it has no table {name!r};"
            " make one with lamarrpy detailed"
        )
    missing = sorted(set(columns) - set(tables[name].schema.names))
    if missing:
        raise SchemaError(
            f"{tables[name].file}: expected a sample of the Detailed Simulation, but table {name!r} lacks"
            f" {', '.join(missing)}; make one with lamarrpy detailed"
        )
    return tables[name]


def _blocks(tables: StoredTables, name: str, columns: Sequence[str]) -> Iterator[Columns]:
    """The blocks of a table, or an empty one; null is NaN."""
    table = _table(tables, name, columns)
    yield _numbers(table.slice(0, 0, columns))
    for _, block in table.blocks(columns):
        yield _numbers(block)


def _whole(tables: StoredTables, name: str, columns: Sequence[str]) -> Columns:
    return Columns.joined(list(_blocks(tables, name, columns)))


def _numbers(block: pa.Table) -> Columns:
    return Columns({name: np.asarray(to_numpy(block.column(name))) for name in block.column_names})


def _with(columns: Columns, **more: NDArray[Any]) -> Columns:
    return Columns({**columns, **more})


def _collision_events(tables: StoredTables) -> NDArray[np.int64]:
    """Events of pp collisions: those with photons; sorted."""
    found = []
    for block in _blocks(tables, "particles", ("event_id", "pid", "status")):
        found.append(block["event_id"][(block["pid"] == 22) & (block["status"] == 1)])
    events, photons = np.unique(np.concatenate(found), return_counts=True)
    return np.asarray(events[photons >= PHOTONS], np.int64)


def particle_key(particles: Columns, particle_id: str = "particle_id") -> NDArray[np.int64]:
    """One number for event and particle, or for event and mother."""
    return pair_key(particles["event_id"], particles[particle_id])


def _particles(block: Columns, vertices: Columns) -> Columns:
    """The particles of a block that were followed, and the daughters of their decays in flight."""
    of_decay = (block["status"] == _MADE_IN_DETECTOR) & np.isin(np.abs(block["pid"]), (MUON, *HADRONS))
    block = block.at(block["propagated"].astype(bool) | of_decay)
    at = row_by_key(
        pair_key(block["event_id"], block["vertex_id"]), pair_key(vertices["event_id"], vertices["vertex_id"])
    )
    away = np.sqrt(sum((block[axis] - vertices[f"true_{axis}"][at]) ** 2 for axis in "xyz"))
    return Columns(
        {
            "event_id": block["event_id"],
            "particle_id": block["particle_id"],
            "mother_id": block["mother_id"],
            "pid": np.abs(block["pid"]).astype(np.int32),
            "z": block["z"].astype(np.float32),
            "p": (1e-3 * block["p"]).astype(np.float32),
            "eta": block["eta"].astype(np.float32),
            "prompt": (away < PROMPT) & (at >= 0),
            "in_acceptance": block["in_acceptance"].astype(bool),
            "track_type": block["track_type"].astype(np.int8),
        }
    )


def _tracks(block: Columns, particles: Columns) -> Columns:
    """Residuals, pulls and quality of the tracks of a block."""
    ghost = block["particle_id"] < 0
    at = row_by_key(pair_key(block["event_id"], block["particle_id"]), particle_key(particles))
    residual = _residuals(block)
    out = {f"d{name}": residual[name] for name in STATE}
    out |= {f"pull_{name}": residual[name] / np.sqrt(block[f"cov_{name}_{name}"]) for name in STATE}
    out |= {f"rho_{a}_{b}": _correlation(block, a, b) for a, b in (("x", "tx"), ("y", "ty"))}
    out |= {"dp_over_p": block["p"] / block["true_p"] - 1.0}
    out |= {"p": 1e-3 * block["true_p"], "pt": 1e-3 * block["true_pt"]}
    out |= {"eta": block["true_eta"], "phi": block["true_phi"], **{name: block[name] for name in _QUALITY}}
    return Columns(
        {
            **{name: np.asarray(column, np.float32) for name, column in out.items()},
            "event_id": block["event_id"],
            "track_type": block["track_type"].astype(np.int8),
            "pid": np.abs(np.where(ghost, 0, block["true_pid"])).astype(np.int32),
            "ghost": ghost,
            "prompt": (particles["prompt"][at] if particles.rows else np.zeros(len(at), bool)) & (at >= 0),
        }
    )


def _residuals(block: Columns) -> dict[str, NDArray[np.float64]]:
    """Reconstructed less true state, both at the z of the reconstructed one, where its covariance holds."""
    dz = block["z"] - block["true_z"]
    return {
        "x": block["x"] - block["true_x"] - block["true_tx"] * dz,
        "y": block["y"] - block["true_y"] - block["true_ty"] * dz,
        **{name: block[name] - block[f"true_{name}"] for name in ("tx", "ty", "qop")},
    }


def _correlation(block: Columns, a: str, b: str) -> NDArray[np.float64]:
    variance = block[f"cov_{a}_{a}"] * block[f"cov_{b}_{b}"]
    correlation: NDArray[np.float64] = block[f"cov_{a}_{b}"] / np.sqrt(variance)
    return correlation


def _vertices(vertices: Columns, collisions: NDArray[np.int64]) -> Columns:
    found = vertices.at(vertices["reconstructed"].astype(bool))
    return Columns(
        {
            "n_tracks": found["n_tracks"].astype(np.float64),
            "collisions": np.isin(found["event_id"], collisions),
            **{f"d{axis}": found[axis] - found[f"true_{axis}"] for axis in "xyz"},
        }
    )
