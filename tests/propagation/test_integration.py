"""Runge-Kutta integration: closed-form trajectories, symmetries, conservation, convergence, truth."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from collision_particles import particles
from hypothesis import given, settings
from hypothesis import strategies as st

from lamarrpy.field import DipolePair, Lhcb, MagneticField, NoField, Uniform, magnetic_field
from lamarrpy.propagation import Crossings, SharedSteps, State, dormand_prince, runge_kutta, straight_line
from lamarrpy.propagation.motion import KAPPA, turn
from lamarrpy.propagation.shared_steps import STEP_LENGTHS

TT, T, ECAL = PLANES = [2485.0, 8520.0, 12490.0]


def shared_steps(start: State, planes: list[float], field: MagneticField) -> Crossings:
    return SharedSteps(field)(start, planes)


def test_equation_of_motion_is_that_of_the_slopes() -> None:
    """dtx/dz and dty/dz as LHCb's extrapolators have them (G. Scriven, 2026, equations 3 and 4)."""
    rng = np.random.default_rng(1)
    tx, ty = rng.uniform(-0.5, 0.5, (2, 200))
    bx, by, bz = rng.normal(size=(3, 200))
    bend = KAPPA * rng.normal(size=200) / 5000.0
    norm = np.sqrt(1.0 + tx**2 + ty**2)
    u, v, w = tx / norm, ty / norm, 1.0 / norm
    dx, dy, du, dv = turn(u, v, bend, (bx, by, bz))
    dw = -(u * du + v * dv) / w
    np.testing.assert_allclose((dx, dy), (tx, ty), rtol=1e-12)
    np.testing.assert_allclose(
        (du - tx * dw) / w, bend * norm * (tx * ty * bx - (1 + tx**2) * by + ty * bz), rtol=1e-9, atol=1e-15
    )
    np.testing.assert_allclose(
        (dv - ty * dw) / w, bend * norm * ((1 + ty**2) * bx - tx * ty * by - tx * bz), rtol=1e-9, atol=1e-15
    )


METHODS = [runge_kutta, shared_steps, dormand_prince]


def helix_across(start: State, z: float, by: float) -> tuple[np.ndarray, ...]:
    """x, y, tx, ty of particles at a plane, in a uniform field along y."""
    norm = np.sqrt(1.0 + start.tx**2 + start.ty**2)
    u, v, w = start.tx / norm, start.ty / norm, 1.0 / norm
    curvature = KAPPA * start.qop * by
    sine = u - curvature * (z - start.z)
    cosine = np.sqrt(1.0 - v**2 - sine**2)
    x = start.x + (cosine - w) / curvature
    y = start.y - v / curvature * (np.arctan2(sine, cosine) - np.arctan2(u, w))
    return x, y, sine / cosine, v / cosine


def helix_upwards(start: State, z: float, bx: float) -> tuple[np.ndarray, ...]:
    """x, y, tx, ty of particles at a plane, in a uniform field along x: the same, with x and y exchanged."""
    y, x, ty, tx = helix_across(start._replace(x=start.y, y=start.x, tx=start.ty, ty=start.tx), z, -bx)
    return x, y, tx, ty


def helix_along(start: State, z: float, bz: float) -> tuple[np.ndarray, ...]:
    """x, y, tx, ty of particles at a plane, in a uniform field along z."""
    norm = np.sqrt(1.0 + start.tx**2 + start.ty**2)
    rate = -KAPPA * start.qop * bz * norm
    slope = start.tx + 1j * start.ty
    turned = np.exp(1j * rate * (z - start.z))
    at = start.x + 1j * start.y + slope * (turned - 1.0) / (1j * rate)
    return at.real, at.imag, (slope * turned).real, (slope * turned).imag


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("axis", "helix"), [("bx", helix_upwards), ("by", helix_across), ("bz", helix_along)])
def test_helix_in_a_uniform_field(method, axis: str, helix) -> None:  # type: ignore[no-untyped-def]
    start = particles(300, p_min=5000.0)
    field = Uniform(**{"by": 0.0, axis: 0.4})
    got = method(start, PLANES, field)
    for i, z in enumerate(PLANES):
        assert got.reaches[i].all()
        for one, other, exact in zip(got[:4], helix(start, z, 0.4), (0.05, 0.05, 2e-5, 2e-5), strict=True):
            assert np.max(np.abs(one[i] - other)) < exact


