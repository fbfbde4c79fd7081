"""Files of tracks: written and read back, in part, in blocks, and damaged."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lamarrpy.errors import InputError, OutputError
from lamarrpy.tracks import (
    concatenate,
    files,
    iter_tracks,
    make_sample,
    number_of_tracks,
    read_tracks,
    track_metadata,
    write_tracks,
)
from lamarrpy.tracks.sample import COLUMNS

FORMATS = pytest.mark.parametrize("suffix", [".parquet", ".npz"])


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.columns().values(), other.columns().values(), strict=True))


@pytest.fixture(scope="module")
def sample():
    return make_sample("box", 250, seed=1)


def written(path, sample, pieces=1, **options):
    with files.open_tracks(path, **options) as file:
        for rows in np.array_split(np.arange(len(sample)), pieces):
            file.append(sample.at(rows))
        file.finish({"note": "here"})
    return path


@FORMATS
def test_there_and_back(tmp_path, monkeypatch, sample, suffix):
    monkeypatch.setattr(files, "ROW_GROUP", 64)
    path = written(tmp_path / f"tracks{suffix}", sample, pieces=7)
    assert same(read_tracks(path), sample)
    assert number_of_tracks(path) == 250
    metadata = track_metadata(path)
    assert metadata["note"] == "here"
    assert metadata["units"]["qop"] == "1/MeV"
    assert os.listdir(tmp_path) == [path.name]


@FORMATS
def test_some_rows_and_blocks(tmp_path, monkeypatch, sample, suffix):
    monkeypatch.setattr(files, "ROW_GROUP", 100)
    path = written(tmp_path / f"tracks{suffix}", sample)
    assert same(read_tracks(path, 120), sample.at(slice(120)))
    assert same(read_tracks(path, slice(90, 210)), sample.at(slice(90, 210)))
    assert same(read_tracks(path, slice(-10, None)), sample.at(slice(-10, None)))
    assert len(read_tracks(path, slice(20, 10))) == 0
    blocks = list(iter_tracks(path, 30))
    assert max(map(len, blocks)) == 30
    assert same(concatenate(blocks), sample)


@FORMATS
def test_rows_that_are_not_there(tmp_path, sample, suffix):
    path = written(tmp_path / f"tracks{suffix}", sample)
    with pytest.raises(InputError, match="at most the 250 tracks of the file, got 251"):
        read_tracks(path, 251)
    with pytest.raises(InputError, match="without a step"):
        read_tracks(path, slice(0, 10, 2))
    with pytest.raises(InputError, match="blocks of at least one"):
        list(iter_tracks(path, 0))


@FORMATS
def test_no_tracks_in_a_file(tmp_path, sample, suffix):
    path = written(tmp_path / f"tracks{suffix}", sample.at(slice(0)))
    assert len(read_tracks(path)) == 0


@FORMATS
def test_half_the_precision(tmp_path, sample, suffix):
    path = written(tmp_path / f"tracks{suffix}", sample, precision="float32")
    back = read_tracks(path)
    assert back.start.x.dtype == np.float64
    assert 0.0 < np.abs(back.end.x - sample.end.x).max() < 3e-4
    assert track_metadata(path)["precision"] == "float32"


def test_numpy_reads_the_npz(tmp_path, sample):
    with np.load(written(tmp_path / "tracks.npz", sample), allow_pickle=False) as archive:
        assert np.array_equal(archive["qop"], sample.start.qop)
        assert archive["x"].shape == (250,)


def test_an_npz_of_numpy_is_read(tmp_path, sample):
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, **sample.columns())
    assert same(read_tracks(path), sample)
    assert track_metadata(path) == {}


@FORMATS
def test_a_file_that_is_there(tmp_path, sample, suffix):
    path = written(tmp_path / f"tracks{suffix}", sample)
    with pytest.raises(OutputError, match="is there already"):
        written(path, sample.at(slice(5)))
    assert number_of_tracks(path) == 250
    written(path, sample.at(slice(5)), overwrite=True)
    assert number_of_tracks(path) == 5


@FORMATS
def test_what_is_not_finished_leaves_nothing(tmp_path, sample, suffix):
    path = tmp_path / f"tracks{suffix}"

    def write_half():
        with files.open_tracks(path) as file:
            file.append(sample)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_half()
    assert os.listdir(tmp_path) == []


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match=r"\.parquet or \.npz, got '\.csv'"):
        files.check_track_output(tmp_path / "tracks.csv")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(OutputError, match="a folder has that name"):
        files.check_track_output(tmp_path / "folder.npz")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        files.check_track_output(tmp_path / "file" / "tracks.npz")


@FORMATS
def test_damaged_files(tmp_path, sample, suffix):
    path = written(tmp_path / f"tracks{suffix}", sample)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    for read in (read_tracks, number_of_tracks, track_metadata):
        with pytest.raises(InputError, match="cut off or damaged"):
            read(path)


def test_a_changed_byte_of_an_npz(tmp_path, sample):
    path = written(tmp_path / "tracks.npz", sample)
    content = bytearray(path.read_bytes())
    content[1000] ^= 1  # in the numbers of the first column
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        read_tracks(path)


def test_missing_files_and_formats(tmp_path):
    with pytest.raises(InputError, match="there is none"):
        read_tracks(tmp_path / "tracks.npz")
    with pytest.raises(InputError, match=r"got '\.root'"):
        read_tracks(tmp_path / "tracks.root")


def store(path, columns):
    if path.suffix == ".npz":
        np.savez(path, **columns)
    else:
        pq.write_table(pa.table(columns), path)


@FORMATS
def test_columns_that_are_wrong(tmp_path, sample, suffix):
    path, columns = tmp_path / f"mine{suffix}", sample.columns()
    store(path, {name: values for name, values in columns.items() if name != "dz"})
    with pytest.raises(InputError, match="none called dz"):
        read_tracks(path)
    bad = columns["ty"].copy()
    bad[77] = np.nan
    store(path, columns | {"ty": bad})
    with pytest.raises(InputError, match="ty = nan in row 77"):
        read_tracks(path)
    store(path, columns | {"ty": np.array(["a"] * 250)})
    with pytest.raises(InputError, match="'ty': expected numbers"):
        read_tracks(path)


def test_columns_of_different_lengths(tmp_path, sample):
    np.savez(tmp_path / "mine.npz", **(sample.columns() | {"x": np.zeros(3)}))
    with pytest.raises(InputError, match="columns of one length"):
        read_tracks(tmp_path / "mine.npz")
    np.savez(tmp_path / "mine.npz", **(sample.columns() | {"x": np.zeros((250, 2))}))
    with pytest.raises(InputError, match=r"expected shape \(n,\), got \(250, 2\)"):
        read_tracks(tmp_path / "mine.npz")


def test_a_null_is_no_number(tmp_path, sample):
    table = pa.table({name: pa.array(values) for name, values in sample.columns().items()})
    table = table.set_column(0, "x", pa.array([None, *sample.start.x[1:]], pa.float64()))
    pq.write_table(table, tmp_path / "mine.parquet")
    with pytest.raises(InputError, match="x = nan in row 0"):
        read_tracks(tmp_path / "mine.parquet")


def test_the_columns_of_the_contract():
    assert list(COLUMNS) == ["x", "y", "z", "tx", "ty", "qop", "dz", "x_end", "y_end", "tx_end", "ty_end"]


def test_written_from_a_recipe(tmp_path):
    tally = write_tracks("box", tmp_path / "tracks.parquet", 300, seed=4)
    metadata = track_metadata(tmp_path / "tracks.parquet")
    assert same(read_tracks(tmp_path / "tracks.parquet"), make_sample("box", 300, seed=4))
    assert metadata["seed"] == 4
    assert metadata["tracks"] == 300
    assert metadata["drawn"] == tally.drawn
    assert metadata["fractions"]["kept"] == pytest.approx(300 / tally.drawn)
    assert same(make_sample(metadata["recipe"], 50, seed=4), make_sample("box", 50, seed=4))


def test_several_processes_write_the_same_file(tmp_path, monkeypatch):
    monkeypatch.setattr("lamarrpy.tracks.production._SHARED_BLOCK", 400)
    seen = []
    tallies = [
        write_tracks("box", tmp_path / f"{workers}.npz", 700, 4, workers=workers, progress=seen.append)
        for workers in (1, 2)
    ]
    assert tallies[0] == tallies[1]
    assert sum(seen) == 1400
    assert same(read_tracks(tmp_path / "1.npz"), read_tracks(tmp_path / "2.npz"))
    assert track_metadata(tmp_path / "1.npz") == track_metadata(tmp_path / "2.npz")
