"""The registry of fields, and what all of them have in common."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from lamarrpy.errors import ConfigError
from lamarrpy.field import FIELDS, Lhcb, MagneticField, Uniform, magnetic_field, write_grid


@pytest.fixture(params=FIELDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def both(kind: str, tmp_path: Path) -> list[MagneticField]:
    settings = {}
    if kind == "grid":
        write_grid(Lhcb(), tmp_path / "map.npz", [-2000, 0, 2000], [-2000, 0, 2000], np.arange(0, 10_001, 500))
        settings = {"file": tmp_path / "map.npz"}
    return [magnetic_field(kind, polarity, **settings) for polarity in ("MagUp", "MagDown")]


def test_polarity_flips_the_sign(both: list[MagneticField], kind: str) -> None:
    at = np.random.default_rng(1).uniform([[-900.0], [-900.0], [0.0]], [[900.0], [900.0], [9000.0]], (3, 300))
    up, down = (np.array(field(*at)) for field in both)
    np.testing.assert_array_equal(up, -down)
    if kind != "none":
        assert both[0](0.0, 0.0, 5000.0)[1] > 0.5  # MagUp is up


def test_in_one_plane_every_field_is_the_same(both: list[MagneticField]) -> None:
    x, y = np.random.default_rng(2).uniform(-900.0, 900.0, (2, 200))
    for field in both:
        at_plane, in_space = field.at_plane(4600.0)(x, y), field(x, y, 4600.0)
        for one, other in zip(at_plane, in_space, strict=True):
            assert np.max(np.abs(one - other)) < 1.5e-6


def test_broadcasting_shapes_and_dtypes(both: list[MagneticField]) -> None:
    for b in both[0](np.zeros((4, 1), np.float32), 1, [4000, 5000, 6000]):
        assert b.shape == (4, 3)
        assert b.dtype == np.float64
    assert [b.shape for b in both[0](0, 0, 5000)] == [()] * 3


def test_fields_can_be_pickled(both: list[MagneticField]) -> None:
    copy = pickle.loads(pickle.dumps(both[1]))
    np.testing.assert_array_equal(copy(0.0, 300.0, 4000.0), both[1](0.0, 300.0, 4000.0))


def test_settings_reach_the_field() -> None:
    assert magnetic_field("uniform", bx=0.1, by=0.2, bz=0.3) == Uniform(bx=0.1, by=0.2, bz=0.3)
    assert magnetic_field("uniform", "MagDown", by=0.5)(0, 0, 0) == (0.0, -0.5, 0.0)


def test_wrong_names_and_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="got 'lhbc'; did you mean 'lhcb'"):
        magnetic_field("lhbc")
    with pytest.raises(ConfigError, match="polarity MagUp or MagDown, got 'up'"):
        magnetic_field("lhcb", "up")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"uniform.*strength"):
        magnetic_field("uniform", strength=1.0)
    with pytest.raises(ConfigError, match=r"grid.*file"):
        magnetic_field("grid")