@pytest.mark.parametrize("method", METHODS)
def test_who_curls_in_a_uniform_field_does_not_reach(method) -> None:  # type: ignore[no-untyped-def]
    start = particles(400)
    got = method(start, PLANES, Uniform(by=0.4))
    norm = np.sqrt(1.0 + start.tx**2 + start.ty**2)
    for i, z in enumerate(PLANES):
        sine = np.hypot(start.tx / norm - KAPPA * start.qop * 0.4 * (z - start.z), start.ty / norm)
        steep = sine > np.sqrt(25.0 / 26.0)
        clear = np.abs(sine - np.sqrt(25.0 / 26.0)) > 1e-3
        np.testing.assert_array_equal(got.reaches[i][clear], ~steep[clear])
        for column in got[:4]:
            np.testing.assert_array_equal(np.isfinite(column[i]), got.reaches[i])
    assert 0.05 < np.mean(~got.reaches[2]) < 0.95


@pytest.mark.parametrize("method", METHODS)
def test_without_field_and_without_charge_paths_are_straight(method) -> None:  # type: ignore[no-untyped-def]
    start = particles(100)
    straight = straight_line(start, PLANES)
    neutral = start._replace(qop=np.zeros(100))
    for got in (method(start, PLANES, NoField()), method(neutral, PLANES, Lhcb())):
        for one, other in zip(got, straight, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_stiff_particles_tend_to_straight_lines(method) -> None:  # type: ignore[no-untyped-def]
    start = particles(100)
    straight = straight_line(start, PLANES)
    bent = [method(start._replace(qop=start.qop * f), PLANES, Lhcb()).x - straight.x for f in (1e-4, 1e-5)]
    assert np.max(np.abs(bent[0])) < 2.0
    np.testing.assert_allclose(bent[0][1:], 10.0 * bent[1][1:], rtol=1e-3)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["lhcb", "dipole_pair"])
