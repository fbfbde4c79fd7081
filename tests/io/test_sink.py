from __future__ import annotations

import gc
import json
import os
import platform
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from io_samples import particles, results, same

from lamarrpy.errors import OutputError
from lamarrpy.io import open_sink, read_batch
from lamarrpy.io.inputs import read_provenance
from lamarrpy.tables import EventBatch

TARGETS = ["out", "out.root", "out.db", "out.parquet", "out.csv"]
ONE_TABLE = ["out.parquet", "out.csv"]


def tables_for(target):
    return {"particles": None} if target in ONE_TABLE else None


@pytest.mark.parametrize("target", TARGETS)
class TestAtomic:
    def test_nothing_has_the_name_before_the_end_and_nothing_else_stays(self, tmp_path, target):
        with open_sink(tmp_path / target, provenance={}, tables=tables_for(target)) as sink:
            sink.append(particles((70_000,)))
            assert not (tmp_path / target).exists()
        assert [path.name for path in tmp_path.iterdir()] == [target]

    @pytest.mark.parametrize("rows", [0, 5, 70_000])
    def test_an_exception_in_the_middle_leaves_nothing(self, tmp_path, target, rows):
        def fail_after(rows):
            with open_sink(tmp_path / target, provenance={}, tables=tables_for(target)) as sink:
                if rows:
                    sink.append(particles((rows,)))
                raise RuntimeError("power cut")

        with pytest.raises(RuntimeError, match="power cut"):
            fail_after(rows)
        assert list(tmp_path.iterdir()) == []

    def test_an_exception_leaves_the_output_that_was_there(self, tmp_path, target):
        def write(seed, fail):
            with open_sink(tmp_path / target, provenance={}, tables=tables_for(target), overwrite=True) as sink:
                sink.append(particles((5,), seed))
                if fail:
                    raise RuntimeError

        write(1, fail=False)
        with pytest.raises(RuntimeError):
            write(2, fail=True)
        assert same(read_batch(tmp_path / target)["particles"], particles((5,), 1)["particles"])
        write(2, fail=False)
        assert same(read_batch(tmp_path / target)["particles"], particles((5,), 2)["particles"])
        assert [path.name for path in tmp_path.iterdir()] == [target]

    def test_batches_come_out_in_order_whatever_their_sizes(self, tmp_path, target):
        batches = [particles((n,), first_event=i * 100) for i, n in enumerate((1, 70_000, 0, 30, 2))]
        with open_sink(tmp_path / target, provenance={}, tables=tables_for(target)) as sink:
            for batch in batches:
                sink.append(batch)
        assert same(read_batch(tmp_path / target)["particles"], EventBatch.concat(batches)["particles"])

    def test_a_table_without_rows_is_still_there(self, tmp_path, target):
        with open_sink(tmp_path / target, provenance={}, tables=tables_for(target)) as sink:
            sink.append(particles((0, 0)))
        back = read_batch(tmp_path / target)
        assert back["particles"].num_rows == 0
        assert back["particles"].column_names == particles()["particles"].column_names

    def test_no_batch_at_all_is_an_error(self, tmp_path, target):
        with (
            pytest.raises(OutputError, match="expected at least one batch to write"),
            open_sink(tmp_path / target, provenance={}),
        ):
            pass
        assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal
from lamarrpy.io import open_sink
from lamarrpy.testing import example_events
sink = open_sink({!r}, provenance={{}}, tables={{"particles": None}})
for _ in range(20):
    sink.append(example_events(400))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("target", ["out", "out.db"])
def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path, target):
    target = tmp_path / target
    subprocess.run([sys.executable, "-c", KILLED.format(str(target))], check=False)
    left = [path.name for path in tmp_path.iterdir()]
    assert f".{target.name}.{platform.node()}." in left[0]
    at_work = tmp_path / f".{target.name}.{platform.node()}.{os.getppid()}.partial"
    elsewhere = tmp_path / f".{target.name}.other{platform.node()}.7.partial"
    another = tmp_path / f".{target.name}2.{platform.node()}.7.partial"
    for path in (at_work, elsewhere, another):
        path.write_text("mine")
    with open_sink(target, provenance={}) as sink:
        sink.append(particles())
    assert sorted(tmp_path.iterdir()) == sorted([target, at_work, elsewhere, another])


