"""``lamarrpy generate``: recipes to files."""

import pytest
from typer.testing import CliRunner

from lamarrpy.cli import app
from lamarrpy.errors import ConfigError, OutputError
from lamarrpy.io import read_batch


def run(*arguments):
    return CliRunner().invoke(app, ["generate", *map(str, arguments)])


def test_a_shipped_recipe(tmp_path):
    result = run("gun", "-n", 10, "--seed", 3, "-o", tmp_path / "out")
    assert result.exit_code == 0
    assert "10 events" in result.stdout
    assert "400 particles" in result.stdout
    assert read_batch(tmp_path / "out")["particles"].num_rows == 400


def test_the_same_events_from_a_file_and_in_pieces(tmp_path):
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("{kind: decay_gun, decay: B+ -> (anti-D0 -> K+ pi-) pi+}")
    assert run(recipe, "-n", 30, "-o", tmp_path / "a", "-q").stdout == ""
    run(recipe, "-n", 20, "-o", tmp_path / "b", "--first-event", 10, "--chunk-events", 3)
    whole, part = (read_batch(tmp_path / name)["particles"] for name in "ab")
    assert whole.slice(50).equals(part)


def test_an_output_that_is_there(tmp_path):
    run("gun", "-n", 2, "-o", tmp_path / "out")
    refused = run("gun", "-n", 3, "-o", tmp_path / "out")
    assert isinstance(refused.exception, OutputError)
    assert "is there already; choose another -o, or replace it with --overwrite" in str(refused.exception)
    assert read_batch(tmp_path / "out")["events"].num_rows == 2
    assert run("gun", "-n", 3, "-o", tmp_path / "out", "--overwrite").exit_code == 0
    assert read_batch(tmp_path / "out")["events"].num_rows == 3


def test_mistakes_become_typed_errors(tmp_path):
    result = run("nothing", "-o", tmp_path / "out")
    assert isinstance(result.exception, ConfigError)
    assert not (tmp_path / "out").exists()
    assert run("gun", "-n", 0, "-o", tmp_path / "out").exit_code == 2


@pytest.mark.parametrize("name", ["particles.parquet", "out.root"])
def test_formats(tmp_path, name):
    assert run("lb_lcmunu", "-n", 5, "-o", tmp_path / name).exit_code == 0
    assert read_batch(tmp_path / name)["particles"].num_rows == 35
