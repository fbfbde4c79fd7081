"""What a training leaves behind: a manifest that says everything, a card, curves and figures that can be read."""

import csv
import hashlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from small_training import TINY, content_of, problem_of, recipe_of, toy_columns, write_table

import lamarrpy
from lamarrpy.draws import Draws
from lamarrpy.errors import ArtifactError, OutputError
from lamarrpy.parameterization.folder import verify
from lamarrpy.parameterization.parameterization import load
from lamarrpy.testing import check_parameterization
from lamarrpy.train import saving
from lamarrpy.train.learned import Watch
from lamarrpy.train.loop import History
from lamarrpy.train.recipe import make_recipe
from lamarrpy.train.resampling import learn_by_heart
from lamarrpy.train.running import train
from lamarrpy.train.saving import save
from lamarrpy.validate.metrics import two_sample_auc

GAN = recipe_of(
    description="A toy of toys.",
    conditions={"p": "log", "charge": "one_hot", "z": None},
    targets={"dll": {"unit": "none"}, "ndof": {}, "dx": {}},
    training={"steps": 4, "batch": 300},
    weight="weight",
    auxiliary=["dll * 2"],
    adversarial={"discriminator": TINY},
    seed=5,
)


@pytest.fixture(scope="module")
def gan(data, tmp_path_factory):
    """A generator, with weights, units and all that there is."""
    folder = tmp_path_factory.mktemp("gan") / "model"
    train(GAN, data, folder)
    return folder


@pytest.fixture(scope="module")
def trees(data, tmp_path_factory):
    """A classifier."""
    folder = tmp_path_factory.mktemp("trees") / "model"
    train(recipe_of("boosted", description="Muon or not."), data, folder)
    return folder


def test_the_manifest_says_everything(gan, data, columns):
    manifest = verify(gan)
    assert (manifest.name, manifest.kind, manifest.algorithm, manifest.seed) == ("toy", "generator", "BceGAN", 5)
    assert [(c.name, c.unit, c.dtype) for c in manifest.conditions] == [
        ("p", "MeV", "float64"),
        ("charge", "", "int32"),
        ("z", "mm", "float64"),
    ]
    assert [(t.name, t.unit, t.dtype, t.integer) for t in manifest.targets] == [
        ("dll", "none", "float64", False),
        ("ndof", "", "int32", True),
        ("dx", "", "float64", False),
    ]
    assert manifest.targets[0].masses == (0.0,)
    training = problem_of(columns, **content_of(seed=5, weight="weight")).parts["training"]
    for column in (*manifest.conditions, *manifest.targets):
        assert (column.low, column.high) == (training[column.name].min(), training[column.name].max())
    assert manifest.latents == 3
    assert make_recipe({"name": manifest.name} | manifest.recipe) == GAN
    assert manifest.sample["files"] == ["toy.parquet"]
    assert manifest.sample["rows"] == 600
    assert manifest.sample["split"] == {"training": 300, "validation": 60, "test": 240}
    assert len(manifest.sample["sha256"]) == 64
    assert manifest.versions["lamarrpy"] == lamarrpy.__version__
    assert {"numpy", "tensorflow", "keras", "tf2onnx", "onnxruntime"} <= set(manifest.versions)


def test_every_file_has_its_hash(gan):
    manifest = verify(gan)
    assert {"model.onnx", "model.keras", "transform.json", "card.md"} <= set(manifest.files)
    for name, expected in manifest.files.items():
        assert hashlib.sha256((gan / name).read_bytes()).hexdigest() == expected
    assert not list(gan.rglob("*.pkl"))


