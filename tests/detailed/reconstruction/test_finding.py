"""Track finding: classes, candidates, independence of the batch, and efficiencies that geometry and matter make."""

from dataclasses import replace

import numpy as np
import pytest
from events import busy, crowd, find, nobody
from guns import gun

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.hits import Hits
from lamarrpy.detailed.reconstruction.candidates import Candidates, TrackType
from lamarrpy.detailed.reconstruction.finding import VELO_PT, classify, hard_enough
from lamarrpy.detailed.reconstruction.layers import layers_of
from lamarrpy.detailed.reconstruction.matching import Matches
from lamarrpy.detailed.reconstruction.search import shipped_search
from lamarrpy.detailed.reconstruction.segments import Segments
from lamarrpy.detailed.transport import Fate, Particles
from lamarrpy.propagation import State

NONE, VELO, LONG, UP, DOWN, T = (TrackType[name] for name in ("none", "velo", "long", "upstream", "downstream", "t"))


@pytest.mark.parametrize(
    ("segments", "matches", "hard", "expected"),
    [
        ((1, 1, 1), (1, 1, 1), 1, LONG),
        ((1, 0, 1), (1, 0, 0), 1, LONG),
        ((1, 1, 1), (1, 1, 1), 0, UP),
        ((1, 1, 1), (0, 1, 1), 1, UP),
        ((1, 1, 1), (0, 0, 1), 1, DOWN),
        ((0, 1, 1), (1, 1, 1), 1, DOWN),
        ((1, 1, 1), (0, 0, 0), 1, VELO),
        ((1, 0, 0), (1, 1, 1), 1, VELO),
        ((0, 0, 1), (1, 1, 1), 1, T),
        ((0, 1, 0), (1, 1, 1), 1, NONE),
    ],
)
def test_classes(segments, matches, hard, expected):
    def one(values):
        return [np.array([bool(value)]) for value in values]

    found = classify(Segments(*one(segments)), Matches(*one(matches), np.zeros(1)), np.array([bool(hard)]))
    assert found[0] == expected


def test_long_tracks_need_momentum():
    search = replace(shipped_search(), least_p=1e3, least_pt=80.0)
    zero, slope = np.zeros(4), np.array([0.05, 0.05, 0.01, 0.01])
    p = np.array([1.1e3, 0.9e3, 7.0e3, 9.0e3])
    assert list(hard_enough(State(zero, zero, zero, slope, zero, 1 / p), search)) == [False, False, False, True]
    assert hard_enough(State(zero, zero, zero, 2 * slope, zero, 1 / p), search)[0]


def test_alone_a_straight_muon_is_long():
    truth, hits, found = find(
        gun(300, [13, -13], 1e5, (2.6, 3.9), seed=3)._replace(
            event_id=np.arange(300), particle_id=np.zeros(300, np.int64)
        )
    )
    layers = layers_of(lhcb_detector())
    layer = layers.layer[hits.plane] + 12 * (layers.t[hits.plane])
    crossed = np.array([len(set(layer[(hits.row == i) & layers.t[hits.plane]])) for i in range(300)])
    through = (truth.fate == Fate.reached_end) & (crossed >= 10)
    assert through.sum() > 200
    assert np.mean(found.track_type[through] == LONG) > 0.98
    candidates = found.candidates
    mine = candidates.hits.row == np.repeat(candidates.row, np.diff(candidates.first))
    assert np.mean(mine) > 0.98


def test_candidates_are_well_formed():
    truth, _, found = busy()
    c = found.candidates
    n, length = len(c.row), np.diff(c.first)
    assert c.first[0] == 0
    assert c.first[-1] == len(c.hits.row)
    assert np.all(length >= 6)
    track = np.repeat(np.arange(n), length)
    assert np.all(np.diff(c.hits.z)[np.diff(track) == 0] > 0.0)
    assert np.array_equal(c.hits.event_id, c.event_id[track])
    assert np.all(np.diff(c.event_id) >= 0)
    assert np.isfinite(np.array(c.seed)).all()
    assert np.all(c.seed.qop != 0.0)
    assert np.array_equal(c.seed.z, c.hits.z[c.first[:-1]])
    assert all(part.shape == (n,) for part in c.beam)
    real = c.row >= 0
    assert np.array_equal(truth.particles.event_id[c.row[real]], c.event_id[real])
    assert len(set(c.row[real])) == real.sum()
    assert np.array_equal(found.track_type[c.row[real]], c.track_type[real])
    assert set(c.track_type) <= {VELO, LONG, UP, DOWN}
    expected = np.isin(found.track_type, (VELO, LONG, UP, DOWN))
    assert real.sum() == expected.sum()
    own = c.hits.row >= 0
    assert np.array_equal(truth.particles.event_id[c.hits.row[own]], c.hits.event_id[own])
    assert len(found.in_acceptance) == len(found.track_type) == len(truth.fate)


