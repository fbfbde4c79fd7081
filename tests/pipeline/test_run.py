"""Runs over files: the same bits however the work is cut, and nothing lost when it is interrupted."""

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from toy_stages import TOY, Loser, Tracker, Window

from lamarrpy.errors import ConfigError, LamarrpyError, OutputError, SchemaError, StageError
from lamarrpy.io import digest, open_sink, read_batch
from lamarrpy.pipeline import Pipeline, RunOptions, run, run_files
from lamarrpy.pipeline.files import plan
from lamarrpy.processes import peak_memory
from lamarrpy.tables import EventBatch, generator_level
from lamarrpy.tables.batch import to_arrow_index
from lamarrpy.testing import example_events


def write(batch, path):
    with open_sink(path, provenance={}) as sink:
        sink.append(batch)
    return path


def reordered(batch):
    """The same events in another order, rows of an event still together."""
    tables = {}
    for name, table in batch.tables.items():
        event = batch.array(name, "event_id")
        order = np.lexsort((np.arange(len(event)), (event * 7919) % 1009))
        tables[name] = table.take(to_arrow_index(order))
    return EventBatch(tables)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return write(example_events(60), tmp_path_factory.mktemp("input") / "sample")


@pytest.fixture(scope="module")
def expected(sample, tmp_path_factory):
    out = tmp_path_factory.mktemp("expected") / "out"
    run_files(TOY, sample, out, RunOptions(seed=3))
    return digest(out)


@pytest.mark.parametrize(
    "options",
    [
        RunOptions(seed=3, chunk_events=1),
        RunOptions(seed=3, chunk_events=7),
        RunOptions(seed=3, chunk_events=10_000),
        RunOptions(seed=3, workers=2, chunk_events=10),
    ],
    ids=["chunk 1", "chunk 7", "chunk 10000", "two workers"],
)
def test_the_same_bits_however_the_work_is_cut(sample, expected, tmp_path, options):
    result = run_files(TOY, sample, tmp_path / "out", options)
    assert digest(result.output) == expected
    assert result.record["events"] == 60


def test_a_polarity_for_what_has_its_own_is_refused(sample, tmp_path):
    with pytest.raises(ConfigError, match="that has its own"):
        run_files(TOY, sample, tmp_path / "out", RunOptions(polarity="MagUp"))


def test_the_same_bits_in_any_order_of_events(sample, expected, tmp_path):
    shuffled = write(reordered(read_batch(sample)), tmp_path / "shuffled")
    assert not read_batch(shuffled)["particles"].equals(read_batch(sample)["particles"])
    run_files(TOY, shuffled, tmp_path / "out", RunOptions(seed=3, chunk_events=13))
    assert digest(tmp_path / "out") == expected


def test_the_same_bits_in_memory(sample, expected, tmp_path):
    batch = run(TOY, sample, seed=3)
    assert digest(write(batch, tmp_path / "memory")) == expected


def test_another_seed_gives_other_bits(sample, expected, tmp_path):
    run_files(TOY, sample, tmp_path / "out", RunOptions(seed=4))
    assert digest(tmp_path / "out")["tracks"] != expected["tracks"]


def test_slices_together_are_the_whole(sample, expected, tmp_path):
    parts = []
    for i in (1, 2, 3):
        run_files(TOY, sample, tmp_path / f"out{i}", RunOptions(seed=3, partition=(i, 3), chunk_events=4))
        parts.append(read_batch(tmp_path / f"out{i}"))
    assert digest(write(EventBatch.concat(parts), tmp_path / "joined")) == expected


def test_a_slice_without_events_makes_empty_tables(sample, tmp_path):
    result = run_files(TOY, sample, tmp_path / "out", RunOptions(partition=(1, 100)))
    assert result.record["events"] == 0
    assert read_batch(tmp_path / "out")["tracks"].num_rows == 0


@pytest.mark.parametrize("n", [1, 2, 7, 60, 100])
@pytest.mark.parametrize("chunk", [None, 1, 9])
def test_the_plan_covers_every_event_once(n, chunk):
    rows = np.arange(60) * 1000
    pieces = [list(plan(rows, RunOptions(partition=(i + 1, n), chunk_events=chunk))) for i in range(n)]
    covered = [e for part in pieces for p in part for e in range(p.start, p.stop)]
    assert covered == list(range(60))
    assert all(p.index == at for part in pieces for at, p in enumerate(part))


