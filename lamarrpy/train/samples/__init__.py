"""What the stages of a flash simulation learn from, out of the tables of the Detailed Simulation."""

from lamarrpy.train.samples.tables import SAMPLES, Sample
from lamarrpy.train.samples.writing import write_training_samples

__all__ = ["SAMPLES", "Sample", "write_training_samples"]
