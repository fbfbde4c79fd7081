"""Acceptance: which charged particles cross enough of the tracking system, learned from the Detailed Simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lamarrpy.draws import Draws
from lamarrpy.field import Polarity
from lamarrpy.stages.crossings import READS, crossings
from lamarrpy.stages.reconstruction import charged_rows
from lamarrpy.stages.trained import DecidingStage
from lamarrpy.tables import PARTICLES, EventBatch, Schema


@dataclass(frozen=True)
class Acceptance(DecidingStage):
    """Decide whether a charged particle crosses enough of the tracking system, as the Detailed Simulation would.

    It has to go through all three T stations, and through the VELO or the TT before them. A particle that decays or
    interacts on the way is in acceptance if it had gone there; what the magnet sweeps past the T stations is not,
    though it may be found as an Upstream track. Where multiple scattering leaves a doubt the answer is drawn. Particles
    other than electrons, muons, pions, kaons and protons are not in acceptance.

    Parameters
    ----------
    version : str
        Which model of `models/acceptance/charged`.
    models : str or None
        Folder of models of one's own, laid out as ``models``; the shipped ones if left out.
    polarity : {"MagUp", "MagDown"}
        Polarity of the magnet.

    Raises
    ------
    ConfigError
        If there is no such model.
    ArtifactError
        If it is damaged, or no classifier.
    """

    stage: ClassVar[str] = "acceptance"
    parts: ClassVar[tuple[str, ...]] = ("charged",)

    polarity: Polarity = "MagUp"

    @property
    def reads(self) -> Mapping[str, Schema]:
        """Propagated particles, and where they cross the TT and the T stations."""
        return {"particles": PARTICLES.only("event_id", "particle_id", "propagated", *READS)}

    @property
    def writes(self) -> Mapping[str, Schema]:
        """The probability, and the flag that is drawn with it."""
        return {"particles": PARTICLES.only("acceptance", "in_acceptance", "outside_acceptance")}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Find the particles of a batch that are in acceptance."""
        event_id, particle_id = batch.arrays("particles", "event_id", "particle_id")
        rows = charged_rows(batch)
        known = {name: batch.array("particles", name)[rows] for name in READS}
        seen, model = crossings(known, self.polarity), self._model(self.parts[0])
        probability, outside = np.zeros(len(event_id)), np.zeros(len(event_id), bool)
        probability[rows] = model.probabilities(seen)[:, model.manifest.classes.index(1.0)]
        outside[rows] = model.outside(seen)
        accepted = np.zeros(len(event_id), bool)
        accepted[rows] = draws.rows(event_id[rows], particle_id[rows]).uniform(0) < probability[rows]
        values = {"acceptance": probability, "in_acceptance": accepted, "outside_acceptance": outside}
        return batch.with_columns(self.writes["particles"], values)
