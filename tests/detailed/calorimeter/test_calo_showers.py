"""What particles leave: energy that is nowhere created, early showers of electrons, muons that go through."""

import numpy as np
import pytest
from calo_guns import at_ecal, over_region

from lamarrpy.detailed.calorimeter.cells import ecal
from lamarrpy.detailed.calorimeter.deposits import Showers, deposited
from lamarrpy.detailed.calorimeter.description import described
from lamarrpy.detailed.calorimeter.showers import depth_of_photons, leave, visible_energy
from lamarrpy.draws import Draws


def left(n, pid, e, region=1, seed=1):
    x, y = over_region(n, region, seed)
    return leave(at_ecal(x, y, e, pid), np.arange(n), Draws(seed))


def test_deposits_are_the_energy_of_showers_up_to_what_lies_beyond_the_window():
    x, y = over_region(200, 1)
    n = np.arange(200)
    showers = Showers(n, x, y, np.full(200, 1e4), np.ones(200))
    total = deposited(showers, ecal(), 200).sum(axis=1)
    assert np.all(total <= 1e4 * (1.0 + 1e-12))
    assert np.all(total > 0.985e4)


def test_a_point_falls_into_one_cell_and_one_outside_into_none():
    cells = ecal()
    x = np.array([cells.x[100], 9e3])
    out = deposited(Showers(np.array([0, 0]), x, np.array([cells.y[100], 0.0]), np.ones(2), np.zeros(2)), cells, 1)
    assert out[0, 100] == 1.0
    assert out.sum() == 1.0


def test_photons_lose_what_the_preshower_sees():
    ahead = described("preshower")
    got = left(4000, 22, 1e4)
    assert np.all(got.ecal.energy <= 1e4 * 1.05)
    sum_of_both = got.ecal.energy + ahead["weights"][1] * got.preshower.energy
    assert sum_of_both.mean() == pytest.approx(1e4, rel=0.005)
    assert sum_of_both.std() < 0.02 * 1e4


def test_electrons_shower_before_photons():
    electrons, photons = left(3000, 11, 1e4), left(3000, 22, 1e4)
    assert np.median(electrons.preshower.energy) > 2.0 * np.median(photons.preshower.energy)
    spd = [got.spd.energy[:3000].mean() for got in (electrons, photons)]
    assert spd[0] == pytest.approx(described("preshower")["spd_efficiency"], abs=0.01)
    assert spd[1] == pytest.approx(1.0 - np.exp(-7.0 / 9.0 * described("preshower")["front"]), abs=0.03)


def test_showers_of_photons_have_their_mean_where_it_is_corrected_to():
    got = left(20_000, 22, 2e4, region=2)
    x, _ = over_region(20_000, 2)
    depth = (got.ecal.x - x) / (x / ecal().z)
    assert np.mean(depth) == pytest.approx(float(depth_of_photons(np.array([2e4]))[0]), abs=1.5)


def test_muons_leave_what_ionisation_leaves_at_any_momentum():
    for p in (5e3, 1e5):
        got = left(3000, 13, p)
        assert np.median(got.ecal.energy) == pytest.approx(described("ecal")["mip"], rel=0.1)
        assert np.median(got.hcal.energy) == pytest.approx(described("hcal")["mip"], rel=0.2)


def test_hadrons_interact_in_the_ecal_as_often_as_their_length_says():
    got = left(20_000, 2212, 3e4)
    lead, length = described("preshower")["interaction_lengths"], described("ecal")["interaction_lengths"]
    interacted = got.ecal.width > 0.0
    assert interacted.mean() == pytest.approx(1.0 - np.exp(-lead - length), abs=0.015)
    pions = left(20_000, 211, 3e4)
    assert (pions.ecal.width > 0.0).mean() < interacted.mean() - 0.03


def test_hadrons_leave_no_more_than_they_have():
    for pid in (211, -321, 2212, -2212, 130, 2112):
        got = left(3000, pid, 2e4)
        most = visible_energy(np.array([pid]), np.array([2e4]))[0]
        assert np.all(got.ecal.energy <= most)
        assert (got.ecal.energy + got.hcal.energy).mean() < 1.03 * most


def test_neutral_hadrons_do_not_ionise():
    got = left(3000, 130, 2e4)
    assert not got.spd.energy.any()
    assert (got.ecal.energy == 0.0).mean() > 0.3
