"""Ghosts: random combinations of segments."""

from dataclasses import replace

import numpy as np
import pytest
from events import busy, crowd, find

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.reconstruction.candidates import TrackType
from lamarrpy.detailed.reconstruction.layers import layers_of
from lamarrpy.detailed.reconstruction.search import shipped_search


def ghosts(found):
    """Candidates that belong to nobody: type and hits of each."""
    candidates = found.candidates
    for i in np.flatnonzero(candidates.row < 0):
        part = slice(candidates.first[i], candidates.first[i + 1])
        yield candidates.track_type[i], [column[part] for column in candidates.hits]


@pytest.mark.parametrize("seed", [1, 2])
def test_one_particle_makes_ghosts_with_secondaries_only(seed):
    _, _, found = find(crowd(60, 1, seed=seed), seed)
    in_t = layers_of(lhcb_detector()).t
    for kind, (_, _, row, plane, *_) in ghosts(found):
        assert kind != TrackType.upstream
        assert np.all(row[in_t[plane]] == -1)
    assert np.mean(found.candidates.row < 0) < 0.05


def test_a_particle_does_not_take_its_own_image(monkeypatch):
    _, _, many = find(crowd(100, 1))
    search = replace(shipped_search(), secondary_images=0.0)
    monkeypatch.setattr("lamarrpy.detailed.reconstruction.finding.shipped_search", lambda: search)
    _, _, none = find(crowd(100, 1))
    assert np.array_equal(many.track_type, none.track_type)


def test_ghosts_grow_with_multiplicity():
    share = []
    for events, each in ((60, 10), (10, 60), (3, 300)):
        _, _, found = find(crowd(events, each))
        long = found.candidates.track_type == TrackType.long
        share.append(np.mean(found.candidates.row[long] < 0))
    assert share[0] < share[1] < share[2]
    assert share[0] < 0.05
    assert share[2] > 0.1


def test_ghosts_of_every_class_have_the_hits_of_their_class():
    layers = layers_of(lhcb_detector())
    kinds = []
    for kind, (_, _, _, plane, *_) in ghosts(busy()[2]):
        kinds.append(kind)
        velo, tt, t = (np.count_nonzero(part[plane]) for part in (layers.velo, layers.tt, layers.t))
        assert (velo >= 6) == (kind != TrackType.downstream)
        assert (t >= 9) == (kind != TrackType.upstream)
        assert tt >= 3 or (kind == TrackType.long and tt == 0)
    assert set(kinds) >= {TrackType.long}


def test_no_particle_has_most_hits_of_all_parts_of_a_ghost():
    layers = layers_of(lhcb_detector())
    checked = 0
    for kind, (_, _, row, plane, *_) in ghosts(busy()[2]):
        if kind == TrackType.long:
            velo, t = row[layers.velo[plane]], row[layers.t[plane]]
            owner = np.bincount(velo[velo >= 0]).argmax()
            assert np.mean(velo == owner) >= 0.7
            assert np.mean(t == owner) < 0.7
            checked += 1
    assert checked > 20


def test_a_velo_segment_is_in_one_track():
    truth, _, found = busy()
    candidates, layers = found.candidates, layers_of(lhcb_detector())
    fronts = []
    for kind, (_, _, row, plane, *_) in ghosts(found):
        if kind == TrackType.long:
            velo = row[layers.velo[plane]]
            fronts.append(np.bincount(velo[velo >= 0]).argmax())
    assert len(fronts) == len(set(fronts))
    assert not np.isin(found.track_type[fronts], TrackType.long).any()
    assert len(candidates.row) > 0
    assert len(truth.fate) == len(found.track_type)


def test_momenta_are_sensible():
    candidates, search = busy()[2].candidates, shipped_search()
    ghost = candidates.row < 0
    seed = candidates.seed
    p = 1.0 / np.abs(seed.qop[ghost])
    slope = np.hypot(seed.tx, seed.ty)[ghost]
    assert np.isfinite(p).all()
    assert p.min() > search.least_p
    # where the seed is, a little before the end of the VELO where the cut is made
    assert (p * slope / np.sqrt(1 + slope**2)).min() > 0.7 * search.least_pt
