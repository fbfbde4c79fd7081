"""Where tracks go behind the magnet: how deep inside the calorimeters and the muon stations they end."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.shipped import shipped
from lamarrpy.stages.reconstruction import OCCUPANCY
from lamarrpy.stages.track_type import TrackType
from lamarrpy.tables import PARTICLES, Schema
from lamarrpy.tables.schemas import PLANES
from lamarrpy.yaml_file import read_yaml

Floats = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]

END = ("x_ecal", "y_ecal", "tx_ecal", "ty_ecal")
"""Columns of a particle that say where it goes behind the magnet."""

END_READS: Mapping[str, Schema] = {
    "events": OCCUPANCY,
    "particles": PARTICLES.only("event_id", "particle_id", "reaches_ecal", *END),
}
"""What `known_of_tracks` reads of the events and particles of tracks that are followed to their ends."""

DEEP = 400.0
"""Distance [mm] to an edge from which on it plays no part."""


class Frame(NamedTuple):
    """A sensitive rectangle with a hole around the beam, in a plane.

    Attributes
    ----------
    z : float, mm
        Of the plane.
    outer, hole : (float, float), mm
        Half sizes in x and y.
    """

    z: float
    outer: tuple[float, float]
    hole: tuple[float, float]

    def depth(self, x: Floats, y: Floats) -> Floats:
        """Distance [mm] of points to the nearest edge, below zero outside, from -`DEEP` to `DEEP`; shape (n,)."""
        x, y = np.abs(x), np.abs(y)
        within = np.minimum(self.outer[0] - x, self.outer[1] - y)
        beside = np.maximum(x - self.hole[0], y - self.hole[1])
        return np.asarray(np.clip(np.minimum(within, beside), -DEEP, DEEP))

    def octaves(self, x: Floats, y: Floats) -> Floats:
        """How often the hole must be doubled to reach points, 0 at least and 5 at most; shape (n,)."""
        scale = np.maximum(np.abs(x) / self.hole[0], np.abs(y) / self.hole[1])
        return np.asarray(np.log2(np.clip(scale, 1.0, 32.0)))


class Way(NamedTuple):
    """Straight lines of n tracks, arrays of shape (n,): position [mm] at z [mm] and slopes; NaN where there is none."""

    z: Floats | float
    x: Floats
    y: Floats
    tx: Floats
    ty: Floats

    def at(self, z: float) -> tuple[Floats, Floats]:
        """x and y [mm] in another plane; far outside where there is no line."""
        x, y = self.x + (z - self.z) * self.tx, self.y + (z - self.z) * self.ty
        return np.nan_to_num(x, nan=_NOWHERE), np.nan_to_num(y, nan=_NOWHERE)

    def depth(self, frame: Frame) -> Floats:
        """`Frame.depth` where the lines meet its plane."""
        return frame.depth(*self.at(frame.z))

    def octaves(self, frame: Frame) -> Floats:
        """`Frame.octaves` where the lines meet its plane."""
        return frame.octaves(*self.at(frame.z))


_NOWHERE = 1e5


def way_behind(columns: Columns) -> Way:
    """The ways of tracks from the calorimeter on; none for those that end before the magnet.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        ``track_type``, and `END` of the particle, NaN where it does not get there.
    """
    known = columns["track_type"] != TrackType.upstream
    return Way(PLANES["ecal"], *(np.where(known, columns[name], np.nan) for name in END))


def muon_depth(way: Way) -> Floats:
    """How deep [mm] tracks are inside the muon system: M1 and M5 limit it; shape (n,)."""
    return np.minimum(*(way.depth(frame) for frame in (muon_frames()[0], muon_frames()[-1])))


@cache
def muon_frames() -> tuple[Frame, ...]:
    """M1 to M5."""
    text = read_yaml(shipped("models", "detailed", "muon", "stations.yaml"))
    first = {name: entry["value"] for name, entry in text["first"].items()}
    others = zip(*(text[name]["value"] for name in ("z", "outer", "hole")), strict=True)
    frames = [(first["z"], first["outer"], first["hole"]), *others]
    return tuple(Frame(z, (outer[0], outer[1]), (hole[0], hole[1])) for z, outer, hole in frames)


@cache
def calorimeter_frames() -> tuple[Frame, Frame]:
    """ECAL and HCAL."""
    text = read_yaml(shipped("models", "detailed", "calorimeter", "calorimeter.yaml"))
    ecal, hcal = (_cells(text[name]) for name in ("ecal", "hcal"))
    return ecal, hcal


def _cells(block: Mapping[str, Any]) -> Frame:
    pixel, outer, hole = block["pixel"]["value"], block["regions"]["value"][-1]["half"], block["hole"]["value"]
    return Frame(block["z"]["value"], (pixel * outer[0], pixel * outer[1]), (pixel * hole[0], pixel * hole[1]))
