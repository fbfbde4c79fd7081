"""Covariance: what the hits make of a track, learned from the Detailed Simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.field import Polarity
from lamarrpy.stages.track_factor import COVARIANCE, NUMBERS, covariance_of, factor_from, factor_of, numbers_of
from lamarrpy.stages.track_frame import READS, conditions, known, mirrored
from lamarrpy.stages.trained import TrainedStage
from lamarrpy.tables import TRACKS, EventBatch, Schema

Columns = Mapping[str, NDArray[Any]]

__all__ = ["Covariance", "conditions", "physical", "targets"]


@dataclass(frozen=True)
class Covariance(TrainedStage):
    """Say how many degrees of freedom the fit of each track has, and how well it knows its state.

    The covariance is that of (x, y, tx, ty, q/p) closest to the beam line. It is positive definite whatever the model
    says, since it is told as in `lamarrpy.stages.track_factor`. The stage comes before ``resolution``, which draws the
    state with it.

    Parameters
    ----------
    polarity : {"MagUp", "MagDown"}
        Polarity of the magnet; the models know MagUp, and see tracks in MagDown in a mirror.
    version : str
        Which model: ``distilled`` or ``gan``.
    models : str or None
        Folder of models of one's own, laid out as ``models``; the shipped ones if left out.

    Raises
    ------
    ConfigError
        If there is no such model.
    ArtifactError
        If it is damaged.
    """

    stage: ClassVar[str] = "covariance"
    parts: ClassVar[tuple[str, ...]] = ("charged",)

    polarity: Polarity = "MagUp"

    @property
    def reads(self) -> Mapping[str, Schema]:
        """True states and types of the tracks, the ways of their particles, the occupancy."""
        return READS

    @property
    def writes(self) -> Mapping[str, Schema]:
        """The degrees of freedom, and the 15 elements of the upper triangle."""
        return {"tracks": TRACKS.only("ndof", *COVARIANCE, "outside_covariance")}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Give the tracks of a batch their covariance."""
        columns, model = known(batch, self.polarity), self._model(self.parts[0])
        given = conditions(columns)
        said = model(given, draws.rows(*batch.arrays("tracks", "event_id", "track_id")))
        values: dict[str, NDArray[Any]] = physical(said, columns)
        if self.polarity == "MagDown":
            values = mirrored(values)
        return batch.with_columns(self.writes["tracks"], values | {"outside_covariance": model.outside(given)})


def targets(columns: Columns) -> dict[str, NDArray[Any]]:
    """What is learned: the degrees of freedom, and the covariance as numbers.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        True state, ``track_type``, ``ndof`` and covariance.
    """
    return {"ndof": columns["ndof"], **numbers_of(factor_of(columns), columns)}


def physical(said: Columns, columns: Columns) -> dict[str, NDArray[Any]]:
    """The columns of ``tracks`` from what was learned: the inverse of `targets`.

    Parameters
    ----------
    said : mapping of str to ndarray, shape (n,)
        ``ndof`` and `NUMBERS`.
    columns : mapping of str to ndarray, shape (n,)
        True state and ``track_type``.
    """
    numbers = {name: np.asarray(said[name], np.float64) for name in NUMBERS}
    return {"ndof": np.asarray(said["ndof"], np.int32), **covariance_of(factor_from(numbers, columns), columns)}