def test_opposite_charge_in_opposite_polarity_takes_the_same_path(method, kind: str) -> None:  # type: ignore[no-untyped-def]
    start = particles(100)
    up = method(start, PLANES, magnetic_field(kind, "MagUp"))
    down = method(start._replace(qop=-start.qop), PLANES, magnetic_field(kind, "MagDown"))
    for one, other in zip(up, down, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("method", METHODS)
def test_mirror_images(method) -> None:  # type: ignore[no-untyped-def]
    """Left to right with opposite charge, and upside down: both leave the fields as they are."""
    start = particles(100)
    one = method(start, PLANES, DipolePair())
    left = method(start._replace(x=-start.x, tx=-start.tx, qop=-start.qop), PLANES, DipolePair())
    upside = method(start._replace(y=-start.y, ty=-start.ty), PLANES, DipolePair())
    for other, signs in ((left, (-1, 1, -1, 1)), (upside, (1, -1, 1, -1))):
        for a, b, sign in zip(one[:4], other[:4], signs, strict=True):
            np.testing.assert_allclose(a, sign * b, rtol=1e-9, atol=1e-6)


def test_positive_particles_bend_to_negative_x_in_mag_up() -> None:
    start = particles(50, p_min=5000.0)
    for polarity, side in (("MagUp", -1.0), ("MagDown", 1.0)):
        got = SharedSteps(magnetic_field("lhcb", polarity))(start, [T])
        assert np.all(np.sign(got.tx[0] - start.tx) == side * np.sign(start.qop))


@pytest.mark.parametrize("method", [runge_kutta, dormand_prince])
def test_forwards_then_backwards_returns_to_the_start(method) -> None:  # type: ignore[no-untyped-def]
    start = particles(200, p_min=3000.0, steepest=2.0)
    settings = {"steps": 200} if method is runge_kutta else {}
    there = method(start, [T], Lhcb(), **settings)
    assert there.reaches.all()
    back = method(there.state(0, np.full(200, T), start.qop), [start.z], Lhcb(), **settings)
    for now, before, exact in zip(
        back[:4], (start.x, start.y, start.tx, start.ty), (1e-3, 1e-3, 1e-6, 1e-6), strict=True
    ):
        assert np.max(np.abs(now[0] - before)) < exact


def test_fourth_order() -> None:
    start = particles(200, p_min=5000.0, steepest=2.2)
    truth = dormand_prince(start, [T], Lhcb(), tolerance=1e-9)
    errors = [np.abs(runge_kutta(start, [T], Lhcb(), steps).x - truth.x)[0] for steps in (40, 80, 160)]
    for coarse, fine in pairwise(errors):
        assert np.sqrt(np.mean(coarse**2) / np.mean(fine**2)) == pytest.approx(16.0, rel=0.25)


def test_truth_does_not_depend_on_its_tolerance() -> None:
    start = particles(300)
    one, other = (dormand_prince(start, PLANES, Lhcb(), tolerance) for tolerance in (1e-5, 1e-7))
    np.testing.assert_array_equal(one.reaches, other.reaches)
    error = np.hypot(one.x - other.x, one.y - other.y)[one.reaches]
    assert np.quantile(error, 0.99) < 1e-3


def test_one_pass_through_planes_is_as_good_as_many() -> None:
    start = particles(100, p_min=3000.0)
    together = dormand_prince(start, PLANES, Lhcb())
    for i, z in enumerate(PLANES):
        np.testing.assert_allclose(dormand_prince(start, [z], Lhcb()).x[0], together.x[i], atol=2e-4)


class TestSharedSteps:
    """The fast integrator against the truth, and its promise that particles do not know each other."""

    def test_within_20_um_at_three_planes(self) -> None:
        start = particles(1500)
        truth, got = dormand_prince(start, PLANES, Lhcb()), SharedSteps(Lhcb())(start, PLANES)
        for i in range(3):
            reaches = truth.reaches[i]
            error = np.hypot(got.x[i] - truth.x[i], got.y[i] - truth.y[i])[reaches]
            assert np.quantile(np.nan_to_num(error, nan=np.inf), 0.95) < 0.020
            assert np.mean(got.reaches[i] == reaches) > 0.998
        stiff = np.abs(start.qop) < 1 / 5000.0
        assert np.max(np.hypot(got.x - truth.x, got.y - truth.y)[:, stiff]) < 0.2

    def test_any_field(self) -> None:
        start = particles(100, p_min=5000.0, steepest=2.5)
        truth, got = dormand_prince(start, PLANES, DipolePair()), SharedSteps(DipolePair())(start, PLANES)
        assert np.quantile(np.hypot(got.x - truth.x, got.y - truth.y), 0.95) < 0.020

    @settings(max_examples=30, deadline=None)
    @given(seed=st.integers(0, 2**31), n=st.integers(1, 40))
    def test_a_particle_does_not_depend_on_the_others(self, seed: int, n: int) -> None:
        start = particles(400)
        start = start._replace(z=np.where(np.arange(400) % 5 == 0, 40.0 * np.arange(400) - 2000.0, start.z))
        rows = np.random.default_rng(seed).permutation(400)[:n]
        extrapolate = SharedSteps(Lhcb())
        together, alone = extrapolate(start, PLANES), extrapolate(start.at(rows), PLANES)
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_array_equal(one[:, rows], other)

    def test_more_particles_than_a_block(self) -> None:
        start = particles(200, p_min=5000.0)
        many = State(*(np.tile(column, 50) for column in start))
        one, other = (SharedSteps(Lhcb())(s, PLANES) for s in (start, many))
        np.testing.assert_array_equal(np.tile(one.x, 50), other.x)

    def test_every_stiffness_is_visited(self) -> None:
        from lamarrpy.propagation.shared_steps import _stiffness

        kinds = _stiffness(particles(2000)._replace(qop=np.where(np.arange(2000) < 5, 0.0, particles(2000).qop)))
        assert set(kinds) == {-1, *range(len(STEP_LENGTHS))}

    @pytest.mark.parametrize("z", [-5000.0, -400.0, -300.0, 299.0, 300.0, 1000.0, 2485.0, 5000.0, 8519.0, 12_000.0])
    def test_particles_start_anywhere(self, z: float) -> None:
        start = particles(60, p_min=5000.0, steepest=3.0)
        start = start._replace(z=np.full(60, z), x=start.x + 20.0)
        truth, got = dormand_prince(start, PLANES, Lhcb()), SharedSteps(Lhcb())(start, PLANES)
        for i, plane in enumerate(PLANES):
            assert got.reaches[i].all() == got.reaches[i].any() == (z <= plane)
            if z <= plane:
                assert np.max(np.hypot(got.x[i] - truth.x[i], got.y[i] - truth.y[i])) < 0.05

    def test_no_particles(self) -> None:
        got = SharedSteps(Lhcb())(State(*(np.zeros(0) for _ in range(6))), PLANES)
        assert got.x.shape == got.reaches.shape == (3, 0)
