"""Occupancy: how many tracks the event has altogether."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lamarrpy.constants import constants
from lamarrpy.draws import Draws
from lamarrpy.stages.flavour import FLAVOURS, flavour_of_events
from lamarrpy.tables import EVENTS, PARTICLES, EventBatch, Schema


@dataclass(frozen=True)
class Occupancy:
    """Draw the number of tracks of an event, which every other stage then shares.

    Log-normal, with a median and width for events with a b hadron, with a c hadron, and without
    either (models/parametric/occupancy.yaml). It counts what the detector sees, pile-up and all, not
    the particles of the table, which may be a single decay: as in LHCb's simulation with particle guns,
    the number is drawn independently, and beyond the flavour does not go with the particles, the tracks
    or the vertices of the event.

    Parameters
    ----------
    flavour : {"auto", "b", "c", "minimum_bias"}
        The kind of event; "auto" looks for hadrons with b, then c quarks among its particles.
    """

    flavour: Literal["auto", "b", "c", "minimum_bias"] = "auto"

    @property
    def name(self) -> str:
        """The name of the stage."""
        return "occupancy"

    @property
    def reads(self) -> Mapping[str, Schema]:
        """The events, and the species of their particles if the flavour is not given."""
        events = {"events": EVENTS.only("event_id")}
        return {**events, "particles": PARTICLES.only("event_id", "pid")} if self.flavour == "auto" else events

    @property
    def writes(self) -> Mapping[str, Schema]:
        """One number of tracks an event."""
        return {"events": EVENTS.only("n_tracks")}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Give each event of a batch its number of tracks."""
        event_id = batch.array("events", "event_id")
        if self.flavour == "auto":
            flavour = flavour_of_events(event_id, *batch.arrays("particles", "event_id", "pid"))
        else:
            flavour = np.full(len(event_id), FLAVOURS.index(self.flavour))
        data = constants("occupancy")
        median, width = (np.array([data[f][key] for f in FLAVOURS])[flavour] for key in ("log_median", "log_width"))
        tracks = np.exp(median + width * draws.rows(event_id).normal(0))
        return batch.with_columns(self.writes["events"], {"n_tracks": np.maximum(np.rint(tracks), 1).astype(np.int32)})
