"""Every way a file can be cut off, empty or not what its name says, and what the error then says."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from io_samples import hepmc_event, particles, results, write_hepmc

from lamarrpy.errors import InputError, SchemaError
from lamarrpy.io import digest, open_sink, open_source, read_batch

NAMES = ["p.parquet", "p.root", "p.rntuple.root", "p.db", "p.hepmc", "p.hepmc2", "p.hepmc.gz", "p.csv.gz"]


def make(folder, name):
    path = folder / name
    if "hepmc" in name:
        return write_hepmc(path, [hepmc_event(i) for i in range(20)], "hepmc2" if name.endswith("2") else "hepmc3")
    plain = path.with_suffix("") if name == "p.csv.gz" else path
    with open_sink(plain, provenance={}, tables={"particles": None}, rntuple="rntuple" in name) as sink:
        sink.append(particles((500,) * 4))
    if plain != path:
        path.write_bytes(gzip.compress(plain.read_bytes()))
    return path


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", [0.0, 0.02, 0.5, 0.9, 0.995])
def test_a_file_that_is_cut_off(tmp_path, name, part):
    path = make(tmp_path, name)
    with open_source(path) as source:
        assert source.read(0, len(source))[0]["particles"].num_rows
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(InputError) as error, open_source(path) as source:
        source.read(0, len(source))
    assert str(path) in str(error.value)
    assert ("0 bytes" if part == 0 else "cut off or damaged") in str(error.value).replace(
        "is cut off;", "cut off or damaged"
    )


@pytest.mark.parametrize("name", ["p.parquet", "p.root", "p.db", "p.hepmc", "p.hepmc.gz", "p.csv.gz"])
def test_a_file_of_another_kind(tmp_path, name):
    (tmp_path / name).write_bytes(b"this is a letter, not data\n" * 50)
    with pytest.raises(InputError, match=str(tmp_path / name)):
        open_source(tmp_path / name)


def test_a_damaged_parquet_page(tmp_path):
    path = make(tmp_path, "p.parquet")
    content = bytearray(path.read_bytes())
    content[4:4000] = b"\xff" * 3996
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"expected a complete Parquet file, but it is cut off or damaged"):
        open_source(path).read(0, 4)


def test_a_hepmc_file_without_its_last_line(tmp_path):
    path = make(tmp_path, "p.hepmc")
    text = path.read_text().replace("HepMC::Asciiv3-END_EVENT_LISTING\n", "")
    path.write_text(text)
    with pytest.raises(InputError, match=r"END_EVENT_LISTING after 20 events, got none: the file is cut off"):
        open_source(path)


def test_a_hepmc_event_that_cannot_be_parsed(tmp_path):
    path = make(tmp_path, "p.hepmc")
    lines = path.read_text().splitlines(keepends=True)
    at = [i for i, line in enumerate(lines) if line.startswith("E ")][3]
    damaged = lines[: at + 5] + lines[at + 6 :]
    path.write_text("".join(damaged))
    with pytest.raises(InputError, match=r"p.hepmc: event 3 \(number 3 of the file, from 0\): expected \d+ particles"):
        open_source(path)


def test_a_hepmc_event_without_a_number(tmp_path):
    path = make(tmp_path, "p.hepmc")
    path.write_text(path.read_text().replace("E 2 ", "E x ", 1))
    with pytest.raises(InputError, match=r"event line 2 \(from 0\): expected an event number"):
        open_source(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "10,7,1",
            "10,7,one",
            r"row 2 \(line 4\), column 'mother_id': CSV conversion error to int64: invalid value 'one'",
        ),
        ("10,7,1", "10,7", r"row 2 \(line 4\): Expected 13 columns, got 12"),
        (
            "10,7,1",
            "10,7,",
            r"row 2 \(event_id 10, particle_id 7\), column 'mother_id': expected an integer .*got null",
        ),
    ],
)
def test_a_bad_line_of_a_csv_file(tmp_path, old, new, message):
    path = tmp_path / "p.csv"
    with open_sink(path, provenance={}, tables={"particles": None}) as sink:
        sink.append(particles((4,)))
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=f"p.csv, {message}"), open_source(path) as source:
        source.read(0, 1)


def test_a_csv_file_with_nothing_but_a_header(tmp_path):
    (tmp_path / "p.csv").write_text(",".join(particles()["particles"].column_names) + "\n")
    with pytest.raises(InputError, match=r"p.csv: expected events, got none"):
        open_source(tmp_path / "p.csv")


def test_a_text_in_a_number_column_of_sqlite(tmp_path):
    path = make(tmp_path, "p.db")
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("UPDATE particles SET px = 'fast' WHERE rowid = 6")
    with pytest.raises(InputError, match=r"p.db: table 'particles', row 5, column 'px': expected .*double, got 'fast'"):
        open_source(path)


def test_an_ntuple_with_vectors(tmp_path):
    import awkward
    import uproot

    table = particles((2, 1))["particles"]
    columns = {name: np.asarray(table.column(name)) for name in table.column_names}
    with uproot.recreate(tmp_path / "p.root") as file:
        file.mktree("particles", {**{n: c.dtype for n, c in columns.items() if n != "px"}, "px": "var * float64"})
        file["particles"].extend({**columns, "px": awkward.Array([[1.0], [2.0, 3.0], []])})
    with pytest.raises(SchemaError, match=r"p.root: table 'particles', column 'px': expected float64, got list"):
        open_source(tmp_path / "p.root")
    with pytest.raises(InputError, match=r"p.root: branch 'px' of 'particles' is not flat"):
        digest(tmp_path / "p.root")


def test_a_tree_that_is_alone_holds_particles(tmp_path):
    path = make(tmp_path, "p.root")
    import uproot

    with uproot.open(path) as old, uproot.recreate(tmp_path / "q.root") as new:
        new["DecayTree"] = old["particles"].arrays(library="np")
    assert len(open_source(tmp_path / "q.root")) == 4


class TestWhatIsGiven:
    def test_no_such_file(self, tmp_path):
        with pytest.raises(InputError, match=r"nothing.parquet: no such file or folder"):
            open_source(tmp_path / "nothing.parquet")

    def test_an_unknown_suffix(self, tmp_path):
        (tmp_path / "p.txt").write_text("x")
        with pytest.raises(
            InputError, match=r"expected a suffix that tells the format, got '.txt' \(known are .parquet"
        ):
            open_source(tmp_path / "p.txt")

    def test_an_empty_folder_and_an_empty_list(self, tmp_path):
        with pytest.raises(InputError, match="expected a folder with data files, found none"):
            open_source(tmp_path)
        with pytest.raises(InputError, match="expected at least one input file"):
            open_source([])

    def test_files_of_two_formats(self, tmp_path):
        for name in ("p.parquet", "q.hepmc"):
            make(tmp_path, name)
        with pytest.raises(InputError, match=r"expected files of one format as one input, got .*parquet"):
            open_source(tmp_path)

    def test_particles_beside_other_parts(self, tmp_path):
        shutil.copy(make(tmp_path, "p.parquet"), tmp_path / "particles.parquet")
        with pytest.raises(
            InputError, match=r"p.parquet: expected no other part of particles beside particles.parquet"
        ):
            open_source(tmp_path)

    def test_a_folder_in_a_list(self, tmp_path):
        (tmp_path / "x.parquet").mkdir()
        with pytest.raises(InputError, match="expected a file in a list of inputs, got a folder"):
            open_source([tmp_path / "x.parquet"])


class TestReadBatch:
    def test_a_null_where_a_value_must_be(self, tmp_path):
        tracks = results()["tracks"]
        at = tracks.column_names.index("p")
        values = tracks.column("p").to_pylist()
        values[4] = None
        pq.write_table(tracks.set_column(at, "p", pa.array(values, pa.float64())), tmp_path / "tracks.parquet")
        with pytest.raises(
            InputError, match=r"tracks.parquet, row 4 \(event_id 1, track_id 4\), column 'p': expected a"
        ):
            read_batch(tmp_path / "tracks.parquet")

    def test_a_null_where_the_flag_says_there_is_a_value(self, tmp_path):
        tracks = results()["tracks"]
        flags = tracks.column("is_muon").to_pylist()
        flipped = tracks.set_column(tracks.column_names.index("is_muon"), "is_muon", pa.array([True] * len(flags)))
        pq.write_table(flipped, tmp_path / "tracks.parquet")
        message = rf"row {flags.index(False)} .*column 'muon_mu_ll': expected a finite number, got null"
        with pytest.raises(InputError, match=message):
            read_batch(tmp_path / "tracks.parquet")

    def test_a_wrong_dtype(self, tmp_path):
        pq.write_table(pa.table({"event_id": pa.array([0.5])}), tmp_path / "tracks.parquet")
        with pytest.raises(SchemaError, match="table 'tracks', column 'event_id': expected int64, got double"):
            read_batch(tmp_path / "tracks.parquet")
