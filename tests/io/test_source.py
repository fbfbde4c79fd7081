from __future__ import annotations

import pickle
import re
import tracemalloc
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from io_samples import change, particles, same, small_pieces

from lamarrpy.errors import ConfigError, InputError, SchemaError
from lamarrpy.io import BadRows, open_sink, open_source
from lamarrpy.tables import EventBatch

COUNTS = (3, 0, 5, 1, 4, 2)


def save(path, batch, row_group_size=4):
    """The tables of a batch as a folder of Parquet files with small row groups."""
    path.mkdir(exist_ok=True)
    for name, table in batch.tables.items():
        pq.write_table(table, path / f"{name}.parquet", row_group_size=row_group_size)
    return path


def only_particles(batch):
    return EventBatch({"particles": batch["particles"]})


def whole(source):
    return source.read(0, len(source))


class TestOrder:
    def test_events_come_in_the_order_of_the_file_with_empty_ones(self, tmp_path):
        batch = particles(COUNTS)
        source = open_source(save(tmp_path, batch))
        assert source.event_ids[:].tolist() == batch.array("events", "event_id").tolist()
        assert source.rows[:].tolist() == list(COUNTS)
        assert len(source) == len(COUNTS)

    def test_without_an_events_table_the_particles_say_what_events_there_are(self):
        batch = particles(COUNTS)
        source = open_source(only_particles(batch))
        assert source.event_ids[:].tolist() == list(dict.fromkeys(batch.array("particles", "event_id").tolist()))
        assert source.rows[:].tolist() == [c for c in COUNTS if c]
        assert whole(source)[0].array("events", "weight").tolist() == [1.0] * 5

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(cuts=st.lists(st.integers(0, len(COUNTS)), max_size=5), row_group_size=st.integers(1, 16))
    def test_any_split_gives_the_same_rows(self, tmp_path, cuts, row_group_size):
        batch = particles(COUNTS)
        source = open_source(save(tmp_path, batch, row_group_size))
        edges = [0, *sorted(cuts), len(COUNTS)]
        pieces = [source.read(a, b)[0] for a, b in pairwise(edges)]
        joined = EventBatch.concat(pieces)
        for name in batch:
            assert same(joined[name], batch[name])

    @settings(max_examples=30, deadline=None)
    @given(st.permutations(range(len(COUNTS))), st.permutations(range(len(COUNTS))))
    def test_tables_may_have_their_events_in_different_orders(self, order, other):
        batch = particles(COUNTS)
        ids = batch.array("events", "event_id")
        shuffled = EventBatch(
            {
                "events": EventBatch.concat([batch.select_events(ids[[i]]) for i in order])["events"],
                "vertices": batch["vertices"],
                "particles": EventBatch.concat([batch.select_events(ids[[i]]) for i in other])["particles"],
            }
        )
        source = open_source(shuffled)
        assert source.event_ids[:].tolist() == ids[list(order)].tolist()
        read, _ = whole(source)
        for event in ids:
            assert same(
                read.select_events(np.array([event]))["particles"], batch.select_events(np.array([event]))["particles"]
            )
        assert read.array("vertices", "event_id").tolist() == [e for e in ids[list(order)] if e != ids[1]]

    def test_chunks_hold_whole_events_and_at_most_so_many_rows(self):
        source = open_source(particles((3, 0, 5, 1, 4, 2)))
        assert list(source.chunks(5)) == [(0, 2), (2, 3), (3, 5), (5, 6)]
        assert list(source.chunks(1)) == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)]
        assert list(source.chunks(10**6)) == [(0, 6)]

    def test_parts_of_particles_are_taken_in_sorted_order(self, tmp_path):
        table = particles(COUNTS)["particles"]
        for name, rows in (("b.parquet", table.slice(4)), ("a.parquet", table.slice(0, 4))):
            pq.write_table(rows, tmp_path / name)
        (tmp_path / "README.txt").write_text("not data")
        source = open_source(tmp_path)
        assert same(whole(source)[0]["particles"], table)
        listed = open_source([tmp_path / "a.parquet", tmp_path / "b.parquet"])
        assert same(whole(listed)[0]["particles"], table)

    def test_large_row_groups_are_staged(self, tmp_path, monkeypatch):
        monkeypatch.setattr("lamarrpy.io.parquet.LARGEST_ROW_GROUP", 5)
        batch = particles(COUNTS)
        with open_source(save(tmp_path, batch, 100)) as source:
            assert same(whole(source)[0]["particles"], batch["particles"])


