"""What a trained model is on disk and in memory: manifest, transforms, backends."""

from lamarrpy.parameterization.parameterization import Classifier, Generator, Parameterization, load

__all__ = ["Classifier", "Generator", "Parameterization", "load"]
