from __future__ import annotations

import importlib.util
from types import ModuleType
from typing import Any

import pytest

from lamarrpy.shipped import shipped


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, shipped("models", "parametric", f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def fits() -> ModuleType:
    return script("fit_tracking")


def assert_carried(carried: Any, made: Any, path: str) -> None:
    if isinstance(made, dict):
        for key, value in made.items():
            assert_carried(carried[key], value, f"{path}.{key}")
    elif isinstance(made, list):
        assert len(carried) == len(made), path
        for at, value in enumerate(made):
            assert_carried(carried[at], value, f"{path}[{at}]")
    else:
        assert carried == pytest.approx(made, rel=2e-4, abs=1e-6), path


@pytest.mark.parametrize("name", ["efficiency", "track_state", "track_quality"])
def test_files_carry_what_the_fits_make(fits, name):
    assert_carried(fits.load(name), getattr(fits, name)(), name)


def test_long_efficiency_is_near_its_points(fits):
    """To 0.03 from 3 GeV, but for the hole of the T stations (20 GeV, eta > 4.4), which the points smooth over."""
    assert fits.largest_miss(fits.load("efficiency"), fits.efficiency()) < 0.047
    for kind, order in (("muon", fits.LOW_ORDER), ("hadron", fits.HADRON_ORDER)):
        data = fits.load("efficiency")
        points = fits.long_points(kind, data)
        miss = points.fitted([c for *_, c in data["long"][kind]], order) - points.value
        assert abs(miss[(points.p >= 3) & ((points.p != 20) | (points.h < 0.8))]).max() < 0.032
