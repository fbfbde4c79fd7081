"""Decays in flight: how often, and with which kinematics."""

import numpy as np
import pytest
from guns import along_z, gun, slab

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.transport import Fate, Physics, transport
from lamarrpy.detailed.transport.decays import break_up_momentum, choose_channel, daughter_momentum
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field

ONLY = Physics(scattering=False, ionisation=False, bremsstrahlung=False, interactions=False, elastic=False)


@pytest.mark.parametrize(("pid", "mass", "ctau"), [(211, 139.57, 7804.5), (-321, 493.677, 3711.0)])
def test_decay_probability_is_that_of_the_lifetime(pid, mass, ctau):
    n, p, way = 60_000, 3000.0, 2000.0
    truth = transport(along_z(n, pid, p), slab(0.0), magnetic_field("none"), Draws(1, "d"), ONLY)
    decayed = np.isfinite(truth.decay_z)
    expected = -np.expm1(-way * mass / (p * ctau))
    assert decayed.mean() == pytest.approx(expected, abs=4.0 * np.sqrt(expected / n))
    assert np.all((truth.decay_z[decayed] > 0.0) & (truth.decay_z[decayed] < way))
    # nearly uniform along the way, since it is short
    assert truth.decay_z[decayed].mean() == pytest.approx(0.5 * way, rel=0.05)


def test_what_goes_on_and_what_ends():
    n = 60_000
    truth = transport(along_z(n, 321, 2000.0), slab(0.0), magnetic_field("none"), Draws(2, "d"), ONLY)
    decayed = np.isfinite(truth.decay_z)
    for pid, fraction in ((-13, 0.6356), (211, 0.2067), (0, 0.1577)):
        share = np.mean(truth.daughter_pid[decayed] == pid)
        assert share == pytest.approx(fraction, abs=0.02)
    ended = truth.fate == Fate.decayed
    assert np.array_equal(ended, decayed & (truth.daughter_pid == 0))
    assert truth.end_z[ended] == pytest.approx(truth.decay_z[ended])
    assert np.all(truth.end_p[ended] == pytest.approx(2000.0))


def test_recoil_has_the_mass_of_the_neutrino():
    rng = np.random.default_rng(3)
    n = 1000
    u, v, p = rng.uniform(-0.3, 0.3, n), rng.uniform(-0.3, 0.3, n), rng.uniform(500.0, 5e4, n)
    mother = np.full(n, 493.677)
    for light, recoil in ((105.658, 0.0), (139.57, 134.977)):
        masses = (np.full(n, light), np.full(n, recoil))
        momentum = np.array(daughter_momentum(u, v, p, mother, masses, rng.uniform(size=n), rng.uniform(size=n)))
        direction = np.array([u, v, np.sqrt(1.0 - u * u - v * v)])
        energy = np.hypot(p, mother) - np.sqrt(np.sum(momentum**2, axis=0) + light**2)
        missing = energy**2 - np.sum((p * direction - momentum) ** 2, axis=0)
        assert missing == pytest.approx(np.full(n, recoil**2), abs=0.5)


def test_break_up_momentum_of_the_pdg():
    assert break_up_momentum(*(np.array([m]) for m in (139.57039, 105.65838, 0.0)))[0] == pytest.approx(
        29.792, abs=0.001
    )
    assert break_up_momentum(*(np.array([m]) for m in (493.677, 105.65838, 0.0)))[0] == pytest.approx(235.532, abs=0.01)
    assert break_up_momentum(*(np.array([m]) for m in (493.677, 139.57039, 134.9768)))[0] == pytest.approx(
        205.14, abs=0.02
    )


def test_muons_of_kaons_do_not_interact():
    particles = gun(8000, [321, -321], (1e3, 4e3), (2.5, 4.5), seed=8)
    truth = transport(particles, lhcb_detector(), magnetic_field("lhcb"), Draws(9, "d"))
    muons, pions = np.abs(truth.daughter_pid) == 13, np.abs(truth.daughter_pid) == 211
    assert muons.sum() > 500
    assert not np.any(truth.fate[muons] == Fate.interacted)
    assert np.any(truth.fate[pions] == Fate.interacted)
    # the charge is kept: mu+ is -13
    assert np.all(np.sign(truth.daughter_pid[muons]) == -np.sign(particles.pid[muons]))


def test_charge_is_kept():
    daughter, _, _ = choose_channel(
        np.array([211, -211, 321, -321, 321, -321]), np.array([0.5, 0.5, 0.1, 0.1, 0.7, 0.7])
    )
    assert daughter.tolist() == [-13, 13, -13, 13, 211, -211]


def test_the_track_is_continuous_where_it_kinks():
    """A pion and its muon, followed through the magnet, agree on where the decay is to a fraction of a millimetre."""
    particles = gun(3000, 211, 5000.0, (2.5, 4.0), seed=4)
    detector, field = lhcb_detector().without_material(), magnetic_field("lhcb")
    decaying = transport(particles, detector, field, Draws(4, "d"), ONLY)
    stable = transport(particles, detector, field, Draws(4, "d"), Physics(decays=False))
    planes = np.array([plane.z for plane in detector.planes])
    size = (len(particles.pid), len(planes))
    x = [np.full(size, np.nan), np.full(size, np.nan)]
    for at, truth in zip(x, (decaying, stable), strict=True):
        at[truth.crossings.row, truth.crossings.plane] = truth.crossings.x
    apart = np.abs(x[0] - x[1])
    before = planes < decaying.decay_z[:, None]
    assert np.nanmax(np.where(before, apart, 0.0)) == 0.0
    # the largest kink of a muon of a 5 GeV pion is 8 mrad: it leaves the pion's way at the decay
    way = planes - decaying.decay_z[:, None]
    near = (way > 0.0) & (way < 100.0)
    assert np.nanmax(apart[near]) < 100.0 * 0.015
    assert np.nanmax(apart[(way > 1000.0) & np.isfinite(apart)]) > 5.0
