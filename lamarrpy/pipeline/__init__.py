"""From a pipeline file to simulated events: spec, column check, partitions, executors, outputs."""

from lamarrpy.pipeline.files import RunOptions, RunResult, run_files
from lamarrpy.pipeline.memory import run
from lamarrpy.pipeline.pipeline import Pipeline
from lamarrpy.pipeline.spec import load_pipeline

__all__ = ["Pipeline", "RunOptions", "RunResult", "load_pipeline", "run", "run_files"]
