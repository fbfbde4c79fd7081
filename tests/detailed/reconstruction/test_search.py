"""The windows of the track finding in tuning.yaml."""

import pytest

from lamarrpy.detailed.reconstruction import search
from lamarrpy.errors import ConfigError


def test_shipped_values_are_there():
    windows = search.shipped_search()
    assert 0.5 < windows.purity < 1.0
    assert all(value >= 0.0 for value in vars(windows).values())


def test_missing_and_unknown_entries_are_named(monkeypatch):
    found = dict(vars(search.shipped_search()), made_up=1.0)
    del found["match_y"]
    monkeypatch.setattr(search, "tuning", lambda part: found)
    with pytest.raises(ConfigError, match="find_made_up, find_match_y"):
        search.shipped_search()