@dataclass(frozen=True)
class Stumbling(Window):
    """A window that falls over at one event."""

    stumble: bool = True

    def __call__(self, batch, draws):
        if self.stumble and 7 + 3 * 33 in batch.array("events", "event_id"):
            raise KeyboardInterrupt
        return super().__call__(batch, draws)


class Healed(Stumbling):
    """The same, for the second try; settings decide about a resumed run, not code."""

    def __call__(self, batch, draws):
        return Window.__call__(self, batch, draws)


def test_a_killed_run_is_resumed_with_nothing_lost_or_doubled(sample, expected, tmp_path):
    out, options = tmp_path / "out", RunOptions(seed=3, chunk_events=10)
    with pytest.raises(KeyboardInterrupt):
        run_files(Pipeline("toy", (Stumbling(), Tracker())), sample, out, options)
    assert not out.exists()
    parts = tmp_path / ".out.parts"
    assert sorted(p.name for p in parts.glob("part-*")) == ["part-000000", "part-000001", "part-000002"]
    stamp = (parts / "part-000001" / "report.json").stat().st_mtime_ns
    pipeline = Pipeline("toy", (Healed(), Tracker()))

    with pytest.raises(OutputError, match=r"an unfinished run is there .* go on with --resume"):
        run_files(pipeline, sample, out, options)
    with pytest.raises(ConfigError, match="the unfinished run differs in seed;"):
        run_files(pipeline, sample, out, RunOptions(seed=4, chunk_events=10, resume=True))
    assert (parts / "part-000001" / "report.json").stat().st_mtime_ns == stamp

    result = run_files(pipeline, sample, out, RunOptions(seed=3, chunk_events=10, resume=True))
    assert digest(out) == expected
    assert result.record["events"] == 60
    assert not parts.exists()


def test_resuming_a_finished_run_does_nothing(sample, tmp_path):
    out = tmp_path / "out"
    first = run_files(TOY, sample, out, RunOptions(seed=3))
    stamp = (out / "tracks.parquet").stat().st_mtime_ns
    again = run_files(TOY, sample, out, RunOptions(seed=3, resume=True))
    assert again.cutflow == first.cutflow
    assert (out / "tracks.parquet").stat().st_mtime_ns == stamp
    with pytest.raises(ConfigError, match="holds the output of another run"):
        run_files(TOY, sample, out, RunOptions(seed=5, resume=True))


def test_a_finished_run_whose_tables_are_gone_is_done_again(sample, expected, tmp_path):
    out = tmp_path / "out"
    run_files(TOY, sample, out, RunOptions(seed=3))
    (out / "tracks.parquet").unlink()
    run_files(TOY, sample, out, RunOptions(seed=3, resume=True))
    assert digest(out) == expected


def test_other_names_are_another_output(sample, tmp_path):
    out = tmp_path / "out"
    run_files(TOY, sample, out, RunOptions(seed=3))
    with pytest.raises(ConfigError, match="holds the output of another run"):
        run_files(TOY, sample, out, RunOptions(seed=3, resume=True, naming="lhcb"))