def test_folders_on_the_way_are_made(tmp_path):
    with open_sink(tmp_path / "a" / "b" / "out", provenance={}) as sink:
        sink.append(particles())
    assert len(read_batch(tmp_path / "a" / "b" / "out").tables) == 3


class TestParquet:
    def test_a_large_batch_is_one_row_group_and_small_ones_are_gathered(self, tmp_path):
        with open_sink(tmp_path / "out", provenance={}) as sink:
            sink.append(particles((100_000,)))
            for i in range(5):
                sink.append(particles((20_000,), first_event=100 + i))
        file = pq.ParquetFile(tmp_path / "out" / "particles.parquet")
        assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [100_000, 80_000, 20_000]

    def test_floats_have_no_dictionary_and_no_statistics(self, tmp_path):
        with open_sink(tmp_path / "out", provenance={}) as sink:
            sink.append(particles())
        group = pq.ParquetFile(tmp_path / "out" / "particles.parquet").metadata.row_group(0)
        columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
        assert not columns["px"].has_dictionary_page
        assert not columns["px"].is_stats_set
        assert columns["event_id"].has_dictionary_page
        assert columns["event_id"].is_stats_set


class TestOverwriting:
    def test_tables_and_record_of_another_run_go_and_other_files_stay(self, tmp_path):
        with open_sink(tmp_path / "out", provenance={}) as sink:
            sink.append(results())
        for name in ("run.json", "notes.txt", "mine.parquet"):
            (tmp_path / "out" / name).write_text("{}")
        with open_sink(tmp_path / "out", provenance={}, overwrite=True) as sink:
            sink.append(particles())
            assert len(list((tmp_path / "out").iterdir())) == 8
        left = {path.name for path in (tmp_path / "out").iterdir()}
        assert left == {"notes.txt", "mine.parquet", "events.parquet", "vertices.parquet", "particles.parquet"}
        assert [path.name for path in tmp_path.iterdir()] == ["out"]

    def test_a_file_loses_the_record_beside_it(self, tmp_path):
        record = tmp_path / "out.root.run.json"
        record.write_text("{}")
        with open_sink(tmp_path / "out.root", provenance={}) as sink:
            sink.append(particles())
            assert record.exists()
        assert not record.exists()

    def test_cut_short_in_between_there_is_no_record(self, tmp_path, monkeypatch):
        folder = tmp_path / "out"
        with open_sink(folder, provenance={}) as sink:
            sink.append(particles(seed=1))
        (folder / "run.json").write_text("{}")
        replace = os.replace

        def replace_the_first(source, target):
            if source.name != "events.parquet":
                raise KeyboardInterrupt
            replace(source, target)

        monkeypatch.setattr(os, "replace", replace_the_first)
        with pytest.raises(KeyboardInterrupt), open_sink(folder, provenance={}, overwrite=True) as sink:
            sink.append(particles(seed=2))
        assert not (folder / "run.json").exists()
        assert same(read_batch(folder)["particles"], particles(seed=1)["particles"])


