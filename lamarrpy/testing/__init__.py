"""Public conformance tests: what every stage, shipped or one's own, must pass."""

from lamarrpy.testing.events import example_events
from lamarrpy.testing.parameterizations import check_parameterization
from lamarrpy.testing.stages import check_stage

__all__ = ["check_parameterization", "check_stage", "example_events"]
