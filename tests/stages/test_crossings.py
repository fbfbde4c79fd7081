"""How charged particles cross the tracking system, as the models of acceptance and efficiency are told."""

from __future__ import annotations

import numpy as np
import pytest
from crossing_models import CROSSINGS

from lamarrpy.particles import charge
from lamarrpy.shipped import shipped
from lamarrpy.stages.crossings import READS, crossings, edges
from lamarrpy.tables import EventBatch
from lamarrpy.yaml_file import read_yaml


def columns(batch: EventBatch) -> dict[str, np.ndarray]:
    return dict(zip(READS, batch.arrays("particles", *READS), strict=True))


def mirrored(known: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same particles behind a mirror in x."""
    return {name: -values if name.startswith(("x", "tx")) else values for name, values in known.items()}


def test_columns_are_finite_and_bounded(gun):
    told = crossings(columns(gun(4000, p=(1e3, 200e3), eta=(1.6, 5.2))))
    assert tuple(told) == CROSSINGS
    assert all(np.isfinite(values).all() for values in told.values())
    for name in ("tt_hole", "tt_outer", "t_hole", "t_outer", "pipe_end", "before_tt", "origin_z", "origin_r"):
        assert np.abs(told[name]).max() <= 1.0


def test_the_other_polarity_is_the_mirror_image(gun):
    """But for the VELO, whose halves are not mirror images of each other, and which knows no magnet."""
    known = columns(gun(4000))
    there, here = crossings(mirrored(known), "MagDown"), crossings(known, "MagUp")
    for name in CROSSINGS:
        if name.startswith("velo"):
            assert np.mean(there[name] == here[name]) > 0.1
            assert np.abs(there[name] - here[name]).max() < 2
        else:
            assert np.array_equal(there[name], here[name]), name


def test_side_is_where_the_magnet_bends_to(gun):
    known = columns(gun(2000, p=3e3, eta=(2.5, 4.0)))
    for polarity, sign in (("MagUp", 1.0), ("MagDown", -1.0)):
        position = crossings(known, polarity)["side_x_t"]
        assert sign * np.median(position) > 0.2
    assert {-1.0, 1.0} == set(charge(known["pid"]))


def test_what_does_not_get_to_the_stations_is_beyond_their_edges(gun):
    known = columns(gun(500))
    for plane in ("mid_tt", "mid_t"):
        for what in ("x", "y", "tx", "ty"):
            known[f"{what}_{plane}"] = np.full(500, np.nan)
    told = crossings(known)
    for name in ("tt_hole", "tt_outer", "t_hole", "t_outer"):
        assert (told[name] < -0.9).all()
    assert (told["side_x_t"] == 2.0).all()


@pytest.mark.parametrize(("x", "y", "hole", "outer"), [(0.0, 0.0, -1, 1), (500.0, 0.0, 1, 1), (0.0, 2500.0, 1, -1)])
def test_room_says_which_edge_is_near(gun, x, y, hole, outer):
    known = columns(gun(1, p=20e3))
    for name, value in (("x", x), ("y", y), ("tx", 0.0), ("ty", 0.0)):
        known[f"{name}_mid_t"] = np.array([value])
    told = crossings(known)
    assert np.sign(told["t_hole"][0]) == hole
    assert np.sign(told["t_outer"][0]) == outer


def test_harder_particles_see_sharper_edges(gun):
    known = columns(gun(1))
    for name, value in (("x", 2990.0), ("y", 0.0), ("tx", 0.0), ("ty", 0.0)):
        known[f"{name}_mid_t"] = np.array([value])
    soft, hard = (crossings({**known, "p": np.array([p])})["t_outer"][0] for p in (2e3, 50e3))
    assert hard < soft < 0.0


@pytest.mark.parametrize(
    ("x", "z", "tx", "modules"),
    [
        (0.0, 0.0, 0.1, 7),  # from r = 8.17 at z = 81.7 to r = 41.9 at z = 419: 95 ... 275
        (0.0, 0.0, 0.02, 5),  # from z = 408: 435, 585, 635, 685, 735
        (0.0, 0.0, -0.02, 5),  # the other half, 15 mm further downstream
        (20.0, 600.0, 0.02, 3),
        (20.0, 640.0, 0.02, 2),
        (0.0, 700.0, 0.02, 0),
        (50.0, 100.0, 0.02, 0),
        (30.0, 420.0, -0.15, 3),  # 435 inwards, through the hole, outwards 700 and 750 of the other half
        (30.0, 420.0, -0.01, 5),  # inwards, not so far as the hole
        (30.0, 440.0, 0.02, 4),
        (-30.0, 440.0, -0.02, 5),  # whose module of 435 stands at 450
    ],
)
def test_velo_modules_on_the_way(gun, x, z, tx, modules):
    known = {**columns(gun(1)), **{name: np.array([v]) for name, v in (("x", x), ("y", 0.0), ("z", z), ("tx", tx))}}
    known["ty"] = np.zeros(1)
    told = crossings(known)
    assert told["velo_modules"][0] == modules
    assert abs(told["velo_path"][0] - told["velo_modules"][0]) <= 1.0


def test_edges_are_those_of_the_detailed_simulation():
    detector, at = read_yaml(shipped("models", "detailed", "detector.yaml")), edges()
    velo = {name: entry["value"] for name, entry in detector["velo"].items()}
    assert at.modules.tolist() == velo["module_z"]
    assert list(at.radius) == velo["radius"]
    assert at.right_offset == velo["right_offset"]
    (pipe,) = (cone for cone in detector["beam_pipe"] if cone["name"] == "pipe_25mrad")
    assert (list(at.pipe_z), at.pipe_slope) == (pipe["z"], pipe["slope"])
    assert list(at.tt.outer) == detector["tt"]["half_size"]["value"]
    assert list(at.tt.hole) == detector["tt"]["hole"]["value"]
    assert list(at.t.outer) == detector["ot"]["half_size"]["value"]
    assert at.t.z[0] in detector["it"]["layer_z"]["value"][0]
    assert at.t.z[1] in detector["ot"]["layer_z"]["value"][2]