@pytest.fixture
def small_disk():
    """Files cannot grow beyond 64 KiB, which the system says as it says that a disk is full."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_disk")
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("rows", [5_000, 70_000])
def test_no_space_left_is_an_output_error_and_nothing_stays(tmp_path, target, rows):
    with (
        pytest.raises(OutputError, match=rf"{target}: cannot be written: .*; mend that, or choose another -o"),
        open_sink(tmp_path / target, provenance={}, tables=tables_for(target)) as sink,
    ):
        sink.append(particles((rows,)))
    gc.collect()
    assert list(tmp_path.iterdir()) == []


class TestProvenance:
    @pytest.mark.parametrize("target", ["out", "out.root", "out.db", "out.parquet"])
    def test_it_comes_back(self, tmp_path, target):
        provenance = {"seed": 7, "versions": {"lamarrpy": "0.1"}, "long": "x" * 1000, "umlaut": "ü"}
        with open_sink(tmp_path / target, provenance=provenance, tables=tables_for(target)) as sink:
            sink.append(particles())
        text = read_provenance(tmp_path / target)
        assert text is not None
        assert json.loads(text) == provenance

    def test_every_parquet_file_carries_it(self, tmp_path):
        with open_sink(tmp_path / "out", provenance={"seed": 7}) as sink:
            sink.append(particles())
        for file in (tmp_path / "out").iterdir():
            assert json.loads(pq.read_schema(file).metadata[b"lamarrpy"]) == {"seed": 7}

    def test_files_without_it(self, tmp_path):
        import sqlite3
        from contextlib import closing

        import uproot

        pq.write_table(particles()["particles"], tmp_path / "p.parquet")
        with uproot.recreate(tmp_path / "p.root") as file:
            file["x"] = "text"
        with closing(sqlite3.connect(tmp_path / "p.db")) as base, base:
            base.execute("CREATE TABLE particles (x REAL)")
        with open_sink(tmp_path / "p.csv", provenance={"seed": 1}, tables={"particles": None}) as sink:
            sink.append(particles())
        for name in ("p.parquet", "p.root", "p.db", "p.csv"):
            assert read_provenance(tmp_path / name) is None


class TestSelection:
    def test_tables_and_columns_are_chosen(self, tmp_path):
        chosen = {"tracks": ["track_id", "event_id", "p"], "events": None}
        with open_sink(tmp_path / "out", provenance={}, tables=chosen) as sink:
            sink.append(results())
            assert sink.tables == ("tracks", "events")
        back = read_batch(tmp_path / "out")
        assert set(back) == {"tracks", "events"}
        assert set(back["tracks"].column_names) == {"event_id", "track_id", "p"}

    @pytest.mark.parametrize(
        ("tables", "message"),
        [
            ({"track": None}, "expected a table 'track', the run has: events, vertices, particles, tracks, clusters"),
            (
                {"tracks": ["ghost_probability"]},
                "no column 'ghost_probability' to write; .* did you mean 'ghost_prob'?",
            ),
        ],
    )
    def test_what_is_not_there_is_refused(self, tmp_path, tables, message):
        with pytest.raises(OutputError, match=message), open_sink(tmp_path / "o", provenance={}, tables=tables) as sink:
            sink.append(results())

    @pytest.mark.parametrize("target", ONE_TABLE)
    def test_one_table_files_refuse_several(self, tmp_path, target):
        with (
            pytest.raises(OutputError, match=r"file holds one table, got events, vertices, particles"),
            open_sink(tmp_path / target, provenance={}) as sink,
        ):
            sink.append(particles())

    def test_a_batch_with_other_columns_is_refused(self, tmp_path):
        first, later = particles((2,)), particles((3,))
        fewer = EventBatch({**later.tables, "particles": later["particles"].drop_columns(["px"])})
        wider = EventBatch(
            {**later.tables, "events": pa.table({"event_id": [1], "weight": pa.array([1.0], pa.float32())})}
        )
        missing = EventBatch({"particles": later["particles"]})
        for other, message in (
            (fewer, "'particles': expected columns event_id, particle_id"),
            (wider, "'events': expected dtypes as in the first batch"),
            (missing, "'events': expected columns event_id, weight as in the first batch, got no such table"),
        ):
            with pytest.raises(OutputError, match=message), open_sink(tmp_path / "o", provenance={}) as sink:  # noqa: PT012
                sink.append(first)
                sink.append(other)


class TestNamesOfFolders:
    def test_a_version_in_the_name_of_a_folder_is_no_suffix(self, tmp_path):
        with open_sink(tmp_path / "v3.0", provenance={}) as sink:
            sink.append(particles())
        assert (tmp_path / "v3.0" / "particles.parquet").exists()

    def test_a_trailing_slash_makes_any_name_a_folder(self, tmp_path):
        with open_sink(f"{tmp_path}/v1.two/", provenance={}) as sink:
            sink.append(particles())
        assert (tmp_path / "v1.two" / "particles.parquet").exists()

    def test_an_empty_folder_is_filled(self, tmp_path):
        (tmp_path / "out").mkdir()
        with open_sink(tmp_path / "out", provenance={}) as sink:
            sink.append(particles())
        assert same(read_batch(tmp_path / "out")["particles"], particles()["particles"])


def test_rntuples_need_root(tmp_path):
    with pytest.raises(OutputError, match=r"only a .root file can hold RNTuples"):
        open_sink(tmp_path / "out", provenance={}, rntuple=True)
