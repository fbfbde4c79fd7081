"""Particles in the detector's material: totals of the fact sheets, energy accounts, interactions, bremsstrahlung."""

import numpy as np
import pytest
from guns import SILICON, along_z, at_plane, gun, slab

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.transport import Fate, Physics, transport
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field

OFF = Physics(scattering=False, ionisation=False, bremsstrahlung=False, interactions=False, decays=False, elastic=False)


@pytest.fixture(scope="module")
def straight():
    """Straight lines over the acceptance, and the material that they go through."""
    detector = lhcb_detector()
    particles = gun(6000, 13, 1e9, (2.0, 4.2), seed=1, spread=40.0)
    return detector, transport(particles, detector, magnetic_field("none"), Draws(1, "m"), OFF)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("velo_end", 0.16, 0.21), ("rich1_begin", 0.18, 0.22), ("tt_end", 0.29, 0.40), ("t_end", 0.42, 0.53)],
)
def test_radiation_lengths_are_those_of_the_detector(straight, name, low, high):
    assert low < at_plane(straight[1], straight[0], name)["x_over_x0"].mean() < high


def test_interaction_lengths_to_the_end_of_rich2(straight):
    assert at_plane(straight[1], straight[0], "rich2_end")["interaction_lengths"].mean() == pytest.approx(
        0.21, abs=0.02
    )


def test_parts_of_the_detector_have_their_material(straight):
    detector, truth = straight
    mean = {
        name: at_plane(truth, detector, name)["x_over_x0"].mean() for name in ("tt_end", "rich1_end", "rich1_begin")
    }
    assert mean["rich1_end"] - mean["rich1_begin"] == pytest.approx(0.08, abs=0.015)
    assert mean["tt_end"] - mean["rich1_end"] == pytest.approx(0.04, abs=0.005)


def test_the_foil_is_two_fifths_of_the_velo(straight):
    detector, truth = straight
    state = at_plane(truth, detector, "rich1_begin")
    path = np.hypot(np.hypot(state["tx"], state["ty"]), 1.0)
    cylinder = 0.3 / 10.0 * 2.699 / 24.01 * path / np.hypot(state["tx"], state["ty"])
    share = cylinder.mean() / state["x_over_x0"].mean()
    assert 0.20 < share < 0.35  # the rest of the foil is its corrugations


def test_grazing_the_pipe_costs_most():
    detector = lhcb_detector()
    means = {}
    for eta in (4.0, 4.3, 4.6):  # 25 mrad is a pseudorapidity of 4.38
        particles = gun(3000, 13, 1e9, (eta, eta + 0.2), seed=2, spread=40.0)
        truth = transport(particles, detector, magnetic_field("none"), Draws(1, "m"), OFF)
        means[eta] = at_plane(truth, detector, "tt_end")["interaction_lengths"].mean()
    assert means[4.3] > 1.5 * means[4.0]
    assert means[4.3] > 1.5 * means[4.6]


def test_no_material_no_change():
    detector = lhcb_detector().without_material()
    particles = gun(200, [211, 11, 2212], (1e3, 5e4), (2.0, 4.8), seed=3)
    truth = transport(particles, detector, magnetic_field("lhcb"), Draws(1, "m"), Physics(decays=False))
    p = np.sqrt(particles.px**2 + particles.py**2 + particles.pz**2)
    assert np.array_equal(truth.crossings.p, p[truth.crossings.row])
    assert not truth.deposited.any()
    assert not truth.crossings.x_over_x0.any()
    assert not np.any(truth.fate == Fate.interacted)


