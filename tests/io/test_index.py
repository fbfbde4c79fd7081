from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lamarrpy.io.index import pair_keys, repeats

IDS = st.integers(-(2**62), 2**62) | st.integers(-3, 3)


@given(st.lists(st.tuples(st.integers(0, 5), IDS, IDS), max_size=12))
def test_pair_keys_are_equal_and_ordered_as_the_pairs(rows):
    group, a, b = (np.array(column, np.int64) for column in zip(*rows, strict=True)) if rows else [np.empty(0, int)] * 3
    keys = np.concatenate(pair_keys(group, a, b)).tolist()
    pairs = [*zip(group.tolist(), a.tolist(), strict=True), *zip(group.tolist(), b.tolist(), strict=True)]
    for key, pair in zip(keys, pairs, strict=True):
        for other, another in zip(keys, pairs, strict=True):
            assert (key == other) == (pair == another)
            assert (key < other) == (pair < another)


@given(st.lists(st.integers(0, 5), max_size=12))
def test_repeats_are_the_later_rows(keys):
    expected = [i for i, key in enumerate(keys) if key in keys[:i]]
    assert repeats(np.array(keys, np.int64)).tolist() == expected
