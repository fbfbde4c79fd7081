"""Public conformance tests: what every stage, shipped or one's own, must pass."""

from lamarrpy.testing.events import example_events
from lamarrpy.testing.stages import check_stage

__all__ = ["check_stage", "example_events"]
