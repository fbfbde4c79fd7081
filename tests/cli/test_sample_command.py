"""``lamarrpy sample``: conditions in a file, answers in another."""

import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny_models import asked, write_classifier, write_generator
from typer.testing import CliRunner

from lamarrpy.cli import app
from lamarrpy.errors import ArtifactError, DomainError, InputError, OutputError, SchemaError
from lamarrpy.parameterization.folder import MODEL

ROWS = 20_000


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_generator(tmp_path_factory.mktemp("model") / "m")


@pytest.fixture(scope="module")
def conditions(tmp_path_factory):
    path = tmp_path_factory.mktemp("conditions") / "c.parquet"
    columns = asked(ROWS)
    columns["p"][:7] = 1e6
    pq.write_table(pa.table({"track": np.arange(ROWS)[::-1], **columns}), path)
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["sample", *map(str, arguments)], env={"COLUMNS": "80"})


def test_rows_in_order_and_what_is_said(model, conditions, tmp_path):
    result = run(model, conditions, "-o", tmp_path / "o.parquet")
    assert result.exit_code == 0
    assert re.fullmatch(
        rf"wrote 20,000 rows to {tmp_path}/o\.parquet, 7 of them beyond the training domain \([\d,]+ rows/s\)\n",
        result.stdout,
    )
    out = pq.read_table(tmp_path / "o.parquet")
    assert out.schema.names == ["track", "p", "n_tracks", "dll", "ndof", "in_domain"]
    assert out.select(["track", "p", "n_tracks"]).equals(pq.read_table(conditions))
    assert not any(out["in_domain"].to_pylist()[:7])
    assert all(out["in_domain"].to_pylist()[7:])


def test_quiet(model, conditions, tmp_path):
    result = run(model, conditions, "-o", tmp_path / "o.parquet", "-q")
    assert (result.exit_code, result.output) == (0, "")
    assert pq.read_metadata(tmp_path / "o.parquet").num_rows == ROWS


def test_the_seed_matters_and_threads_do_not(model, conditions, tmp_path):
    options = {
        "a": (),
        "b": ("--threads", 1),
        "c": ("--threads", 5),
        "d": ("--seed", 1),
        "e": ("-s", 1),
        "f": ("-s", -3),
    }
    for name, more in options.items():
        assert run(model, conditions, "-o", tmp_path / f"{name}.parquet", *more).exit_code == 0
    a, b, c, d, e, f = ((tmp_path / f"{name}.parquet").read_bytes() for name in options)
    assert a == b == c
    assert d == e
    assert len({a, d, f}) == 3


def test_threads_are_those_asked_for(model, conditions, tmp_path, monkeypatch):
    asked_for = []
    monkeypatch.setattr("lamarrpy.parameterization.parameterization.ThreadPoolExecutor", lambda n: asked_for.append(n))
    for more in (("--threads", 3), ()):
        run(model, conditions, "-o", tmp_path / "o.parquet", *more)
    assert asked_for == [3, 2]


def test_a_classifier(conditions, tmp_path):
    folder = write_classifier(tmp_path / "m")
    assert run(folder, conditions, "-o", tmp_path / "o.parquet").exit_code == 0
    out = pq.read_table(tmp_path / "o.parquet")
    assert out.schema.names[3:] == ["seen", "seen_probability_0", "seen_probability_1", "in_domain"]
    total = out["seen_probability_0"].to_numpy() + out["seen_probability_1"].to_numpy()
    assert np.abs(total - 1.0).max() < 1e-12


def test_from_csv_by_the_name_of_the_table(model, tmp_path):
    (tmp_path / "c.csv").write_text("p,n_tracks\n2000.5,30\n3000.25,40\n")
    assert run(model, tmp_path / "c.csv", "-o", tmp_path / "o.parquet", "--table", "particles").exit_code == 0
    assert pq.read_table(tmp_path / "o.parquet")["p"].to_pylist() == [2000.5, 3000.25]
    wrong = run(model, tmp_path / "c.csv", "-o", tmp_path / "p.parquet", "--table", "tracks")
    assert isinstance(wrong.exception, InputError)
    assert "expected a table 'tracks', but the input has: particles" in str(wrong.exception)


