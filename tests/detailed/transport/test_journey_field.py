"""Particles in the field alone: helices, the plain integrator, the two polarities."""

import numpy as np
import pytest
from guns import at_plane, gun

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.transport import Fate, Particles, Physics, transport
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field
from lamarrpy.propagation import State, runge_kutta

STABLE = Physics(decays=False)
KAPPA = 0.299792458


def state_of(particles):
    tx, ty = particles.px / particles.pz, particles.py / particles.pz
    p = np.sqrt(particles.px**2 + particles.py**2 + particles.pz**2)
    return State(particles.x, particles.y, particles.z, tx, ty, np.sign(particles.pid) / p)


def test_uniform_field_gives_the_analytic_helix():
    detector = lhcb_detector().without_material()
    particles = gun(400, [211, -211], (8e3, 5e4), (2.3, 4.5), seed=1)
    truth = transport(particles, detector, magnetic_field("uniform", by=0.5), Draws(1, "t"), STABLE)
    at = at_plane(truth, detector, "t_end")
    row, z = at["row"], 9410.0
    q = np.sign(particles.pid[row])
    px, py, pz = particles.px[row], particles.py[row], particles.pz[row]
    # By turns (pz, px): px' = px cos - pz sin, with the turn a = q kappa B t / p per path; z fixes a
    bend = q * KAPPA * 0.5
    across = np.hypot(px, pz)
    start = np.arctan2(px, pz)
    sine = np.sin(start) - bend * z / across
    turned = start - np.arcsin(sine)
    wanted = np.sin(start) - sine
    assert wanted == pytest.approx(bend * z / across)
    end = start - turned
    x = across / bend * (np.cos(end) - np.cos(start))
    y = py * turned / bend
    assert len(row) > 200
    assert np.abs(at["x"] - x).max() < 0.01
    assert np.abs(at["y"] - y).max() < 0.01
    assert np.abs(at["tx"] - np.tan(end)).max() < 1e-6
    assert at["p"] == pytest.approx(np.sqrt(px**2 + py**2 + pz**2), rel=1e-12)


@pytest.mark.parametrize("polarity", ["MagUp", "MagDown"])
def test_lhcb_field_agrees_with_the_plain_integrator(polarity):
    detector, field = lhcb_detector().without_material(), magnetic_field("lhcb", polarity)
    particles = gun(500, [13, -13], (1.5e3, 5e4), (2.1, 4.8), seed=2, spread=50.0)
    truth = transport(particles, detector, field, Draws(1, "t"), STABLE)
    at = at_plane(truth, detector, "t_end")
    start = state_of(particles)
    start = start._replace(qop=-start.qop).at(at["row"])  # a mu- has PDG number 13
    plain = runge_kutta(start, [9410.0], field, 400)
    assert len(at["row"]) > 350
    apart = np.hypot(at["x"] - plain.x[0], at["y"] - plain.y[0])
    assert np.quantile(apart, 0.95) < 0.01
    assert apart.max() < 0.1


def test_displaced_origins_anywhere_before_the_t_stations():
    detector, field = lhcb_detector().without_material(), magnetic_field("lhcb")
    for z in (-2000.0, 333.3, 2500.0, 4321.0, 7999.0):
        particles = gun(60, 211, 1e4, (3.0, 4.0), seed=3, x=20.0, y=-30.0, z=z)
        truth = transport(particles, detector, field, Draws(1, "t"), STABLE)
        at = at_plane(truth, detector, "rich2_end")
        plain = runge_kutta(state_of(particles).at(at["row"]), [11900.0], field, 200)
        assert len(at["row"]) > 50
        assert np.abs(at["x"] - plain.x[0]).max() < 0.05
        assert z < np.array([p.z for p in detector.planes])[truth.crossings.plane].min()


def test_turning_the_field_and_the_charge_round_changes_nothing():
    detector = lhcb_detector()
    up, down = magnetic_field("lhcb", "MagUp"), magnetic_field("lhcb", "MagDown")
    particles = gun(300, -13, (1e3, 3e4), (2.0, 4.5), seed=4)
    turned = particles._replace(pid=-particles.pid)
    a = transport(particles, detector, up, Draws(1, "t")).crossings
    b = transport(turned, detector, down, Draws(1, "t")).crossings
    assert np.array_equal(a.plane, b.plane)
    assert np.array_equal(a.x, b.x)
    assert np.array_equal(a.p, b.p)


def test_positive_particles_bend_to_negative_x_with_magnet_up():
    detector = lhcb_detector().without_material()
    particles = gun(50, 2212, 2e4, 3.5, seed=5)
    truth = transport(particles, detector, magnetic_field("lhcb", "MagUp"), Draws(1, "t"), STABLE)
    at = at_plane(truth, detector, "t_end")
    change = at["tx"] - (particles.px / particles.pz)[at["row"]]
    assert change.mean() * 2e4 == pytest.approx(-1250.0, rel=0.05)


def test_soft_particles_leave_through_the_magnet():
    truth = transport(gun(300, 211, 500.0, (2.0, 4.5), seed=6), lhcb_detector(), magnetic_field("lhcb"), Draws(1, "t"))
    gone = truth.fate == Fate.left_acceptance
    assert gone.mean() > 0.5
    assert np.all(truth.end_z[gone] > 2000.0)


def test_no_particles():
    nothing = Particles(*[np.zeros(0, np.int64)] * 3, *[np.zeros(0)] * 6)
    truth = transport(nothing, lhcb_detector(), magnetic_field("lhcb"), Draws(1, "t"))
    assert len(truth.crossings.row) == len(truth.photons.row) == len(truth.fate) == 0
