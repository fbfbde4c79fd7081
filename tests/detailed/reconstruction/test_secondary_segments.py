"""T segments of secondaries, and mirror images of those in the event."""

from dataclasses import replace

import numpy as np
import pytest
from events import crowd, measured

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.reconstruction.confusion import Picked
from lamarrpy.detailed.reconstruction.layers import layers_of
from lamarrpy.detailed.reconstruction.matching import MID_T, measured_parts, straight_to
from lamarrpy.detailed.reconstruction.search import shipped_search
from lamarrpy.detailed.reconstruction.secondary_segments import secondary_segments
from lamarrpy.detailed.reconstruction.segments import t_segments
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field

DETECTOR, FIELD = lhcb_detector(), magnetic_field("lhcb")


@pytest.fixture(scope="module")
def event():
    particles = crowd(5, 200)
    truth, hits = measured(particles)
    held = Picked(hits.row, hits, np.ones(len(hits.row), bool))
    draws = Draws(1, "f").rows(particles.event_id, particles.particle_id)
    ends = measured_parts(truth, held, DETECTOR, draws).t
    return truth, (t_segments(held, held.right, len(truth.fate), DETECTOR) & ends.exists, ends.state), held


def made_of(event, images):
    search = replace(shipped_search(), secondary_images=images)
    return secondary_segments(*event, (DETECTOR, FIELD, search), Draws(1, "f"))


@pytest.mark.parametrize("images", [0.0, 0.5, 2.0, 2.25, 3.0])
def test_as_many_images_as_asked_for(event, images):
    made, without = made_of(event, images), made_of(event, 0.0)
    originals = event[1][0].sum() + len(without.source)
    assert not without.image.any()
    assert (~made.image).sum() == len(without.source) > 20
    assert made.image.sum() == pytest.approx(images * originals, abs=4 * np.sqrt(0.25 * originals) * (images % 1 > 0))


def test_images_are_where_their_originals_would_be_seen_in_a_mirror(event):
    made, state = made_of(event, 3.0), event[1][1]
    x, y = np.abs(made.state.x[made.image]), np.abs(made.state.y[made.image])
    seen = np.isin(x, np.abs(state.x)) & np.isin(y, np.abs(state.y))
    assert seen.mean() > 0.7
    slope = made.state.tx / made.state.qop
    assert np.all(np.isin(np.abs(slope[made.image][seen]), np.abs(state.tx / state.qop)))


def test_hits_are_on_the_way_of_their_segment(event):
    made, layers = made_of(event, 2.0), layers_of(DETECTOR)
    hits, row = made.held.hits, made.held.row
    assert layers.t[hits.plane].all()
    assert set(hits.row) == set(hits.particle_id) == {-1}
    way = made.state.at(row)
    lever = hits.z - MID_T
    off = hits.measurement - (way.x + lever * way.tx) * hits.cos - (way.y + lever * way.ty) * hits.sin
    near = np.abs(lever) < 250.0
    # slopes and y are measured by hits, and the field bends the way of 2 GeV by 1 mm
    assert np.percentile(np.abs(off[near]), 68) < 1.0
    assert np.percentile(np.abs(off[near]), 99) < 10.0


def test_segments_have_enough_hits(event):
    made = made_of(event, 2.0)
    assert t_segments(made.held, made.held.right, len(made.source), DETECTOR).all()
    assert np.all(np.diff(made.held.row) >= 0)


def test_secondaries_stay_in_their_event(event):
    made, events = made_of(event, 1.0), event[0].particles.event_id
    assert np.array_equal(made.held.hits.event_id, events[made.source[made.held.row]])


def test_nothing_comes_of_nothing():
    truth, hits = measured(crowd(1, 1, p=3e4).at(slice(0, 0)))
    held = Picked(hits.row, hits, np.zeros(0, bool))
    ends = measured_parts(truth, held, DETECTOR, Draws(1).rows(*truth.particles[:2])).t
    assert len(made_of((truth, (ends.exists, straight_to(ends.state, MID_T)), held), 2.0).source) == 0
