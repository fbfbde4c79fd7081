"""Noise hits: how many, and where."""

from dataclasses import replace

import numpy as np
import pytest
from events import crowd, measured

from lamarrpy.detailed.geometry import Kind, lhcb_detector
from lamarrpy.detailed.reconstruction.neighbours import planes_of, polar, pool_of
from lamarrpy.detailed.reconstruction.noise import noise_hits
from lamarrpy.detailed.reconstruction.search import shipped_search
from lamarrpy.draws import Draws

DETECTOR = lhcb_detector()


def noise_of(particles, **changes):
    _, hits = measured(particles)
    pool = pool_of(hits, np.ones(len(hits.row), bool), np.unique(particles.event_id), DETECTOR)
    return hits, *noise_hits(pool, DETECTOR, replace(shipped_search(), **changes), Draws(1, "f"))


@pytest.fixture(scope="module")
def noise():
    return noise_of(crowd(20, 50))


def test_in_proportion_to_the_hits(noise):
    hits, extra, above = noise
    assert len(above) == len(extra.row)
    search, systems = shipped_search(), DETECTOR.systems()
    for name in ("velo", "tt", "it", "ot"):
        real, more = (np.count_nonzero(systems[h.plane] == name) for h in (hits, extra))
        planes = len(np.unique((hits.event_id * 1000 + hits.plane)[systems[hits.plane] == name]))
        expected = getattr(search, f"noise_share_{name}") * real + search.noise_constant * planes
        assert more == pytest.approx(expected, abs=5 * np.sqrt(expected) + 0.02 * expected)


def test_only_where_the_event_has_hits(noise):
    hits, extra, _ = noise
    assert set(zip(extra.event_id, extra.plane, strict=True)) <= set(zip(hits.event_id, hits.plane, strict=True))
    assert set(extra.row) == set(extra.particle_id) == {-1}


def test_inside_the_active_area(noise):
    _, extra, _ = noise
    table = planes_of(DETECTOR)
    velo = extra.kind <= Kind.velo_phi
    r, azimuth = polar(extra, DETECTOR)
    plane = extra.plane
    assert np.all((r >= table.inner[plane] - 1e-9)[velo] & (r <= table.outer[plane] + 1e-9)[velo])
    assert np.all((np.cos(azimuth) * table.side[plane] > -np.sin(np.radians(1.0)) - 1e-9)[velo])
    assert np.all((np.abs(extra.measurement) < table.outer[plane] + 2.7)[~velo])
    assert extra.cos**2 + extra.sin**2 == pytest.approx(np.ones(len(extra.cos)))


def test_straws_have_wires_and_drifts(noise):
    _, extra, _ = noise
    straw = extra.kind == Kind.straw
    steps = (extra.measurement - extra.side * extra.drift)[straw] / 2.625
    assert steps == pytest.approx(np.round(steps), abs=1e-6)
    assert np.all((extra.drift[straw] >= 0.0) & (extra.drift[straw] <= 2.625 + 1e-9))
    assert set(extra.side[straw]) == {-1, 1}
    assert not extra.side[~straw].any()
    assert not extra.drift[~straw].any()


def test_none_if_there_is_none():
    without = {f"noise_share_{name}": 0.0 for name in ("velo", "tt", "it", "ot")}
    assert len(noise_of(crowd(2, 10), **without, noise_constant=0.0)[1].row) == 0


def test_an_event_has_its_own(noise):
    _, extra, _ = noise
    one = crowd(20, 50)
    _, alone, _ = noise_of(one.at(one.event_id == 7))
    same = extra.event_id == 7
    for a, b in zip(alone, extra, strict=True):
        assert np.array_equal(a, b[same])
