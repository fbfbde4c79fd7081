from __future__ import annotations

import pytest

from lamarrpy.constants import constants
from lamarrpy.errors import ConfigError

EFFECTS = ("primary_vertex", "occupancy", "efficiency", "track_state", "track_quality", "is_muon", "global_pid")


def sourced(content: dict) -> int:
    """Number of entries that name their source, all of which must say how far it can be trusted."""
    count = 0
    if "source" in content and isinstance(content["source"], str):
        assert content["source"].strip()
        assert content["confidence"].split(";")[0].split()[0] in ("high", "medium", "low")
        count += 1
    return count + sum(sourced(value) for value in content.values() if isinstance(value, dict))


@pytest.mark.parametrize("effect", EFFECTS)
def test_numbers_have_sources(effect):
    assert sourced(constants(effect)) >= 1


def test_unknown_effect():
    with pytest.raises(ConfigError, match=r"models/parametric/teleportation\.yaml"):
        constants("teleportation")
