"""The description: complete, ordered, with sources; and what its areas contain."""

from dataclasses import replace

import numpy as np
import pytest

from lamarrpy.detailed.geometry import Kind, Plane, lhcb_detector
from lamarrpy.detailed.geometry.shapes import Box, Ring
from lamarrpy.errors import ConfigError
from lamarrpy.shipped import shipped
from lamarrpy.yaml_file import read_yaml


def leaves(block):
    """Every entry that holds numbers: a mapping with a value, or a whole material, sheet or wall."""
    if isinstance(block, list):
        return [leaf for entry in block for leaf in leaves(entry)]
    if any(not isinstance(value, dict | list) for value in block.values()) or "value" in block:
        return [block]
    return [leaf for entry in block.values() for leaf in leaves(entry)]


def test_every_number_has_a_source():
    found = leaves(read_yaml(shipped("models", "detailed", "detector.yaml")))
    assert len(found) > 70
    for leaf in found:
        assert leaf["source"], leaf
        assert leaf["confidence"] in ("high", "medium", "low"), leaf


def test_every_tuned_number_has_a_reason():
    assert all(entry["reason"] for entry in read_yaml(shipped("models", "detailed", "tuning.yaml")).values())


def test_numbers_of_planes():
    kinds = [plane.sensor.kind for plane in lhcb_detector().planes if plane.sensor]
    assert kinds.count(Kind.velo_r) == kinds.count(Kind.velo_phi) == 42
    assert kinds.count(Kind.strip) == 4 + 12
    assert kinds.count(Kind.straw) == 12
    z = [plane.z for plane in lhcb_detector().planes]
    assert z == sorted(set(z))


def test_planes_have_to_be_in_order():
    detector = lhcb_detector()
    with pytest.raises(ConfigError, match="increasing z, got b at 2"):
        replace(detector, planes=(Plane("b", "x", 2.0), Plane("a", "x", 1.0)))
    with pytest.raises(ConfigError, match="one wall behind the other"):
        replace(detector, walls=detector.walls[::-1])


def test_unknown_plane():
    with pytest.raises(KeyError, match="no plane of the name 'tt'"):
        lhcb_detector().plane_number("tt")


def active(name, x, y):
    detector = lhcb_detector()
    sensor = detector.planes[detector.plane_number(name)].sensor
    return sensor.contains(np.array([x]), np.array([y]))[0]


def test_halves_of_the_velo_overlap_a_little():
    assert active("velo_left_5_r", 20.0, 0.0)
    assert not active("velo_left_5_r", -20.0, 0.0)
    assert active("velo_right_5_phi", -20.0, 0.0)
    assert active("velo_left_5_r", -0.3, 20.0)
    assert active("velo_right_5_r", -0.3, 20.0)
    assert not active("velo_left_5_r", 5.0, 0.0)
    assert not active("velo_left_5_r", 43.0, 0.0)


def test_the_inner_tracker_fills_the_hole_of_the_outer():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-600.0, 600.0, 20_000), rng.uniform(-210.0, 210.0, 20_000)
    detector = lhcb_detector()
    it, ot = (detector.planes[detector.plane_number(name)].sensor for name in ("it_1_x1", "ot_1_x1"))
    neither = ~it.contains(x, y) & ~ot.contains(x, y)
    assert np.all((np.abs(x[neither]) < 98.0) & (np.abs(y[neither]) < 105.0))
    assert not active("tt_a_x", 20.0, 20.0)
    assert active("tt_a_x", 60.0, 0.0)


def test_shapes_by_hand():
    x, y = np.array([1.0, -1.0, 3.0, 0.0]), np.array([0.0, 0.5, 0.0, 2.0])
    assert Box((0.5, 2.0), (0.0, 1.0)).contains(x, y).tolist() == [True, True, False, False]
    assert Ring((0.5, 2.5), side=1).contains(x, y).tolist() == [True, False, False, True]


def test_picture(tmp_path):
    from lamarrpy.detailed.geometry.drawing import draw

    draw(lhcb_detector(), tmp_path / "detector.png")
    assert (tmp_path / "detector.png").read_bytes()[:4] == b"\x89PNG"
