"""Maps of closed-form fields: right at their nodes, large enough for the tracks, and beside the poles."""

import numpy as np
import pytest

from lamarrpy.errors import ConfigError
from lamarrpy.field import magnetic_field
from lamarrpy.study.field_map import map_of
from lamarrpy.tracks import TrackSample, make_sample


@pytest.fixture(scope="module")
def sample():
    return make_sample("box", 50, 1)


@pytest.mark.parametrize("kind", ["lhcb", "dipole_pair"])
@pytest.mark.parametrize("polarity", ["MagUp", "MagDown"])
def test_the_map_is_the_field_at_its_nodes(kind, polarity, sample):
    field = magnetic_field(kind, polarity)
    made = map_of(field, sample, 400.0)
    at = np.meshgrid(made.x[::4], made.y[::4], made.z[::4], indexing="ij")
    for got, wanted in zip(made(*at), field(*at), strict=True):
        assert got == pytest.approx(wanted, abs=1e-9)
    assert made.polarity == polarity


def test_all_tracks_are_inside(sample):
    made = map_of(magnetic_field("lhcb"), sample, 300.0)
    for nodes, name in ((made.x, "x"), (made.y, "y"), (made.z, "z")):
        for state in (sample.start, sample.end):
            values = getattr(state, name)
            assert nodes[0] <= values.min()
            assert values.max() <= nodes[-1]


def test_nothing_to_map_is_refused(sample):
    field = magnetic_field("lhcb")
    with pytest.raises(ConfigError, match="spacing above 0"):
        map_of(field, sample, 0.0)
    with pytest.raises(ConfigError, match="0 tracks"):
        map_of(field, TrackSample.empty())
