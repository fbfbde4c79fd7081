"""Two showers in the same cells: found where they were, and as energetic."""

import numpy as np
import pytest
from calo_guns import at_ecal, no_tracks, over_region, pi0s

from lamarrpy.detailed.calorimeter import TruePhotons, match_photons, observe
from lamarrpy.detailed.calorimeter.cells import ecal
from lamarrpy.detailed.calorimeter.clustering import footprints, shared
from lamarrpy.detailed.calorimeter.deposits import Showers, deposited
from lamarrpy.detailed.calorimeter.merged import one_photon_chi2, pair_mass
from lamarrpy.detailed.calorimeter.profile import slopes, within_square
from lamarrpy.detailed.calorimeter.two_showers import two_showers
from lamarrpy.draws import Draws


def side_by_side(n, region, seed=1):
    """Two showers an event in cells that touch, without fluctuations: energy in the cells, start of a fit, truth."""
    rng, cells = np.random.default_rng(seed), ecal()
    x, y = over_region(n, region, seed)
    one = cells.at(x, y)
    one = one[(cells.size[cells.neighbours[one]] == cells.size[one][:, None])[:, :8].all(axis=1)]
    seeds = np.stack([one, cells.neighbours[one, rng.integers(0, 8, len(one))]], axis=1).ravel()
    event = np.repeat(np.arange(len(one)), 2)
    u, v = (a[seeds] + cells.size[seeds] * rng.uniform(-0.35, 0.35, len(seeds)) for a in (cells.x, cells.y))
    e = rng.uniform(1e4, 3e4, len(seeds))
    energy = deposited(Showers(event, u, v, e, np.ones(len(e))), cells, len(one))
    return energy, shared(footprints(event, seeds, cells), energy, cells, 3), (u, v, e)


def masses(x, y, e):
    """Of photons 0 and 1, 2 and 3, ..."""
    at = np.stack([x, y, np.full(len(x), ecal().z)], axis=1)
    unit = at / np.linalg.norm(at, axis=1)[:, None]
    return np.sqrt(2.0 * e[::2] * e[1::2] * (1.0 - (unit[::2] * unit[1::2]).sum(axis=1)))


def test_slopes_are_differences():
    rng = np.random.default_rng(1)
    dx, dy, size = rng.uniform(-60, 60, 50), rng.uniform(-60, 60, 50), np.full(50, 40.4)
    share, by_x, by_y = slopes(dx, dy, size)
    assert share == pytest.approx(within_square(dx, dy, size), abs=1e-14)
    for found, (a, b) in ((by_x, (1e-3, 0.0)), (by_y, (0.0, 1e-3))):
        change = within_square(dx - a, dy - b, size) - within_square(dx + a, dy + b, size)
        assert found == pytest.approx(change / 2e-3, abs=1e-7)


@pytest.mark.parametrize("region", [0, 1, 2])
def test_showers_that_do_not_fluctuate_are_found_within_eight_steps(region):
    energy, start, (x, y, e) = side_by_side(100, region)
    found = two_showers(start, energy, ecal(), 8)
    share = within_square(
        ecal().x[found.cell] - found.x[found.cluster], ecal().y[found.cell] - found.y[found.cluster],
        ecal().size[found.cell],
    )  # fmt: skip
    good = np.abs(found.energy(energy) / found.sums(share) / e - 1.0) < 0.015
    good &= np.hypot(found.x - x, found.y - y) < 0.03 * ecal().size[found.seed]
    assert good.mean() > 0.9


def test_a_pair_gives_the_same_bits_alone():
    energy, start, _ = side_by_side(40, 1)
    whole = two_showers(start, energy, ecal(), 8)
    for pair in (0, 17, len(start.seed) // 2 - 1):
        mine = [2 * pair, 2 * pair + 1]
        for a, b in zip(whole.at(mine), two_showers(start.at(mine), energy, ecal(), 8), strict=True):
            assert np.array_equal(a, b)


@pytest.mark.parametrize("scale", [0.0, -1.0, 1e9])
def test_anything_is_finite_near_the_seeds(scale):
    energy, start, _ = side_by_side(30, 0)
    energy = scale * np.random.default_rng(1).uniform(0.0, 1.0, energy.shape) * (energy > 0.0)
    found = two_showers(start, energy, ecal(), 8)
    assert all(np.isfinite(column).all() for column in found)
    assert np.all(np.abs(found.x - ecal().x[found.seed]) <= 1.01 * ecal().size[found.seed])
    assert np.isfinite(pair_mass(found, energy, ecal())).all()
    assert np.isfinite(one_photon_chi2(found, energy, ecal())).all()


@pytest.mark.parametrize(("region", "e"), [(0, 7e4), (1, 4e4), (2, 2e4)])
def test_most_photons_of_merged_pi0_are_found_in_pairs(region, e):
    n = 400
    shot = pi0s(n, region, e, seed=4)
    z = ecal().z
    true = TruePhotons(shot.event_id, 2 * shot.event_id + shot.number, shot.tx * z, shot.ty * z, shot.p)
    got = observe(shot, no_tracks(), np.arange(n), Draws(3)).clusters
    found = match_photons(got, true)
    assert (found.photon_class.reshape(-1, 2) == 2).all(axis=1).mean() > 0.5
    halves = got.at(got.cluster_type == 2)
    pairs = halves.at((np.bincount(halves.event_id, minlength=n) == 2)[halves.event_id])
    expected = masses(true.x, true.y, true.e)[pairs.event_id[::2]]
    ratio = masses(pairs.x, pairs.y, pairs.e) / expected
    assert np.median(ratio) == pytest.approx(1.0, abs=0.02)
    assert ratio.std() < 0.15


@pytest.mark.parametrize(("e", "most"), [(2e4, 0.01), (5e4, 0.03)])
def test_single_photons_stay_whole(e, most):
    for region in (0, 1, 2):
        got = observe(at_ecal(*over_region(400, region), e), no_tracks(), np.arange(400), Draws(2)).clusters
        assert (got.cluster_type == 2).sum() <= most * 2 * 400
