"""Tables that are learned from: every format reads the same, nothing else is read, parts stay apart."""

import sqlite3

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import uproot
from hypothesis import given, settings
from hypothesis import strategies as st

from lamarrpy.errors import DomainError, InputError, SchemaError
from lamarrpy.train.table import PARTS, Table, read_table, split


@pytest.fixture(scope="module")
def numbers():
    random = np.random.default_rng(1)
    return {
        "x": random.normal(size=50),
        "k": random.integers(-3, 4, 50).astype(np.int32),
        "seen": random.random(50) < 0.3,
        "y": random.normal(size=50).astype(np.float32),
    }


def written(numbers, folder, suffix):
    path = folder / f"table.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.table(numbers), path, row_group_size=20)
    elif suffix == "csv":
        pa.csv.write_csv(pa.table(numbers), path)
    elif suffix == "root":
        with uproot.recreate(path) as file:
            file["tree"] = numbers
    else:
        with sqlite3.connect(path) as database:
            database.execute(f"CREATE TABLE rows ({', '.join(numbers)})")
            rows = zip(*(values.tolist() for values in numbers.values()), strict=True)
            database.executemany(f"INSERT INTO rows VALUES ({', '.join('?' * len(numbers))})", rows)
        database.close()
    return path


@pytest.mark.parametrize("suffix", ["parquet", "csv", "root", "db"])
def test_every_format_gives_the_same_numbers(numbers, tmp_path, suffix):
    path = written(numbers, tmp_path, suffix)
    table = read_table(path, ["x", "k", "seen", "y"])
    assert len(table) == 50
    for name, values in numbers.items():
        assert np.array_equal(table[name].astype(values.dtype), values), name  # text knows no float32
    assert table.source["files"] == [f"table.{suffix}"]
    assert table.source["rows"] == 50
    assert len(table.source["sha256"]) == 64


def test_only_what_is_wanted_is_read_and_units_are_known(data):
    table = read_table(data, ["z", "p"], ["event_id", "not_there", "p"])
    assert list(table.columns) == ["z", "p", "event_id"]
    assert table.units == {"p": "MeV", "z": "mm"}
    assert table["event_id"].dtype == np.int64


def test_several_files_are_one_table(numbers, tmp_path):
    for part in ("a", "b"):
        (tmp_path / part).mkdir()
    paths = [written(numbers, tmp_path / part, "parquet") for part in ("a", "b")]
    assert np.array_equal(read_table(paths, ["x"])["x"], np.tile(numbers["x"], 2))


def test_of_several_tables_that_with_all_columns_is_read(tmp_path):
    path = tmp_path / "two.root"
    with uproot.recreate(path) as file:
        file["first"] = {"x": np.arange(3.0)}
        file["second"] = {"x": np.arange(4.0), "y": np.arange(4.0)}
    assert len(read_table(path, ["x", "y"])) == 4
    assert len(read_table(path, ["x"])) == 3
    second = read_table(path, ["x"], table="second")
    assert len(second) == 4
    assert second.source["table"] == "second"
    with pytest.raises(SchemaError, match="got the tables first, second, of which none has them all"):
        read_table(path, ["x", "z"])
    with pytest.raises(InputError, match="expected a table 'third'"):
        read_table(path, ["x"], table="third")


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (["a", "b"], "string"),
        (pa.array(["a", "b"]).dictionary_encode(), "dictionary"),
        ([[1.0], [2.0]], "list"),
        (pa.array([1, 2], pa.timestamp("s")), "timestamp"),
        (pa.array([1, 2]).cast(pa.decimal128(20, 0)), "decimal128"),
        ([b"a", b"b"], "binary"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_columns_that_are_no_numbers_are_refused(tmp_path, column, kind):
    pq.write_table(pa.table({"odd": column}), tmp_path / "odd.parquet")
    with pytest.raises(SchemaError, match=rf"odd.parquet: column 'odd': expected numbers, got .*{kind}"):
        read_table(tmp_path / "odd.parquet", ["odd"])


def test_nulls_are_refused(tmp_path):
    (tmp_path / "gaps.csv").write_text("x,y\n1,\n2,3\n")
    with pytest.raises(SchemaError, match=r"column 'y': expected a value in every row, got 1 nulls"):
        read_table(tmp_path / "gaps.csv", ["x", "y"])
    assert len(read_table(tmp_path / "gaps.csv", ["x"])) == 2


def test_a_missing_column_is_named_and_the_nearest_one(data):
    with pytest.raises(SchemaError, match=r"missing: n_track; did you mean 'n_tracks'\?; it has: p, eta"):
        read_table(data, ["p", "n_track"])
    with pytest.raises(SchemaError, match=r"^\S*toy.parquet, \S*toy.parquet: expected the columns"):
        read_table([data, data], ["n_track"])


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "nothing.parquet", ["x"])


