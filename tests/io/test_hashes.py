from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from io_samples import change, fill, particles, results

from lamarrpy.io import digest, open_sink
from lamarrpy.tables import TRACKS, EventBatch

SETTINGS = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def tracks_digest(path, table, **options):
    pq.write_table(table, path / "tracks.parquet", **options)
    return digest(path / "tracks.parquet")["tracks"]


@SETTINGS
@given(st.permutations(range(12)), st.permutations(TRACKS.names), st.integers(1, 12))
def test_rows_columns_and_layout_may_be_in_any_order(tmp_path, rows, columns, row_group_size):
    table = fill(TRACKS, 12)
    expected = tracks_digest(tmp_path, table)
    other = table.take(list(rows)).select(list(columns)).replace_schema_metadata({"a": "b"})
    assert tracks_digest(tmp_path, other, row_group_size=row_group_size) == expected


@pytest.mark.parametrize(
    ("column", "value"), [("p", 1.0), ("muon_mu_ll", None), ("muon_mu_ll", 0.0), ("track_id", 99), ("is_muon", None)]
)
def test_every_change_shows(tmp_path, column, value):
    table = fill(TRACKS, 12)
    row = table.column("is_muon").to_pylist().index(True)
    before = tracks_digest(tmp_path, table)
    changed = table.column(column)[row].as_py()
    value = (not changed) if column == "is_muon" else value
    assert tracks_digest(tmp_path, change(table, column, row, value)) != before


def test_a_null_is_not_a_zero(tmp_path):
    table = TRACKS.only("event_id", "track_id", "muon_mu_ll").arrow
    a, b = (pa.table([[0], [0], pa.array([value], pa.float64())], schema=table) for value in (None, 0.0))
    assert tracks_digest(tmp_path, a) != tracks_digest(tmp_path, b)


def test_names_and_columns_count(tmp_path):
    table = fill(TRACKS, 5)
    found = {
        tracks_digest(tmp_path, table),
        tracks_digest(tmp_path, table.drop_columns(["p"])),
        tracks_digest(tmp_path, table.rename_columns(["q" if n == "p" else n for n in table.column_names])),
    }
    assert len(found) == 3


@SETTINGS
@given(st.permutations(range(8)))
def test_tables_without_a_schema_or_a_unique_key_are_sorted_by_all_columns(tmp_path, rows):
    values = pa.table({"b": [2, 1, 1, 2, 0, 0, 1, 1], "a": [0.5, 1.0, None, 0.5, 0.0, -0.0, 2.0, 1.0]})
    doubled = fill(TRACKS, 8).set_column(1, "track_id", pa.array([0] * 8)).set_column(0, "event_id", pa.array([0] * 8))
    for kind, table in (("mine", values), ("tracks", doubled)):
        found = []
        for order in (range(8), reversed(range(8)), rows):
            pq.write_table(table.take(list(order)), tmp_path / f"{kind}.parquet")
            found.append(digest(tmp_path / f"{kind}.parquet"))
        assert found[0] == found[1] == found[2]


def test_tables_come_in_alphabetical_order(tmp_path):
    with open_sink(tmp_path / "out", provenance={}) as sink:
        sink.append(results())
    assert list(digest(tmp_path / "out")) == ["clusters", "events", "particles", "tracks", "vertices"]


@pytest.mark.parametrize("name", ["out", "out.root", "out.db", "tracks.csv", "tracks.parquet"])
def test_formats_agree_where_covariances_are_minus_zero(tmp_path, name):
    tracks = fill(TRACKS, 30)
    expected = tracks_digest(tmp_path, change_all(tracks, "cov_x_ty", 0.0))
    with open_sink(tmp_path / "written" / name, provenance={}) as sink:
        sink.append(EventBatch({"tracks": change_all(tracks, "cov_x_ty", -0.0)}))
    assert digest(tmp_path / "written" / name) == {"tracks": expected}


def change_all(table, column, value):
    field = table.schema.field(column)
    return table.set_column(table.column_names.index(column), field, pa.array([value] * len(table), field.type))


def test_a_nan_can_be_hashed(tmp_path):
    pq.write_table(change(particles()["particles"], "px", 0, float("nan")), tmp_path / "p.parquet")
    assert len(digest(tmp_path / "p.parquet")["particles"]) == 64


def test_narrow_dtypes_count_as_the_canonical_ones(tmp_path):
    table = particles()["particles"]
    at = table.column_names.index("status")
    wide = table.set_column(at, "status", table.column("status").cast(pa.int64()))
    digests = []
    for part in (table, wide):
        pq.write_table(part, tmp_path / "p.parquet")
        digests.append(digest(tmp_path / "p.parquet"))
    assert digests[0] == digests[1]


def test_a_table_without_rows(tmp_path):
    empty = fill(TRACKS, 3).slice(0, 0)
    assert tracks_digest(tmp_path, empty) == tracks_digest(tmp_path, empty)
    assert tracks_digest(tmp_path, empty) != tracks_digest(tmp_path, fill(TRACKS, 3))
