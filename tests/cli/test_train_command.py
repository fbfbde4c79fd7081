"""``lamarrpy train`` as a user types it: from a recipe and any table to a model, with errors in one line."""

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot
from typer.testing import CliRunner

from lamarrpy.benchmark.learn.sample import draw_sample
from lamarrpy.cli import app
from lamarrpy.cli.training import changes_of
from lamarrpy.errors import ConfigError, InputError, OutputError, SchemaError
from lamarrpy.parameterization.folder import verify

RECIPE = """
algorithm: neighbours
conditions: {p: log, charge: one_hot}
targets: [dll, ndof]
"""

GAN = """
algorithm: BceGAN
conditions: {p: log}
targets: [dll]
network: {layers: 1, width: 8}
training: {steps: 3, batch: 300}
adversarial: {discriminator: {layers: 1, width: 8}}
"""


def lamarrpy(*arguments):
    answer = CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "200"})
    if answer.exception is not None and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    assert answer.exit_code == 0, answer.output
    return answer.output


@pytest.fixture(scope="module")
def columns():
    return dict(draw_sample(600, 1))


@pytest.fixture(scope="module")
def folder(columns, tmp_path_factory):
    """Recipes, and data of two species and in two formats."""
    folder = tmp_path_factory.mktemp("here")
    (folder / "toy.yaml").write_text(RECIPE)
    (folder / "game.yaml").write_text(GAN)
    (folder / "data").mkdir()
    pq.write_table(pa.table(columns), folder / "data" / "kaon.parquet")
    pq.write_table(pa.table(dict(draw_sample(300, 2))), folder / "data" / "pion.parquet")
    with uproot.recreate(folder / "toys.root") as file:
        file["few"] = {name: values[:200] for name, values in columns.items()}
        file["all"] = columns
    return folder


@pytest.fixture
def no_figures(monkeypatch):
    monkeypatch.setattr("lamarrpy.train.figures._png", lambda figure: b"a figure")


def test_a_network_from_a_recipe(folder, tmp_path):
    told = lamarrpy("train", folder / "game.yaml", "--data", folder / "data/kaon.parquet", "-o", tmp_path / "model")
    assert "test rows: two-sample AUC 0." in told
    assert f"wrote {tmp_path / 'model'}; what it is, and how good: {tmp_path / 'model' / 'card.md'}" in told
    assert "adversarial" in told
    assert "3/3" in told
    manifest = verify(tmp_path / "model")
    assert (manifest.name, manifest.algorithm) == ("game", "BceGAN")
    assert {"model.onnx", "curves/adversarial.csv", "figures/adversarial.png"} <= set(manifest.files)


@pytest.mark.usefixtures("no_figures")
def test_a_part_of_a_folder(folder, tmp_path):
    for species, rows in (("kaon", 600), ("pion", 300)):
        out = tmp_path / species
        lamarrpy("train", folder / "toy.yaml", "--data", folder / "data", "--part", species, "-o", out, "-q")
        assert verify(out).sample["rows"] == rows
        assert verify(out).sample["files"] == [f"{species}.parquet"]


@pytest.mark.usefixtures("no_figures")
def test_a_root_file_and_one_of_its_trees(folder, tmp_path, columns):
    for table, rows in ((None, 200), ("all", 600)):
        option = ("--table", table) if table else ()
        out = tmp_path / f"{table}"
        lamarrpy("train", folder / "toy.yaml", "--data", folder / "toys.root", *option, "-o", out, "-q")
        sample = verify(out).sample
        assert (sample["rows"], sample["table"]) == (rows, table or "few")
    parquet = tmp_path / "parquet"
    lamarrpy("train", folder / "toy.yaml", "--data", folder / "data/kaon.parquet", "-o", parquet, "-q")
    assert verify(parquet).metrics == verify(tmp_path / "all").metrics


@pytest.mark.usefixtures("no_figures")
def test_changes_are_made_and_kept_in_the_manifest(folder, tmp_path):
    changes = ("seed=7", "options.k=2", "split=[0.6, 0.0, 0.4]", "targets.dll.masses=[0.0]", "name=mine")
    options = [part for change in changes for part in ("--set", change)]
    data = folder / "data/kaon.parquet"
    lamarrpy("train", folder / "toy.yaml", "--data", data, "-o", tmp_path / "model", "-q", *options)
    manifest = verify(tmp_path / "model")
    assert (manifest.name, manifest.seed, manifest.recipe["options"]) == ("mine", 7, {"k": 2})
    assert manifest.sample["split"] == {"training": 360, "validation": 0, "test": 240}


