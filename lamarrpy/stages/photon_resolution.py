"""Photon resolution: position, energy and identification of clusters, learned from the Detailed Simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from lamarrpy.draws import Draws
from lamarrpy.stages.calorimeter_front import calorimeter, energy_resolution, sine
from lamarrpy.stages.photon_conditions import READ, mirror, photons
from lamarrpy.stages.photon_conditions import conditions as of_photons
from lamarrpy.stages.photon_efficiency import CONDITIONS as OF_EFFICIENCY
from lamarrpy.stages.trained import TrainedStage
from lamarrpy.tables import CLUSTERS, EventBatch, Schema
from lamarrpy.tables.linking import row_of

Columns = Mapping[str, NDArray[Any]]
Floats = NDArray[np.float64]

CONDITIONS = (*OF_EFFICIENCY, "pull_x", "pull_y", "far_pull_x", "far_pull_y")
"""What the model is told of the photon, as `lamarrpy.stages.photon_conditions.conditions` names it."""

PROBABILITIES = ("photon_id", "is_not_e", "is_not_h")
"""Outputs of classifiers, from 0 to 1."""

_UNSURE = 1e-9
"""Nearer to 0 or 1 their logits are not told apart."""


@dataclass(frozen=True)
class PhotonResolution(TrainedStage):
    """Draw what is measured of each cluster: position, energy, and how much it looks like a photon.

    By construction a cluster is no further from its photon, and no further from it in energy, than what counts as a
    match in the Detailed Simulation; its energy is positive, and the three probabilities are within 0 and 1.

    Parameters
    ----------
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

    stage: ClassVar[str] = "photon_resolution"
    parts: ClassVar[tuple[str, ...]] = ("photon",)

    @property
    def reads(self) -> Mapping[str, Schema]:
        """Clusters, and the generator-level photons that they are of."""
        return {
            "particles": READ,
            "clusters": CLUSTERS.only("event_id", "cluster_id", "particle_id", "cluster_type"),
        }

    @property
    def writes(self) -> Mapping[str, Schema]:
        """What is measured of each cluster."""
        return {"clusters": CLUSTERS.only("x", "y", "e", *PROBABILITIES, "outside_photon_resolution")}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Measure the clusters of a batch."""
        _, columns = photons(batch)
        keys = batch.arrays("clusters", "event_id", "particle_id")
        of = row_of(keys, (columns["event_id"], columns["particle_id"]), "photons that end on the calorimeter")
        seen = {name: values[of] for name, values in of_photons(columns).items() if name in CONDITIONS}
        seen["cluster_type"] = batch.array("clusters", "cluster_type")
        model, rows = self._model(self.parts[0]), draws.rows(*batch.arrays("clusters", "event_id", "cluster_id"))
        values = physical(model(seen, rows), {name: column[of] for name, column in columns.items()})
        return batch.with_columns(self.writes["clusters"], values | {"outside_photon_resolution": model.outside(seen)})


def conditions(columns: Columns) -> dict[str, NDArray[Any]]:
    """What the model is told.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        As `lamarrpy.stages.photon_conditions.photons` gives them: all photons of whole events; and cluster_type.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        `CONDITIONS` and cluster_type.
    """
    known = of_photons(columns)
    return {name: known[name] for name in CONDITIONS} | {"cluster_type": columns["cluster_type"]}


def targets(columns: Columns) -> dict[str, Floats]:
    """What is learned, of photons that have a cluster.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        ecal_x, ecal_y [mm] and p [MeV] of the photon; cluster_x, cluster_y [mm], cluster_e [MeV], photon_id, is_not_e
        and is_not_h of its cluster.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        energy: logarithm of its energy, 0 at the least and 1 at the largest that is matched. right: its distance in x,
        mirrored, over the largest that is matched; above: that in y over the largest at this distance in x; both from
        -1 to 1. The logits of the three probabilities.
    """
    sign, reach = mirror(columns), calorimeter()["matching"]["distance"]
    dx, dy = (sign[axis] * (columns[f"cluster_{axis}"] - columns[f"ecal_{axis}"]) / reach for axis in "xy")
    least, largest = _log_energies(columns)
    learned = {
        "energy": (np.log(columns["cluster_e"]) - least) / (largest - least),
        "right": dx,
        "above": dy / np.sqrt(1.0 - dx * dx),
    }
    return learned | {name: logit(np.clip(columns[name], _UNSURE, 1.0 - _UNSURE)) for name in PROBABILITIES}


def physical(learned: Columns, columns: Columns) -> dict[str, Floats]:
    """What is measured of clusters, of what was learned: the inverse of `targets`.

    Parameters
    ----------
    learned : mapping of str to ndarray, shape (n,)
        As `targets` gives it.
    columns : mapping of str to ndarray, shape (n,)
        ecal_x, ecal_y [mm] and p [MeV] of the photons, which can have a cluster.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        x, y [mm], e [MeV], photon_id, is_not_e, is_not_h.
    """
    sign, reach = mirror(columns), calorimeter()["matching"]["distance"]
    right = learned["right"]
    offset = {"x": right, "y": learned["above"] * np.sqrt(1.0 - right * right)}
    least, largest = _log_energies(columns)
    measured = {axis: columns[f"ecal_{axis}"] + reach * sign[axis] * offset[axis] for axis in "xy"}
    measured["e"] = np.exp(least + learned["energy"] * (largest - least))
    return measured | {name: expit(learned[name]) for name in PROBABILITIES}


def _log_energies(columns: Columns) -> tuple[Floats, Floats]:
    """Logarithms of the least and the largest energy [MeV] of a cluster that is matched with a photon, shape (n,)."""
    p = columns["p"]
    window = calorimeter()["matching"]["standard_deviations"] * energy_resolution(p)
    least = calorimeter()["softest"] / sine(columns["ecal_x"], columns["ecal_y"])
    return np.log(np.maximum(p - window, least)), np.log(p + window)
