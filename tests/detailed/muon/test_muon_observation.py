"""The whole muon system: efficiencies, independence of events, charge conjugation."""

import numpy as np
import pytest
from shots import at, perfect_paths, shot

from lamarrpy.detailed.muon import observe
from lamarrpy.draws import Draws

ALL = [13, -13, 211, -211, 321, -321, 2212, -2212, 22, 11, 2112, 130]


def answer_of(arrivals, seed=1, paths=None):
    events = np.unique(arrivals.event_id)
    return observe(arrivals, perfect_paths(arrivals) if paths is None else paths, events, Draws(seed))


def test_muons_are_found():
    arrivals = shot(2000, 4, [13, -13], (6.1e3, 100e3))
    answer = answer_of(arrivals)
    inside = answer.in_acceptance
    assert inside.mean() > 0.9
    assert 0.95 < answer.is_muon[inside].mean() < 0.99
    assert np.all(np.isfinite(answer.d2[answer.is_muon]))
    assert not answer.is_muon[~inside].any()


def test_soft_muons_and_photons_are_not():
    answer = answer_of(shot(300, 10, [13, 22], (1e3, 2.9e3)))
    assert not answer.is_muon.any()
    photons = answer_of(shot(300, 10, [22, 11, -11], (3e3, 50e3)))
    assert photons.is_muon.mean() < 0.01


def test_kaons_more_than_pions_more_than_protons():
    share = {}
    for pid in (321, 211, 2212):
        answer = answer_of(shot(500, 20, [pid, -pid], (6e3, 40e3), seed=pid))
        share[pid] = answer.is_muon[answer.in_acceptance].mean()
    assert share[321] > share[211] > share[2212]
    # of those that have come so far: most pions and kaons with isMuon have decayed before
    assert 0.0005 < share[211] < 0.01
    assert share[2212] < 0.003


def test_events_do_not_depend_on_their_neighbours():
    arrivals = shot(60, 40, ALL, (2e3, 80e3))
    paths, whole = perfect_paths(arrivals), answer_of(arrivals)
    for chosen in ([7], [3, 4, 31], list(range(20, 60))):
        rows = np.isin(arrivals.event_id, chosen)
        events = np.array(chosen[::-1])
        alone = observe(arrivals.at(rows), at(paths, rows), events, Draws(1))
        for name, part, all_of_it in zip(whole._fields, alone, whole, strict=True):
            assert np.array_equal(part, all_of_it[rows], equal_nan=part.dtype.kind == "f"), name


def test_seeds_differ_and_the_same_seed_does_not():
    arrivals = shot(20, 40, ALL, (2e3, 80e3))
    first, again, other = answer_of(arrivals), answer_of(arrivals), answer_of(arrivals, seed=2)
    assert np.array_equal(first.d2, again.d2, equal_nan=True)
    assert not np.array_equal(first.d2, other.d2, equal_nan=True)


def test_charge_conjugation():
    """Antiparticles, mirrored in x as the other polarity would have it, give the same answer within statistics."""
    arrivals = shot(1200, 20, [13, 211, 321], (3e3, 60e3), seed=5)
    mirrored = arrivals._replace(pid=-arrivals.pid, x=-arrivals.x, tx=-arrivals.tx)
    one, other = answer_of(arrivals, 1), answer_of(mirrored, 2)
    assert np.array_equal(one.in_acceptance, other.in_acceptance)
    assert np.array_equal(one.region, other.region)
    for pid in (13, 211, 321):
        kind = arrivals.pid == pid
        n, share = kind.sum(), [a.is_muon[kind].mean() for a in (one, other)]
        assert abs(share[0] - share[1]) < 4.0 * np.sqrt(2.0 * share[0] * (1.0 - share[0]) / n)
    medians = [np.nanmedian(a.d2[arrivals.pid == 13]) for a in (one, other)]
    assert medians[0] == pytest.approx(medians[1], rel=0.08)


def test_tracks_without_a_way_behind_the_magnet_have_no_answer():
    arrivals = shot(3, 10, [13], 20e3)
    paths = perfect_paths(arrivals)
    for column in paths.calorimeter.columns:
        column[:5] = np.nan
    answer = answer_of(arrivals, paths=paths)
    assert not answer.in_acceptance[:5].any()
    assert not answer.is_muon[:5].any()
    assert np.isnan(answer.d2[:5]).all()
    assert np.all(answer.region[:5] == -1)


def test_nothing_in_nothing_out():
    arrivals = shot(1, 5, [13], 20e3)
    none = arrivals.at(slice(0))
    answer = observe(none, perfect_paths(none), np.arange(3), Draws(1))
    assert len(answer.is_muon) == 0
    no_events = observe(none, perfect_paths(none), np.zeros(0, np.int64), Draws(1))
    assert len(no_events.d2) == 0


def test_two_muons_on_top_of_each_other_share_hits():
    arrivals = shot(200, 1, [13], 40e3)
    twins = arrivals._replace(particle_id=arrivals.particle_id + 1)
    both = type(arrivals)._make(np.concatenate(pair) for pair in zip(arrivals, twins, strict=True))
    answer = answer_of(both)
    assert np.all(answer.n_shared[answer.is_muon] == 1)
    assert np.all(answer_of(arrivals).n_shared == 0)
