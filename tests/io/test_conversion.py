from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from io_samples import change, fill, hepmc_event, particles, results, same, write_hepmc

from lamarrpy.errors import InputError, OutputError
from lamarrpy.io import digest, open_sink, open_source, read_batch
from lamarrpy.io.checks import BadRows
from lamarrpy.io.conversion import convert
from lamarrpy.tables import TRACKS, EventBatch

TARGETS = ["out", "out.root", "out.db"]


def save(path, batch):
    with open_sink(path, provenance={}) as sink:
        sink.append(batch)
    return path


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("chunk", [1, 1 << 17])
@pytest.mark.parametrize("batch", [results(), particles()], ids=["results", "events"])
def test_everything_is_taken_over(tmp_path, target, chunk, batch, monkeypatch):
    monkeypatch.setattr("lamarrpy.io.conversion.CHUNK_ROWS", chunk)
    path = save(tmp_path / "in", batch)
    done = convert(path, tmp_path / target)
    assert digest(tmp_path / target) == digest(path)
    assert done.rows == {name: table.num_rows for name, table in batch.tables.items()}


@pytest.mark.parametrize("target", [*TARGETS, "out.parquet", "out.csv"])
@pytest.mark.parametrize("file_format", ["hepmc2", "hepmc3"])
def test_hepmc_to_anything(tmp_path, target, file_format):
    events = [hepmc_event(i) for i in range(4)]
    for event in events:
        event.weights = [1.0]
    source = write_hepmc(tmp_path / "in.hepmc.gz", events, file_format)
    done = convert(source, tmp_path / target)
    assert done.rows["particles"] == 16
    assert len(done.notes) == 2
    with open_source(source) as a, open_source(tmp_path / target) as b:
        first, second = a.read(0, 4)[0], b.read(0, 4)[0]
    for table in first:
        assert same(first[table], second[table])


def test_vertices_and_events_are_made_where_the_input_has_none(tmp_path):
    pq.write_table(particles()["particles"], tmp_path / "p.parquet")
    convert(tmp_path / "p.parquet", tmp_path / "out")
    assert read_batch(tmp_path / "out")["events"].to_pydict() == {"event_id": [31, 17, 10], "weight": [1.0] * 3}


def test_names_of_lhcb_there_and_back(tmp_path):
    path = save(tmp_path / "in", results())
    convert(path, tmp_path / "lhcb.root", naming="lhcb", rntuple=True)
    convert(tmp_path / "lhcb.root", tmp_path / "out")
    assert digest(tmp_path / "out") == digest(path) == digest(tmp_path / "lhcb.root")


def test_chosen_tables(tmp_path):
    path = save(tmp_path / "in", results())
    assert convert(path, tmp_path / "t.csv", tables=["tracks"]).rows == {"tracks": 20}
    assert set(read_batch(tmp_path / "t.csv")) == {"particles"}  # the name of the file does not say tracks
    convert(path, tmp_path / "tracks.csv", tables=["tracks"])
    assert same(read_batch(tmp_path / "tracks.csv")["tracks"], results()["tracks"])


def test_columns_of_the_user_are_kept(tmp_path):
    table = particles()["particles"].append_column("label", pa.array(range(9)))
    pq.write_table(table, tmp_path / "p.parquet")
    convert(tmp_path / "p.parquet", tmp_path / "out.root")
    assert same(read_batch(tmp_path / "out.root")["particles"], table)


class TestTargets:
    @pytest.mark.parametrize("target", ["out", "out.root"])
    def test_what_is_there_is_replaced_only_if_asked_for(self, tmp_path, target):
        first, second = (save(tmp_path / f"in{seed}", particles(seed=seed)) for seed in (1, 2))
        convert(first, tmp_path / target)
        with pytest.raises(OutputError, match="is there already; choose another -o, or replace it with --overwrite"):
            convert(second, tmp_path / target)
        assert digest(tmp_path / target) == digest(first)
        convert(second, tmp_path / target, overwrite=True)
        assert digest(tmp_path / target) == digest(second)

    @pytest.mark.parametrize("overwrite", [False, True])
    @pytest.mark.parametrize(
        ("source", "target"),
        [
            ("in", "in"),
            ("in", "elsewhere/../in"),
            ("in", "in/out.root"),
            ("in/particles.parquet", "in"),
            ("in/particles.parquet", "in/particles.parquet"),
        ],
    )
    def test_the_source_is_no_target(self, tmp_path, source, target, overwrite):
        before = digest(save(tmp_path / "in", particles()))
        (tmp_path / "elsewhere").mkdir()
        for given in (tmp_path / source, [tmp_path / source]):
            with pytest.raises(OutputError, match="expected a target apart from the source"):
                convert(given, tmp_path / target, overwrite=overwrite)
        assert digest(tmp_path / "in") == before

    @pytest.mark.parametrize("target", ["out.txt", "out.hepmc", "in.parquet/out"])
    def test_a_target_that_cannot_be_written_is_refused_before_the_source_is_opened(self, tmp_path, target):
        (tmp_path / "in.parquet").write_text("no Parquet file")
        with pytest.raises(OutputError):
            convert(tmp_path / "in.parquet", tmp_path / target)


class TestNothingIsLost:
    @pytest.mark.parametrize(
        ("lost", "message"),
        [
            ("weights", "would lose weights of events; write to a folder"),
            ("events", "would lose events without particles"),
            ("vertices", "would lose positions of vertices"),
        ],
    )
    def test_a_file_of_one_table_is_refused_if_it_cannot_hold_all(self, tmp_path, lost, message):
        batch = particles((2, 0 if lost == "events" else 1, 2))
        tables = dict(batch.tables)
        if lost != "weights":
            tables["events"] = tables["events"].set_column(1, tables["events"].field(1), [[1.0] * 3])
        if lost == "vertices":
            tables["vertices"] = change(tables["vertices"], "true_x", 1, 0.25)
        path = save(tmp_path / "in", EventBatch(tables))
        with pytest.raises(OutputError, match=message):
            convert(path, tmp_path / "out.parquet")
        assert not (tmp_path / "out.parquet").exists()
        assert convert(path, tmp_path / "out.parquet", tables=["particles"]).rows == {
            "particles": batch["particles"].num_rows
        }

    def test_several_tables_do_not_go_into_one(self, tmp_path):
        with pytest.raises(OutputError, match="holds one table, got"):
            convert(save(tmp_path / "in", results()), tmp_path / "out.parquet")

    def test_bad_rows_are_errors_or_counted(self, tmp_path):
        pq.write_table(change(particles()["particles"], "px", 2, float("nan")), tmp_path / "p.parquet")
        with pytest.raises(InputError, match=r"p.parquet, row 2 .*column 'px'"):
            convert(tmp_path / "p.parquet", tmp_path / "out")
        assert not (tmp_path / "out").exists()
        done = convert(tmp_path / "p.parquet", tmp_path / "out", on_bad_rows="drop")
        assert done.bad == BadRows(1, {"NaN or infinite px": 1})
        assert done.rows == {"events": 3, "vertices": 3, "particles": 8}

    def test_a_bad_cell_of_a_result_is_an_error(self, tmp_path):
        pq.write_table(change(fill(TRACKS, 9), "p", 7, float("inf")), tmp_path / "tracks.parquet")
        with pytest.raises(InputError, match=r"tracks.parquet, row 7 \(event_id 2, track_id 7\), column 'p'"):
            convert(tmp_path / "tracks.parquet", tmp_path / "out.root")
