"""Four samples: particles, tracks, photons and events, with what a pipeline knows of them and what became of them.

What a pipeline knows is computed as it does: the states at the reference planes are those of the propagation stage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.particles import Species, species
from lamarrpy.propagation.true_states import CLOSEST, KINEMATICS
from lamarrpy.stages.flavour import flavour_of_events
from lamarrpy.stages.propagation import Propagation
from lamarrpy.stages.reconstruction import charged_rows
from lamarrpy.tables import PARTICLES, TRACKS, Column, EventBatch
from lamarrpy.tables.linking import pair_key, row_of
from lamarrpy.tables.schemas import generator_level, plane_columns

Values = Mapping[str, NDArray[Any]]
Rows = NDArray[np.intp]

PROPAGATION = Propagation(method="neural", planes=("mid_tt", "mid_t", "ecal"))
"""As in the pipelines that ship."""

CHARGED = tuple(kind for kind in Species if kind is not Species.other)
"""Species that leave tracks."""

_PHOTON, _NEUTRAL_PION, _UNDECAYED, _MADE_IN_DETECTOR = 22, 111, 1, 3

_PLANES = tuple(column.name for plane in PROPAGATION.planes for column in plane_columns(plane))
_ORIGIN = ("x", "y", "z")

OWN = {
    "beam_x": Column("beam_x", "float64", "mm", "true position of its pp collision"),
    "beam_y": Column("beam_y", "float64", "mm", "true position of its pp collision"),
    "tx": Column("tx", "float64", "", "dx/dz at the origin"),
    "ty": Column("ty", "float64", "", "dy/dz at the origin"),
    "from_pi0": Column("from_pi0", "bool", "", "whether its mother is a neutral pion"),
    "cluster_x": Column("cluster_x", "float64", "mm", "position of its cluster, NaN without one"),
    "cluster_y": Column("cluster_y", "float64", "mm", "position of its cluster, NaN without one"),
    "cluster_e": Column("cluster_e", "float64", "MeV", "energy of its cluster, NaN without one"),
    "shared": Column("shared", "bool", "", "whether its cluster is that of another photon too"),
    "flavour": Column("flavour", "int32", "", "0 neither b nor c hadrons, 1 c hadrons, 2 b hadrons"),
    "n_charged": Column("n_charged", "int32", "", "charged particles of the five species in the window"),
    "whole": Column("whole", "bool", "", "whether it is all of a collision: particles fly backwards too"),
    "collisions": Column("collisions", "int32", "", "pp collisions with a charged particle in the window"),
}
"""Columns that no table has."""
OWN |= {
    f"origin_{axis}": Column(f"origin_{axis}", "float64", "mm", "where the particle comes from") for axis in _ORIGIN
}


class Sample(NamedTuple):
    """One sample.

    Attributes
    ----------
    columns : tuple of str
        Its columns.
    parts : callable
        Gives the rows by part, a species for instance, from a batch of `Flown`.
    """

    columns: tuple[str, ...]
    parts: Callable[[Flown], Mapping[str, Values]]


class Flown(NamedTuple):
    """A batch of the Detailed Simulation, and what the propagation stage makes of the same particles.

    Attributes
    ----------
    detailed, flash : EventBatch
        The two.
    row : ndarray of int, shape (n,)
        Of the particles of ``flash`` in ``detailed``.
    rare : bool
        Whether it is of a gun for tracks with isMuon, of which only these are taken.
    """

    detailed: EventBatch
    flash: EventBatch
    row: Rows
    rare: bool

    def charged(self) -> Rows:
        """Rows in ``flash`` of the charged particles that a pipeline follows."""
        return charged_rows(self.flash)

    def event(self, event_id: NDArray[np.int64]) -> Rows:
        """Rows in ``events``."""
        return row_of((event_id,), (self.detailed.array("events", "event_id"),), "events")

    def beam(self, table: str, rows: Rows) -> dict[str, NDArray[np.float64]]:
        """Where the collisions of some rows were."""
        keys = tuple(self.detailed.array(table, name)[rows] for name in ("event_id", "vertex_id"))
        at = row_of(keys, self.detailed.arrays("vertices", "event_id", "vertex_id"), "vertices")
        return {f"beam_{axis}": self.detailed.array("vertices", f"true_{axis}")[at] for axis in "xy"}


def fly(batch: EventBatch, rare: bool = False) -> Flown:
    """Carry the generator's particles of a batch of the Detailed Simulation through the field as a pipeline does."""
    row = np.flatnonzero(batch.array("particles", "status") != _MADE_IN_DETECTOR)
    names = [name for name in generator_level("particles").names if name in batch["particles"].column_names]
    particles = {name: batch.array("particles", name)[row] for name in names}
    generated = EventBatch({"vertices": batch["vertices"]}).with_table(PARTICLES.only(*names), particles)
    return Flown(batch, PROPAGATION(generated, Draws(0, PROPAGATION.name)), row, rare)


_PARTICLE_KEYS = ("event_id", "particle_id", "vertex_id", "pid")
_KNOWN = ("n_tracks", "beam_x", "beam_y")


def _particles(flown: Flown) -> Mapping[str, Values]:
    rows = flown.charged()
    names = (*_PARTICLE_KEYS, *_ORIGIN, *KINEMATICS, *CLOSEST, *_PLANES)
    values = {name: flown.flash.array("particles", name)[rows] for name in names}
    own = flown.row[rows]
    values |= {name: flown.detailed.array("particles", name)[own] for name in ("in_acceptance", "track_type")}
    values["n_tracks"] = flown.detailed.array("events", "n_tracks")[flown.event(values["event_id"])]
    return {"charged": values | flown.beam("particles", own)}


_OF_TRACKS = tuple(name for name in TRACKS.names if name != "identified" and not name.startswith("outside_"))


