"""Occupancy: how many tracks the event has altogether, learned from the Detailed Simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.stages.flavour import FLAVOURS, flavour_of_events
from lamarrpy.stages.reconstruction import charged_rows
from lamarrpy.stages.trained import TrainedStage, answers
from lamarrpy.tables import EVENTS, PARTICLES, EventBatch, Schema
from lamarrpy.tables.linking import row_of

Columns = Mapping[str, NDArray[Any]]

UNKNOWN = -1
"""Number of charged particles of an event that is only a part of a collision."""

_STANDS_IN = 40
"""Number of charged particles that a model is told where it is not known; the flag says so."""


@dataclass(frozen=True)
class Occupancy(TrainedStage):
    """Draw the number of tracks of an event, which every other stage then shares.

    It counts what the detector sees, tracks of the VELO and the T stations alone and ghosts included. An event with at
    least ``whole_from`` propagated charged particles (electrons, muons, pions, kaons, protons) counts as whole: all its
    collisions are there, and the number of tracks goes with that of the particles. An event with fewer counts as a
    part, such as a decay from a gun: it gets a number out of the distribution of whole events of its flavour. With
    ``whole_from: 0`` every event is whole, which is right for minimum bias: a third of it has fewer than 12.

    Parameters
    ----------
    flavour : {"auto", "b", "c", "minimum_bias"}
        The kind of event; "auto" looks for hadrons with b, then c quarks among its particles.
    whole_from : int
        Charged particles from which on an event is taken for whole.
    version : str
        Which model of `models/occupancy/event`: ``distilled`` or ``gan``.
    models : str or None
        Folder of models of one's own, laid out as ``models``; the shipped ones if left out.

    Raises
    ------
    ConfigError
        If there is no such model, or ``whole_from`` is negative.
    ArtifactError
        If the model is damaged.
    """

    stage: ClassVar[str] = "occupancy"
    parts: ClassVar[tuple[str, ...]] = ("event",)

    flavour: Literal["auto", "b", "c", "minimum_bias"] = "auto"
    whole_from: int = 12

    def __post_init__(self) -> None:
        if self.whole_from < 0:
            raise ConfigError(f"expected whole_from as a number of particles, got {self.whole_from}: take 0 or more")
        super().__post_init__()

    @property
    def reads(self) -> Mapping[str, Schema]:
        """The events, and their propagated particles."""
        return {"events": EVENTS.only("event_id"), "particles": PARTICLES.only("event_id", "pid", "propagated")}

    @property
    def writes(self) -> Mapping[str, Schema]:
        """One number of tracks an event."""
        return {"events": EVENTS.only("n_tracks", "outside_occupancy")}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Give each event of a batch its number of tracks."""
        event_id = batch.array("events", "event_id")
        of, pid = batch.arrays("particles", "event_id", "pid")
        n_charged = np.bincount(row_of([of[charged_rows(batch)]], [event_id], "events"), minlength=len(event_id))
        if self.flavour == "auto":
            flavour = flavour_of_events(event_id, of, pid)
        else:
            flavour = np.full(len(event_id), FLAVOURS.index(self.flavour))
        known = {"flavour": flavour, "n_charged": np.where(n_charged >= self.whole_from, n_charged, UNKNOWN)}
        values = {"n_tracks": np.zeros(len(event_id), np.int32)}
        everywhere = np.arange(len(event_id))
        outside = answers(self._model(self.parts[0]), conditions(known), draws.rows(event_id), everywhere, values)
        return batch.with_columns(self.writes["events"], {**values, "outside_occupancy": outside})


def conditions(columns: Columns) -> dict[str, NDArray[Any]]:
    """What the model is told of events.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        ``flavour``: position in `FLAVOURS`. ``n_charged``: propagated charged particles, or `UNKNOWN`.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        ``flavour``; ``whole``: 1 if the number of charged particles is known, else 0; ``log_charged``: the logarithm of
        one more than it.
    """
    counted = np.asarray(columns["n_charged"])
    whole = counted != UNKNOWN
    return {
        "flavour": np.asarray(columns["flavour"], np.int64),
        "whole": whole.astype(np.float64),
        "log_charged": np.log1p(np.where(whole, counted, _STANDS_IN)),
    }


def targets(columns: Columns) -> dict[str, NDArray[np.int32]]:
    """What is learned of events, shape (n,): ``n_tracks``, at least 1, since an event of a pipeline has a particle."""
    return {"n_tracks": np.maximum(columns["n_tracks"], 1).astype(np.int32)}
