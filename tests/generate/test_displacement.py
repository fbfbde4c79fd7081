"""Displaced origins: on the way of the mother, inside the cylinder, without touching anything else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.generate import generate, load_recipe
from lamarrpy.generate.displacement import Displacement, displaced, turned

HALL = {"radius": 2000.0, "z": [-500.0, 9300.0]}


def recipe(**settings):
    return Displacement.model_validate({"way": {"kind": "uniform", "low": 0.0, "high": 1.0}, **HALL, **settings})


def streams(n):
    return Draws(3, "test").rows(np.arange(n))


def directions(n):
    vectors = np.random.default_rng(5).normal(size=(3, n))
    return vectors / np.sqrt((vectors**2).sum(axis=0))


@given(st.floats(0.0, np.pi), st.floats(0.0, 2.0 * np.pi))
def test_turning_is_by_the_angle(angle, azimuth):
    along = directions(50)
    aside = turned(7.0 * along, np.full(50, angle), np.full(50, azimuth))
    assert np.allclose((aside**2).sum(axis=0), 1.0)
    assert np.allclose((aside * along).sum(axis=0), np.cos(angle))


def test_the_azimuth_goes_all_around():
    along = directions(1)
    turn = np.linspace(0.0, 2.0 * np.pi, 101)[:-1]
    aside = turned(np.repeat(along, 100, axis=1), np.full(100, 0.5 * np.pi), turn)
    assert np.allclose(aside.mean(axis=1), 0.0)


def test_the_whole_way_ends_at_the_edge_and_no_way_at_the_vertex():
    n, origin = 500, np.array([[0.7], [-0.3], [40.0]])
    momentum, start = directions(n), np.repeat(origin, n, axis=1)
    x, y, z = displaced(start, momentum, recipe(way=1.0), streams(n))
    r = np.hypot(x, y)
    at_side, at_end = np.isclose(r, 2000.0), np.isclose(z, 9300.0) | np.isclose(z, -500.0)
    assert (at_side | at_end).all()
    assert at_side.any()
    assert at_end.any()
    assert (displaced(start, momentum, recipe(way=0.0), streams(n)) == start).all()


def test_without_an_angle_the_particle_flies_on_along_its_way():
    n = 500
    momentum, start = directions(n), np.zeros((3, n))
    way = displaced(start, momentum, recipe(), streams(n))
    length = np.sqrt((way**2).sum(axis=0))
    assert np.allclose(way, length * momentum)
    whole = np.sqrt((displaced(start, momentum, recipe(way=1.0), streams(n)) ** 2).sum(axis=0))
    assert np.mean(length / whole) == pytest.approx(0.5, abs=0.05)


def test_what_starts_outside_stays_there():
    start = np.array([[3000.0], [0.0], [0.0]])
    assert (displaced(start, np.array([[0.0], [0.0], [1.0]]), recipe(), streams(1)) == start).all()


def test_momenta_stay_those_of_the_gun():
    content = load_recipe("corners").model_dump(exclude_unset=True)
    content["displacement"] = None
    near, far = (next(iter(generate(r, events=20))) for r in (content, "corners"))
    for name in ("px", "py", "pz", "pid"):
        assert np.array_equal(near.array("particles", name), far.array("particles", name))
    assert (near.array("particles", "z") != far.array("particles", "z")).mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"way": {"kind": "uniform", "low": 0.0, "high": 2.0}}, r"way: expected shares between 0 and 1, got .* to 2"),
        ({"z": [1.0, 0.0]}, "z: expected two ends in their order"),
        ({"radius": 0.0}, "radius"),
    ],
)
def test_mistakes_are_named(settings, message):
    gun = {"kind": "particle_gun", "species": {"pi+": 1.0}, "p": 5e3, "eta": 3.0}
    with pytest.raises(ConfigError, match=message):
        load_recipe({**gun, "displacement": {"way": 0.5, **HALL, **settings}})


def test_corners_are_filled():
    batch = next(iter(generate("corners", events=200)))
    px, py, pz, x, y, z, pid = batch.arrays("particles", "px", "py", "pz", "x", "y", "z", "pid")
    p, eta = np.sqrt(px**2 + py**2 + pz**2), np.arctanh(pz / np.sqrt(px**2 + py**2 + pz**2))
    assert p.min() >= 500.0
    assert p.max() <= 2e5
    cells, _, _ = np.histogram2d(np.log(p), eta, bins=5, range=((np.log(500.0), np.log(2e5)), (1.0, 6.0)))
    assert cells.min() > 200
    assert set(np.abs(pid)) == {11, 13, 211, 321, 2212}
    displaced_ones = np.abs(z) > 400.0
    assert displaced_ones.mean() > 0.25
    assert (z < 9300.0).all()
    assert (z > 7500.0).mean() > 0.01
    assert np.hypot(x, y).max() < 2001.0


@pytest.mark.parametrize(("name", "mother"), [("ks_pipi", 310), ("lambda_ppi", 3122)])
def test_v0s_decay_in_and_behind_the_velo(name, mother):
    batch = next(iter(generate(name, events=500)))
    pid, mother_id, z = batch.arrays("particles", "pid", "mother_id", "z")
    assert (np.abs(pid[mother_id < 0]) == mother).all()
    daughters = z[mother_id >= 0]
    assert len(daughters) == 1000
    assert 0.2 < np.mean(daughters < 400.0) < 0.8
    assert np.mean(daughters > 1000.0) > 0.1
    assert np.mean(daughters > 9400.0) < 0.06
