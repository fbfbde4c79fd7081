"""The whole answer: events that know nothing of each other, tracks that take their clusters, mirror images."""

import numpy as np
import pytest
from calo_guns import at_ecal, joined, no_tracks, over_region, tracks_of

from lamarrpy.detailed.calorimeter import observe
from lamarrpy.detailed.reconstruction.paths import Line, Paths
from lamarrpy.draws import Draws


def events(n_events=30, n=40, seed=1, first=0):
    rng = np.random.default_rng(seed)
    parts = [over_region(n_events * n // 4, region, seed) for region in (0, 1, 1, 2)]
    x, y = (np.concatenate([part[axis] for part in parts]) for axis in (0, 1))
    mixed = rng.permutation(len(x))
    event = first + np.repeat(np.arange(n_events), n)
    pid = rng.choice([22, 22, 11, -11, 211, -211, 13, 130, -2212], len(x))
    e = np.exp(rng.uniform(6, 11, len(x)))
    return at_ecal(x[mixed], y[mixed], e, pid, event, np.tile(np.arange(n), n_events))


def charged(arrivals):
    return arrivals.at(~np.isin(arrivals.pid, (22, 130)))


def paths_at(paths, rows):
    lines = {
        name: Line(one.z, *(column[rows] for column in one.columns))
        for name, one in paths._asdict().items()
        if isinstance(one, Line)
    }
    bare = {name: column[rows] for name, column in paths._asdict().items() if name not in lines}
    return Paths(**bare, **lines)


def test_events_are_independent_to_the_last_bit():
    arrivals = events(100)
    paths, ids = tracks_of(charged(arrivals)), np.arange(100)
    whole = observe(arrivals, paths, ids, Draws(1))
    some = np.random.default_rng(2).permutation(ids)[:9]
    own, mine = np.isin(arrivals.event_id, some), np.isin(paths.event_id, some)
    part = observe(arrivals.at(own), paths_at(paths, mine), some, Draws(1))
    clusters = whole.clusters.at(np.isin(whole.clusters.event_id, some))
    for a, b in zip(clusters, part.clusters, strict=True):
        assert np.array_equal(a, b)
    for a, b in zip(whole.charged, part.charged, strict=True):
        assert np.array_equal(a[mine], b)
    assert np.array_equal(whole.spd_hits[some], part.spd_hits)


def test_the_order_of_tracks_does_not_matter():
    arrivals = events(8)
    paths = tracks_of(charged(arrivals))
    order = np.random.default_rng(3).permutation(len(paths.p))
    straight, mixed = (observe(arrivals, p, np.arange(8), Draws(1)) for p in (paths, paths_at(paths, order)))
    for a, b in zip(straight.charged, mixed.charged, strict=True):
        assert np.array_equal(a[order], b)


def test_events_without_anything():
    nothing = at_ecal([], [], [])
    answer = observe(nothing, no_tracks(), np.array([7, 3]), Draws(1))
    assert not len(answer.clusters.e)
    assert answer.spd_hits.tolist() == [0, 0]
    none = observe(nothing, no_tracks(), np.zeros(0, np.int64), Draws(1))
    assert not len(none.spd_hits)


def test_an_empty_event_between_others():
    arrivals = events(3)
    arrivals = arrivals.at(arrivals.event_id != 1)
    answer = observe(arrivals, tracks_of(charged(arrivals)), np.arange(3), Draws(1))
    assert answer.spd_hits[1] == 0
    assert 1 not in answer.clusters.event_id


def test_all_numbers_are_finite_for_tracks_of_all_kinds():
    arrivals = events(6)
    paths = tracks_of(charged(arrivals))
    upstream = paths.charge * 0 == 0
    upstream[::2] = False
    lost = Line(paths.calorimeter.z, *(np.where(upstream, np.nan, column) for column in paths.calorimeter.columns))
    answer = observe(arrivals, paths._replace(calorimeter=lost, rich2=lost), np.arange(6), Draws(1))
    assert all(np.isfinite(column).all() for column in (*answer.charged, *answer.clusters))
    assert not answer.charged.in_acceptance[upstream].any()
    assert not answer.charged.ecal_e[upstream].any()
    assert not answer.charged.spd[upstream].any()


def test_electrons_take_their_clusters_from_the_neutral_ones():
    n = 600
    arrivals = at_ecal(*over_region(n, 1), 1e4, 11)
    answer = observe(arrivals, tracks_of(arrivals), np.arange(n), Draws(1))
    assert len(answer.clusters.e) < 0.2 * n
    assert np.median(answer.charged.cluster_e) == pytest.approx(1e4, rel=0.01)
    assert np.median(answer.charged.match_chi2) < 2.0
    alone = observe(arrivals, no_tracks(), np.arange(n), Draws(1))
    assert len(alone.clusters.e) > 0.95 * n


def test_bremsstrahlung_is_found_along_the_tangent():
    n = 300
    x, y = over_region(n, 1)
    photons = at_ecal(x, y, 3e3, 22, number=np.zeros(n, np.int64))
    electrons = at_ecal(x + 400.0, y, 1e4, 11, number=np.ones(n, np.int64))
    paths = tracks_of(electrons)._replace(rich1=tracks_of(photons).rich1)
    brem = observe(joined(photons, electrons), paths, np.arange(n), Draws(1)).charged.brem_e
    assert (brem > 0.0).mean() > 0.85
    assert np.median(brem[brem > 0.0]) == pytest.approx(3e3, rel=0.05)


def test_the_other_charge_sees_the_mirror_image():
    arrivals = events(200, seed=5)
    mirrored = arrivals._replace(
        x=-arrivals.x, tx=-arrivals.tx, pid=np.where(np.isin(arrivals.pid, (22, 130)), arrivals.pid, -arrivals.pid)
    )
    one, other = (observe(a, no_tracks(), np.arange(200), Draws(seed)) for seed, a in ((1, arrivals), (2, mirrored)))
    counts = len(one.clusters.e), len(other.clusters.e)
    assert abs(counts[0] - counts[1]) < 4.0 * np.sqrt(sum(counts))
    assert one.clusters.x.mean() == pytest.approx(-other.clusters.x.mean(), abs=4.0 * 900.0 / np.sqrt(counts[0]))
    assert np.median(one.clusters.e) == pytest.approx(np.median(other.clusters.e), rel=0.06)
    assert one.spd_hits.mean() == pytest.approx(other.spd_hits.mean(), rel=0.05)
