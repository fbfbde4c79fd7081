"""An output that cannot be written is refused before any work is done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lamarrpy.errors import OutputError
from lamarrpy.io import check_output, open_sink
from lamarrpy.io.target import record_path


@pytest.fixture
def place(tmp_path):
    """A folder with a file, an empty folder, a full one and a folder called as a file."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "there.root").write_text("mine")
    for name in ("empty", "full", "folder.root"):
        (tmp_path / name).mkdir()
    (tmp_path / "full" / "a.txt").write_text("mine")
    return tmp_path


def content(folder):
    return {path: path.is_file() and path.read_text() for path in folder.rglob("*")}


REFUSED = [
    ("out.hepmc", (), "can be read, not written"),
    ("out.hepmc.gz", (), "can be read, not written"),
    ("out.csv.gz", (), "can be read, not written"),
    ("out.txt", (), r"expected a folder, .parquet, .root, .db, .sqlite or .csv, got '.txt'"),
    ("out.parquet", ("events", "tracks"), "a parquet file holds one table, got events, tracks; choose one table"),
    ("out.csv", ("events", "tracks"), "a csv file holds one table, got events, tracks; choose one table"),
    ("folder.root", (), "expected a file to write, but a folder has that name"),
    ("file", (), "expected a folder to write into, but a file has that name"),
    ("file/out", (), "expected a folder at .*file, but a file has that name"),
    ("file/more/out.root", (), "expected a folder at .*file, but a file has that name"),
    ("x" * 300, (), "cannot be written: File name too long"),
]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(("name", "tables", "message"), REFUSED)
def test_what_cannot_be_written_is_refused(place, name, tables, message, overwrite):
    before = content(place)
    with pytest.raises(OutputError, match=message):
        check_output(place / name, tables, overwrite=overwrite)
    with pytest.raises(OutputError, match=message):
        open_sink(place / name, provenance={}, tables=dict.fromkeys(tables), overwrite=overwrite)
    assert content(place) == before


@pytest.mark.parametrize("name", ["there.root", "full"])
def test_what_is_there_is_replaced_only_if_asked_for(place, name):
    message = rf"{name}: is there already; choose another -o, or replace it with --overwrite$"
    with pytest.raises(OutputError, match=message):
        check_output(place / name)
    with pytest.raises(OutputError, match=message):
        open_sink(place / name, provenance={})
    check_output(place / name, overwrite=True)
    assert (place / "full" / "a.txt").exists()


@pytest.mark.parametrize("name", ["out", "out.root", "out.csv", "empty", "v3.0", "a/b/out.db"])
def test_what_can_be_written_is_accepted_and_nothing_is_made(place, name):
    before = content(place)
    check_output(place / name, ["tracks"])
    check_output(str(place / name), overwrite=True)
    assert content(place) == before


def test_a_trailing_slash_makes_any_name_a_folder(place):
    check_output(f"{place}/v1.two/")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs the proc file system")
def test_places_where_the_system_makes_nothing():
    with pytest.raises(OutputError, match=r"^/proc: cannot be written: No such file or directory"):
        check_output("/proc/nowhere/out")


@pytest.mark.parametrize(
    ("name", "tried"), [("out.root", ["."]), ("empty/a/out", ["empty"]), ("empty", [".", "empty"])]
)
def test_permissions_are_tried_where_files_will_be_made(place, name, tried, monkeypatch):
    folders = []

    def refuse_the_last(dir):
        folders.append(dir)
        if len(folders) == len(tried):
            raise PermissionError(13, "Permission denied")
        return open(os.devnull)

    monkeypatch.setattr("tempfile.TemporaryFile", refuse_the_last)
    with pytest.raises(OutputError, match=rf"^{place / tried[-1]}: cannot be written: Permission denied"):
        check_output(place / name)
    assert folders == [place / folder for folder in tried]


def test_the_record_lies_inside_a_folder_and_beside_a_file():
    assert record_path(Path("a/out")) == Path("a/out/run.json")
    assert record_path(Path("a/out.root")) == Path("a/out.root.run.json")
