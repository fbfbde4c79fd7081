"""Covariance: what the track fit says about its own uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lamarrpy.draws import Draws
from lamarrpy.stages.parametric.track_state import fluctuations, state_uncertainty
from lamarrpy.tables import TRACKS, EventBatch, Schema
from lamarrpy.tables.schemas import STATE, covariance_columns

_TRUTH = ("true_p", "true_pt", "true_tx", "true_ty")
_WRITES = tuple(column.name for column in covariance_columns(STATE, ""))


@dataclass(frozen=True)
class Covariance:
    """Report the covariance of (x, y, tx, ty, q/p) at the reconstructed state, for every track its own.

    It is the covariance that the stage `resolution` drew the residuals from, positive definite by
    construction (lamarrpy.stages.parametric.track_state), so pulls against the truth at the same z are
    standard normal.

    Parameters
    ----------
    polarity : {"MagUp", "MagDown"}
        Polarity of the magnet.
    """

    polarity: Literal["MagUp", "MagDown"] = "MagUp"

    @property
    def name(self) -> str:
        """The name of the stage."""
        return "covariance"

    @property
    def reads(self) -> Mapping[str, Schema]:
        """Type, true momentum and direction of the tracks."""
        return {"tracks": TRACKS.only("event_id", "track_id", "track_type", *_TRUTH)}

    @property
    def writes(self) -> Mapping[str, Schema]:
        """The 15 elements of the upper triangle."""
        return {"tracks": TRACKS.only(*_WRITES)}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Give the tracks of a batch their covariance."""
        event_id, track_id, track_type = batch.arrays("tracks", "event_id", "track_id", "track_type")
        rows = fluctuations(draws, event_id, track_id)
        p, pt, tx, ty = batch.arrays("tracks", *_TRUTH)
        uncertainty = state_uncertainty(track_type, p, pt, tx, ty, rows, self.polarity)
        return batch.with_columns(self.writes["tracks"], uncertainty.covariance())
