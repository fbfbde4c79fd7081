"""Who is who: RICH, muon stations and calorimeters together."""

from lamarrpy.detailed.identification.answer import Identified, identify

__all__ = ["Identified", "identify"]
