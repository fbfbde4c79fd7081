from __future__ import annotations

import numpy as np
import pytest

from lamarrpy.draws import Draws
from lamarrpy.stages.flavour import contains_quark
from lamarrpy.stages.parametric.occupancy import Occupancy
from lamarrpy.tables import EVENTS, PARTICLES, EventBatch
from lamarrpy.testing import check_stage


def events(n: int, particles: list[tuple[int, int]] | None = None) -> EventBatch:
    """n events 0 ... n - 1 with particles (event, pid)."""
    particles = particles or []
    batch = EventBatch({}).with_table(EVENTS.only("event_id"), {"event_id": np.arange(n)})
    return batch.with_table(
        PARTICLES.only("event_id", "particle_id", "pid"),
        {
            "event_id": np.array([event for event, _ in particles], np.int64),
            "particle_id": np.arange(len(particles)),
            "pid": np.array([pid for _, pid in particles], np.int32),
        },
    )


def n_tracks(batch: EventBatch, **options) -> np.ndarray:
    return Occupancy(**options)(batch, Draws(1, "occupancy")).array("events", "n_tracks")


def test_b_events_have_the_published_quantiles():
    """PyLamarr's log-normal for b-hadron events of 2016: median, mean, 5, 95 and 99 %."""
    n = n_tracks(events(60_000), flavour="b")
    assert np.quantile(n, [0.5, 0.05, 0.95, 0.99]) == pytest.approx([130, 49, 345, 517], rel=0.02)
    assert n.mean() == pytest.approx(155, rel=0.01)
    assert n.dtype == np.int32
    assert n.min() >= 1


def test_lighter_flavours_have_fewer_tracks():
    b, c, minimum_bias = (n_tracks(events(20_000), flavour=f).mean() for f in ("b", "c", "minimum_bias"))
    assert c == pytest.approx(135, rel=0.03)
    assert minimum_bias == pytest.approx(83, rel=0.03)
    assert minimum_bias < c < b


def test_flavour_is_that_of_the_heaviest_hadron():
    """Events with a b and a c hadron, a c hadron, light hadrons, and no particles."""
    batch = events(4, [(1, 421), (0, -411), (2, 310), (0, 5122), (2, 22)])
    expected = [n_tracks(events(4), flavour=f)[at] for at, f in enumerate(["b", "c", "minimum_bias", "minimum_bias"])]
    assert n_tracks(batch).tolist() == expected
    assert len(set(expected)) > 2


@pytest.mark.parametrize(
    ("pid", "bottom", "charm"),
    [
        (511, True, False),
        (-521, True, False),
        (541, True, True),
        (5122, True, False),
        (-5332, True, False),
        (10511, True, False),
        (553, True, False),
        (411, False, True),
        (-4122, False, True),
        (4444, False, True),
        (443, False, True),
        (20433, False, True),
        (2212, False, False),
        (310, False, False),
        (100211, False, False),
        (5, False, False),
        (15, False, False),
        (1000050100, False, False),
    ],
)
def test_quark_content(pid, bottom, charm):
    assert contains_quark(np.array([pid]), 5)[0] == bottom
    assert contains_quark(np.array([pid]), 4)[0] == charm


def test_conformance():
    check_stage(Occupancy(), events(12, [(e, pid) for e in range(10) for pid in (211, 511, 421)[e % 3 :]]))
    assert "particles" not in Occupancy("b").reads
    check_stage(Occupancy("b"), events(12))
