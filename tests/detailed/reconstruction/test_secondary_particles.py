"""Secondaries: hadrons of interactions and electrons of conversions."""

from dataclasses import replace

import numpy as np
import pytest
from events import crowd, measured

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.reconstruction.matching import MID_T
from lamarrpy.detailed.reconstruction.search import shipped_search
from lamarrpy.detailed.reconstruction.secondary_particles import secondary_particles
from lamarrpy.detailed.transport import Fate
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field


def made_of(truth, **changes):
    search = replace(shipped_search(), **changes)
    return secondary_particles(truth, lhcb_detector(), magnetic_field("lhcb"), search, Draws(3, "s"))


@pytest.fixture(scope="module")
def pions():
    truth, _ = measured(crowd(20, 200, p=(2e4, 4e4)))
    return truth, made_of(truth)


def test_hadrons_come_from_interactions(pions):
    truth, (made, source) = pions
    hadrons = np.abs(made.pid) == 211
    assert np.all(truth.fate[source[hadrons]] == Fate.interacted)
    assert made.z[hadrons] == pytest.approx(truth.end_z[source[hadrons]])
    assert np.all(made.z < MID_T)


def test_hadrons_share_the_momentum(pions):
    truth, (made, source) = pions
    hadrons = np.flatnonzero(np.abs(made.pid) == 211)
    p = np.sqrt(made.px**2 + made.py**2 + made.pz**2)[hadrons]
    together = np.bincount(source[hadrons], p, minlength=len(truth.fate))
    assert np.all(together <= truth.end_p * (1 + 1e-9))
    assert p.min() > shipped_search().least_p
    # shares of 1/2, 1/4 and 1/8 on average of three hadrons, two of three of them charged; few are too soft
    interacted = np.flatnonzero((truth.fate == Fate.interacted) & (truth.end_z < MID_T))
    assert np.mean((together / truth.end_p)[interacted]) == pytest.approx(2 / 3 * 7 / 8, abs=0.06)
    assert np.mean(made.pid[hadrons] > 0) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(len(hadrons)))


def test_kicks_are_as_large_as_asked_for():
    truth, _ = measured(crowd(20, 200, p=(5e4, 9e4)))
    straight, kicked = made_of(truth, secondary_pt=1e-6)[0], made_of(truth)[0]
    common = np.isin(kicked.particle_id, straight.particle_id) & (np.abs(kicked.pid) == 211)
    keys = {key: row for row, key in enumerate(zip(straight.event_id, straight.particle_id, strict=True))}
    some = np.flatnonzero(common)
    rows = [keys[key] for key in zip(kicked.event_id[some], kicked.particle_id[some], strict=True)]
    pt = np.hypot(kicked.px[some] - straight.px[rows], kicked.py[some] - straight.py[rows])
    assert np.mean(pt) == pytest.approx(2 * shipped_search().secondary_pt, rel=0.1)


def test_photons_convert_as_often_as_matter_says(pions):
    truth, (made, source) = pions
    electrons = np.abs(made.pid) == 11
    at = truth.crossings
    deepest = np.zeros(len(truth.fate))
    np.maximum.at(deepest, at.row, at.x_over_x0)
    before_t = np.zeros(len(truth.fate))
    here = lhcb_z()[at.plane] < MID_T
    np.maximum.at(before_t, at.row[here], at.x_over_x0[here])
    expected = np.sum(1 - np.exp(-7 / 9 * before_t))
    photons = len(np.unique(source[electrons]))
    assert photons == pytest.approx(expected, abs=5 * np.sqrt(expected))


def lhcb_z():
    return np.array([plane.z for plane in lhcb_detector().planes])


def test_pairs_have_half_the_momentum_and_the_polar_angle_of_their_particle(pions):
    truth, (made, source) = pions
    particles = truth.particles
    electrons = np.flatnonzero(np.abs(made.pid) == 11)
    p = np.sqrt(made.px**2 + made.py**2 + made.pz**2)[electrons]
    whole = 0.5 * np.sqrt(particles.px**2 + particles.py**2 + particles.pz**2)
    rows, number = np.unique(source[electrons], return_counts=True)
    both = rows[number == 2]
    assert len(both) > 100
    assert np.bincount(source[electrons], p, minlength=len(whole))[both] == pytest.approx(whole[both])
    assert np.bincount(source[electrons], made.pid[electrons], minlength=len(whole))[both] == pytest.approx(0.0)
    slope = np.hypot(made.px, made.py)[electrons] / made.pz[electrons]
    assert slope == pytest.approx((np.hypot(particles.px, particles.py) / particles.pz)[source[electrons]])


def test_numbers_are_not_used_twice(pions):
    _, (made, source) = pions
    keys = np.stack([made.event_id, made.particle_id])
    assert np.unique(keys, axis=1).shape[1] == len(source)


def test_an_event_alone_has_the_same():
    particles = crowd(4, 100)
    _, (mine, _) = None, made_of(measured(particles)[0])
    alone = made_of(measured(particles.at(particles.event_id == 2))[0])[0]
    for one, all_of_them in zip(alone, mine, strict=True):
        assert np.array_equal(one, all_of_them[mine.event_id == 2])
