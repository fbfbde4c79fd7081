"""The first rows of a table, with their units."""

import pytest
from typer.testing import CliRunner

from lamarrpy.cli import app
from lamarrpy.errors import InputError
from lamarrpy.io import open_sink
from lamarrpy.testing import example_events


@pytest.fixture
def folder(tmp_path):
    with open_sink(tmp_path / "events", provenance={}) as sink:
        sink.append(example_events(5))
    return tmp_path / "events"


def test_values_and_units_are_shown(folder):
    answer = CliRunner().invoke(app, ["head", str(folder), "-t", "particles", "-n", "3"])
    assert answer.exit_code == 0
    assert "first 3 of" in answer.output
    assert "row 2" in answer.output
    assert "row 3" not in answer.output
    momentum = next(line for line in answer.output.splitlines() if "px" in line)
    assert "MeV" in momentum
    assert f"{example_events(5).array('particles', 'px')[0]:.4g}" in momentum


def test_a_table_that_is_not_there_is_named(folder):
    answer = CliRunner().invoke(app, ["head", str(folder), "-t", "particels"])
    assert isinstance(answer.exception, InputError)
    assert "did you mean 'particles'" in str(answer.exception)


@pytest.mark.parametrize("naming", [None, "lhcb"])
def test_names_of_lhcb_are_mentioned(tmp_path, naming):
    path = tmp_path / "out.root"
    with open_sink(path, provenance={}, naming=naming) as sink:
        sink.append(example_events(5))
    answer = CliRunner().invoke(app, ["head", str(path), "-t", "particles"], env={"COLUMNS": "200"})
    said = "column names are shown as lamarrpy's; the file has LHCb's"
    assert (said in answer.output) == (naming == "lhcb")
    assert "px" in answer.output
