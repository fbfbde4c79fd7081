"""The single kick: what it keeps, what it changes, and how well it is fitted."""

from __future__ import annotations

import numpy as np
import pytest
from collision_particles import particles

from lamarrpy.field import Lhcb, NoField, Uniform, magnetic_field, write_grid
from lamarrpy.propagation import Kick, SingleKick, State, dormand_prince, fit_single_kick, kick_of, single_kick
from lamarrpy.propagation.kick_fit import kick_residuals
from lamarrpy.propagation.motion import KAPPA
from lamarrpy.propagation.state import direction

PLANES = [2485.0, 5000.0, 8520.0, 12490.0]


def test_only_px_and_pz_change_and_the_momentum_stays() -> None:
    start, kick = particles(500), kick_of(Lhcb())
    got = single_kick(start, PLANES, kick)
    p = 1.0 / np.abs(start.qop)
    before = p * np.array(direction(start.tx, start.ty))
    after = p * np.array(direction(got.tx[2], got.ty[2]))
    reaches = got.reaches[2]
    np.testing.assert_allclose((after - before)[0, reaches], (np.sign(start.qop) * kick.dpx)[reaches], rtol=1e-9)
    np.testing.assert_allclose(after[1, reaches], before[1, reaches], rtol=1e-12)
    assert 0.8 < reaches.mean() < 1.0
    too_soft = np.hypot(*(before + np.sign(start.qop) * np.array([[kick.dpx], [0.0]]))) > p
    assert not np.any(reaches & too_soft)


def test_straight_before_and_behind() -> None:
    start = particles(200, p_min=5000.0)
    kick = kick_of(Lhcb())
    z_kick = kick.z(start.qop)
    got = single_kick(start, PLANES, kick)
    np.testing.assert_array_equal(got.tx[:2], np.tile(start.tx, (2, 1)))
    at_kick = start.x + start.tx * (z_kick - start.z)
    for i in (2, 3):
        np.testing.assert_allclose(got.x[i], at_kick + got.tx[i] * (PLANES[i] - z_kick), rtol=1e-9, atol=1e-9)
    behind = start._replace(z=np.full(200, 7000.0))
    np.testing.assert_array_equal(single_kick(behind, [8520.0], kick).tx[0], start.tx)


def test_neutral_particles_go_straight() -> None:
    start = particles(50)._replace(qop=np.zeros(50))
    got = single_kick(start, PLANES, kick_of(Lhcb()))
    np.testing.assert_array_equal(got.tx, np.tile(start.tx, (4, 1)))
    assert got.reaches.all()


def test_opposite_charge_in_opposite_polarity_takes_the_same_path() -> None:
    start = particles(200)
    up, down = (SingleKick(kick_of(magnetic_field("lhcb", polarity))) for polarity in ("MagUp", "MagDown"))
    for one, other in zip(up(start, PLANES), down(start._replace(qop=-start.qop), PLANES), strict=True):
        np.testing.assert_array_equal(one, other)


def test_fit_reproduces_the_shipped_coefficients() -> None:
    for kind in ("lhcb", "dipole_pair"):
        fitted, shipped = fit_single_kick(magnetic_field(kind)), kick_of(magnetic_field(kind))
        assert fitted.dpx == pytest.approx(shipped.dpx, abs=0.01)
        assert fitted.z_kick == pytest.approx(shipped.z_kick, rel=1e-5, abs=0.01)


def test_shipped_kick_is_that_of_the_magnet() -> None:
    kick = kick_of(Lhcb())
    assert -1250.0 < kick.dpx < -1210.0  # 1.23 GeV, thesis equation 4.2; positive particles bend to -x in MagUp
    assert kick.z(np.array([1e-4])) == pytest.approx(5280.0, abs=30.0)  # 10 GeV
    assert kick.z(np.array([1e-4])) == kick.z(np.array([-1e-4]))
    assert kick_of(magnetic_field("lhcb", "MagDown")) == kick.reversed()


def test_residuals_at_the_t_stations() -> None:
    for momentum, near, far in ((3000.0, 25.0, 80.0), (5000.0, 8.0, 45.0), (10_000.0, 3.0, 20.0), (50_000.0, 0.3, 4.0)):
        got = kick_residuals(Lhcb(), kick_of(Lhcb()), "mid_t", momentum)
        assert 0.0 < got[0] < near
        assert got[0] < got[1] < far


def test_follows_the_truth() -> None:
    start = particles(400, p_min=10_000.0, steepest=2.0)
    got, truth = single_kick(start, [8520.0], kick_of(Lhcb())), dormand_prince(start, [8520.0], Lhcb(), 1e-3)
    bent = np.abs(truth.x[0] - start.x - start.tx * (8520.0 - start.z))
    assert np.median(np.abs(got.x - truth.x)[0] / bent) < 0.01


def test_a_field_without_shipped_kick_is_fitted(tmp_path) -> None:  # type: ignore[no-untyped-def]
    weak = Lhcb(terms=tuple((0.5 * c, z, w) for c, z, w in Lhcb().terms))
    assert kick_of(weak).dpx == pytest.approx(0.5 * kick_of(Lhcb()).dpx, rel=0.02)
    assert kick_of(NoField()).dpx == 0.0
    side = np.arange(-4500.0, 4501.0, 500.0)
    write_grid(Lhcb(), tmp_path / "map.npz", side, side, np.arange(-500.0, 13_001.0, 250.0))
    for polarity in ("MagUp", "MagDown"):
        grid, field = magnetic_field("grid", polarity, file=tmp_path / "map.npz"), magnetic_field("lhcb", polarity)
        assert kick_of(grid).dpx == pytest.approx(kick_of(field).dpx, rel=0.01)
        assert kick_of(grid).z_kick[0] == pytest.approx(kick_of(field).z_kick[0], abs=20.0)


def test_fit_in_a_uniform_field_is_closed_form() -> None:
    """The change of px is the field integral and the tangents cross half-way."""
    kick = fit_single_kick(Uniform(by=0.05))
    assert kick.dpx == pytest.approx(-1.0 * KAPPA * 0.05 * 9410.0, rel=1e-9)
    assert kick.z_kick[0] == pytest.approx(4705.0, abs=5.0)


def test_carry_is_straight() -> None:
    start = State(*(np.array([a]) for a in (1.0, 2.0, 500.0, 0.1, -0.2, 1e-4)))
    back = SingleKick(Kick(-1200.0, (5000.0, 0.0, 0.0))).carry(start, np.array([0.0]))
    assert [column.item() for column in back] == pytest.approx([-49.0, 102.0, 0.0, 0.1, -0.2, 1e-4])
