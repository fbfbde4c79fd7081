"""Samples of tracks: lengths, momenta, parts and columns."""

import numpy as np
import pytest

from lamarrpy.errors import SchemaError
from lamarrpy.propagation import State
from lamarrpy.tracks import TrackSample, concatenate
from lamarrpy.tracks.sample import COLUMNS


def sample(n, first=0):
    x = np.arange(first, first + n, dtype=float)
    start = State(x, 2 * x, 3 * x, 0.01 * x, 0.02 * x, np.where(x % 2 == 0, -1.0, 1.0) / (1000.0 + x))
    return TrackSample(start, 100.0 + x, State(4 * x, 5 * x, 3 * x + 100.0 + x, 0.03 * x, 0.04 * x, start.qop))


def test_length_momentum_and_charge():
    tracks = sample(3)
    assert len(tracks) == 3
    assert tracks.p == pytest.approx([1000.0, 1001.0, 1002.0])
    assert tracks.charge.tolist() == [-1.0, 1.0, -1.0]


def test_some_of_the_tracks():
    part = sample(5).at([3, 1])
    assert part.start.x.tolist() == [3.0, 1.0]
    assert part.dz.tolist() == [103.0, 101.0]
    assert part.end.y.tolist() == [15.0, 5.0]


def test_columns_there_and_back():
    tracks = sample(4)
    columns = tracks.columns()
    assert tuple(columns) == tuple(COLUMNS)
    back = TrackSample.from_columns(columns)
    assert all(np.array_equal(a, b) for a, b in zip(tracks.start, back.start, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(tracks.end, back.end, strict=True))


def test_one_after_the_other():
    joined = concatenate([sample(2), sample(0), sample(3, first=2)])
    assert all(
        np.array_equal(a, b) for a, b in zip(joined.columns().values(), sample(5).columns().values(), strict=True)
    )
    assert len(concatenate([])) == 0


def test_arrays_of_different_lengths_are_refused():
    tracks = sample(3)
    with pytest.raises(SchemaError, match=r"of as many tracks, got \[2, 3\]"):
        TrackSample(tracks.start, tracks.dz[:2], tracks.end)