def test_a_run_that_failed_at_once_does_not_block_the_next(sample, expected, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(StageError):
        run_files(Pipeline("toy", (Falls(), Tracker())), sample, out, RunOptions(seed=3))
    assert list(tmp_path.iterdir()) == []
    run_files(TOY, sample, out, RunOptions(seed=3))
    assert digest(out) == expected


def test_two_runs_do_not_share_an_output(sample, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run_files(Pipeline("toy", (Stumbling(), Tracker())), sample, out, RunOptions(chunk_events=10))
    owner = tmp_path / ".out.parts" / "owner.json"
    owner.write_text(json.dumps({"host": platform.node(), "process": os.getppid()}))
    with pytest.raises(OutputError, match=f"process {os.getppid()} is working on it"):
        run_files(Pipeline("toy", (Healed(), Tracker())), sample, out, RunOptions(chunk_events=10, resume=True))


def test_a_field_map_that_changes_is_another_run(sample, tmp_path):
    """What a file says that a setting names decides about the parts, not only its name."""
    from lamarrpy.field import magnetic_field, write_grid
    from lamarrpy.pipeline import load_pipeline

    axis = np.linspace(-4000.0, 14000.0, 4)
    descriptions = []
    for strength in (0.1, 0.2):
        write_grid(magnetic_field("uniform", by=strength), tmp_path / "map.npz", axis, axis, axis)
        spec = {"kind": "propagation", "field": "grid", "field_file": str(tmp_path / "map.npz")}
        descriptions.append(load_pipeline({"stages": [spec]}).describe())
    assert descriptions[0]["stages"] == descriptions[1]["stages"]
    assert descriptions[0]["files"] != descriptions[1]["files"]


def test_an_output_is_replaced_only_when_asked(sample, expected, tmp_path):
    out = tmp_path / "out"
    run_files(TOY, sample, out, RunOptions(seed=1))
    with pytest.raises(OutputError, match=r"is there already; .* --overwrite"):
        run_files(TOY, sample, out, RunOptions(seed=3))
    run_files(TOY, sample, out, RunOptions(seed=3, overwrite=True))
    assert digest(out) == expected


def test_an_interrupted_overwrite_leaves_the_old_output(sample, tmp_path):
    out = tmp_path / "out"
    run_files(TOY, sample, out, RunOptions(seed=1))
    before = digest(out)
    with pytest.raises(KeyboardInterrupt):
        run_files(Pipeline("toy", (Stumbling(), Tracker())), sample, out, RunOptions(seed=3, overwrite=True))
    assert digest(out) == before


class Falls(Window):
    """A window that fails at every event."""

    def __call__(self, batch, draws):
        raise ValueError("no")


class Dies(Window):
    """A worker that is killed from outside."""

    def __call__(self, batch, draws):
        import os
        import signal

        os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies_is_reported(sample, tmp_path):
    with pytest.raises(LamarrpyError, match=r"a worker process died .* --resume"):
        run_files(Pipeline("toy", (Dies(), Tracker())), sample, tmp_path / "out", RunOptions(workers=2, chunk_events=5))


def test_an_event_that_gets_lost_is_noticed(sample, tmp_path):
    with pytest.raises(SchemaError, match=r"expected the 60 events that went in, got 59: lost \[7\]"):
        run_files(Pipeline("bad", (Loser(),)), sample, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_record_tells_how_it_was_made(sample, tmp_path):
    run_files(TOY, sample, tmp_path / "out", RunOptions(seed=3))
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["seed"] == 3
    assert record["pipeline"]["stages"][0] == {"kind": "window", "p_min": 1000.0}
    assert record["events"] == 60
    assert record["particles_per_s"] > 0
    assert 1e7 < record["peak_memory_bytes"] <= peak_memory()  # of this process, whatever it has done before
    assert {"stage": "input", "table": "events", "quantity": "rows", "passed": 60, "of": 60} in record["cutflow"]


def test_memory_is_that_of_this_process_and_not_of_its_parent():
    script = "from lamarrpy.processes import peak_memory; print(peak_memory())"
    ballast = np.ones(50_000_000)
    alone = int(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout)
    assert 1e7 < alone < ballast.nbytes < peak_memory()


def test_bad_rows_are_dropped_and_counted_when_asked(tmp_path):
    batch = example_events(30)
    pid = batch.array("particles", "pid").copy()
    pid[[5, 50]] = 1234567
    bad = write(batch.with_columns(generator_level("particles").only("pid"), {"pid": pid}), tmp_path / "bad")
    with pytest.raises(LamarrpyError, match=r"particles.parquet.*row.*pid"):
        run_files(TOY, bad, tmp_path / "out")
    result = run_files(TOY, bad, tmp_path / "out", RunOptions(on_bad_rows="drop", overwrite=True))
    assert sum(result.record["bad_rows_dropped"].values()) == 2
    assert result.record["particles"] == len(pid) - 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"workers": 0}, "--workers: expected at least 1, got 0"),
        ({"chunk_events": 0}, "--chunk-events: expected at least 1, got 0"),
        ({"partition": (3, 2)}, "--partition: expected i/n with 1 <= i <= n, got 3/2"),
        ({"resume": True, "overwrite": True}, "expected --resume or --overwrite, got both"),
    ],
)
def test_options_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        RunOptions(**settings)


@pytest.mark.parametrize("output", ["out.root", "out.db"])
def test_other_formats_hold_the_same(sample, expected, tmp_path, output):
    result = run_files(TOY, sample, tmp_path / output, RunOptions(seed=3, chunk_events=20))
    assert (tmp_path / f"{output}.run.json").exists()
    got = read_batch(result.output)
    assert got["tracks"].num_rows == result.cutflow.counts[-4].passed
    if output == "out.db":
        assert digest(result.output) == expected
