"""``lamarrpy run`` as a user types it, on the shipped events."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from typer.testing import CliRunner

from lamarrpy.cli import app
from lamarrpy.io import digest, open_sink, open_source, read_batch
from lamarrpy.shipped import shipped
from lamarrpy.tables import EventBatch
from lamarrpy.tables.batch import to_arrow_index

SAMPLE = shipped("data", "bbbar_pythia8.parquet")


def lamarrpy(*arguments):
    answer = CliRunner().invoke(app, [str(a) for a in arguments])
    if answer.exception is not None and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    assert answer.exit_code == 0, answer.output
    return answer.output


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The first 40 events."""
    path = tmp_path_factory.mktemp("input") / "small"
    with open_source(SAMPLE) as source, open_sink(path, provenance={}) as sink:
        sink.append(source.read(0, 40)[0])
    return path


@pytest.fixture(scope="module", params=["parametric", "lhcb2016"])
def reference(request, small, tmp_path_factory):
    out = tmp_path_factory.mktemp("reference") / "out"
    lamarrpy("run", request.param, small, "-o", out, "--seed", 7)
    return request.param, digest(out)


@pytest.mark.parametrize(
    "options", [("--chunk-events", 10), ("--chunk-events", 10_000), ("--workers", 2, "--chunk-events", 10)], ids=str
)
def test_the_same_digest_however_the_work_is_cut(reference, small, tmp_path, options):
    pipeline, expected = reference
    lamarrpy("run", pipeline, small, "-o", tmp_path / "out", "--seed", 7, *options)
    assert digest(tmp_path / "out") == expected
    printed = lamarrpy("digest", tmp_path / "out")
    assert all(value in printed for value in expected.values())


def test_the_same_digest_for_shuffled_events(reference, small, tmp_path):
    pipeline, expected = reference
    batch = read_batch(small)
    ids = batch.array("events", "event_id")
    order = np.random.default_rng(1).permutation(ids.max() + 1)
    shuffled = EventBatch(
        {
            name: table.take(to_arrow_index(np.argsort(order[batch.array(name, "event_id")], kind="stable")))
            for name, table in batch.tables.items()
        }
    )
    with open_sink(tmp_path / "shuffled", provenance={}) as sink:
        sink.append(shuffled)
    lamarrpy("run", pipeline, tmp_path / "shuffled", "-o", tmp_path / "out", "--seed", 7, "--chunk-events", 9)
    assert digest(tmp_path / "out") == expected


def test_one_event_alone_is_reproduced(reference, small, tmp_path):
    pipeline, _ = reference
    whole = tmp_path / "whole"
    lamarrpy("run", pipeline, small, "-o", whole, "--seed", 7)
    one = read_batch(small).array("events", "event_id")[17:18]
    with open_sink(tmp_path / "one", provenance={}) as sink:
        sink.append(read_batch(small).select_events(one))
    lamarrpy("run", pipeline, tmp_path / "one", "-o", tmp_path / "alone", "--seed", 7)
    with open_sink(tmp_path / "expected", provenance={}) as sink:
        sink.append(read_batch(whole).select_events(one))
    assert digest(tmp_path / "alone") == digest(tmp_path / "expected")


@pytest.mark.parametrize("name", ["bbbar_pythia8.hepmc2.gz", "bbbar_pythia8.hepmc3.gz"])
def test_hepmc_files_run(tmp_path, name):
    output = lamarrpy("run", "parametric", shipped("data", name), "-o", tmp_path / "out")
    assert "3 events" in output
    assert "left out" in output
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert any("HepMC" in note for note in record["notes"])
    assert read_batch(tmp_path / "out")["tracks"].num_rows > 30


def test_several_hepmc_files_are_several_event_ranges(tmp_path):
    file = shipped("data", "bbbar_pythia8.hepmc3.gz")
    lamarrpy("run", "parametric", file, file, "-o", tmp_path / "out")
    assert len(np.unique(read_batch(tmp_path / "out").array("events", "event_id"))) == 6


def _part_count(out):
    return len(list(out.parent.glob(f".{out.name}.parts/part-??????")))


def test_a_run_killed_from_outside_is_resumed(small, tmp_path):
    out, whole = tmp_path / "out", tmp_path / "whole"
    lamarrpy("run", "parametric", small, "-o", whole, "--chunk-events", "1")
    command = [sys.executable, "-m", "lamarrpy", "run", "parametric", small, "-o", out, "--chunk-events", "1", "-q"]
    with subprocess.Popen([str(word) for word in command]) as run:
        for _ in range(3000):
            if _part_count(out) >= 3:
                break
            time.sleep(0.005)
        os.kill(run.pid, signal.SIGKILL)
    assert 3 <= _part_count(out) < 40
    assert not out.exists()
    lamarrpy("run", "parametric", small, "-o", out, "--chunk-events", "1", "--resume")
    assert digest(out) == digest(whole)
    assert json.loads((out / "run.json").read_text())["events"] == 40


def test_the_cut_flow_is_printed_and_kept(small, tmp_path):
    output = lamarrpy("run", "parametric", small, "-o", tmp_path / "out")
    for word in ("cut-flow", "propagated", "in_acceptance", "Long", "Downstream", "particles/s"):
        assert word in output
    flow = json.loads((tmp_path / "out" / "run.json").read_text())["cutflow"]
    tracks = next(line for line in flow if line["table"] == "tracks" and line["quantity"] == "rows")
    assert tracks["passed"] == read_batch(tmp_path / "out")["tracks"].num_rows


def test_root_with_the_names_of_lhcb(small, tmp_path):
    lamarrpy("run", "parametric", small, "-o", tmp_path / "out.root", "--naming", "lhcb")
    import uproot

    with uproot.open(tmp_path / "out.root") as file:
        tree = file["tracks"]
        assert {"eventNumber", "trk_P", "trk_TRACK_CHI2NDOF", "trk_ProbNNk", "trk_isMuon"} <= set(tree.keys())
        muon, prob = tree["trk_isMuon"].array(library="np"), tree["trk_ProbNNmu"].array(library="np")
    assert (prob[muon == 0] == -1000).all()
    assert (prob[muon == 1] >= 0).all()


def test_provenance_stands_in_the_parquet_metadata(small, tmp_path):
    import pyarrow.parquet as pq

    lamarrpy("run", "parametric", small, "-o", tmp_path / "out", "--seed", 11)
    metadata = pq.read_schema(tmp_path / "out" / "tracks.parquet").metadata
    provenance = json.loads(metadata[b"lamarrpy"])
    assert provenance["seed"] == 11
    assert provenance["pipeline"]["name"] == "parametric"


def test_the_magnet_can_be_turned(small, tmp_path):
    """The other polarity bends the other way, and the record says so."""
    for polarity in ("MagUp", "MagDown"):
        lamarrpy("run", "parametric", small, "-o", tmp_path / polarity, "--polarity", polarity)
    record = json.loads((tmp_path / "MagDown" / "run.json").read_text())
    assert {s.get("polarity", "MagDown") for s in record["pipeline"]["stages"]} == {"MagDown"}
    assert digest(tmp_path / "MagUp")["tracks"] != digest(tmp_path / "MagDown")["tracks"]


def test_bad_partitions_are_explained():
    answer = CliRunner().invoke(app, ["run", "parametric", str(SAMPLE), "--partition", "half"])
    assert answer.exit_code == 2
    assert "expected i/n such as 1/4" in answer.output


def test_shipped_pipelines_run_from_any_folder(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lamarrpy("run", "lhcb2016", small, "-o", "here")
    assert (tmp_path / "here" / "tracks.parquet").exists()
