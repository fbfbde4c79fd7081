from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from lamarrpy.cli import app
from lamarrpy.io import open_sink
from lamarrpy.testing import example_events


def test_it_shows_rows_events_species_ranges_and_units(tmp_path):
    n = 40
    columns = {
        "event_id": np.arange(n) // 4,
        "pid": np.repeat([211, 13, 22, 1234567], [20, 10, 9, 1]).astype(np.int32),
        "px": np.linspace(-1500, 2500, n),
        "x": np.where(np.arange(n) == 7, np.nan, 0.5),
    }
    pq.write_table(pa.table(columns), tmp_path / "particles.parquet")
    done = CliRunner().invoke(app, ["inspect", str(tmp_path)], env={"COLUMNS": "120"})
    assert done.exit_code == 0
    assert "particles: 40 rows, 10 events" in done.output
    assert "pi+ 20 (50.0%), mu- 10 (25.0%), gamma 9 (22.5%), unknown 1234567 1 (2.5%)" in done.output
    rows = {
        line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:8]]
        for line in done.output.splitlines()
        if line.startswith("│")
    }
    assert rows["px"] == ["double", "-1500", "2500", "MeV", "", ""]
    assert rows["x"] == ["double", "0.5", "0.5", "mm", "", "1"]
    assert rows["event_id"] == ["int64", "0", "9", "", "", ""]


def test_many_species_are_cut_short(tmp_path):
    pids = np.array([11, 13, 15, 22, 111, 211, 221, 310, 321, 411, 421, 511, 521, 2112, 2212], np.int32)
    columns = {"event_id": np.zeros(len(pids), int), "pid": pids}
    pq.write_table(pa.table(columns), tmp_path / "particles.parquet")
    done = CliRunner().invoke(app, ["inspect", str(tmp_path)], env={"COLUMNS": "300"})
    assert "3 others 3" in done.output


def test_notes_of_a_hepmc_file(tmp_path):
    import pyhepmc

    event = pyhepmc.GenEvent()
    vertex = pyhepmc.GenVertex((0, 0, 1, 0))
    vertex.add_particle_in(pyhepmc.GenParticle((0, 0, 1, 1), 2212, 4))
    vertex.add_particle_out(pyhepmc.GenParticle((0, 0, 1, 1), 211, 1))
    event.add_vertex(vertex)
    with pyhepmc.open(tmp_path / "a.hepmc", "w") as file:
        file.write(event)
    done = CliRunner().invoke(app, ["inspect", str(tmp_path / "a.hepmc")])
    assert "left out 1 beam particles of the HepMC record" in done.output


@pytest.mark.parametrize("naming", [None, "lhcb"])
def test_names_of_lhcb_are_mentioned(tmp_path, naming):
    path = tmp_path / "out.root"
    with open_sink(path, provenance={}, naming=naming) as sink:
        sink.append(example_events(5))
    answer = CliRunner().invoke(app, ["inspect", str(path)], env={"COLUMNS": "200"})
    said = "column names are shown as lamarrpy's; the file has LHCb's"
    assert (said in answer.output) == (naming == "lhcb")
    assert "px" in answer.output


def test_ghosts_are_no_species(tmp_path):
    tracks = {"event_id": pa.array([0, 0]), "track_id": pa.array([0, 1]), "true_pid": pa.array([211, 0], pa.int32())}
    (tmp_path / "out").mkdir()
    pq.write_table(pa.table(tracks), tmp_path / "out" / "tracks.parquet")
    shown = CliRunner().invoke(app, ["inspect", str(tmp_path / "out")])
    assert shown.exit_code == 0, shown.output
