"""Resolution: the reconstructed state of a track and the quality of its fit, learned from the Detailed Simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.field import Polarity
from lamarrpy.stages.reconstructed_state import momentum
from lamarrpy.stages.track_factor import COVARIANCE, Rows, factor_of, numbers_of
from lamarrpy.stages.track_frame import READS, known, mirrored
from lamarrpy.stages.track_frame import conditions as true_conditions
from lamarrpy.stages.track_pulls import pulls_of, state_from
from lamarrpy.stages.trained import TrainedStage
from lamarrpy.tables import TRACKS, EventBatch, Schema

Columns = Mapping[str, NDArray[Any]]

QUALITY = ("chi2_per_dof", "ghost_prob")
_FIT = ("ndof", *COVARIANCE)
_WRITES = ("x", "y", "z", "tx", "ty", "qop", "p", "pt", "eta", "phi", "charge", *QUALITY, "outside_resolution")


@dataclass(frozen=True)
class Resolution(TrainedStage):
    """Measure each track: its state closest to the beam line, its momentum, and how well the fit went.

    The state is off the true one by pulls times the covariance that the stage ``covariance`` gave before, so both fit
    together for every track (`lamarrpy.stages.track_pulls`). It lies where the reconstructed line is closest to the
    beam line through the true pp collision. q/p is what is off, as in a track fit: p is positive, and an Upstream track
    may get the wrong charge. No track is straighter than one of beam momentum.

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

    stage: ClassVar[str] = "resolution"
    parts: ClassVar[tuple[str, ...]] = ("charged",)

    polarity: Polarity = "MagUp"

    @property
    def reads(self) -> Mapping[str, Schema]:
        """True states and types of the tracks and their covariance, the ways of their particles, the occupancy."""
        return {**READS, "tracks": TRACKS.only(*READS["tracks"].names, *_FIT)}

    @property
    def writes(self) -> Mapping[str, Schema]:
        """The reconstructed state, the momentum that it implies, and the fit quality."""
        return {"tracks": TRACKS.only(*_WRITES)}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Reconstruct the tracks of a batch."""
        columns, model = known(batch, self.polarity), self._model(self.parts[0])
        fit = dict(zip(_FIT, batch.arrays("tracks", *_FIT), strict=True))
        columns |= fit if self.polarity == "MagUp" else mirrored(fit)
        factor = factor_of(columns)
        given = conditions(columns, factor)
        said = model(given, draws.rows(*batch.arrays("tracks", "event_id", "track_id")))
        values: dict[str, NDArray[Any]] = physical(said, columns, factor)
        if self.polarity == "MagDown":
            values = mirrored(values)
        values |= momentum(values["tx"], values["ty"], values["qop"])
        values["charge"] = np.sign(values["qop"]).astype(np.int32)
        return batch.with_columns(self.writes["tracks"], values | {"outside_resolution": model.outside(given)})


def conditions(columns: Columns, factor: Rows) -> dict[str, NDArray[Any]]:
    """What the model is told: what that of the covariance is, and what came of it.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        As `lamarrpy.stages.track_frame.known` makes them, with ``ndof``.
    factor : list of list of ndarray, shape (n,)
        Rows of the factor of the covariance.
    """
    numbers = numbers_of(factor, columns)
    return {**true_conditions(columns), "ndof": columns["ndof"], **numbers}


def targets(columns: Columns, factor: Rows) -> dict[str, NDArray[Any]]:
    """What is learned: pulls and fit quality.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        True and reconstructed states, ``track_type``, ``true_pid``, ``origin_z`` and fit quality.
    factor : list of list of ndarray, shape (n,)
        Rows of the factor of the covariance.
    """
    return {**pulls_of(columns, factor), **{name: columns[name] for name in QUALITY}}


def physical(said: Columns, columns: Columns, factor: Rows) -> dict[str, NDArray[Any]]:
    """The columns of ``tracks`` from what was learned: the inverse of `targets`.

    Parameters
    ----------
    said : mapping of str to ndarray, shape (n,)
        Pulls and fit quality.
    columns : mapping of str to ndarray, shape (n,)
        True states, ``track_type``, ``true_pid``, ``origin_z``, ``beam_x`` and ``beam_y``.
    factor : list of list of ndarray, shape (n,)
        Rows of the factor of the covariance.
    """
    return {**state_from(said, columns, factor), **{name: said[name] for name in QUALITY}}