def test_energy_lost_is_energy_deposited_and_radiated():
    detector = lhcb_detector()
    particles = gun(1500, [211, 13, 11, 2212, -321], (1e3, 5e4), (2.0, 4.8), seed=4)
    truth = transport(particles, detector, magnetic_field("lhcb"), Draws(2, "m"), Physics(decays=False))
    mass = np.select(
        [np.abs(particles.pid) == i for i in (11, 13, 211, 321)],
        [0.51099895, 105.6583755, 139.57039, 493.677],
        938.27209,
    )
    start = np.sqrt(particles.px**2 + particles.py**2 + particles.pz**2 + mass**2)
    lost = start - np.hypot(truth.end_p, mass)
    assert lost == pytest.approx(truth.deposited + truth.radiated, rel=1e-6, abs=1e-3)
    assert truth.deposited.min() >= 0.0
    assert not truth.radiated[particles.pid != 11].any()
    photons = np.bincount(truth.photons.row, truth.photons.energy, len(start))
    assert np.all(photons <= truth.radiated + 1e-9)
    assert photons.sum() > 0.95 * truth.radiated.sum()
    assert truth.photons.energy.min() >= detector.smallest_photon


def test_a_muon_loses_what_bethe_says_in_the_whole_detector():
    detector = lhcb_detector()
    truth = transport(gun(4000, 13, 1e4, (2.5, 4.0), seed=5), detector, magnetic_field("lhcb"), Draws(3, "m"))
    through = truth.fate == Fate.reached_end
    # 0.6 radiation lengths of about 36 g/cm^2, 2 MeV cm^2/g
    assert truth.deposited[through].mean() == pytest.approx(0.6 * 36.0 * 2.0, rel=0.25)


def test_ten_gev_pions_interact_as_often_as_they_do():
    particles = gun(25_000, [211, -211], 1e4, (2.0, 4.5), seed=6, spread=40.0)
    truth = transport(particles, lhcb_detector(), magnetic_field("lhcb"), Draws(4, "m"), Physics(decays=False))
    before = (truth.fate == Fate.interacted) & (truth.end_z < 9410.0)
    assert 0.115 < before.mean() < 0.145


def test_hadrons_interact_by_their_kind_and_leptons_never():
    n, lengths = 30_000, 0.3
    x_over_x0 = lengths * SILICON.interaction_length / SILICON.radiation_length
    for pid, scale in ((211, 1.27), (321, 1.55), (-321, 1.37), (2212, 1.0), (-2212, 0.85), (13, np.inf), (11, np.inf)):
        physics = Physics(scattering=False, ionisation=False, bremsstrahlung=False, decays=False)
        truth = transport(along_z(n, pid, 1e4), slab(x_over_x0, 500.0), magnetic_field("none"), Draws(5, "m"), physics)
        ended = truth.fate == Fate.interacted
        assert ended.mean() == pytest.approx(-np.expm1(-lengths / scale), abs=0.011)
        if ended.any():
            assert np.all((truth.end_z[ended] > 500.0) & (truth.end_z[ended] <= 1000.0))


@pytest.mark.parametrize("x_over_x0", [0.02, 0.2, 1.0])
def test_electrons_keep_their_share_on_average(x_over_x0):
    physics = Physics(scattering=False, ionisation=False)
    n, p = 60_000, 2e4
    detector = slab(x_over_x0)
    truth = transport(along_z(n, 11, p), detector, magnetic_field("none"), Draws(6, "m"), physics)
    lost = truth.radiated / p
    assert lost.mean() == pytest.approx(-np.expm1(-x_over_x0), abs=4.0 * lost.std() / np.sqrt(n))
    assert truth.photons.energy.sum() == pytest.approx(truth.radiated.sum(), rel=1e-3)


def test_slow_protons_stop():
    detector = slab(1.0)
    truth = transport(
        along_z(500, 2212, 150.0), detector, magnetic_field("none"), Draws(7, "m"), Physics(interactions=False)
    )
    assert np.all(truth.fate == Fate.stopped)
    assert truth.deposited == pytest.approx(np.full(500, np.hypot(150.0, 938.27209) - 938.27209), abs=1.1)


def test_born_in_the_middle_of_material_meets_half_of_it():
    detector = slab(0.2, 800.0)
    truth = transport(along_z(10, 13, 1e4, z=600.0), detector, magnetic_field("none"), Draws(8, "m"), OFF)
    assert at_plane(truth, detector, "behind")["x_over_x0"] == pytest.approx(np.full(10, 0.1))
