"""Ranges that quantities are drawn from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from lamarrpy.tracks.ranges import Ranges, contains, fixed, uniform

READ = TypeAdapter(Ranges)
EDGES = st.lists(st.floats(-1e5, 1e5), min_size=2, max_size=8, unique=True).filter(lambda edges: len(edges) % 2 == 0)


def test_a_number_a_pair_and_several():
    assert READ.validate_python(4) == ((4.0, 4.0),)
    assert READ.validate_python([-1, 2.5]) == ((-1.0, 2.5),)
    assert READ.validate_python([[1, 2], [5, 9]]) == ((1.0, 2.0), (5.0, 9.0))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([2, 1], "low < high"),
        ([[1, 1]], None),
        ([[1, 1], [2, 3]], "low < high"),
        ([[1, 3], [2, 5]], "follow each other"),
        ("4", "expected a number"),
        (True, "expected a number"),
        ([], "expected a number"),
        ([1, 2, 3], "expected a number"),
        ([[1, 2, 3]], "expected a number"),
        ([1, "2"], "expected a number"),
    ],
)
def test_what_is_none_is_refused(content, said):
    if said is None:
        assert fixed(READ.validate_python(content)) == 1.0
    else:
        with pytest.raises(ValidationError, match=said):
            READ.validate_python(content)


@given(EDGES, st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30))
def test_values_lie_inside_and_rise_with_the_share(edges, shares):
    edges = sorted(edges)
    ranges = READ.validate_python(list(zip(edges[::2], edges[1::2], strict=True)))
    values = uniform(ranges, np.sort(shares))
    slack = 1e-9 * max(map(abs, edges))
    widened = tuple((low - slack, high + slack) for low, high in ranges)
    assert contains(widened, values).all()
    assert (np.diff(values) >= 0.0).all()


def test_a_range_gets_a_share_as_its_length():
    values = uniform(((0.0, 1.0), (10.0, 13.0)), (np.arange(1000) + 0.5) / 1000)
    assert np.count_nonzero(values <= 1.0) == 250
    assert values.mean() == pytest.approx(0.25 * 0.5 + 0.75 * 11.5)


def test_one_value():
    assert uniform(((7.0, 7.0),), np.array([0.1, 0.9])).tolist() == [7.0, 7.0]
    assert fixed(((1.0, 2.0),)) is None
