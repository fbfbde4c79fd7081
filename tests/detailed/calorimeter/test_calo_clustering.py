"""Clusters: every cell shared to 100 %, photons where and as energetic as they were, pi0 split."""

import numpy as np
import pytest
from calo_guns import at_ecal, no_tracks, over_region, pi0s

from lamarrpy.detailed.calorimeter import observe
from lamarrpy.detailed.calorimeter.cells import ecal
from lamarrpy.detailed.calorimeter.clustering import cluster, seeds
from lamarrpy.detailed.calorimeter.corrections import s_shape
from lamarrpy.detailed.calorimeter.description import described
from lamarrpy.detailed.calorimeter.merged import split
from lamarrpy.detailed.calorimeter.readout import read_out
from lamarrpy.draws import Draws


def crowd(n_events=20, n=60, seed=3):
    """Many photons and hadrons in each event."""
    rng = np.random.default_rng(seed)
    x, y = over_region(n_events * n, 1, seed)
    event = np.repeat(np.arange(n_events), n)
    arrivals = at_ecal(x, y, np.exp(rng.uniform(6, 10, len(x))), rng.choice([22, 211], len(x)), event,
                       np.tile(np.arange(n), n_events))  # fmt: skip
    return read_out(arrivals, np.arange(n_events), Draws(seed)).ecal


def conserved(found, energy):
    """Energies of clusters against those of all cells that are in any."""
    cells = ecal()
    flat = found.event[found.cluster] * (cells.number + 1) + found.cell
    weight = np.bincount(flat, found.weight, minlength=energy.size)
    covered = np.unique(flat)
    assert weight[covered] == pytest.approx(1.0, abs=1e-12)
    assert found.energy(energy).sum() == pytest.approx(energy.ravel()[covered].sum(), rel=1e-12)


def test_sharing_conserves_energy():
    energy = crowd()
    found = cluster(energy, ecal())
    assert np.unique(found.cell).size < found.cell.size
    assert (found.weight < 1.0).any()
    conserved(found, energy)


def test_splitting_conserves_energy():
    energy = read_out(pi0s(60, 1, 5e4), np.arange(60), Draws(1)).ecal
    both = split(cluster(energy, ecal()), energy, ecal())
    assert (both.cluster_type == 2).sum() > 30
    conserved(both.found, energy)


def test_no_two_seeds_touch():
    event, cell = seeds(crowd(), ecal())
    flat = set(zip(event.tolist(), cell.tolist(), strict=True))
    for e, c in flat:
        assert not any((e, int(other)) in flat for other in ecal().neighbours[c])


def test_equal_neighbours_make_one_seed():
    cells = ecal()
    energy = np.zeros((1, cells.number + 1))
    pair = np.array([2000, cells.neighbours[2000][0]])
    energy[0, pair] = 1e4
    assert seeds(energy, cells)[1].tolist() == [pair.min()]


def test_silence_makes_no_cluster():
    found = cluster(read_out(at_ecal([], [], []), np.arange(5), Draws(1)).ecal, ecal())
    assert found.number == 0


@pytest.mark.parametrize("size", [40.4, 60.6, 121.2])
def test_the_s_shape_is_odd_and_increasing(size):
    shape = s_shape(size)
    assert np.all(np.diff(shape) > 0.0)
    assert shape == pytest.approx(-shape[::-1], abs=1e-12)


@pytest.mark.parametrize(("region", "sigma"), [(0, 2.0), (1, 3.5), (2, 8.0)])
def test_photons_are_where_they_were(region, sigma):
    n = 1500
    x, y = over_region(n, region)
    got = observe(at_ecal(x, y, 2e4), no_tracks(), np.arange(n), Draws(2)).clusters
    one = got.at(np.bincount(got.event_id, minlength=n)[got.event_id] == 1)
    for found, true in ((one.x, x), (one.y, y)):
        error = found - true[one.event_id]
        low, middle, high = np.percentile(error, [16, 50, 84])
        assert abs(middle) < 0.3
        assert abs(error.mean()) < 4.0 * error.std() / np.sqrt(n)
        assert 0.5 * (high - low) < sigma


@pytest.mark.parametrize("e", [5e3, 2e4, 1e5])
def test_energies_are_those_of_the_design_and_of_noise(e):
    n, block = 1200, described("ecal")
    x, y = over_region(n, 1, 5)
    got = observe(at_ecal(x, y, e), no_tracks(), np.arange(n), Draws(4)).clusters
    got = got.at((got.cluster_type == 1) & (got.e > 0.7 * e))
    assert len(got.e) > 0.88 * n
    noise = 3.0 * block["noise"] / ecal().sine[got.cell].mean()
    design = np.sqrt(1e3 * block["stochastic"] ** 2 * e + (block["constant"] * e) ** 2 + noise**2)
    low, middle, high = np.percentile(got.e, [16, 50, 84])
    assert middle == pytest.approx(e, rel=0.006)
    assert 0.9 * design < 0.5 * (high - low) < 1.35 * design


def test_energetic_pi0_are_split_into_what_they_were():
    arrivals = pi0s(300, 2, 3e4)
    got = observe(arrivals, no_tracks(), np.arange(300), Draws(1)).clusters
    halves = got.at(got.cluster_type == 2)
    assert len(halves.e) > 300
    assert np.all(np.bincount(halves.event_id) % 2 == 0)
    energies = halves.e.reshape(-1, 2)
    assert np.median(energies.sum(axis=1)) == pytest.approx(3e4, rel=0.02)
    true = arrivals.p.reshape(-1, 2)[halves.event_id[::2]]
    assert np.median(energies.max(axis=1) / true.max(axis=1)) == pytest.approx(1.0, abs=0.05)


def test_photons_are_seldom_split():
    x, y = over_region(500, 2)
    got = observe(at_ecal(x, y, 3e4), no_tracks(), np.arange(500), Draws(1)).clusters
    assert (got.cluster_type == 2).sum() < 0.04 * 2 * 500


def test_pi0_have_their_mass_when_resolved():
    got = observe(pi0s(800, 1, 1e4), no_tracks(), np.arange(800), Draws(1)).clusters
    two = got.at(np.bincount(got.event_id, minlength=800)[got.event_id] == 2)
    at = np.stack([two.x, two.y, np.full(len(two.x), ecal().z)], axis=1)
    unit = at / np.linalg.norm(at, axis=1)[:, None]
    cosine = (unit[::2] * unit[1::2]).sum(axis=1)
    mass = np.sqrt(2.0 * two.e[::2] * two.e[1::2] * (1.0 - cosine))
    low, middle, high = np.percentile(mass, [16, 50, 84])
    assert middle == pytest.approx(135.0, abs=2.0)
    assert 4.0 < 0.5 * (high - low) < 10.0
