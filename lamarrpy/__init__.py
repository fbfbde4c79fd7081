"""lamarrpy: the open flash simulation of the LHCb experiment.

From generator-level particles straight to the analysis level: tracks with covariances and particle
identification, through a pipeline of parameterized detector effects.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lamarrpy.draws import Draws
    from lamarrpy.errors import LamarrpyError
    from lamarrpy.io import read_batch
    from lamarrpy.pipeline import Pipeline, RunOptions, load_pipeline, run, run_files
    from lamarrpy.stages import STAGES, Stage
    from lamarrpy.tables import Column, EventBatch, Schema

__version__ = "0.1.0"

_HOME = {
    "Column": "lamarrpy.tables",
    "Draws": "lamarrpy.draws",
    "EventBatch": "lamarrpy.tables",
    "LamarrpyError": "lamarrpy.errors",
    "Pipeline": "lamarrpy.pipeline",
    "RunOptions": "lamarrpy.pipeline",
    "STAGES": "lamarrpy.stages",
    "Schema": "lamarrpy.tables",
    "Stage": "lamarrpy.stages",
    "load_pipeline": "lamarrpy.pipeline",
    "read_batch": "lamarrpy.io",
    "run": "lamarrpy.pipeline",
    "run_files": "lamarrpy.pipeline",
}
"""The public names and where they live; each is imported when it is first asked for."""

__all__ = [
    "STAGES",
    "Column",
    "Draws",
    "EventBatch",
    "LamarrpyError",
    "Pipeline",
    "RunOptions",
    "Schema",
    "Stage",
    "load_pipeline",
    "read_batch",
    "run",
    "run_files",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'lamarrpy' has no attribute {name!r}; it has: {', '.join(__all__)}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
