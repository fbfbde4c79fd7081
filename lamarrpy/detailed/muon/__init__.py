"""The muon system: who comes through calorimeters and iron, and what its stations say of the tracks."""

from lamarrpy.detailed.muon.likelihoods import likelihoods
from lamarrpy.detailed.muon.observation import MuonAnswer, observe

__all__ = ["MuonAnswer", "likelihoods", "observe"]
