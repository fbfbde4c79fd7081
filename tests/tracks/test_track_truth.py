"""The true end of tracks: closed forms, the adaptive integrator, symmetries, and what cannot be known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamarrpy.errors import DomainError
from lamarrpy.field import Grid, magnetic_field
from lamarrpy.propagation import State, dormand_prince
from lamarrpy.propagation.motion import KAPPA
from lamarrpy.tracks import true_end, truth
from lamarrpy.tracks.truth import Limits

UM = 1e-3


def box(n, seed=1, half_x=1200.0, half_y=1000.0, p=(2e3, 1e5), z=4000.0):
    rng = np.random.default_rng(seed)
    x, y, tx, ty = (rng.uniform(-half, half, n) for half in (half_x, half_y, 0.3, 0.25))
    qop = rng.choice([-1.0, 1.0], n) / np.exp(rng.uniform(*np.log(p), n))
    return State(x, y, np.full(n, z), tx, ty, qop)


def columns(state):
    return np.array([state.x, state.y, state.tx, state.ty])


def assert_same(one, other, position, slope):
    assert np.max(np.abs(one.x - other.x)) < position
    assert np.max(np.abs(one.y - other.y)) < position
    assert np.max(np.abs(one.tx - other.tx)) < slope
    assert np.max(np.abs(one.ty - other.ty)) < slope


def exact(start, dz, field, tolerance=1e-9):
    z = start.z + dz
    return dormand_prince(start, [z], field, tolerance).state(0, z, start.qop)


def test_a_helix():
    """In a uniform By, u = px/p falls by kappa q/p By dz, and x follows a circle."""
    start, dz = box(300, p=(5e3, 1e5)), np.full(300, 8000.0)
    there = true_end(start, dz, magnetic_field("uniform", by=0.5))
    norm = np.sqrt(1.0 + start.tx**2 + start.ty**2)
    u, v, bend = start.tx / norm, start.ty / norm, KAPPA * start.qop * 0.5
    after = u - bend * dz
    before_z, after_z = np.sqrt(1.0 - u**2 - v**2), np.sqrt(1.0 - after**2 - v**2)
    x = start.x + (after_z - before_z) / bend
    y = start.y + v * (np.arcsin(u / np.sqrt(1 - v**2)) - np.arcsin(after / np.sqrt(1 - v**2))) / bend
    assert there.reaches.all()
    assert there.converged.all()
    assert_same(there.end, State(x, y, start.z + dz, after / after_z, v / after_z, start.qop), 1e-5, 1e-8)


def test_straight_without_field_or_charge():
    start, dz = box(50), np.linspace(0.0, 9000.0, 50)
    for there in (
        true_end(start, dz, magnetic_field("none")),
        true_end(start._replace(qop=np.zeros(50)), dz, magnetic_field("lhcb")),
    ):
        assert_same(there.end, start._replace(x=start.x + start.tx * dz, y=start.y + start.ty * dz), 1e-8, 1e-12)


@pytest.mark.parametrize("kind", ["lhcb", "dipole_pair"])
def test_as_the_adaptive_integrator(kind):
    field = magnetic_field(kind)
    start, dz = box(400), np.full(400, 8000.0)
    there = true_end(start, dz, field, planes=(4000.0, 12000.0))
    assert there.reaches.all()
    assert there.converged.all()
    assert_same(there.end, exact(start, dz, field), 0.01 * UM, 1e-8)


def test_as_the_adaptive_integrator_from_anywhere_to_anywhere():
    field, n = magnetic_field("lhcb"), 300
    rng = np.random.default_rng(3)
    start = box(n, z=0.0)._replace(z=rng.uniform(-200.0, 7000.0, n))
    start = start._replace(x=0.05 * start.x, y=0.05 * start.y)
    dz = rng.uniform(1.0, 12000.0, n)
    assert_same(true_end(start, dz, field).end, exact(start, dz, field), 0.01 * UM, 1e-8)


def test_tracks_that_cross_the_border_of_the_lhcb_field():
    """There the field has a kink, which lowers the order of a step across it."""
    field = magnetic_field("lhcb")
    start = box(150, half_y=1500.0)
    start = start.at(np.abs(start.y) > 1300.0)
    dz = np.full(len(start.x), 8000.0)
    there = true_end(start, dz, field)
    assert there.converged.all()
    assert_same(there.end, exact(start, dz, field, 1e-10), 0.02 * UM, 1e-8)


def test_a_field_map():
    x, z = np.linspace(-4000.0, 4000.0, 11), np.linspace(4000.0, 7000.0, 5)
    mesh = np.meshgrid(x, x, z, indexing="ij")
    field = Grid(x=x, y=x, z=z, field=np.stack(magnetic_field("lhcb")(*mesh), axis=-1))
    start, dz = box(12, p=(1e4, 1e5)), np.full(12, 3000.0)
    there = true_end(start, dz, field, position=0.1 * UM, slope=1e-7)
    assert there.converged.all()
    assert_same(there.end, exact(start, dz, field, 1e-7), 0.2 * UM, 2e-7)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["lhcb", "dipole_pair"]))
def test_the_opposite_charge_in_the_opposite_field_goes_the_same_way(seed, kind):
    start, dz = box(10, seed), np.full(10, 5000.0)
    one = true_end(start, dz, magnetic_field(kind, "MagUp"))
    other = true_end(start._replace(qop=-start.qop), dz, magnetic_field(kind, "MagDown"))
    assert np.array_equal(columns(one.end), columns(other.end), equal_nan=True)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, 14), min_size=1, max_size=20))
def test_a_track_does_not_depend_on_the_others(rows):
    field = magnetic_field("lhcb")
    start = box(15, z=0.0)._replace(z=np.linspace(-200.0, 6000.0, 15))
    dz = np.linspace(9000.0, 100.0, 15)
    alone = true_end(start.at(rows), dz[rows], field, planes=(2485.0, 9410.0))
    together = true_end(start, dz, field, planes=(2485.0, 9410.0))
    assert np.array_equal(columns(alone.end), columns(together.end)[:, rows], equal_nan=True)
    assert np.array_equal(alone.converged, together.converged[rows])


def test_planes_make_no_difference():
    field, start, dz = magnetic_field("lhcb"), box(100), np.full(100, 8000.0)
    with_planes = true_end(start, dz, field, planes=(4000.0, 7777.0, 12000.0))
    assert_same(with_planes.end, true_end(start, dz, field).end, 0.01 * UM, 1e-8)


def test_tracks_that_curl():
    start, dz = box(40, p=(300.0, 400.0)), np.full(40, 8000.0)
    there = true_end(start, dz, magnetic_field("uniform", by=1.0))
    assert not there.reaches.any()
    assert there.converged.all()
    assert np.isnan(columns(there.end)).all()
    steep = start._replace(tx=np.full(40, 6.0))
    assert not true_end(steep, dz, magnetic_field("none")).reaches.any()


def test_tracks_that_pass_a_pole_do_not_count_as_curling(monkeypatch):
    """Long steps go astray close to the poles of the dipole pair; these tracks get through."""
    monkeypatch.setattr(truth, "MOST", 64)
    field = magnetic_field("dipole_pair", "MagDown")
    x, y, tx, ty, qop = np.array(
        [[-435.1, 3428.0, 0.2648, 0.255, -1.007e-5], [-34.78, 3689.0, -0.2522, 0.07255, -1.117e-5]]
    ).T
    start, dz = State(x, y, np.full(2, 4000.0), tx, ty, qop), np.full(2, 8000.0)
    assert np.isfinite(exact(start, dz, field, 1e-6).x).all()
    there = true_end(start, dz, field)
    assert there.reaches.all()


def test_what_does_not_converge_is_said_and_not_given(monkeypatch):
    monkeypatch.setattr(truth, "MOST", 8)
    there = true_end(box(20), np.full(20, 8000.0), magnetic_field("lhcb"), position=1e-14)
    assert not there.converged.any()
    assert np.isnan(columns(there.end)).all()


def test_limits_change_nothing_within():
    field, limits = magnetic_field("lhcb"), Limits(0.5, 2000.0, 1500.0)
    start, dz = box(300), np.full(300, 8000.0)
    free, bounded = true_end(start, dz, field), true_end(start, dz, field, limits=limits)
    lost = limits.steep(columns(free.end)) | limits.outside(columns(free.end))
    assert 20 < np.count_nonzero(lost) < 280
    assert np.array_equal(columns(free.end)[:, ~lost], columns(bounded.end)[:, ~lost])
    assert np.array_equal(lost, limits.steep(columns(bounded.end)) | limits.outside(columns(bounded.end)))


@pytest.mark.parametrize(
    ("change", "dz", "said"),
    [
        ({}, -1.0, "dz >= 0, got dz = -1 mm"),
        ({"x": np.array([np.nan])}, 1.0, "finite tracks, got x = nan"),
        ({"z": np.array([9e4])}, 2e4, r"within \|z\| <= 100000 mm, got z = 110000 mm"),
    ],
)
def test_tracks_that_make_no_sense_are_refused(change, dz, said):
    with pytest.raises(DomainError, match=said):
        true_end(box(1)._replace(**change), np.array([dz]), magnetic_field("none"))


def test_no_tracks():
    there = true_end(box(0), np.empty(0), magnetic_field("lhcb"))
    assert len(there.reaches) == 0
