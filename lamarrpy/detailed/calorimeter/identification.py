"""Neutral clusters as photons, not electrons, not hadrons: classifiers trained on clusters of this simulation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.calorimeter.answer import CalorimeterAnswer, Clusters
from lamarrpy.detailed.calorimeter.cells import ecal
from lamarrpy.detailed.classifier import Classifier

Array = NDArray[np.float64]

CLASSIFIERS = ("photon_id", "is_not_e", "is_not_h")
"""Photons against all else, against electrons, and against hadrons."""

_LEAST = 1.0
"""Energy [MeV] below which a cluster is no weaker than this; its logarithm is a feature."""


def cluster_features(clusters: Clusters) -> dict[str, Array]:
    """What the classifiers look at, columns of shape (k,); `models/detailed/photon_id` has their units.

    Parameters
    ----------
    clusters : Clusters
        k neutral clusters.
    """
    columns = {
        "e": np.maximum(clusters.e, _LEAST),
        "cell_size": ecal().size[clusters.cell],
        "split": clusters.cluster_type == 2,
        "track_chi2": clusters.track_chi2,
        "ps_e": np.maximum(clusters.ps_e, 0.0),
        "spd": clusters.spd,
        "seed_share": clusters.seed_share,
        "square_share": clusters.square_share,
        "spread": np.maximum(clusters.spread, 0.0),
        "shape_chi2": np.maximum(clusters.shape_chi2, 0.0),
        "hcal_share": np.maximum(clusters.hcal_share, 0.0),
    }
    return {name: np.asarray(values, np.float64) for name, values in columns.items()}


def identify_clusters(answer: CalorimeterAnswer) -> dict[str, Array]:
    """How much each of k neutral clusters is a photon, no electron, no hadron.

    Parameters
    ----------
    answer : CalorimeterAnswer
        Of the calorimeters.

    Returns
    -------
    dict of str to ndarray of shape (k,)
        ``photon_id``, ``is_not_e`` and ``is_not_h``, in [0, 1]: probabilities where photons and the others come in
        the proportions of b-bbar events.

    Raises
    ------
    ArtifactError
        If a classifier is not there, or is not the one that its manifest describes.
    """
    columns = cluster_features(answer.clusters)
    out = {}
    for name in CLASSIFIERS:
        classifier = Classifier.load(name)
        out[name] = classifier(columns)[:, classifier.manifest.classes.index("photon")]
    return out
