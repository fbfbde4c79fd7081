from __future__ import annotations

import pickle
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_samples import small_pieces

from lamarrpy.errors import OutputError
from lamarrpy.io.integers import Lookup, StoredArray, equal, find_repeat, is_increasing, pieces, together
from lamarrpy.io.staging import Staging, _append

FEW = st.lists(st.integers(-4, 4), max_size=14)
NUMBERS = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=9)


def array(values):
    return np.array(values, np.int64)


@settings(deadline=None)
@given(NUMBERS, st.slices(9))
def test_a_slice_of_a_file_is_that_of_the_array(values, at):
    at = slice(at.start, at.stop)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "numbers"
        path.write_bytes(array(values).tobytes())
        stored = pickle.loads(pickle.dumps(StoredArray(path, len(values))))
        assert len(stored) == len(values)
        assert stored[at].tolist() == values[at]
        assert stored[:].dtype == np.int64


@pytest.mark.parametrize("blocks", [[0], [3], [2, 2], [1, 0, 4, 2], [0, 9]])
def test_short_columns_are_kept_in_memory_and_long_ones_in_files(blocks, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    values = np.arange(2 * sum(blocks)).reshape(2, -1)
    staging = Staging()
    with small_pieces():
        kept = staging.keep(iter(np.split(values, np.cumsum(blocks)[:-1], axis=1)))
    assert [column[:].tolist() for column in kept] == values.tolist()
    in_files = sum(blocks) > 2
    assert [isinstance(column, StoredArray) for column in kept] == [in_files] * 2
    assert any(tmp_path.iterdir()) == in_files
    staging.close()
    assert not any(tmp_path.iterdir())


def test_a_file_that_takes_no_more_is_named(tmp_path):
    (tmp_path / "full").touch()
    with (
        (tmp_path / "full").open("rb") as full,
        pytest.raises(OutputError, match=r"full: cannot keep where the events .* set TMPDIR"),
    ):
        _append(full, np.zeros(9, np.int64))


@given(FEW, st.integers(0, 14))
def test_pieces_are_the_whole(values, start):
    with small_pieces():
        found = list(pieces(array(values), start=start))
    assert [number for _, piece in found for number in piece] == values[start:]
    assert [at for at, _ in found] == list(range(start, len(values), 3))


@given(FEW, FEW)
def test_equal_and_increasing(a, b):
    with small_pieces():
        assert equal(array(a), array(b)) == (a == b)
        assert equal(array(a), array(a))
        for values in (a, sorted(a), sorted(set(a))):
            assert is_increasing(array(values)) == (values == sorted(set(values)))


@given(FEW)
def test_together(values):
    with small_pieces():
        assert list(together(array(values), -array(values))) == [(v, -v) for v in values]


@given(FEW.filter(len), FEW)
def test_lookup_finds_the_first_of_each(values, wanted):
    rows, where = Lookup(array(values)).find(array(wanted))
    found = dict(zip(rows.tolist(), where.tolist(), strict=True))
    assert found == {row: values.index(v) for row, v in enumerate(wanted) if v in values}


@given(st.lists(st.integers(-20, 20), max_size=14))
def test_find_repeat(values):
    with small_pieces():
        found = find_repeat(array(values))
    if len(set(values)) == len(values):
        assert found is None
    else:
        earlier, later = found
        assert earlier < later
        assert values[earlier] == values[later]
