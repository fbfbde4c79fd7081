from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from lamarrpy.cli import app
from lamarrpy.errors import InputError, OutputError
from lamarrpy.io import digest, read_batch

COLUMNS = {
    "event_id": [5, 5, 3],
    "particle_id": [0, 1, 0],
    "mother_id": [-1, -1, -1],
    "vertex_id": [0, 0, 0],
    "pid": [211, 13, -321],
    **{name: [1.0, 2.0, 3.0] for name in ("px", "py", "pz", "x", "y", "z")},
    "status": [1, 1, 1],
}


@pytest.fixture
def particles(tmp_path):
    pq.write_table(pa.table(COLUMNS), tmp_path / "in.parquet")
    return tmp_path / "in.parquet"


def convert(*arguments):
    return CliRunner().invoke(app, ["convert", *map(str, arguments)], catch_exceptions=False)


@pytest.mark.parametrize("target", ["out", "out.root", "out.db"])
def test_it_says_what_was_written(particles, tmp_path, target):
    done = convert(particles, tmp_path / target)
    assert done.exit_code == 0
    text = " ".join(done.output.split())
    assert "wrote 2 rows of events, 2 rows of vertices, 3 rows of particles to" in text
    assert read_batch(tmp_path / target)["particles"].num_rows == 3


def test_options_reach_the_conversion(particles, tmp_path):
    convert(
        particles, tmp_path / "out.root", "--table", "events", "--table", "particles", "--naming", "lhcb", "--rntuple"
    )
    import uproot

    with uproot.open(tmp_path / "out.root") as file:
        assert file.classnames(cycle=False)["events"] == "ROOT::RNTuple"
        assert file["events"].keys() == ["eventNumber", "eventWeight"]
        assert "vertices" not in file
    assert digest(tmp_path / "out.root")["particles"] == digest(particles)["particles"]


def test_bad_rows(particles, tmp_path):
    bad = {**COLUMNS, "px": [1.0, float("nan"), 3.0]}
    pq.write_table(pa.table(bad), particles)
    with pytest.raises(InputError, match=r"in.parquet, row 1 \(event_id 5, particle_id 1\), column 'px'"):
        convert(particles, tmp_path / "out")
    done = convert(particles, tmp_path / "out", "--on-bad-rows", "drop")
    assert "dropped 1 particles: NaN or infinite px" in done.output
    assert "2 rows of particles" in done.output


def test_an_output_that_is_there(particles, tmp_path):
    convert(particles, tmp_path / "out.root")
    with pytest.raises(OutputError, match=r"out.root: is there already; .* --overwrite"):
        convert(particles, tmp_path / "out.root")
    assert convert(particles, tmp_path / "out.root", "--overwrite").exit_code == 0


def test_an_unknown_naming_is_refused(particles, tmp_path):
    assert convert(particles, tmp_path / "out", "--naming", "atlas").exit_code == 2
