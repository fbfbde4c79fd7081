from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamarrpy.errors import SchemaError
from lamarrpy.tables.linking import row_of

IDS = st.integers(-(2**62), 2**62)


@given(st.sets(st.tuples(IDS, st.integers(0, 3)), min_size=1), st.randoms(use_true_random=False))
def test_finds_the_row_of_every_key(keys, random):
    table = sorted(keys)
    random.shuffle(table)
    wanted = random.choices(table, k=20)
    row = row_of(list(np.array(wanted).T), list(np.array(table).T), "vertices")
    assert [table[at] for at in row] == wanted


def test_names_the_missing_key():
    known = [np.array([3, 3, 5]), np.array([0, 1, 0])]
    with pytest.raises(SchemaError, match=r"table 'vertices', but 1 are not, such as \(5, 1\)"):
        row_of([np.array([3, 5]), np.array([1, 1])], known, "vertices")
    with pytest.raises(SchemaError, match=r"such as \(4, 0\)"):
        row_of([np.array([4]), np.array([0])], known, "vertices")
    with pytest.raises(SchemaError, match="'events'"):
        row_of([np.array([4])], [np.array([], int)], "events")


def test_nothing_wanted():
    assert not len(row_of([np.array([], int)], [np.array([], int)], "events"))
    assert not len(row_of([np.array([], int)], [np.array([1, 2])], "events"))