def _tracks(flown: Flown) -> Mapping[str, Values]:
    """The tracks of particles that a pipeline follows, species by species.

    Those with isMuon are a part of their own, and all that is taken of guns for them: how often there is one depends
    on what else flies in an event, what it looks like then hardly does.
    """
    batch = flown.detailed
    keys, among = batch.arrays("tracks", "event_id", "particle_id"), _keys(flown.flash, flown.charged())
    rows = np.flatnonzero(batch.array("tracks", "matched"))
    inside = np.isin(pair_key(*keys)[rows], pair_key(*among))
    rows = rows[inside]
    values = {name: batch.array("tracks", name)[rows] for name in _OF_TRACKS}
    values["n_tracks"] = batch.array("events", "n_tracks")[flown.event(values["event_id"])]
    values |= flown.beam("tracks", rows)
    at = row_of((values["event_id"], values["particle_id"]), _keys(flown.flash, slice(None)), "particles")
    values |= {name: flown.flash.array("particles", name)[at] for name in _PLANES}
    values |= {f"origin_{axis}": flown.flash.array("particles", axis)[at] for axis in _ORIGIN}
    kind, parts = species(values["true_pid"]), dict[str, Values]()
    for one in CHARGED:
        own, is_muon = kind == one, values["is_muon"]
        chosen = {one.name: np.zeros(len(own), bool) if flown.rare else own}
        if one is not Species.electron:
            chosen[f"{one.name}_is_muon"] = own & is_muon
        parts |= {part: {name: v[rows] for name, v in values.items()} for part, rows in chosen.items()}
    return parts


def _keys(batch: EventBatch, rows: Any) -> tuple[NDArray[np.int64], ...]:
    return tuple(column[rows] for column in batch.arrays("particles", "event_id", "particle_id"))


_OF_CLUSTERS = ("photon_id", "is_not_e", "is_not_h")
_OF_PHOTONS = ("event_id", "particle_id", "mother_id", "x", "y", "z", "ecal_x", "ecal_y", "cluster_type", "cluster_id")


def _photons(flown: Flown) -> Mapping[str, Values]:
    """The photons of the generator that end on the calorimeter's cells, and their clusters."""
    batch = flown.detailed
    pid, status, in_ecal = batch.arrays("particles", "pid", "status", "in_ecal")
    rows = np.flatnonzero((pid == _PHOTON) & (status == _UNDECAYED) & in_ecal)
    values = {name: batch.array("particles", name)[rows] for name in _OF_PHOTONS}
    px, py, pz = (batch.array("particles", name)[rows] for name in ("px", "py", "pz"))
    values |= {"p": np.sqrt(px**2 + py**2 + pz**2), "tx": px / pz, "ty": py / pz}
    keys = batch.arrays("particles", "event_id", "particle_id")
    values["from_pi0"] = np.zeros(len(rows), bool)
    linked = np.flatnonzero(values["mother_id"] >= 0)
    mother = row_of((values["event_id"][linked], values["mother_id"][linked]), keys, "particles")
    values["from_pi0"][linked] = pid[mother] == _NEUTRAL_PION
    found = np.flatnonzero(values["cluster_type"] > 0)
    own = (values["event_id"][found], values["cluster_id"][found])
    cluster = row_of(own, batch.arrays("clusters", "event_id", "cluster_id"), "clusters")
    sources = {**{f"cluster_{what}": what for what in ("x", "y", "e")}, **{name: name for name in _OF_CLUSTERS}}
    for name, source in sources.items():
        values[name] = np.full(len(rows), np.nan)
        values[name][found] = batch.array("clusters", source)[cluster]
    values["shared"] = np.zeros(len(rows), bool)
    values["shared"][found] = np.bincount(cluster, minlength=batch["clusters"].num_rows)[cluster] > 1
    return {"photon": values}


def _events(flown: Flown) -> Mapping[str, Values]:
    batch = flown.detailed
    event_id, n_tracks, n_pvs = batch.arrays("events", "event_id", "n_tracks", "n_pvs")
    charged = flown.charged()
    of, vertex = flown.flash.arrays("particles", "event_id", "vertex_id")
    counted = np.bincount(flown.event(of[charged]), minlength=len(event_id))
    first = charged[np.unique(pair_key(of, vertex)[charged], return_index=True)[1]]
    values = {"event_id": event_id, "n_tracks": n_tracks, "n_pvs": n_pvs, "n_charged": counted.astype(np.int32)}
    values["collisions"] = np.bincount(flown.event(of[first]), minlength=len(event_id)).astype(np.int32)
    backwards = of[flown.flash.array("particles", "pz") < 0.0]
    values["whole"] = np.isin(event_id, backwards)
    values["flavour"] = flavour_of_events(event_id, *flown.flash.arrays("particles", "event_id", "pid"))
    return {"event": values}


SAMPLES: dict[str, Sample] = {
    "particles": Sample(
        (*_PARTICLE_KEYS, *_ORIGIN, *KINEMATICS, *CLOSEST, *_PLANES, *_KNOWN, "in_acceptance", "track_type"),
        _particles,
    ),
    "tracks": Sample((*_OF_TRACKS, *_KNOWN, *_PLANES, *(f"origin_{axis}" for axis in _ORIGIN)), _tracks),
    "photons": Sample(
        (
            *(*_OF_PHOTONS, "p", "tx", "ty", "from_pi0"),
            *("cluster_x", "cluster_y", "cluster_e", *_OF_CLUSTERS, "shared"),
        ),
        _photons,
    ),
    "events": Sample(("event_id", "n_tracks", "n_pvs", "flavour", "n_charged", "collisions", "whole"), _events),
}
"""What there is to learn from, by name."""
