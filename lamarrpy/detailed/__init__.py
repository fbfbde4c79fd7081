"""The open Detailed Simulation: charged particles through field and material, and the hits that they leave."""

from lamarrpy.detailed.description import lhcb_detector
from lamarrpy.detailed.detector import Detector, Kind, Plane, Region, Sensor, Wall
from lamarrpy.detailed.hits import Hits, measure
from lamarrpy.detailed.journey import transport
from lamarrpy.detailed.matter import Physics
from lamarrpy.detailed.origins import ChargedParticles, Refused, charged_particles
from lamarrpy.detailed.truth import Fate, Photons, PlaneCrossings, Truth

__all__ = [
    "ChargedParticles",
    "Detector",
    "Fate",
    "Hits",
    "Kind",
    "Photons",
    "Physics",
    "Plane",
    "PlaneCrossings",
    "Refused",
    "Region",
    "Sensor",
    "Truth",
    "Wall",
    "charged_particles",
    "lhcb_detector",
    "measure",
    "transport",
]