@pytest.mark.usefixtures("no_figures")
def test_quiet_says_nothing_and_a_model_is_replaced_only_if_asked(folder, tmp_path):
    command = ("train", folder / "toy.yaml", "--data", folder / "data/kaon.parquet", "-o", tmp_path / "model")
    assert lamarrpy(*command, "-q") == ""
    before = (tmp_path / "model" / "manifest.json").read_bytes()
    with pytest.raises(OutputError, match="is there already; choose another -o, or replace it with --overwrite"):
        lamarrpy(*command)
    assert (tmp_path / "model" / "manifest.json").read_bytes() == before
    lamarrpy(*command, "--overwrite", "--set", "seed=1")
    assert verify(tmp_path / "model").seed == 1


@pytest.mark.usefixtures("no_figures")
def test_a_stage_prepares_its_rows(folder, tmp_path):
    """What lies beside recipe.yaml chooses rows and makes columns; its recipe may be another for a species."""
    stage = tmp_path / "stage"
    stage.mkdir()
    (stage / "recipe.yaml").write_text(RECIPE + "reads: [p, charge, dll, ndof, n_hits]\n")
    (stage / "recipe_kaon.yaml").write_text(RECIPE.replace("ndof", "misses") + "reads: [p, charge, dll, n_hits]\n")
    (stage / "train.py").write_text(
        "def prepare(columns, part):\n"
        "    keep = columns['n_hits'] > 20\n"
        "    made = {**columns, 'misses': 30 - columns['n_hits']}\n"
        "    return {name: values[keep] for name, values in made.items()}\n"
    )
    for species, target in (("pion", "ndof"), ("kaon", "misses")):
        out = tmp_path / species
        lamarrpy("train", stage / "recipe.yaml", "--data", folder / "data", "--part", species, "-o", out, "-q")
        manifest = verify(out)
        assert manifest.name == "stage" if species == "pion" else "recipe_kaon"
        assert [column.name for column in manifest.targets] == ["dll", target]
        assert sum(manifest.sample["split"].values()) < manifest.sample["rows"]
    assert manifest.targets[1].high < 10


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (
            ("nothing.yaml", "--data", "toys.root"),
            ConfigError,
            "expected a recipe file or the name of a shipped recipe",
        ),
        (("toy.yaml", "--data", "none.parquet"), InputError, "none.parquet: no such file"),
        (("toy.yaml", "--data", "data", "--part", "muon"), InputError, "no such file; there are kaon, pion"),
        (("toy.yaml", "--data", "toys.root", "--table", "more"), InputError, "expected a table 'more'"),
        (("toy.yaml", "--data", "toys.root", "--set", "sed=1"), ConfigError, "unknown key 'sed'; did you mean 'seed'"),
        (("toy.yaml", "--data", "toys.root", "--set", "seed"), ConfigError, "expected a change such as"),
        (
            ("toy.yaml", "--data", "toys.root", "--set", "seed=[1"),
            ConfigError,
            "expected a change with a value in YAML",
        ),
        (
            ("toy.yaml", "--data", "toys.root", "--set", "options.kk=1"),
            ConfigError,
            "neighbours: expected options out of k",
        ),
        (("toy.yaml", "--data", "toys.root", "--set", "algorithm=gan"), ConfigError, "did you mean 'GAN'"),
        (("toy.yaml", "--data", "data/kaon.parquet", "--set", "group=run"), SchemaError, "missing: run"),
        (("toy.yaml", "--data", "toys.root", "--threads", "0"), ConfigError, "expected at least one thread"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mistakes_are_told_in_one_line(folder, tmp_path, monkeypatch, arguments, kind, words):
    monkeypatch.chdir(folder)
    with pytest.raises(kind, match=words) as caught:
        lamarrpy("train", *arguments, "-o", tmp_path / "model", "-q")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "model").exists()


def test_a_mistake_ends_the_process_without_a_traceback(folder, tmp_path):
    command = ["train", folder / "toy.yaml", "--data", folder / "none.csv", "-o", tmp_path / "model"]
    words = [sys.executable, "-m", "lamarrpy", *map(str, command)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"InputError: {folder / 'none.csv'}: no such file or folder; check the path"
    assert "Traceback" not in done.stderr
    assert "tensorflow" not in done.stderr.lower()


def test_values_of_changes_are_yaml():
    assert changes_of(["a=1", "b.c=[1, x]", "d=", "e=x=y", "f=null", "g=1e-3"]) == {
        "a": 1,
        "b.c": [1, "x"],
        "d": None,
        "e": "x=y",
        "f": None,
        "g": "1e-3",
    }
    assert changes_of(None) == {}


def test_models_are_listed_and_verified(folder, tmp_path, no_figures):
    lamarrpy("train", folder / "toy.yaml", "--data", folder / "data/kaon.parquet", "-o", tmp_path / "a" / "model", "-q")
    assert "neighbours" in lamarrpy("models", "list", tmp_path)
    assert "toy" in lamarrpy("models", "show", tmp_path / "a" / "model")
    lamarrpy("models", "verify", tmp_path)
    manifest = json.loads((tmp_path / "a" / "model" / "manifest.json").read_text())
    assert np.isfinite(manifest["metrics"]["ks"]["dll"])