class TestKinds:
    def test_a_pickled_source_reads_the_same(self, tmp_path):
        source = open_source(save(tmp_path, particles(COUNTS)))
        source.read(0, 1)
        again = pickle.loads(pickle.dumps(source))
        assert same(again.read(1, 4)[0]["particles"], source.read(1, 4)[0]["particles"])

    def test_a_pickled_source_of_a_staged_file_does_not_remove_it(self, tmp_path):
        with open_sink(tmp_path / "p.csv", provenance={}, tables={"particles": None}) as sink:
            sink.append(particles(COUNTS))
        source = open_source(tmp_path / "p.csv")
        with pickle.loads(pickle.dumps(source)) as copy:
            first = whole(copy)[0]["particles"]
        assert same(whole(source)[0]["particles"], first)
        source.close()
        with pytest.raises(FileNotFoundError):
            pickle.loads(pickle.dumps(source)).read(0, 1)

    @pytest.mark.parametrize("order", ["rising", "falling", "other"])
    def test_where_many_events_are_is_kept_in_files_until_the_source_is_closed(self, tmp_path, monkeypatch, order):
        (tmp_path / "temporary").mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
        batch = particles(COUNTS)
        at = {"rising": [5, 4, 3, 2, 1, 0], "falling": range(6), "other": [3, 1, 5, 0, 4, 2]}[order]
        ids = batch.array("events", "event_id")
        pieces = [batch.select_events(ids[[i]]) for i in at]
        expected = EventBatch({**EventBatch.concat(pieces).tables, "particles": batch["particles"]})
        with small_pieces(), open_source(save(tmp_path, expected)) as source:
            assert len(list((tmp_path / "temporary").iterdir())) == 1
            assert source.event_ids[:].tolist() == ids[list(at)].tolist()
            with pickle.loads(pickle.dumps(source)) as copy:
                assert list(source.chunks(4)) == list(copy.chunks(4))
                first = copy.read(1, 4)[0]
            again = source.read(1, 4)[0]
        assert all(same(first[name], again[name]) for name in again)
        assert same(again["particles"], EventBatch.concat(pieces[1:4])["particles"])
        assert not any((tmp_path / "temporary").iterdir())

    def test_an_input_that_is_refused_leaves_no_files(self, tmp_path, monkeypatch):
        (tmp_path / "temporary").mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
        batch = particles(COUNTS)
        path = save(tmp_path, EventBatch({**batch.tables, "events": batch["events"].slice(1)}))
        with small_pieces(), pytest.raises(InputError, match="expected an event of the table 'events'"):
            open_source(path)
        assert not any((tmp_path / "temporary").iterdir())

    def test_memory_and_what_workers_get_do_not_grow_with_the_events(self, tmp_path):
        def held(events):
            path = tmp_path / f"{events}.parquet"
            pq.write_table(particles((1,) * events)["particles"].sort_by("event_id"), path, row_group_size=20_000)
            tracemalloc.start()
            with open_source(path) as source:
                memory = tracemalloc.get_traced_memory()[0]
                tracemalloc.stop()
                return memory, len(pickle.dumps(source))

        few, many = held(70_000), held(280_000)
        assert max(many) < 1e5 < 24 * 70_000
        assert max(many) < 2 * max(few)

    def test_a_table_in_memory_holds_particles(self):
        batch = particles(COUNTS)
        assert same(whole(open_source(batch["particles"]))[0]["particles"], batch["particles"])

    def test_narrow_dtypes_are_widened_and_wide_integers_narrowed(self):
        table = particles((2, 1))["particles"]
        for name, kind in (("px", pa.float32()), ("event_id", pa.int32()), ("pid", pa.int64()), ("status", pa.uint8())):
            at = table.column_names.index(name)
            table = table.set_column(at, name, table.column(name).cast(kind, safe=False))
        read = whole(open_source(table))[0]["particles"]
        assert read.schema.field("px").type == pa.float64()
        assert read.schema.field("pid").type == pa.int32()
        assert read.column("px").to_pylist() == table.column("px").to_pylist()

    def test_the_time_may_be_left_out_and_other_columns_are_passed_over(self):
        table = particles()["particles"].drop_columns(["t"]).append_column("mine", pa.array(range(9)))
        assert "t" not in whole(open_source(table))[0]["particles"].column_names
        assert "mine" not in whole(open_source(table))[0]["particles"].column_names

    @pytest.mark.parametrize("name", ["events", "input", "tracks_of_mine"])
    def test_a_file_of_particles_may_have_any_name(self, tmp_path, name):
        pq.write_table(particles()["particles"], tmp_path / f"{name}.parquet")
        assert len(open_source(tmp_path / f"{name}.parquet")) == 3


