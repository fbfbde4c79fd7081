"""Training samples: the right rows, columns that say what they are, and no half-written folder."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from lamarrpy.cli import app
from lamarrpy.detailed.simulation import DetailedSimulation
from lamarrpy.detailed.training import STAGES, write_training_samples
from lamarrpy.errors import ConfigError, InputError, OutputError
from lamarrpy.io import read_batch
from lamarrpy.pipeline import RunOptions, run_files
from lamarrpy.shipped import shipped


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Two outputs of the Detailed Simulation."""
    folder = tmp_path_factory.mktemp("simulated")
    events = shipped("data", "bbbar_pythia8.parquet")
    for part in (1, 2):
        run_files(DetailedSimulation(), events, folder / f"part-{part}", RunOptions(seed=3, partition=(part, 20)))
    return [folder / "part-1", folder / "part-2"]


@pytest.fixture(scope="module")
def samples(simulated, tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples") / "samples"
    return folder, write_training_samples(simulated, folder)


def test_every_stage_has_its_species(samples):
    folder, rows = samples
    charged = {"muon", "pion", "kaon", "proton"}
    assert set(rows) == set(STAGES) == {p.name for p in folder.iterdir() if p.is_dir()}
    for stage in ("rich", "is_muon", "muon"):
        assert set(rows[stage]) == charged
    assert set(rows["global_pid"]) == {*charged, *(f"{name}_is_muon" for name in charged)}
    for stage, parts in rows.items():
        for part, number in parts.items():
            table = pq.read_table(folder / stage / f"{part}.parquet")
            assert table.num_rows == number
            assert tuple(table.column_names) == STAGES[stage].columns
            assert all(field.metadata[b"doc"] for field in table.schema)


def test_rows_are_those_of_the_tables(samples, simulated):
    folder, rows = samples
    batches = [read_batch(path) for path in simulated]
    pid, matched, is_muon = (
        np.concatenate([b.array("tracks", n) for b in batches]) for n in ("true_pid", "matched", "is_muon")
    )
    kaons = matched & (np.abs(pid) == 321)
    assert rows["rich"]["kaon"] == rows["is_muon"]["kaon"] == np.count_nonzero(kaons) > 20
    assert rows["global_pid"]["pion_is_muon"] == np.count_nonzero(is_muon & matched & (np.abs(pid) == 211))
    assert rows["muon"]["pion"] == rows["global_pid"]["pion_is_muon"]
    table = pq.read_table(folder / "rich" / "kaon.parquet").to_pandas()
    values = np.concatenate([b.array("tracks", "rich_dll_k") for b in batches])[kaons]
    assert np.array_equal(table["rich_dll_k"], values)
    events = {e: n for b in batches for e, n in zip(*b.arrays("events", "event_id", "n_tracks"), strict=True)}
    assert (table["n_tracks"] == [events[e] for e in table["event_id"]]).all()


def test_photons_are_found_or_not_and_their_errors_small(samples):
    folder, rows = samples
    every = pq.read_table(folder / "photon_efficiency" / "photon.parquet").to_pandas()
    found = pq.read_table(folder / "photon_resolution" / "photon.parquet").to_pandas()
    assert np.count_nonzero(every["cluster_type"] > 0) == len(found) > 30
    assert set(every["cluster_type"]) <= {0, 1, 2}
    assert every["from_pi0"].mean() > 0.5
    assert np.hypot(found["dx"], found["dy"]).max() < 35.0
    assert np.abs(found["de_over_e"]).median() < 0.3
    assert np.allclose(every["p"], every["p"].abs())
    assert rows["photon_resolution"]["photon"] == len(found)


def test_the_folder_says_where_it_comes_from(samples):
    said = json.loads((samples[0] / "samples.json").read_text())
    assert said["stages"]["muon"]["targets"] == ["muon_mu_ll", "muon_bg_ll"]
    assert [source["run"]["seed"] for source in said["sources"]] == [3, 3]


def test_what_is_there_is_not_overwritten_unasked(samples, simulated):
    folder, rows = samples
    with pytest.raises(OutputError, match="is there already"):
        write_training_samples(simulated, folder)
    (folder / "notes.txt").write_text("mine")
    assert write_training_samples(simulated, folder, overwrite=True) == rows
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_folder_of_something_else_is_never_replaced(simulated, tmp_path):
    (tmp_path / "rich").mkdir()
    (tmp_path / "rich" / "kaon.parquet").write_text("precious")
    with pytest.raises(OutputError, match=r"got a folder without samples\.json"):
        write_training_samples(simulated, tmp_path, overwrite=True)
    assert (tmp_path / "rich" / "kaon.parquet").read_text() == "precious"


def test_other_inputs_are_refused_and_leave_nothing(tmp_path):
    with pytest.raises(InputError, match=r"has no table events, tracks, clusters; make one with lamarrpy detailed"):
        write_training_samples([shipped("data", "lb_lcmunu.parquet")], tmp_path / "samples")
    assert not list(tmp_path.iterdir())


def test_the_command(simulated, tmp_path):
    words = ["training-samples", *map(str, simulated), "-o", str(tmp_path / "out"), "--stage", "muon"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    assert "kaon" in told.output
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["muon", "samples.json"]
    wrong = CliRunner().invoke(app, [*words[:-1], "muons"])
    assert isinstance(wrong.exception, ConfigError)
    assert "did you mean 'muon'" in str(wrong.exception)
