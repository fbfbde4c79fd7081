"""IsMuon: whether the muon stations have the hits that a muon of this momentum would leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lamarrpy.constants import constants
from lamarrpy.draws import Draws
from lamarrpy.particles import Species
from lamarrpy.stages.track_type import TrackType
from lamarrpy.tables import EVENTS, TRACKS, EventBatch, Schema
from lamarrpy.tables.linking import row_of

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_GEV = 1e3
_MATCH_SCALE = 60.0
"""GeV: momentum at which the rate of accidental matches is quoted."""


@dataclass(frozen=True)
class IsMuon:
    """Decide which tracks have muon hits: muons nearly always, hadrons that decay or are matched by chance.

    Only tracks with a segment in the T stations, above 3 GeV, that point into the muon stations
    can. Pions and kaons become muons on their way, the less often the faster they are; hits that
    match by chance or by punch-through get rarer as the search windows shrink with momentum, and
    more frequent with the occupancy (models/parametric/is_muon.yaml).

    Parameters
    ----------
    polarity : {"MagUp", "MagDown"}
        Polarity of the magnet.
    """

    polarity: Literal["MagUp", "MagDown"] = "MagUp"

    @property
    def name(self) -> str:
        """The name of the stage."""
        return "is_muon"

    @property
    def reads(self) -> Mapping[str, Schema]:
        """Species, type and reconstructed state of the tracks, and the occupancy."""
        state = ("x", "y", "z", "tx", "ty", "qop", "p")
        return {
            "tracks": TRACKS.only("event_id", "track_id", "track_type", "true_pid", *state),
            "events": EVENTS.only("event_id", "n_tracks"),
        }

    @property
    def writes(self) -> Mapping[str, Schema]:
        """The flag."""
        return {"tracks": TRACKS.only("is_muon")}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Give the tracks of a batch their flag."""
        event_id, track_id, track_type, pid = batch.arrays("tracks", "event_id", "track_id", "track_type", "true_pid")
        p = batch.array("tracks", "p") / _GEV
        possible = (track_type != TrackType.upstream) & (p > constants("is_muon")["threshold"]["value"])
        possible &= self._points_into_stations(*batch.arrays("tracks", "x", "y", "z", "tx", "ty", "qop"))
        events, n_tracks = batch.arrays("events", "event_id", "n_tracks")
        occupancy = n_tracks[row_of([event_id], [events], "events")]
        probability = muon_probability(np.abs(pid), p, occupancy)
        flag = possible & (draws.rows(event_id, track_id).uniform(0) < probability)
        return batch.with_columns(self.writes["tracks"], {"is_muon": flag})

    def _points_into_stations(self, x: Floats, y: Floats, z: Floats, tx: Floats, ty: Floats, qop: Floats) -> Flags:
        """Whether the track, bent once in the middle of the magnet, crosses the first and last station."""
        acceptance = constants("is_muon")["acceptance"]
        bend = qop * acceptance["kick"] * (-1 if self.polarity == "MagUp" else 1)
        inside = np.ones(len(x), bool)
        for plane, outer, inner in zip(acceptance["planes"], acceptance["outer"], acceptance["inner"], strict=True):
            at_x = np.abs(x + tx * (plane - z) + bend * (plane - acceptance["kick_z"]))
            at_y = np.abs(y + ty * (plane - z))
            inside &= (at_x < outer[0]) & (at_y < outer[1]) & ((at_x > inner[0]) | (at_y > inner[1]))
        return inside


def muon_probability(kind: NDArray[np.integer], p: Floats, n_tracks: NDArray[np.integer]) -> Floats:
    """Probability of the flag for tracks above threshold that cross the muon stations.

    Parameters
    ----------
    kind : ndarray of int, shape (n,)
        `Species` of the true particle.
    p : ndarray of float64, shape (n,)
        Momentum [GeV].
    n_tracks : ndarray of int, shape (n,)
        Tracks in the event.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    data = constants("is_muon")
    muon, decay, matches = data["muon"], data["decay"], data["matches"]
    chance = matches["value"] * (p / _MATCH_SCALE) ** matches["power"] * n_tracks / matches["mean_tracks"]
    missed = np.minimum(1 - chance * _by_species(matches["scale"], kind), 1.0)
    lengths = {name: path / decay["decay_length"][name] for name, path in decay["path"].items()}
    wrong = 1 - np.maximum(missed, 0) * np.exp(-_by_species(lengths, kind) / p)
    right = muon["plateau"] * (1 - muon["edge"] * np.exp(-(p - data["threshold"]["value"]) / muon["rise"]))
    return np.asarray(np.where(kind == Species.muon, right, wrong))


def _by_species(values: Mapping[str, float], kind: NDArray[np.integer]) -> Floats:
    """The number of each row's species, 0 for one that is not named."""
    out = np.zeros(len(kind))
    for name, value in values.items():
        out[kind == Species[name]] = value
    return out