def table_of(**columns):
    return Table({name: np.asarray(values) for name, values in columns.items()}, {}, {})


def parts_of(table, shares=(0.5, 0.1, 0.4), group=None, seed=0):
    parts = split(table, shares, group, seed)
    assert list(parts) == list(PARTS)
    return parts


@settings(max_examples=60, deadline=None)
@given(
    st.integers(20, 400), st.integers(0, 2**40), st.sampled_from([(0.5, 0.1, 0.4), (0.7, 0.3, 0.0), (0.2, 0.2, 0.2)])
)
def test_shares_are_met_to_a_row_and_no_row_is_in_two_parts(rows, seed, shares):
    parts = parts_of(table_of(number=np.arange(rows)), shares, seed=seed)
    for part, share in zip(parts.values(), shares, strict=True):
        assert abs(len(part) - share * rows) <= 1.0
    together = np.concatenate([part["number"] for part in parts.values()])
    assert len(np.unique(together)) == len(together)
    assert len(together) == pytest.approx(sum(shares) * rows, abs=1)


def test_rows_of_a_group_stay_together_whatever_their_order():
    random = np.random.default_rng(2)
    event = random.integers(0, 300, 2000) * 7 - 100
    whole = parts_of(table_of(event=event), group="event", seed=3)
    seen = {name: set(part["event"].tolist()) for name, part in whole.items()}
    assert not seen["training"] & seen["test"]
    assert not seen["training"] & seen["validation"]
    assert not seen["validation"] & seen["test"]
    assert [len(events) / len(set(event)) for events in seen.values()] == pytest.approx([0.5, 0.1, 0.4], abs=0.01)
    shuffled = parts_of(table_of(event=random.permutation(event)), group="event", seed=3)
    assert {name: set(part["event"].tolist()) for name, part in shuffled.items()} == seen


def test_the_seed_chooses():
    table = table_of(number=np.arange(1000))
    first, same, other = (parts_of(table, seed=seed)["training"]["number"] for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert 200 < len(np.intersect1d(first, other)) < 300


def test_rows_stay_in_order_and_whole():
    table = table_of(number=np.arange(100), twice=2 * np.arange(100))
    for part in parts_of(table).values():
        assert (np.diff(part["number"]) > 0).all()
        assert np.array_equal(part["twice"], 2 * part["number"])


@pytest.mark.parametrize(
    ("rows", "group", "words"), [(2, None, "2 rows in 2 groups"), (50, "same", "50 rows in 1 group")]
)
def test_too_few_rows_are_said(rows, group, words):
    table = table_of(number=np.arange(rows), same=np.zeros(rows))
    with pytest.raises(DomainError, match=rf"expected rows for \w+ \(\d+ % of them\), got none out of {words}"):
        split(table, (0.5, 0.1, 0.4), group, 0)


def test_an_empty_table_is_said():
    with pytest.raises(DomainError, match=r"expected rows for training .* got none out of 0 rows"):
        split(table_of(number=np.arange(0)), (0.5, 0.1, 0.4), None, 0)


def test_a_part_that_is_not_wanted_may_be_empty():
    parts = parts_of(table_of(number=np.arange(4)), (1.0, 0.0, 0.0))
    assert [len(part) for part in parts.values()] == [4, 0, 0]
