"""The calorimeters: SPD, PS, ECAL and HCAL, clusters of neutral particles and energies of tracks."""

from lamarrpy.detailed.calorimeter.answer import CalorimeterAnswer, ChargedEnergies, Clusters
from lamarrpy.detailed.calorimeter.identification import identify_clusters
from lamarrpy.detailed.calorimeter.likelihoods import charged_dlls
from lamarrpy.detailed.calorimeter.observation import observe
from lamarrpy.detailed.calorimeter.truth import Matching, TruePhotons, match_photons, true_photons

__all__ = [
    "CalorimeterAnswer",
    "ChargedEnergies",
    "Clusters",
    "Matching",
    "TruePhotons",
    "charged_dlls",
    "identify_clusters",
    "match_photons",
    "observe",
    "true_photons",
]
