"""The Cherenkov detectors: photons of all particles, and what they say of the species of each track."""

from lamarrpy.detailed.rich.answer import RichAnswer, observe

__all__ = ["RichAnswer", "observe"]
