"""``lamarrpy tracks``."""

from typer.testing import CliRunner

from lamarrpy.cli import app
from lamarrpy.errors import ConfigError, OutputError
from lamarrpy.tracks import number_of_tracks, track_metadata


def run(*arguments):
    return CliRunner().invoke(app, ["tracks", *map(str, arguments)])


def test_a_shipped_recipe(tmp_path):
    result = run("protocol", "-n", 200, "--seed", 3, "-o", tmp_path / "tracks.npz")
    assert result.exit_code == 0
    assert "200 of " in result.stdout
    assert "curled" in result.stdout
    assert "tracks/s" in result.stdout
    assert number_of_tracks(tmp_path / "tracks.npz") == 200
    assert track_metadata(tmp_path / "tracks.npz")["recipe"]["name"] == "protocol"


def test_quiet_and_single_precision(tmp_path):
    assert run("box", "-n", 20, "-q", "--float32", "-o", tmp_path / "tracks.parquet").stdout == ""
    assert track_metadata(tmp_path / "tracks.parquet")["precision"] == "float32"


def test_mistakes_become_typed_errors(tmp_path):
    assert isinstance(run("nothing", "-o", tmp_path / "a.npz").exception, ConfigError)
    assert isinstance(run("box", "-n", 5, "-o", tmp_path / "a.txt").exception, OutputError)
    assert run("box", "-n", 5, "-o", tmp_path / "a.npz").exit_code == 0
    assert isinstance(run("box", "-n", 5, "-o", tmp_path / "a.npz").exception, OutputError)
    assert run("box", "-n", 5, "-o", tmp_path / "a.npz", "--overwrite").exit_code == 0
