"""Photons along the true ways: how many, under which angle, and from which parts of the way."""

import numpy as np
import pytest
from guns import gun

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.rich.legs import legs_of
from lamarrpy.detailed.rich.photons import background, emit, fired
from lamarrpy.detailed.rich.radiators import radiators
from lamarrpy.detailed.transport import Physics, transport
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field

RICH1, RICH2 = radiators()
DETECTOR = lhcb_detector()
NOTHING = Physics(False, False, False, False, False, False)
DECAYS = Physics(False, False, False, False, decays=True, elastic=False)


def flown(n, pid, p, eta, physics=NOTHING, **origin):
    """Particles on straight ways, each in an event of its own."""
    one = gun(n, pid, p, eta, **origin)
    one = one._replace(event_id=np.arange(n), particle_id=np.zeros(n, np.int64))
    return transport(one, DETECTOR, magnetic_field("none"), Draws(3).stage("transport"), physics)


def light_of(truth, radiator, seed=3):
    return emit(truth, legs_of(truth, DETECTOR, radiator), radiator, Draws(seed).stage("light"))


def angles(truth, light):
    """Angle [rad] of each photon to its particle."""
    one = truth.particles
    p = np.sqrt(one.px**2 + one.py**2 + one.pz**2)
    axis = np.stack([one.px, one.py, one.pz], axis=1) / p[:, None]
    photon = np.stack([light.u, light.v, np.sqrt(1.0 - light.u**2 - light.v**2)], axis=1)
    return 2.0 * np.arcsin(0.5 * np.linalg.norm(photon - axis[light.event_id], axis=1))


@pytest.mark.parametrize(("radiator", "eta"), [(RICH1, (2.3, 2.7)), (RICH2, (3.3, 3.6))])
@pytest.mark.parametrize("p", [200e3, 5e3])
def test_rings_have_the_number_of_photons_and_the_angle_of_the_formula(radiator, eta, p):
    n = 2000
    truth = flown(n, 13, p, eta)
    light = light_of(truth, radiator)
    sine2 = radiator.sine_squared(np.array([p]), np.array([105.658]))[0]
    expected = radiator.photons * sine2 / radiator.saturated
    slant = 1.0 / np.tanh(np.mean(eta))
    assert len(light.u) / n == pytest.approx(expected * slant, abs=4.0 * np.sqrt(expected / n) + 0.01 * expected)
    theta = angles(truth, light)
    wide = radiator.resolution(np.array([np.arcsin(np.sqrt(sine2))]), np.zeros(1))[0]
    # pixels are not in it yet, and a spread of the index moves the mean a little
    assert theta.mean() == pytest.approx(np.arcsin(np.sqrt(sine2)), abs=0.05 * wide + 5.0 * wide / np.sqrt(len(theta)))
    assert theta.std() == pytest.approx(np.sqrt(wide**2 - radiator.pixel**2 / 12.0), rel=0.06)


def test_no_light_below_threshold():
    assert not len(light_of(flown(500, 211, 2.6e3, 2.5), RICH1).u)
    assert len(light_of(flown(500, 211, 2.8e3, 2.5), RICH1).u)


def test_what_is_born_in_the_gas_radiates_from_there_on():
    whole, half = (light_of(flown(1500, 13, 100e3, 3.5, x=150.0, z=z), RICH1) for z in (995.0, RICH1.middle))
    assert len(half.u) / len(whole.u) == pytest.approx(0.5, abs=0.03)


def test_a_decay_before_the_gas_leaves_the_ring_of_the_daughter():
    truth = flown(4000, 321, 8e3, 3.0, DECAYS)
    legs = legs_of(truth, DETECTOR, RICH1)
    daughter = truth.daughter_pid[legs.row]
    early, late = truth.decay_z[legs.row] <= legs.begin, truth.decay_z[legs.row] > RICH1.gas[1]
    muons = early & (np.abs(daughter) == 13)
    assert muons.any()
    assert np.allclose(legs.mass[muons], 105.658, atol=0.01)
    assert np.allclose(legs.mass[late], 493.677, atol=0.01)
    # a kaon of 8 GeV is below threshold, its muon is not
    light = light_of(truth, RICH1)
    assert set(np.unique(light.event_id)) <= set(truth.particles.event_id[np.isfinite(truth.decay_z)])


def test_a_decay_in_the_gas_makes_two_ways_that_share_it():
    truth = flown(6000, 211, 3e3, 2.7, DECAYS)
    legs = legs_of(truth, DETECTOR, RICH1)
    inside = (truth.decay_z > RICH1.gas[0]) & (truth.decay_z < RICH1.gas[1]) & (truth.daughter_pid != 0)
    first, second = (legs.at(np.flatnonzero(inside[legs.row] & (legs.part == part))) for part in (0, 1))
    assert len(first.row) == len(second.row) == inside.sum() > 10
    first, second = (leg.at(np.argsort(leg.row)) for leg in (first, second))
    assert np.allclose(first.end, second.begin)
    assert np.allclose(second.end[truth.end_z[second.row] > RICH1.gas[1]], RICH1.gas[1])


def test_background_grows_with_the_event():
    small, large = flown(30, 13, 50e3, 2.5), flown(3000, 13, 50e3, 2.5)
    counts = []
    for truth in (small, large):
        light = light_of(truth, RICH1)._replace(event_id=np.zeros(len(light_of(truth, RICH1).u), np.int64))
        counts.append(len(background(light, RICH1, np.zeros(1, np.int64), Draws(1)).u))
    assert counts[1] > 20 * max(counts[0], 1)


def test_a_pixel_fires_once_however_many_photons_hit_it():
    light = light_of(flown(1, 13, 50e3, 2.5), RICH1)
    once, twice = (fired([light] * times, RICH1, np.zeros(1, np.int64)) for times in (1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(once, twice, strict=True))
    assert len(once.u) <= len(light.u)
    near = np.abs(once.u[:, None] - light.u) <= 0.5 * RICH1.pixel * (1.0 + 1e-9)
    assert near.any(axis=1).all()
