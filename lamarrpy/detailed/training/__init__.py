"""Training samples: for each stage of a flash simulation, what it is given and what it is to answer."""

from lamarrpy.detailed.training.stages import STAGES, StageSample
from lamarrpy.detailed.training.writing import write_training_samples

__all__ = ["STAGES", "StageSample", "write_training_samples"]
