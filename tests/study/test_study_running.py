"""A small study from its configuration to its page; what is finished is not done again."""

import csv
import json

import numpy as np
import pytest

from lamarrpy.errors import ConfigError, DomainError, OutputError
from lamarrpy.study import page, training
from lamarrpy.study.checks import study_checks
from lamarrpy.study.running import run_study
from lamarrpy.study.table import COLUMNS

SIZES = ("small", "medium", "wide")
CONFIG = {
    "name": "tiny",
    "tracks": {"train": 400, "validation": 50, "test": 120},
    "sets": {"main": {"recipe": "box"}},
    "families": {
        family: {"training": {"steps": 6, "batch": 64, "evaluations": 2}, "architecture": {"activation": "tanh"}}
        for family in ("mlp", "pinn", "rk_pinn")
    },
    "without": [
        *(f"{family}_{size}" for family in ("mlp", "pinn", "rkpinn") for size in SIZES),
        "physics_loss", "momentum", "timing", "robustness", "dynamics", "activations", "normalization", "volume",
        "multi_step", "uncertainty", "transfer",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("study") / "out"


@pytest.fixture(scope="module")
def result(out):
    return run_study(CONFIG, out)


def test_every_job_leaves_its_files(result, out):
    assert list(result.outcomes) == ["mlp_tiny", "pinn_tiny", "rkpinn_tiny"]
    for name, outcome in result.outcomes.items():
        assert sorted(path.name for path in (out / "jobs" / name).iterdir()) == [
            "config.json", "history.json", "metrics.json", "model.keras", "model.onnx", "residuals.npz"
        ]  # fmt: skip
        assert outcome.config["recipe"]["name"] == name
        assert [entry["step"] for entry in outcome.history["entries"]][-1] == 6.0
        assert set(outcome.history["entries"][0]) >= {"step", "loss", "data", "pde", "ic", "score"}
        metrics = outcome.metrics
        assert (metrics["test"]["n"], metrics["train"]["n"]) == (120, 400)
        assert sum(one["n"] for one in metrics["bins"]) == 120
        ratio = metrics["test"]["distance_rms"] / metrics["train"]["distance_rms"]
        assert metrics["generalization_gap"] == pytest.approx(ratio - 1.0)
        assert bool(metrics["physics"]) == (name != "mlp_tiny")


def test_residuals_are_those_of_the_metrics_and_of_the_stored_network(result):
    outcome = result.outcomes["pinn_tiny"]
    arrays = outcome.residuals()
    differ = 1e3 * (arrays["predicted"] - arrays["true"])[:, 0]
    assert np.sqrt(np.mean(differ**2)) == pytest.approx(outcome.metrics["test"]["rmse"]["x"])
    again = np.asarray(outcome.network()(arrays["tracks"].astype(np.float32)))
    assert again == pytest.approx(arrays["predicted"], rel=1e-4, abs=1e-3)


def test_results_registry_table_and_page_are_written(result, out):
    found = json.loads((out / "results" / "architecture.json").read_text())
    assert found["question"].endswith("?")
    assert "rkpinn_tiny" in found["conclusion"]
    with (out / "results.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["model"] for row in table] == list(result.outcomes)
    assert tuple(table[0]) == COLUMNS
    assert table[0]["architecture"] == "[64, 64]"
    registry = json.loads((out / "registry.json").read_text())
    assert registry["best"]["most_accurate"] == "rkpinn_tiny"
    marks = {model["id"]: model["marks"] for model in registry["models"]}
    assert "most_accurate" in marks["rkpinn_tiny"]
    assert (out / registry["models"][0]["path"]).is_file()
    study = json.loads((out / "study.json").read_text())
    assert (study["preset"], study["field"]["kind"]) == ("tiny", "lhcb")
    assert (out / "report.html").stat().st_size > 10_000


def test_checks_hold_the_most_accurate_network_against_the_criteria(result):
    checks = {check.name: check for check in study_checks(result)}
    test = result.outcomes["rkpinn_tiny"].metrics["test"]
    assert (checks["study.networks"].value, checks["study.failures"].value) == (3, 0)
    assert (checks["study.rmse.x"].value, checks["study.rmse.x"].high) == (test["rmse"]["x"], 10.0)
    assert (checks["study.bias.ty"].low, checks["study.bias.ty"].high) == (-0.1, 0.1)
    assert checks["study.distance_rms.mlp_tiny"].ok is None


@pytest.fixture
def no_page(monkeypatch):
    monkeypatch.setattr(page, "write_page", lambda folder: folder / "report.html")


def test_only_what_is_to_be_another_is_trained_again(result, out, monkeypatch, no_page):
    trained = []
    learn = training.train_extrapolator

    def noted(recipe, *arguments, **keys):
        trained.append(recipe.name)
        return learn(recipe, *arguments, **keys)

    monkeypatch.setattr(training, "train_extrapolator", noted)
    run_study(CONFIG, out)
    assert trained == []
    other = CONFIG["families"] | {"mlp": {"training": {"steps": 4, "batch": 64}}}
    changed = run_study(CONFIG | {"families": other}, out)
    assert trained == ["mlp_tiny"]
    assert changed.outcomes["mlp_tiny"].history["steps"] == 4


def test_a_training_that_goes_astray_is_told_and_the_others_go_on(tmp_path, monkeypatch, no_page):
    def astray(recipe, *arguments, **keys):
        raise DomainError(f"{recipe.name} went astray")

    monkeypatch.setattr(training, "train_extrapolator", astray)
    result = run_study(CONFIG, tmp_path)
    assert not result.outcomes
    assert next(one["notes"] for one in result.failures) == "failed: mlp_tiny went astray"
    assert result.results["architecture"]["conclusion"] == "No training went well."
    with (tmp_path / "results.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["notes"] == "failed: mlp_tiny went astray"
    assert {check.name: check.value for check in study_checks(result)}["study.rmse.x"] is None


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="expected an empty folder or a study's"):
        run_study(CONFIG, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_mistakes_are_told_before_anything_is_written(tmp_path):
    with pytest.raises(ConfigError, match="experiments out of"):
        run_study(CONFIG, tmp_path / "new", only=["acrhitecture"])
    with pytest.raises(ConfigError, match="unknown key 'layers'"):
        run_study(CONFIG | {"families": {"mlp": {"architecture": {"layers": 3}}}}, tmp_path / "new")
    assert not (tmp_path / "new").exists()
