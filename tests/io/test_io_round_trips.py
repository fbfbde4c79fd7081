from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from io_samples import fill, particles, results, same

from lamarrpy.io import digest, open_sink, open_source, read_batch
from lamarrpy.tables import SCHEMAS, TRACKS, EventBatch, generator_level

TARGETS = {
    "folder": ("out", False),
    "root": ("out.root", False),
    "rntuple": ("out.root", True),
    "db": ("out.db", False),
    "sqlite": ("out.sqlite", False),
}


def write(path, batch, **options):
    with open_sink(path, provenance={"seed": 1}, overwrite=True, **options) as sink:
        sink.append(batch)
    return path


@pytest.mark.parametrize("naming", [None, "lhcb"])
@pytest.mark.parametrize("kind", TARGETS)
def test_all_tables_come_back_as_they_were(tmp_path, kind, naming):
    name, rntuple = TARGETS[kind]
    batch = results()
    path = write(tmp_path / name, batch, rntuple=rntuple, naming=naming)
    back = read_batch(path)
    assert set(back) == set(SCHEMAS)
    for table in SCHEMAS:
        assert back[table].schema.equals(SCHEMAS[table].arrow, check_metadata=True)
        assert same(back[table], batch[table])


@pytest.mark.parametrize("name", ["tracks.parquet", "tracks.csv"])
@pytest.mark.parametrize("naming", [None, "lhcb"])
def test_a_file_of_one_table(tmp_path, name, naming):
    tracks = EventBatch({"tracks": fill(TRACKS, 30)})
    assert same(read_batch(write(tmp_path / name, tracks, naming=naming))["tracks"], tracks["tracks"])


@pytest.mark.parametrize("kind", TARGETS)
def test_generator_level_events_come_back_through_a_source(tmp_path, kind):
    name, rntuple = TARGETS[kind]
    batch = particles()
    with open_source(write(tmp_path / name, batch, rntuple=rntuple)) as source:
        read, bad = source.read(0, len(source))
    assert bad.total == 0
    for table in batch:
        assert read[table].schema.equals(generator_level(table).arrow, check_metadata=True)
        assert same(read[table], batch[table])


@pytest.mark.parametrize("name", ["p.parquet", "p.csv"])
def test_particles_alone_come_back_through_a_source(tmp_path, name):
    batch = particles()
    with open_source(write(tmp_path / name, batch, tables={"particles": None})) as source:
        assert same(source.read(0, len(source))[0]["particles"], batch["particles"])


def test_formats_agree_in_their_digests(tmp_path):
    batch = results()
    digests = [digest(write(tmp_path / kind / name, batch, rntuple=r)) for kind, (name, r) in TARGETS.items()]
    assert all(found == digests[0] for found in digests)
    assert set(digests[0]) == set(SCHEMAS)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
@pytest.mark.parametrize("name", ["p.csv", "p.db", "p.root", "p.parquet"])
def test_every_digit_of_a_number_survives(tmp_path, name, values):
    n = len(values)
    batch = EventBatch({"particles": fill(SCHEMAS["particles"], n)})
    batch = batch.with_columns(SCHEMAS["particles"].only("px"), {"px": np.array(values)})
    got = read_batch(write(tmp_path / name, batch)).array("particles", "px")
    expected = np.array(values) + (0.0 if name == "p.db" else -0.0)  # SQLite forgets the sign of a zero
    assert got.tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", ["p.root", "p.db"])
def test_columns_and_tables_of_the_user_are_kept(tmp_path, name):
    batch = EventBatch(
        {
            "mine": pa.table({"a": pa.array([1, 2]), "b": pa.array([0.5, -1000.0])}),
            "events": pa.table({"event_id": pa.array([1, 2]), "label": pa.array([7, 8])}),
        }
    )
    back = read_batch(write(tmp_path / name, batch))
    assert back["mine"].to_pydict() == {"a": [1, 2], "b": [0.5, -1000.0]}
    assert back["events"].to_pydict() == {"event_id": [1, 2], "label": [7, 8]}


def test_root_holds_minus_1000_for_null_and_a_true_minus_1000_survives(tmp_path):
    import uproot

    columns = TRACKS.only("event_id", "track_id", "is_muon", "muon_mu_ll")
    values = {
        "event_id": [0, 0, 0],
        "track_id": [0, 1, 2],
        "is_muon": [True, False, True],
        "muon_mu_ll": [-1.0, np.nan, -1000.0],
    }
    path = write(tmp_path / "out.root", EventBatch({}).with_table(columns, values))
    with uproot.open(path) as file:
        assert file["tracks"]["muon_mu_ll"].array(library="np").tolist() == [-1.0, -1000.0, -1000.0]
    assert read_batch(path)["tracks"].column("muon_mu_ll").to_pylist() == [-1.0, None, -1000.0]


def test_sqlite_holds_null(tmp_path):
    import sqlite3
    from contextlib import closing

    path = write(tmp_path / "out.db", EventBatch({"tracks": fill(TRACKS, 10)}))
    with closing(sqlite3.connect(path)) as base:
        rows = base.execute("SELECT is_muon, muon_mu_ll FROM tracks").fetchall()
    assert {bool(flag) for flag, _ in rows} == {True, False}
    assert all((value is None) == (not flag) for flag, value in rows)


def test_units_and_meaning_survive_in_parquet(tmp_path):
    import pyarrow.parquet as pq

    write(tmp_path / "out", results())
    field = pq.read_schema(tmp_path / "out" / "tracks.parquet").field("muon_mu_ll")
    assert field.metadata[b"valid_under"] == b"is_muon"
    assert pq.read_schema(tmp_path / "out" / "vertices.parquet").field("cov_x_y").metadata[b"unit"] == b"mm^2"
