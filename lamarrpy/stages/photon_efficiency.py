"""Photon efficiency: which photons are reconstructed as clusters, learned from the Detailed Simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.propagation.true_states import scatter
from lamarrpy.stages.calorimeter_front import calorimeter
from lamarrpy.stages.photon_conditions import READ, photons
from lamarrpy.stages.photon_conditions import conditions as of_photons
from lamarrpy.stages.trained import DecidingStage
from lamarrpy.tables import CLUSTERS, PARTICLES, EventBatch, Schema

Columns = Mapping[str, NDArray[Any]]

CONDITIONS = (
    *("p", "et", "tx", "ty", "x", "y", "z", "ecal_x", "ecal_y", "from_pi0", "cell", "cell_x", "cell_y"),
    *("to_hole", "to_edge", "sibling_distance", "sibling_p", "others_half", "others_one", "others_two"),
)
"""What the model is told, as `lamarrpy.stages.photon_conditions.conditions` names it."""


@dataclass(frozen=True)
class PhotonEfficiency(DecidingStage):
    """Reconstruct photons as clusters: not at all, as one of their own, or as a half of one that is split.

    Undecayed photons of any momentum whose straight way ends on the cells of the electromagnetic calorimeter are asked
    about. Below a transverse energy of 50 MeV, which is 136 MeV at its corners and 2.6 GeV above the beam
    pipe, there is no cluster; all above is in the training sample. (Photons below 75 MeV end on the cells here, while
    the Detailed Simulation does not follow them.) The model knows which other
    photons of the event fall on the same cells: hidden in their light a photon is lost, and with its sibling of the
    same neutral pion it may be split.

    Each reconstructed photon makes one cluster, and each cluster is of one photon. In the Detailed Simulation one in
    a thousand is linked to a cluster that is another photon's, too: there the nearer one has learned to have it, and
    the other one not to be reconstructed, so that no energy is counted twice. Clusters without a photon, of hadrons
    and electrons, are not made.

    Parameters
    ----------
    version : str
        Which model.
    models : str or None
        Folder of models of one's own, laid out as ``models``; the shipped ones if left out.

    Raises
    ------
    ConfigError
        If there is no such model.
    ArtifactError
        If it is damaged.
    """

    stage: ClassVar[str] = "photon_efficiency"
    parts: ClassVar[tuple[str, ...]] = ("photon",)

    @property
    def reads(self) -> Mapping[str, Schema]:
        """Generator-level particles."""
        return {"particles": READ}

    @property
    def writes(self) -> Mapping[str, Schema]:
        """Where photons meet the calorimeter and as what they are reconstructed; one row for each cluster."""
        found = ("in_ecal", "ecal_x", "ecal_y", "cluster_type", "cluster_id", "outside_photon_efficiency")
        return {
            "particles": PARTICLES.only(*found),
            "clusters": CLUSTERS.only("event_id", "cluster_id", "particle_id", "cluster_type"),
        }

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Make the clusters of a batch."""
        rows, columns = photons(batch)
        n = batch["particles"].num_rows
        seen = conditions(columns)
        cluster_type, outside = np.zeros(len(rows), np.int32), np.zeros(len(rows), bool)
        at = np.flatnonzero(can_be_found(seen))
        some = {name: values[at] for name, values in seen.items()}
        of_rows = draws.rows(columns["event_id"][at], columns["particle_id"][at])
        model = self._model(self.parts[0])
        cluster_type[at] = model(some, of_rows)["cluster_type"]
        outside[at] = model.outside(some)
        cluster_id = np.where(cluster_type > 0, columns["particle_id"], -1)
        values: dict[str, NDArray[Any]] = {"in_ecal": scatter(np.ones(len(rows), bool), rows, n, False)}
        values |= {name: scatter(columns[name], rows, n, np.nan) for name in ("ecal_x", "ecal_y")}
        values["cluster_type"] = scatter(cluster_type, rows, n, 0)
        values["cluster_id"] = scatter(cluster_id, rows, n, -1)
        values["outside_photon_efficiency"] = scatter(outside, rows, n, False)
        found = np.flatnonzero(cluster_type)
        clusters = {name: columns[name][found] for name in ("event_id", "particle_id")}
        clusters |= {"cluster_id": cluster_id[found], "cluster_type": cluster_type[found]}
        return batch.with_columns(self.writes["particles"], values).with_table(self.writes["clusters"], clusters)


def conditions(columns: Columns) -> dict[str, NDArray[Any]]:
    """What the model is told.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        As `lamarrpy.stages.photon_conditions.photons` gives them: all photons of whole events.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        `CONDITIONS`.
    """
    known = of_photons(columns)
    return {name: known[name] for name in CONDITIONS}


def can_be_found(columns: Columns) -> NDArray[np.bool_]:
    """Whether photons have the least transverse energy ``et`` [MeV] of a cluster, shape (n,)."""
    return np.asarray(columns["et"] >= calorimeter()["softest"])


def targets(columns: Columns) -> dict[str, NDArray[Any]]:
    """What is learned: the type of each photon's cluster, 0 if that is not its own.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        Of all photons of whole events: event_id, particle_id, cluster_id, -1 for none, and cluster_type; ecal_x,
        ecal_y, cluster_x, cluster_y [mm].

    Returns
    -------
    dict of str to ndarray, shape (n,)
        cluster_type: 0 not reconstructed, 1 single, 2 split; of photons with the same cluster that of the nearest.
    """
    return {"cluster_type": np.where(owns_cluster(columns), columns["cluster_type"], 0)}


def owns_cluster(columns: Columns) -> NDArray[np.bool_]:
    """Whether photons have a cluster that is not nearer to another photon of whose cluster it is, too, shape (n,)."""
    found = np.flatnonzero(columns["cluster_type"])
    some = {name: columns[name][found] for name in ("event_id", "cluster_id", "particle_id")}
    apart = [columns[f"cluster_{axis}"][found] - columns[f"ecal_{axis}"][found] for axis in "xy"]
    order = np.lexsort((some["particle_id"], np.hypot(*apart), some["cluster_id"], some["event_id"]))
    event, cluster = some["event_id"][order], some["cluster_id"][order]
    first = np.ones(len(order), bool)
    first[1:] = (event[1:] != event[:-1]) | (cluster[1:] != cluster[:-1])
    out = np.zeros(len(columns["cluster_type"]), bool)
    out[found[order[first]]] = True
    return out