def test_tracks_have_the_hits_of_their_class():
    c, layers = busy()[2].candidates, layers_of(lhcb_detector())
    track = np.repeat(np.arange(len(c.row)), np.diff(c.first))
    velo, tt, t = (
        np.bincount(track[part[c.hits.plane]], minlength=len(c.row)) for part in (layers.velo, layers.tt, layers.t)
    )
    kind, real = c.track_type, c.row >= 0
    assert np.array_equal(velo > 0, kind != DOWN)
    assert np.array_equal(t > 0, np.isin(kind, (LONG, DOWN)))
    assert np.all(tt[np.isin(kind, (UP, DOWN)) & real] >= 3)
    assert np.all(tt[kind == VELO] == 0)
    assert np.mean(tt[(kind == LONG) & real] > 0) > 0.8


def test_velo_tracks_have_the_momentum_that_is_assumed():
    c = busy()[2].candidates
    velo = c.track_type == VELO
    p, slope = 1 / c.seed.qop[velo], np.hypot(c.seed.tx, c.seed.ty)[velo]
    assert p * slope / np.sqrt(1 + slope**2) == pytest.approx(np.full(velo.sum(), VELO_PT))


def without_rows(found: Candidates, event):
    """The candidates of one event; rows depend on the batch, the numbers of particles tell as much."""
    chosen = np.flatnonzero(found.event_id == event)
    length = np.diff(found.first)[chosen]
    part = np.concatenate([np.arange(found.first[i], found.first[i + 1]) for i in chosen])
    hits = Hits._make(column[part] for column in found.hits)._replace(row=np.zeros(len(part), np.intp))
    seed = [column[chosen] for column in found.seed]
    return [found.track_type[chosen], found.row[chosen] < 0, length, *seed, *hits]


def test_an_event_alone_gives_the_same():
    particles = crowd(12, 60, p=(1.2e3, 4e4), pid=(211, -211, 321, 11, -13), seed=4)
    truth, _, all_of_them = find(particles)
    for event in (0, 5, 11):
        mine = particles.event_id == event
        _, _, alone = find(particles.at(mine))
        for a, b in zip(
            without_rows(alone.candidates, event), without_rows(all_of_them.candidates, event), strict=True
        ):
            assert np.array_equal(a, b)
        assert np.array_equal(alone.track_type, all_of_them.track_type[mine])
        assert np.array_equal(alone.in_acceptance, all_of_them.in_acceptance[mine])
    assert len(truth.fate) == len(particles.pid)


def test_events_in_another_order_give_the_same():
    particles = crowd(6, 40, seed=5)
    _, _, one = find(particles)
    turned = particles.at(np.argsort(-particles.event_id, kind="stable"))
    _, _, other = find(turned)
    for event in range(6):
        for a, b in zip(without_rows(one.candidates, event), without_rows(other.candidates, event), strict=True):
            assert np.array_equal(a, b)


def test_hadrons_are_found_less_than_muons_and_electrons_least():
    share = {}
    for pid in (13, 211, 11):
        _, _, found = find(crowd(20, 30, p=1e4, eta=(2.8, 3.2), pid=(pid, -pid), seed=6))
        share[pid] = np.mean(found.track_type[found.in_acceptance] == LONG)
    assert 0.88 < share[13] < 0.99
    assert share[211] < share[13] - 0.07
    assert share[11] < share[211]


def test_beyond_the_velo_tracks_are_downstream():
    particles = gun(600, [211, -211], (5e3, 2e4), (2.5, 4.0), seed=7, z=1200.0)
    found = find(particles)[2].track_type
    assert np.mean(found == DOWN) > 0.5
    assert not np.isin(found, (LONG, UP, VELO)).any()


@pytest.mark.parametrize(("pid", "p", "least", "most"), [(211, 3e3, 0.1, 1.0), (321, 8e3, 0.0, 0.1)])
def test_muons_of_decays_behind_the_velo_are_long_in_the_row_of_the_mother(pid, p, least, most):
    # a muon leaves a pion under 13 mrad at most at 3 GeV, a kaon under some 80 mrad at 8 GeV: seldom in the window
    truth, _, found = find(crowd(40, 50, p=p, eta=(2.8, 4.0), pid=(pid, -pid), seed=8))
    late = (np.abs(truth.daughter_pid) == 13) & (truth.decay_z > 800.0) & (truth.decay_z < 7000.0)
    late &= truth.fate == Fate.reached_end
    assert late.sum() > 30
    assert least < np.mean(found.track_type[late] == LONG) < most


def test_nobody_is_not_found():
    _, _, found = find(nobody())
    assert len(found.track_type) == len(found.in_acceptance) == len(found.candidates.row) == 0
    assert list(found.candidates.first) == [0]


def test_particles_without_hits_are_not_found():
    away = Particles(*[np.zeros(3, np.int64)] * 3, *[np.zeros(3)] * 6)._replace(
        particle_id=np.arange(3), pid=np.full(3, 211), px=np.full(3, 900.0), pz=np.full(3, 300.0), z=np.full(3, 1000.0)
    )
    _, _, found = find(away)
    assert list(found.track_type) == [NONE] * 3
    assert not found.in_acceptance.any()