def test_a_changed_byte_is_refused(gan, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(gan, copy)
    content = bytearray((copy / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "model.onnx").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"model.onnx: expected a file with sha256"):
        load(copy)


def test_it_keeps_its_promises(gan, trees):
    check_parameterization(gan)
    check_parameterization(trees)


def test_metrics_are_of_the_test_rows(gan, columns):
    manifest = verify(gan)
    test = problem_of(columns, **content_of(seed=5, weight="weight")).parts["test"]
    made = load(gan)(test.columns, Draws(5, "test").rows(np.arange(len(test))))
    metrics = manifest.metrics
    assert metrics["rows"] == len(test) == 240
    given = {name: test[name] for name in ("p", "charge", "z")}
    samples = [given | {name: some[name] for name in made} for some in (test, made)]
    twins = np.arange(240)  # rows of the same conditions
    tested = two_sample_auc(*samples, test["weight"], test["weight"], seed=5, groups=(twins, twins))
    assert (metrics["two_sample_auc"], metrics["two_sample_auc_error"]) == (tested.auc, tested.error)
    assert set(metrics["given_away_by"]) <= {"p", "charge", "z", "dll", "ndof", "dx"}
    assert list(metrics["ks"]) == list(metrics["wasserstein_over_sigma"]) == ["dll", "ndof", "dx"]
    points = np.unique(np.concatenate([test["ndof"], made["ndof"]]))
    weights = test["weight"] / test["weight"].sum()
    shares = [[weights[sample["ndof"] <= point].sum() for point in points] for sample in (test, made)]
    assert metrics["ks"]["ndof"] == pytest.approx(np.abs(np.subtract(*shares)).max(), abs=1e-9)


def test_the_card_can_be_read(gan, trees):
    card = (gan / "card.md").read_text()
    lines = card.splitlines()
    assert lines[0] == "# toy"
    assert "A toy of toys." in lines
    assert "A generator, learned as `BceGAN` from 300 rows of `toy.parquet`." in lines
    metrics = verify(gan).metrics
    assert f"AUC of {metrics['two_sample_auc']:.4f} +- {metrics['two_sample_auc_error']:.4f}" in card
    (row,) = [line for line in lines if line.startswith(f"| dll | {metrics['ks']['dll']:.4f} |")]
    assert row.endswith(f"| {metrics['wasserstein_over_sigma']['dll']:.4f} |")
    failing = [name for name, ks in metrics["ks"].items() if ks > 0.015]
    (named,) = [line for line in lines if line.startswith("- where it fails: ")]
    assert all(name in named for name in failing)
    assert [line for line in lines if line.startswith("| p | MeV |")]
    assert [line for line in lines if line.startswith("| ndof |") and line.endswith("| whole numbers |")]
    for name in verify(gan).files:
        assert (f"![{name}]({name})" in card) == name.endswith(".png")
    of_trees = (trees / "card.md").read_text()
    assert "Muon or not." in of_trees
    assert "| class | share | as predicted | log loss | slope of calibration |" in of_trees
    assert len([line for line in of_trees.splitlines() if line.startswith(("| 0 |", "| 1 |"))]) == 2


def test_learning_curves_are_a_table_and_a_figure(gan):
    with open(gan / "curves" / "adversarial.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["step"]) for row in rows] == [1, 2, 3, 4]
    assert {"generator_loss", "discriminator_loss", "referee_auc", "score"} <= set(rows[0])
    assert all(np.isfinite(float(value)) for row in rows for value in row.values())


@pytest.mark.parametrize("name", ["adversarial", "test"])
def test_figures_are_pictures_with_something_on_them(gan, name):
    picture = imread(gan / "figures" / f"{name}.png")
    assert picture.shape[0] > 200
    assert picture.shape[1] > 400
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 20


def test_curves_keep_eight_digits_and_columns_that_come_late():
    history = History([{"step": 1.0, "loss": 1 / 3}, {"step": 2.0, "loss": float("inf"), "score": 0.5}])
    rows = list(csv.DictReader(io.StringIO(saving.as_csv(history).decode())))
    assert rows[0] == {"step": "1", "loss": "0.33333333", "score": ""}
    assert rows[1] == {"step": "2", "loss": "inf", "score": "0.5"}


@pytest.mark.usefixtures("no_figures")
def test_without_test_rows_the_card_says_so(data, tmp_path):
    model = train(recipe_of("neighbours", split=[0.8, 0.2, 0.0]), data, tmp_path / "model")
    assert model.manifest.metrics == {}
    assert "No rows were kept for a test." in (tmp_path / "model" / "card.md").read_text()
    assert not (tmp_path / "model" / "figures").exists()


@pytest.mark.usefixtures("no_figures")
def test_few_rows_are_enough_for_a_model(tmp_path):
    """Too few for a classifier that tells samples apart, though."""
    data = write_table(toy_columns(120), tmp_path / "few.parquet")
    model = train(recipe_of("neighbours"), data, tmp_path / "model")
    assert set(model.manifest.metrics) == {"rows", "ks", "wasserstein_over_sigma"}
    assert "too few rows for a classifier" in (tmp_path / "model" / "card.md").read_text()
    check_parameterization(tmp_path / "model")


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize("algorithm", ["classifier", "boosted"])
def test_a_class_that_the_test_does_not_know_has_no_line_of_calibration(tmp_path, algorithm):
    columns = toy_columns(120)
    columns["muon"] = (np.arange(120) % 2).astype(np.int8)
    problem = problem_of(columns, algorithm)
    rare = np.isin(columns["p"], problem.parts["training"]["p"][:2])
    columns["muon"][rare] = 2
    data = write_table(columns, tmp_path / "few.parquet")
    model = train(recipe_of(algorithm), data, tmp_path / "model")
    assert model.manifest.classes == (0.0, 1.0, 2.0)
    assert model.manifest.metrics["calibration"]["2"]["slope"] is None
    assert "| none: there is no doubt |" in (tmp_path / "model" / "card.md").read_text()
    check_parameterization(tmp_path / "model")


@pytest.mark.usefixtures("no_figures")
def test_a_model_can_be_replaced_and_nothing_else(data, tmp_path):
    recipe = recipe_of("neighbours")
    folder = tmp_path / "model"
    train(recipe, data, folder)
    (folder / "card.md").write_text("changed")
    train(recipe_of("neighbours", name="newer"), data, folder)
    assert verify(folder).name == "newer"
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "thesis.tex").write_text("ten years of work")
    with pytest.raises(OutputError, match="expected a folder for a model, or a model to replace"):
        train(recipe, data, other)
    assert (other / "thesis.tex").read_text() == "ten years of work"
    assert not list(tmp_path.glob(".*"))


@pytest.mark.usefixtures("no_figures")
def test_a_model_may_be_written_where_one_stands(data, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    train(recipe_of("neighbours"), data, Path("."))
    assert verify(tmp_path / "here").name == "toy"


@pytest.mark.usefixtures("no_figures")
def test_a_package_by_another_name_is_no_reason_to_lose_a_model(columns, tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "_PACKAGES", ("numpy", "tensorflow-of-another-name"))
    problem = problem_of(columns, "neighbours")
    save(tmp_path / "model", problem, learn_by_heart(problem, Watch()), Watch())
    assert set(verify(tmp_path / "model").versions) == {"lamarrpy", "numpy"}


def test_transforms_are_plain_json(gan):
    content = json.loads((gan / "transform.json").read_text())
    assert set(content) == {"conditions", "targets"}
    assert [column["name"] for column in content["conditions"]["columns"]] == ["p", "charge", "z"]
