from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamarrpy.errors import SchemaError
from lamarrpy.io.stored import JoinedTable, MemoryTable, RenamedTable, StoredTable, arrow_array, expand


class Numbers(StoredTable):
    """Rows that hold their own number, in blocks of given sizes; counts what is decoded."""

    def __init__(self, sizes: list[int]) -> None:
        super().__init__(Path("numbers"), pa.schema([("row", pa.int64())]), np.cumsum([0, *sizes]))
        self.loaded: list[int] = []

    def load(self, block: int, columns: tuple[str, ...]) -> pa.Table:
        self.loaded.append(block)
        return pa.table([arrow_array(np.arange(*self.starts[block : block + 2]))], names=["row"])


def rows_of(table: pa.Table) -> list[int]:
    return table.column("row").to_pylist()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.data())
def test_slice_gives_the_rows_asked_for(sizes, data):
    table = Numbers(sizes)
    start = data.draw(st.integers(0, table.rows))
    stop = data.draw(st.integers(start, table.rows))
    assert rows_of(table.slice(start, stop, ["row"])) == list(range(start, stop))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.lists(st.integers(0, 3), max_size=8), st.data())
def test_gather_gives_ranges_in_the_order_asked_for_and_decodes_a_block_once(sizes, counts, data):
    table = Numbers([sum(counts), *sizes])
    count = np.array(counts, np.int64)
    natural = np.cumsum(count) - count
    order = np.array(data.draw(st.permutations(range(len(counts)))), np.int64)
    got = rows_of(table.gather(natural[order], count[order], ["row"]))
    assert got == [int(f) + i for f, c in zip(natural[order], count[order], strict=True) for i in range(c)]
    assert len(table.loaded) == len(set(table.loaded))


def test_expand():
    assert expand(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist() == [5, 6, 9, 10, 11]


def test_the_last_block_is_decoded_once_for_successive_reads():
    table = Numbers([10, 10])
    for start in range(0, 20, 2):
        table.slice(start, start + 2, ["row"])
    assert table.loaded == [0, 1]


def test_joined_rows_are_found_in_their_file():
    parts = [MemoryTable(name, pa.table({"row": pa.array(rows)})) for name, rows in (("a", [0, 1]), ("b", [2, 3, 4]))]
    joined = JoinedTable(parts)
    assert rows_of(joined.slice(1, 4, ["row"])) == [1, 2, 3]
    assert joined.where(1) == ("table 'a' in memory", 1)
    assert joined.where(2) == ("table 'b' in memory", 0)


def test_parts_with_other_columns_are_refused():
    a, b = (
        MemoryTable(n, pa.table({"row": pa.array([1], kind)})) for n, kind in (("a", pa.int64()), ("b", pa.int32()))
    )
    with pytest.raises(SchemaError, match=r"table 'b' in memory: column 'row' is int32, but int64 in table 'a'"):
        JoinedTable([a, b])


def test_renamed_columns():
    table = RenamedTable(
        MemoryTable("a", pa.table({"old": pa.array([1, 2]), "kept": pa.array([3, 4])})), {"old": "new"}
    )
    assert table.schema.names == ["new", "kept"]
    assert table.slice(0, 2, ["kept", "new"]).to_pydict() == {"kept": [3, 4], "new": [1, 2]}
    assert table.where(1) == ("table 'a' in memory", 1)


@pytest.mark.parametrize("values", [np.array([1.5, np.nan]), np.array([True, False]), np.array([3, 4], ">i4")])
def test_arrow_array_keeps_values(values):
    assert np.array_equal(
        arrow_array(values).to_numpy(zero_copy_only=False), values, equal_nan=values.dtype.kind == "f"
    )


def test_arrow_array_with_nulls():
    assert arrow_array(np.array([1, 2, 3]), np.array([False, True, False])).to_pylist() == [1, None, 3]
