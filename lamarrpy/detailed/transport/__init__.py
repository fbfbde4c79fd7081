"""Charged particles on their way through field and matter: the truth of the Detailed Simulation."""

from lamarrpy.detailed.transport.arrivals import Arrivals
from lamarrpy.detailed.transport.conversions import Conversions
from lamarrpy.detailed.transport.journey import transport
from lamarrpy.detailed.transport.matter import Physics
from lamarrpy.detailed.transport.origins import Particles, Refused, charged_particles
from lamarrpy.detailed.transport.truth import Daughters, Fate, Photons, PlaneCrossings, Truth

__all__ = [
    "Arrivals",
    "Conversions",
    "Daughters",
    "Fate",
    "Particles",
    "Photons",
    "Physics",
    "PlaneCrossings",
    "Refused",
    "Truth",
    "charged_particles",
    "transport",
]