class TestFingerprint:
    def test_it_follows_the_content_and_not_the_place(self, tmp_path):
        a, b, c = (save(tmp_path / name, particles(COUNTS, seed)) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
        found = [open_source(path).fingerprint for path in (a, b, c)]
        assert found[0] == found[1] != found[2]

    def test_it_follows_the_names(self, tmp_path):
        batch = particles(COUNTS)
        pq.write_table(batch["particles"], tmp_path / "a.parquet")
        pq.write_table(batch["particles"], tmp_path / "b.parquet")
        a, b = (open_source(tmp_path / f"{name}.parquet").fingerprint for name in "ab")
        assert a != b

    def test_tables_in_memory_have_one(self):
        a, b, c = (open_source(particles(COUNTS, seed)).fingerprint for seed in (0, 0, 1))
        assert a == b != c

    def test_a_change_in_a_large_file_is_seen_at_both_ends(self, tmp_path, monkeypatch):
        from lamarrpy.io import hashes

        monkeypatch.setattr(hashes, "_WHOLE", 100)
        monkeypatch.setattr(hashes, "_SAMPLE", 16)
        path = tmp_path / "p.parquet"
        pq.write_table(particles((50,) * 20)["particles"], path)
        source = open_source(path)
        before, content = source.fingerprint, path.read_bytes()
        for at in (0, len(content) - 1):
            changed = bytearray(content)
            changed[at] ^= 1
            path.write_bytes(changed)
            assert hashes.fingerprint(source._tables) != before


class TestVertices:
    def test_the_first_particle_without_a_mother_shows_where_the_collision_is(self):
        table = particles((4,))["particles"]
        # ids 1 4 7 10; 4 comes from 1; 10 has a mother that is not in the event
        table = table.set_column(2, "mother_id", pa.array([10, 1, -1, 99]))
        read, _ = whole(open_source(table))
        assert read["vertices"].to_pydict() == {
            "event_id": [10],
            "vertex_id": [0],
            **{f"true_{axis}": [table.column(axis)[2].as_py()] for axis in "xyz"},
        }

    def test_every_collision_of_an_event_has_one(self):
        table = particles((4,))["particles"]
        table = table.set_column(2, "mother_id", pa.array([-1, -1, -1, 1]))
        table = table.set_column(3, "vertex_id", pa.array([5, 2, 5, 5]))
        read, _ = whole(open_source(table))
        assert read.array("vertices", "vertex_id").tolist() == [2, 5]
        assert read.array("vertices", "true_x").tolist() == [table.column("x")[i].as_py() for i in (1, 0)]

    def test_a_dropped_particle_does_not_move_the_collision_to_where_its_daughters_start(self):
        batch = particles((3,))
        table = change(batch["particles"], "px", 0, float("nan"))
        read, bad = whole(open_source(table, on_bad_rows="drop"))
        assert bad.total == 1
        assert read.array("vertices", "true_x").tolist() == [table.column("x")[0].as_py()]

    def test_a_collision_without_a_known_position_is_refused(self):
        table = change(particles((3,))["particles"], "x", 0, float("inf"))
        table = table.set_column(2, "mother_id", pa.array([-1, 1, 1]))
        with pytest.raises(
            InputError, match=r"row 1 .*'vertex_id': expected a vertex of the event with a known position"
        ):
            whole(open_source(table, on_bad_rows="drop"))

    def test_a_particle_from_a_vertex_that_is_not_given_is_refused(self, tmp_path):
        batch = particles(COUNTS)
        batch = EventBatch({**batch.tables, "particles": change(batch["particles"], "vertex_id", 5, 3)})
        with pytest.raises(
            InputError, match=r"particles.parquet, row 5 \(event_id 31, particle_id 7\), column 'vertex_id'"
        ):
            whole(open_source(save(tmp_path, batch)))


BAD_CELLS = [
    ("px", float("nan"), "a finite number in MeV, got nan", "NaN or infinite px"),
    ("pz", float("-inf"), "a finite number in MeV, got -inf", "NaN or infinite pz"),
    ("x", float("inf"), "a finite number in mm, got inf", "NaN or infinite x"),
    ("t", float("nan"), "a finite number in ns, got nan", "NaN or infinite t"),
    ("py", None, "a finite number in MeV, got null", "null py"),
    ("status", None, "an integer (int32), got null", "null status"),
    ("particle_id", None, "an integer (int64), got null", "null particle_id"),
    ("pid", 1234567, "a PDG particle number, got 1234567", "unknown pid"),
    ("particle_id", 4, "each (event_id, particle_id) once, got 4 again", "duplicate particle_id"),
]


@pytest.mark.parametrize(("column", "value", "message", "reason"), BAD_CELLS)
class TestBadRows:
    ROW = 5  # the third row of the third event, the fourth of its kind in the file's second row group

    def test_an_error_names_file_row_and_column(self, tmp_path, column, value, message, reason):
        batch = particles(COUNTS)
        path = save(
            tmp_path, EventBatch({**batch.tables, "particles": change(batch["particles"], column, self.ROW, value)})
        )
        source = open_source(path)
        source.read(3, 6)
        with pytest.raises(InputError) as error:
            source.read(1, 4)
        text = str(error.value)
        assert text.startswith(f"{tmp_path / 'particles.parquet'}, row {self.ROW} (event_id 31, particle_id ")
        assert f"column {column!r}: expected {message}" in text
        assert "--on-bad-rows drop" in text

    def test_dropped_rows_are_counted_and_the_rest_is_kept(self, tmp_path, column, value, message, reason):
        batch = particles(COUNTS)
        table = change(batch["particles"], column, self.ROW, value)
        source = open_source(EventBatch({**batch.tables, "particles": table}), on_bad_rows="drop")
        read, bad = whole(source)
        assert bad == BadRows(1, {reason: 1})
        rows = [i for i in range(sum(COUNTS)) if i != self.ROW]
        assert same(read["particles"], batch["particles"].take(rows))
        assert same(read["events"], batch["events"])


def test_the_row_is_counted_in_the_part_it_is_in(tmp_path):
    table = change(particles(COUNTS)["particles"], "px", 9, float("nan"))
    for name, rows in (("a", table.slice(0, 6)), ("b", table.slice(6))):
        pq.write_table(rows, tmp_path / f"{name}.parquet")
    with pytest.raises(InputError, match=re.escape(f"{tmp_path / 'b.parquet'}, row 3 (event_id 17, particle_id 1)")):
        whole(open_source(tmp_path))


def test_the_row_is_right_when_tables_are_in_different_orders():
    batch = particles((2, 3))
    table = change(batch["particles"], "px", 1, float("nan"))
    events = batch["events"].take([1, 0])
    with pytest.raises(InputError, match=r"row 1 \(event_id 17, particle_id 4\), column 'px'"):
        whole(open_source(EventBatch({"events": events, "particles": table})))


def test_reasons_add_up_and_a_row_counts_once():
    table = particles((4, 3))["particles"]
    for row, column, value in (
        (1, "px", np.inf),
        (1, "py", np.nan),
        (2, "pid", 0),
        (6, "x", np.nan),
        (6, "particle_id", 1),
    ):
        table = change(table, column, row, value)
    source = open_source(table, on_bad_rows="drop")
    read, bad = whole(source)
    assert bad == BadRows(3, {"NaN or infinite px": 1, "unknown pid": 1, "NaN or infinite x": 1})
    assert bad == source.read(0, 1)[1] + source.read(1, 2)[1]
    assert read["particles"].num_rows == 4


def test_an_event_of_bad_rows_alone_is_still_an_event():
    table = change(particles((1, 2))["particles"], "pid", 0, 0)
    read, bad = whole(open_source(table, on_bad_rows="drop"))
    assert bad.total == 1
    assert read.array("events", "event_id").tolist() == [17, 10]
    assert read.array("particles", "event_id").tolist() == [10, 10]


def test_the_second_of_two_equal_ids_goes_unless_the_first_is_bad():
    table = change(particles((3,))["particles"], "particle_id", 2, 1)
    kept = whole(open_source(table, on_bad_rows="drop"))[0]
    assert kept.array("particles", "px").tolist() == table.column("px").to_pylist()[:2]
    worse = change(table, "px", 0, float("nan"))
    kept, bad = whole(open_source(EventBatch({**particles((3,)).tables, "particles": worse}), on_bad_rows="drop"))
    assert bad == BadRows(1, {"NaN or infinite px": 1})
    assert kept.array("particles", "px").tolist() == table.column("px").to_pylist()[1:]


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        ("vertices", "true_z", float("nan"), r"vertices.parquet, row 1 \(event_id 31, vertex_id 0\), column 'true_z'"),
        ("events", "weight", float("inf"), r"events.parquet, row 1 \(event_id 31\), column 'weight'"),
        ("vertices", "vertex_id", None, r"vertices.parquet, row 1 .*column 'vertex_id': expected an integer"),
    ],
)
@pytest.mark.parametrize("on_bad_rows", ["error", "drop"])
def test_bad_vertices_and_events_are_always_errors(tmp_path, name, column, value, message, on_bad_rows):
    batch = particles((2, 2, 3, 1, 1))
    batch = EventBatch({**batch.tables, name: change(batch[name], column, 1, value)})
    with pytest.raises(InputError, match=message):
        whole(open_source(save(tmp_path, batch), on_bad_rows=on_bad_rows))


