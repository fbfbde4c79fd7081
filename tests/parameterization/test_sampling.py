"""A model over a whole file: the same rows in the same order, with the answers behind them."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny_models import NDOF, asked, write_classifier, write_generator, write_resampling

from lamarrpy.draws import Draws
from lamarrpy.errors import ArtifactError, DomainError, InputError, OutputError, SchemaError
from lamarrpy.io.parquet import ParquetTable
from lamarrpy.parameterization import sampling
from lamarrpy.parameterization.folder import MODEL
from lamarrpy.parameterization.manifest import Target
from lamarrpy.parameterization.parameterization import load
from lamarrpy.parameterization.sampling import sample_file

ROWS = 3000


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return write_generator(tmp_path_factory.mktemp("models") / "generator")


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return write_classifier(tmp_path_factory.mktemp("models") / "classifier")


def table(rows=ROWS, **columns):
    given = asked(rows)
    fields = [
        pa.field("track", pa.int64(), nullable=False, metadata={"doc": "number of the track"}),
        pa.field("p", pa.float64(), metadata={"unit": "MeV", "doc": "momentum"}),
        pa.field("label", pa.string()),
        pa.field("n_tracks", pa.int64()),
        pa.field("hits", pa.list_(pa.field("element", pa.int32()))),
        pa.field("maybe", pa.float32()),
    ]
    data = {
        "track": np.arange(rows)[::-1],
        "label": [f"row {i}" for i in range(rows)],
        "hits": [list(range(i % 4)) for i in range(rows)],
        "maybe": [None if i % 3 else i * 0.5 for i in range(rows)],
        **given,
    }
    made = pa.table(
        [pa.array(data[field.name], field.type) for field in fields], pa.schema(fields, {"made": "by hand"})
    )
    for name, values in columns.items():
        at = made.schema.get_field_index(name)
        made = made.append_column(name, values) if at < 0 else made.set_column(at, name, values)
    return made


def written(path, data=None, **options):
    pq.write_table(table() if data is None else data, path, **options)
    return path


def test_rows_columns_and_metadata_stay_and_answers_come_behind(generator, tmp_path):
    told = sample_file(generator, written(tmp_path / "c.parquet"), tmp_path / "o.parquet", seed=3)
    out, given = pq.read_table(tmp_path / "o.parquet"), table()
    assert out.select(given.schema.names).equals(given)
    assert out.schema.metadata == {b"made": b"by hand"}
    for field in given.schema:
        assert out.schema.field(field.name).equals(field, check_metadata=True)
    assert out.schema.names == [*given.schema.names, "dll", "ndof", "in_domain"]
    assert [str(kind) for kind in out.schema.types[-3:]] == ["double", "int32", "bool"]
    assert out.select(["dll", "ndof", "in_domain"]).to_pydict() == expected(generator, 3)
    assert told.rows == ROWS
    assert told.outside == 0
    assert told.rate > 0


def expected(folder, seed, rows=ROWS):
    answers = load(folder)(asked(rows), Draws(seed, "sample").rows(np.arange(rows)))
    return {name: values.tolist() for name, values in answers.items()} | {"in_domain": [True] * rows}


def test_units_are_those_of_the_manifest(tmp_path):
    mass = Target(name="dll", unit="MeV", masses=(0.0,), low=-4.0, high=5.0)
    sample_file(
        write_generator(tmp_path / "m", targets=(mass, NDOF)), written(tmp_path / "c.parquet"), tmp_path / "o.pq"
    )
    schema = pq.read_schema(tmp_path / "o.pq")
    assert schema.field("dll").metadata == {b"unit": b"MeV"}
    assert schema.field("ndof").metadata == {b"unit": b""}


def test_the_numbers_of_a_row_depend_on_seed_and_row_number_only(generator, tmp_path, monkeypatch):
    rows = sampling._CHUNK + 1000
    columns = {name: pa.array(values) for name, values in asked(rows).items()}
    source = written(tmp_path / "c.parquet", pa.table(columns), row_group_size=50_000)
    out = [tmp_path / f"{i}.parquet" for i in range(4)]
    sample_file(generator, source, out[0], seed=1, threads=2)
    assert pq.ParquetFile(out[0]).metadata.num_row_groups > 1
    monkeypatch.setattr(sampling, "_CHUNK", 7001)
    sample_file(generator, source, out[1], seed=1)
    monkeypatch.setattr(sampling, "_CHUNK", 10**9)
    sample_file(generator, source, out[2], seed=1)
    sample_file(generator, source, out[3], seed=2)
    one, small, large, other = (pq.read_table(path) for path in out)
    assert one.equals(small)
    assert one.equals(large)
    assert not one.equals(other)
    # what is in the other rows does not matter either
    columns["p"] = pa.array(np.where(np.arange(rows) < 5000, asked(rows)["p"], 5000.0))
    sample_file(generator, written(tmp_path / "d.parquet", pa.table(columns)), out[3], seed=1, overwrite=True)
    assert pq.read_table(out[3]).slice(0, 5000).equals(one.slice(0, 5000))


@pytest.mark.parametrize("write", [write_generator, write_classifier, write_resampling])
def test_threads_change_nothing(write, tmp_path):
    model = write(tmp_path / "m")
    rows = pa.table({name: pa.array(values) for name, values in asked(20_000).items()})
    source, outputs = written(tmp_path / "c.parquet", rows), [tmp_path / f"{n}.parquet" for n in (1, 2, 5)]
    for threads, output in zip((1, 2, 5), outputs, strict=True):
        sample_file(model, source, output, threads=threads)
    first, *others = (output.read_bytes() for output in outputs)
    assert all(other == first for other in others)


def test_rows_beyond_the_domain_are_flagged(generator, tmp_path):
    p = asked(ROWS)["p"]
    p[[5, 70, 2999]] = 999.0, 1e6, -1.0
    told = sample_file(generator, written(tmp_path / "c.parquet", table(p=pa.array(p))), tmp_path / "o.parquet")
    inside = pq.read_table(tmp_path / "o.parquet")["in_domain"].to_pylist()
    assert [row for row, is_inside in enumerate(inside) if not is_inside] == [5, 70, 2999]
    assert told.outside == 3


def test_columns_of_targets_that_are_there_are_replaced(generator, tmp_path):
    old = table(ndof=pa.array(["old"] * ROWS), in_domain=pa.array([None] * ROWS, pa.int8()))
    sample_file(generator, written(tmp_path / "c.parquet", old), tmp_path / "o.parquet", seed=3)
    out = pq.read_table(tmp_path / "o.parquet")
    assert out.schema.names == [*old.schema.names, "dll"]
    assert out.select(["dll", "ndof", "in_domain"]).to_pydict() == expected(generator, 3)
    # so an output can be an input
    sample_file(generator, tmp_path / "o.parquet", tmp_path / "again.parquet", seed=3)
    assert pq.read_table(tmp_path / "again.parquet").equals(out)


def test_an_input_may_be_the_output(generator, tmp_path):
    path = written(tmp_path / "c.parquet")
    sample_file(generator, path, path, seed=3, overwrite=True)
    assert pq.read_table(path, columns=["dll", "ndof", "in_domain"]).to_pydict() == expected(generator, 3)


class TestClassifiers:
    def test_probabilities_of_every_class(self, classifier, tmp_path):
        sample_file(classifier, written(tmp_path / "c.parquet"), tmp_path / "o.parquet", seed=3)
        out = pq.read_table(tmp_path / "o.parquet")
        assert out.schema.names[-4:] == ["seen", "seen_probability_0", "seen_probability_1", "in_domain"]
        assert str(out.schema.field("seen").type) == "bool"
        p = load(classifier).probabilities(asked(ROWS))
        for column in (0, 1):
            assert np.array_equal(out[f"seen_probability_{column}"].to_numpy(), p[:, column])

    def test_no_two_classes_share_a_column(self, tmp_path):
        """PDG numbers of nuclei are equal in their first six digits."""
        classes = (-211.0, 0.5, 1000010020.0, 1000010030.0)
        target = Target(name="pid", masses=classes, low=classes[0], high=classes[-1])
        model = write_classifier(tmp_path / "m", None, target, classes)
        sample_file(model, written(tmp_path / "c.parquet"), tmp_path / "o.parquet")
        added = pq.read_schema(tmp_path / "o.parquet").names[-6:]
        labels = ["-211", "0.5", "1000010020", "1000010030"]
        assert added == ["pid", *(f"pid_probability_{label}" for label in labels), "in_domain"]


class TestInputs:
    def test_no_rows(self, generator, tmp_path):
        told = sample_file(generator, written(tmp_path / "c.parquet", table(0)), tmp_path / "o.parquet")
        out = pq.read_table(tmp_path / "o.parquet")
        assert (told.rows, told.outside, out.num_rows) == (0, 0, 0)
        assert out.schema.names == [*table(0).schema.names, "dll", "ndof", "in_domain"]
        assert out.schema.metadata == {b"made": b"by hand"}
        assert out.schema.field("p").metadata == {b"unit": b"MeV", b"doc": b"momentum"}

    @pytest.mark.parametrize("suffix", ["csv", "csv.gz", "root", "db", "folder"])
    def test_every_format(self, generator, tmp_path, suffix):
        given = table().select(["track", "p", "n_tracks"])
        source = WRITERS[suffix](tmp_path / f"c.{suffix}", given)
        sample_file(generator, source, tmp_path / "o.parquet", seed=3)
        out = pq.read_table(tmp_path / "o.parquet")
        assert out.schema.names == ["track", "p", "n_tracks", "dll", "ndof", "in_domain"]
        assert out.select(["track", "p", "n_tracks"]).to_pydict() == given.to_pydict()
        assert out.select(["dll", "ndof", "in_domain"]).to_pydict() == expected(generator, 3)

    def test_the_first_table_that_has_the_conditions(self, generator, tmp_path):
        import sqlite3

        with_conditions = table().select(["track", "p", "n_tracks"])
        into_sqlite(tmp_path / "c.db", with_conditions, "tracks")
        into_sqlite(tmp_path / "c.db", with_conditions.drop_columns("n_tracks").slice(0, 10), "a_first")
        into_sqlite(tmp_path / "c.db", with_conditions.slice(0, 20), "other")
        with sqlite3.connect(tmp_path / "c.db") as base:
            assert base.execute("select count(*) from other").fetchall() == [(20,)]
        base.close()
        assert sample_file(generator, tmp_path / "c.db", tmp_path / "o.parquet").rows in (ROWS, 20)
        assert sample_file(generator, tmp_path / "c.db", tmp_path / "p.parquet", table="other").rows == 20
        assert sample_file(generator, tmp_path / "c.db", tmp_path / "q.parquet", table="tracks").rows == ROWS
        with pytest.raises(SchemaError, match=r"in the table 'a_first'; missing: n_tracks;.* it has: track, p"):
            sample_file(generator, tmp_path / "c.db", tmp_path / "r.parquet", table="a_first")
        with pytest.raises(InputError, match="expected a table 'trakcs', but the input has: "):
            sample_file(generator, tmp_path / "c.db", tmp_path / "r.parquet", table="trakcs")

    @pytest.mark.parametrize("kind", [pa.float32(), pa.float64(), pa.int16(), pa.uint32(), pa.int64()])
    def test_conditions_of_any_type_of_numbers(self, generator, tmp_path, kind):
        p = pa.array(np.rint(asked(ROWS)["p"])).cast(kind)
        assert sample_file(generator, written(tmp_path / "c.parquet", table(p=p)), tmp_path / "o.parquet").rows == ROWS
        assert pq.read_schema(tmp_path / "o.parquet").field("p").type == kind


def into_csv(path, data):
    import pyarrow.csv as pacsv

    with pa.output_stream(str(path), compression="detect") as stream:
        pacsv.write_csv(data, stream)
    return path


def into_root(path, data):
    import uproot

    with uproot.recreate(path) as file:
        file.mktree("particles", {name: data[name].to_numpy().dtype for name in data.schema.names})
        file["particles"].extend({name: data[name].to_numpy() for name in data.schema.names})
    return path


def into_sqlite(path, data, name="particles"):
    import sqlite3

    kinds = {"int64": "INTEGER", "double": "REAL"}
    columns = ", ".join(f"{field.name} {kinds[str(field.type)]}" for field in data.schema)
    base = sqlite3.connect(path)
    with base:
        base.execute(f"create table {name} ({columns})")
        marks = ", ".join("?" * data.num_columns)
        base.executemany(f"insert into {name} values ({marks})", zip(*data.to_pydict().values(), strict=True))
    base.close()
    return path


def into_folder(path, data):
    path.mkdir()
    written(path / "part_0.parquet", data.slice(0, 1111))
    written(path / "part_1.parquet", data.slice(1111))
    return path


WRITERS = {"csv": into_csv, "csv.gz": into_csv, "root": into_root, "db": into_sqlite, "folder": into_folder}


class FullDisk:
    """A writer that leaves half a file."""

    def __init__(self, path, schema):
        path.write_bytes(b"PAR1")

    def write_table(self, rows):
        raise OSError(28, "No space left on device")

    def close(self):
        self.write_table(None)


class TestErrors:
    """Every one leaves neither an output nor part of one."""

    def refused(self, tmp_path, error, message, model, data, output="o.parquet", **options):
        source = tmp_path / "c.parquet"
        if data is not None:
            written(source, data)
        before = sorted(path.name for path in tmp_path.iterdir())
        with pytest.raises(error, match=message):
            sample_file(model, source, tmp_path / output, **options)
        assert sorted(path.name for path in tmp_path.iterdir()) == before

    def test_a_missing_condition(self, generator, tmp_path):
        message = (
            r"c\.parquet: expected the conditions p, n_tracks of model 'tiny'; missing: n_tracks; did you mean"
            r" 'n_track'\?; it has: p, n_track$"
        )
        data = table().select(["p", "n_tracks"]).rename_columns(["p", "n_track"])
        self.refused(tmp_path, SchemaError, message, generator, data)

    def test_nulls(self, generator, tmp_path):
        p = pa.array([None, None, *asked(ROWS)["p"][2:]])
        message = r"c\.parquet: column 'p': expected a value in every row, got 2 nulls: choose the rows"
        self.refused(tmp_path, SchemaError, message, generator, table(p=p))

    @pytest.mark.parametrize("bad", [["x"] * ROWS, [[1.0]] * ROWS, [b"1"] * ROWS])
    def test_what_are_no_numbers(self, generator, tmp_path, bad):
        message = r"c\.parquet: column 'p': expected numbers, got (string|list|binary)"
        self.refused(tmp_path, SchemaError, message, generator, table(p=pa.array(bad)))

    @pytest.mark.parametrize("row", [4, 2500])
    def test_what_is_not_finite(self, generator, tmp_path, row):
        p = asked(ROWS)["p"]
        p[row] = np.nan
        message = rf"c\.parquet: column 'p': expected finite numbers.*the first nan in row {row};"
        self.refused(tmp_path, DomainError, message, generator, table(p=pa.array(p)))

    def test_what_is_not_finite_beyond_the_first_chunk(self, generator, tmp_path, monkeypatch):
        monkeypatch.setattr(sampling, "_CHUNK", 1000)
        p = asked(ROWS)["p"]
        p[2500] = np.inf
        message = r"c\.parquet: .*the first inf in row 500;.* \(rows are counted from row 2000 on\)$"
        self.refused(tmp_path, DomainError, message, generator, table(p=pa.array(p)))

    def test_a_damaged_model(self, tmp_path):
        folder = write_generator(tmp_path / "m")
        (folder / MODEL).write_bytes((folder / MODEL).read_bytes()[:-1] + b"!")
        self.refused(tmp_path, ArtifactError, r"model\.onnx: expected a file with sha256", folder, table())

    def test_no_model(self, tmp_path):
        self.refused(tmp_path, ArtifactError, "expected the folder of a model", tmp_path / "m", table())

    @pytest.mark.parametrize("name", ["o.csv", "o.root", "o.db", "o", "o.txt", "o.hepmc"])
    def test_other_formats_out(self, generator, tmp_path, name):
        self.refused(tmp_path, OutputError, r"expected a \.parquet file to write", generator, table(), name)

    def test_an_output_that_is_there(self, generator, tmp_path):
        (tmp_path / "o.parquet").write_text("mine")
        self.refused(tmp_path, OutputError, "is there already; choose another -o, or replace it", generator, table())
        assert (tmp_path / "o.parquet").read_text() == "mine"
        sample_file(generator, tmp_path / "c.parquet", tmp_path / "o.parquet", overwrite=True)
        assert pq.read_metadata(tmp_path / "o.parquet").num_rows == ROWS

    def test_an_output_that_was_there_stays_if_something_goes_wrong(self, generator, tmp_path):
        (tmp_path / "o.parquet").write_text("mine")
        nulls = table(p=pa.array([None] * ROWS, pa.float64()))
        self.refused(tmp_path, SchemaError, "expected a value in every row", generator, nulls, overwrite=True)
        assert (tmp_path / "o.parquet").read_text() == "mine"

    def test_a_disk_that_is_full(self, generator, tmp_path, monkeypatch):
        written(tmp_path / "c.parquet")
        monkeypatch.setattr(sampling.pq, "ParquetWriter", FullDisk)
        self.refused(tmp_path, OutputError, r"o\.parquet: cannot be written: No space left", generator, None)

    def test_a_source_that_cannot_be_read_on_is_no_fault_of_the_output(self, generator, tmp_path, monkeypatch):
        monkeypatch.setattr(sampling, "_CHUNK", 1000)
        answered = []

        def breaks(stored, block, columns):
            if answered:
                raise InputError("cut off")
            answered.append(block)
            return table()

        monkeypatch.setattr(ParquetTable, "load", breaks)
        source = pa.concat_tables([table(), table()])
        written(tmp_path / "two.parquet", source, row_group_size=ROWS)
        with pytest.raises(InputError, match="cut off"):
            sample_file(generator, tmp_path / "two.parquet", tmp_path / "o.parquet")
        assert [path.name for path in tmp_path.iterdir()] == ["two.parquet"]

    def test_folders_above_the_output_are_made(self, generator, tmp_path):
        sample_file(generator, written(tmp_path / "c.parquet"), tmp_path / "a" / "b" / "o.parquet")
        assert pq.read_metadata(tmp_path / "a" / "b" / "o.parquet").num_rows == ROWS

    def test_no_source(self, generator, tmp_path):
        missing = tmp_path / "nothing.parquet"
        with pytest.raises(InputError, match=re.escape(f"{missing}: no such file")):
            sample_file(generator, missing, tmp_path / "o.parquet")
        assert list(tmp_path.iterdir()) == []
