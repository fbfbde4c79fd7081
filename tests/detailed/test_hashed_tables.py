"""Tables of numbers on disk: what is read is what was written, or is refused with what to do."""

import json

import pytest

from lamarrpy.detailed.hashed_tables import read_tables, write_tables
from lamarrpy.errors import ArtifactError
from lamarrpy.parameterization.manifest import digest

TABLES = {"scale": [1.0, 0.1], "muon": [[0.0, 0.30000000000000004, 1.0]]}


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "muon" / "tables.json"
    path.parent.mkdir()
    write_tables(path, TABLES, made_by="hand", entries=[1, 2])
    return path


def test_there_and_back(written):
    assert read_tables(written) == TABLES
    assert json.loads(written.read_text())["made_by"] == "hand"


def test_the_hash_does_not_depend_on_the_order_of_names():
    assert digest(TABLES) == digest(dict(reversed(TABLES.items())))
    assert digest(TABLES) != digest({**TABLES, "scale": [1.0, 0.2]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("0.1", "0.2", 1), "expected tables with sha256 .*: damaged"),
        (lambda text: text[:-20], "expected tables and their sha256 as JSON"),
        (lambda text: "[]", "expected tables and their sha256 as JSON"),
    ],
    ids=["another number", "cut off", "something else"],
)
def test_damage_is_noticed(written, change, message):
    written.write_text(change(written.read_text()))
    with pytest.raises(ArtifactError, match=message + r".*run models/detailed/muon/make_tables\.py"):
        read_tables(written)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ArtifactError, match="No such file"):
        read_tables(tmp_path / "tables.json")