def test_an_output_that_is_there(model, conditions, tmp_path):
    output = tmp_path / "o.parquet"
    output.write_text("mine")
    refused = run(model, conditions, "-o", output)
    assert isinstance(refused.exception, OutputError)
    assert "is there already; choose another -o, or replace it with --overwrite" in str(refused.exception)
    assert output.read_text() == "mine"
    assert run(model, conditions, "-o", output, "--overwrite").exit_code == 0
    assert pq.read_metadata(output).num_rows == ROWS


class TestMistakes:
    def refused(self, tmp_path, error, message, *arguments):
        output = tmp_path / "o.parquet"
        result = run(*arguments, "-o", output)
        assert result.exit_code == 1
        assert isinstance(result.exception, error)
        assert message in str(result.exception)
        assert not output.exists()

    def test_of_the_conditions(self, model, tmp_path):
        self.refused(tmp_path, InputError, "no such file or folder; check the path", model, tmp_path / "none.parquet")
        path = tmp_path / "c.parquet"
        pq.write_table(pa.table({"p": [1.0], "n_trakcs": [1]}), path)
        self.refused(tmp_path, SchemaError, "missing: n_tracks; did you mean 'n_trakcs'?; it has: p, n_tr", model, path)
        pq.write_table(pa.table({"p": [1.0, float("nan")], "n_tracks": [1, 2]}), path)
        self.refused(tmp_path, DomainError, "c.parquet: column 'p': expected finite numbers", model, path)
        pq.write_table(pa.table({"p": [1.0, None], "n_tracks": [1, 2]}), path)
        self.refused(tmp_path, SchemaError, "column 'p': expected a value in every row, got 1 nulls", model, path)
        path.write_bytes(path.read_bytes()[:-20])
        self.refused(tmp_path, InputError, "expected a complete Parquet file", model, path)

    def test_of_the_model(self, conditions, tmp_path):
        self.refused(tmp_path, ArtifactError, "expected the folder of a model, found no", tmp_path / "m", conditions)
        folder = write_generator(tmp_path / "m")
        with (folder / MODEL).open("ab") as file:
            file.write(b"\0")
        self.refused(tmp_path, ArtifactError, "it is damaged or of another model", folder, conditions)

    def test_of_the_options(self, model, conditions, tmp_path):
        assert run(model, conditions, "-o", tmp_path / "o.parquet", "--threads", 0).exit_code == 2
        assert run(model, conditions).exit_code == 2
        other = run(model, conditions, "-o", tmp_path / "o.root")
        assert "expected a .parquet file to write; lamarrpy convert makes others of it" in str(other.exception)

    def test_are_one_message_and_no_traceback(self, model, tmp_path):
        done = subprocess.run(
            [sys.executable, "-m", "lamarrpy", "sample", model, tmp_path / "c.csv", "-o", tmp_path / "o.parquet"],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert done.stderr == f"InputError: {tmp_path}/c.csv: no such file or folder; check the path\n"


def test_nothing_heavy_is_imported(model, conditions, tmp_path):
    code = (
        "import sys\n"
        "from lamarrpy.cli import app\n"
        f"arguments = {[str(model), str(conditions), '-o', str(tmp_path / 'o.pq')]!r}\n"
        "app(['sample', *arguments], standalone_mode=False)\n"
        "print(*sorted(m for m in sys.modules if '.' not in m))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split("\n")[-2].split()
    assert "onnxruntime" in loaded
    assert not {"tensorflow", "keras", "sklearn", "optuna", "pandas", "onnx", "uproot", "matplotlib"} & set(loaded)