class TestRefusedInputs:
    def test_an_event_in_two_places(self, tmp_path):
        table = particles((2, 3, 2))["particles"]
        pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), tmp_path / "p.parquet", row_group_size=3)
        with pytest.raises(InputError) as error:
            open_source(tmp_path / "p.parquet")
        text = str(error.value)
        assert text.startswith(
            f"{tmp_path / 'p.parquet'}, row 7, column 'event_id': expected the rows of an event to be"
        )
        assert "got event_id 24 again" in text
        assert "row 0)" in text

    def test_an_event_may_go_on_over_row_groups_and_parts(self, tmp_path):
        table = particles((5,))["particles"]
        for name, rows in (("a", table.slice(0, 2)), ("b", table.slice(2))):
            pq.write_table(rows, tmp_path / f"{name}.parquet", row_group_size=1)
        assert open_source(tmp_path).rows[:].tolist() == [5]

    def test_an_event_twice_in_the_events(self):
        batch = particles((2, 3))
        events = batch["events"].take([0, 0, 1])
        with pytest.raises(
            InputError, match=r"row 1 \(event_id 17\), column 'event_id': expected each \(event_id\) once"
        ):
            whole(open_source(EventBatch({**batch.tables, "events": events})))

    def test_a_vertex_twice(self):
        batch = particles((2, 3))
        vertices = batch["vertices"].take([0, 0, 1])
        with pytest.raises(InputError, match=r"'vertex_id': expected each \(event_id, vertex_id\) once, got 0 again"):
            whole(open_source(EventBatch({**batch.tables, "vertices": vertices})))

    @pytest.mark.parametrize("name", ["particles", "vertices"])
    def test_rows_of_an_event_that_the_events_do_not_have(self, name):
        batch = particles((2, 3))
        events = batch["events"].take([1])
        tables = {"particles": batch["particles"].slice(2), "vertices": batch["vertices"].slice(1), name: batch[name]}
        message = (
            rf"'{name}' in memory, row 0, column 'event_id': expected an event of the table 'events', got event_id 17"
        )
        with pytest.raises(InputError, match=message):
            open_source(EventBatch({**tables, "events": events}))

    def test_a_null_event_id(self):
        with pytest.raises(InputError, match=r"row 2, column 'event_id': expected an integer, got null"):
            open_source(change(particles((2, 3))["particles"], "event_id", 2, None))

    def test_a_missing_column_with_the_closest_there_is(self, tmp_path):
        table = particles()["particles"].rename_columns(
            ["pdgId" if name == "pid" else name for name in particles()["particles"].column_names]
        )
        pq.write_table(table, tmp_path / "p.parquet")
        with pytest.raises(SchemaError) as error:
            open_source(tmp_path / "p.parquet")
        assert str(error.value).startswith(f"{tmp_path / 'p.parquet'}: table 'particles' has no column 'pid'")
        assert "the closest column there is 'pdgId': rename it" in str(error.value)

    @pytest.mark.parametrize(
        ("column", "kind", "message"),
        [
            ("px", pa.int64(), "column 'px': expected float64, got int64"),
            ("pid", pa.float64(), "column 'pid': expected int32, got double; store it as int32"),
            ("status", pa.bool_(), "column 'status': expected int32, got bool"),
            ("z", pa.string(), "column 'z': expected float64, got string"),
        ],
    )
    def test_a_wrong_dtype(self, column, kind, message):
        table = particles()["particles"]
        at = table.column_names.index(column)
        values = pa.array([1] * len(table)).cast(pa.int8()).cast(kind)
        with pytest.raises(SchemaError, match=message):
            open_source(table.set_column(at, column, values))

    @pytest.mark.parametrize(("value", "shown"), [(2.5, "2.5"), (None, "null"), (float("inf"), "inf")])
    def test_the_first_value_that_is_no_integer_is_named(self, tmp_path, value, shown):
        table = particles((2, 3))["particles"]
        values = pa.array([1.0, -2.0, 2.0**60, value, 0.5], pa.float64())
        table = table.set_column(table.column_names.index("pid"), "pid", values)
        pq.write_table(table, tmp_path / "p.parquet", row_group_size=2)
        message = rf"'pid': expected int32, got double \({shown} in row 3\); store it as int32"
        with pytest.raises(SchemaError, match=message):
            open_source(tmp_path / "p.parquet")

    def test_an_integer_too_large_for_its_column(self):
        table = particles()["particles"]
        at = table.column_names.index("status")
        values = pa.array([1, 2**40, *[1] * (len(table) - 2)])
        with pytest.raises(InputError, match=r"row 1 .*'status': expected an integer \(int32\), got 1099511627776"):
            whole(open_source(table.set_column(at, "status", values)))

    def test_no_events_at_all(self, tmp_path):
        save(tmp_path, particles(()))
        with pytest.raises(InputError, match=r"events.parquet: expected events, got none: table 'events' has no rows"):
            open_source(tmp_path)
        with pytest.raises(InputError, match=r"expected events, got none: table 'particles' has no rows"):
            open_source(particles(())["particles"])

    def test_events_without_a_single_particle_are_legal(self):
        read, _ = whole(open_source(particles((0, 0))))
        assert (read["events"].num_rows, read["particles"].num_rows, read["vertices"].num_rows) == (2, 0, 0)

    def test_no_particles_table(self, tmp_path):
        with open_sink(tmp_path / "out", provenance={}, tables={"vertices": None}) as sink:
            sink.append(particles())
        with pytest.raises(InputError, match="expected a table 'particles', but the input has: vertices"):
            open_source(tmp_path / "out")

    def test_an_unknown_policy(self):
        with pytest.raises(ConfigError, match="on_bad_rows: expected 'error' or 'drop', got 'ignore'"):
            open_source(particles(), on_bad_rows="ignore")
