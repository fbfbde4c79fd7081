"""Training samples: the right rows, columns that say what they are, and no half-written folder."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from lamarrpy.cli import app
from lamarrpy.detailed.simulation import DetailedSimulation
from lamarrpy.errors import ConfigError, InputError, OutputError
from lamarrpy.io import read_batch
from lamarrpy.pipeline import RunOptions, run_files
from lamarrpy.shipped import shipped
from lamarrpy.train.samples import SAMPLES, write_training_samples


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


SPECIES = {"electron": 11, "muon": 13, "pion": 211, "kaon": 321, "proton": 2212}


def read(folder, name):
    return pq.read_table(folder / f"{name}.parquet").to_pandas()


def test_every_sample_has_its_parts_and_columns(samples):
    folder, rows = samples
    assert set(rows) == set(SAMPLES) == {p.name for p in folder.iterdir() if p.is_dir()}
    assert {name: set(parts) for name, parts in rows.items()} == {
        "particles": {"charged"},
        "tracks": {*SPECIES, *(f"{name}_is_muon" for name in SPECIES if name != "electron")},
        "photons": {"photon"},
        "events": {"event"},
    }
    for name, parts in rows.items():
        for part, number in parts.items():
            table = pq.read_table(folder / name / f"{part}.parquet")
            assert table.num_rows == number
            assert tuple(table.column_names) == SAMPLES[name].columns
            assert all(field.metadata[b"doc"] for field in table.schema)
            assert not any(column.null_count for column in table.columns)


def test_tracks_are_those_of_followed_particles(samples, simulated):
    folder, rows = samples
    batches = [read_batch(path) for path in simulated]
    names = ("true_pid", "matched", "true_p", "true_eta", "rich_dll_k")
    pid, matched, p, eta, dll = (np.concatenate([b.array("tracks", n) for b in batches]) for n in names)
    with np.errstate(invalid="ignore"):
        kaons = matched & (np.abs(pid) == 321) & (p > 1000.0) & (eta > 1.6) & (eta < 5.2)
    assert rows["tracks"]["kaon"] == np.count_nonzero(kaons) > 20
    table = read(folder, "tracks/kaon")
    assert np.array_equal(table["rich_dll_k"], dll[kaons])
    events = {e: n for b in batches for e, n in zip(*b.arrays("events", "event_id", "n_tracks"), strict=True)}
    assert (table["n_tracks"] == [events[e] for e in table["event_id"]]).all()


def test_particles_become_the_tracks(samples):
    """Each track is of a particle with its class, its way through the field, and its collision."""
    folder, _ = samples
    particles = read(folder, "particles/charged").set_index(["event_id", "particle_id"])
    assert set(particles["track_type"]) == {0, 3, 4, 5}
    assert (particles["p"] > 1000.0).all()
    assert np.isnan(particles["x_mid_t"][~particles["reaches_mid_t"]]).all()
    found = 0
    for name, number in SPECIES.items():
        tracks = read(folder, f"tracks/{name}").set_index(["event_id", "particle_id"])
        own = particles.loc[tracks.index]
        assert (own["pid"].abs() == number).all()
        assert (own["track_type"].to_numpy() == tracks["track_type"].to_numpy()).all()
        for theirs, ours in (("x_mid_tt", "x_mid_tt"), ("z", "origin_z"), ("beam_x", "beam_x"), ("p", "true_p")):
            assert np.array_equal(own[theirs], tracks[ours], equal_nan=True)
        found += len(tracks)
    assert found == np.count_nonzero(particles["track_type"] > 0)


def test_photons_are_found_or_not_and_their_errors_small(samples):
    photons = read(samples[0], "photons/photon")
    assert set(photons["cluster_type"]) <= {0, 1, 2}
    assert photons["from_pi0"].mean() > 0.5
    found = photons["cluster_type"] > 0
    assert found.sum() > 30
    assert np.isfinite(photons["cluster_e"]).equals(found)
    assert (
        np.hypot(photons["cluster_x"] - photons["ecal_x"], photons["cluster_y"] - photons["ecal_y"])[found].max() < 35
    )
    assert (photons["cluster_e"] / photons["p"] - 1.0)[found].abs().median() < 0.3
    clusters = photons[found].groupby(["event_id", "cluster_id"])["p"].transform("size")
    assert (photons["shared"][found] == (clusters > 1)).all()


def test_events_count_their_particles(samples):
    events = read(samples[0], "events/event").set_index("event_id")
    particles = read(samples[0], "particles/charged")
    assert (events["n_charged"] == particles.groupby("event_id").size().reindex(events.index, fill_value=0)).all()
    assert (events["flavour"] == 2).all()
    pairs = particles[["event_id", "vertex_id"]].drop_duplicates().groupby("event_id").size()
    assert (events["collisions"] == pairs.reindex(events.index, fill_value=0)).all()


def test_the_folder_says_where_it_comes_from(samples):
    said = json.loads((samples[0] / "samples.json").read_text())
    assert said["samples"] == samples[1]
    assert [source["run"]["seed"] for source in said["sources"]] == [3, 3]


def test_of_guns_for_muon_candidates_nothing_else_is_taken(samples, simulated, tmp_path):
    rows = write_training_samples(simulated[:1], tmp_path / "samples", is_muon=simulated[1:])
    both, first = samples[1], write_training_samples(simulated[:1], tmp_path / "first")
    for name in ("particles", "photons", "events"):
        assert rows[name] == first[name]
    for part, number in rows["tracks"].items():
        assert number == (both if part.endswith("_is_muon") else first)["tracks"][part]
    pions = read(tmp_path / "samples", "tracks/pion_is_muon")
    assert len(pions) > first["tracks"]["pion_is_muon"]
    assert pions["is_muon"].all()


def test_the_other_polarity_is_refused(tmp_path):
    events = shipped("data", "bbbar_pythia8.parquet")
    down = tmp_path / "down"
    run_files(DetailedSimulation("MagDown"), events, down, RunOptions(seed=3, partition=(1, 200)))
    with pytest.raises(InputError, match="expected events of the polarity MagUp, got MagDown"):
        write_training_samples([down], tmp_path / "samples")


def test_what_is_there_is_not_overwritten_unasked(samples, simulated):
    folder, rows = samples
    with pytest.raises(OutputError, match="is there already"):
        write_training_samples(simulated, folder)
    (folder / "notes.txt").write_text("mine")
    assert write_training_samples(simulated, folder, overwrite=True) == rows
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_folder_of_something_else_is_never_replaced(simulated, tmp_path):
    (tmp_path / "tracks").mkdir()
    (tmp_path / "tracks" / "kaon.parquet").write_text("precious")
    with pytest.raises(OutputError, match=r"got a folder without samples\.json"):
        write_training_samples(simulated, tmp_path, overwrite=True)
    assert (tmp_path / "tracks" / "kaon.parquet").read_text() == "precious"


def test_other_inputs_are_refused_and_leave_nothing(tmp_path):
    with pytest.raises(InputError, match=r"has no table events, tracks, clusters; make one with lamarrpy detailed"):
        write_training_samples([shipped("data", "lb_lcmunu.parquet")], tmp_path / "samples")
    assert not list(tmp_path.iterdir())


def test_the_command(simulated, tmp_path):
    words = ["training-samples", *map(str, simulated), "-o", str(tmp_path / "out"), "--only", "tracks"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    assert "kaon" in told.output
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["samples.json", "tracks"]
    wrong = CliRunner().invoke(app, [*words[:-1], "track"])
    assert isinstance(wrong.exception, ConfigError)
    assert "did you mean 'tracks'" in str(wrong.exception)
