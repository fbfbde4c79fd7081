"""Classifiers on disk: hashes, features by name, the same bits for a row in any company."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lamarrpy.detailed.classifier import MANIFEST, MODEL, Classifier, Manifest, read_manifest
from lamarrpy.detailed.export import Origin, Quantity, save_classifier, scaled
from lamarrpy.errors import ArtifactError, DomainError
from lamarrpy.parameterization.network import BLOCK

QUANTITIES = (Quantity("p", "MeV", "log"), Quantity("hits", ""), Quantity("noise", "mm", "sqrt"))


def sample(n=4000, seed=1):
    rng = np.random.default_rng(seed)
    columns = {"p": np.exp(rng.normal(9, 1, n)), "hits": rng.integers(10, 30, n), "noise": rng.uniform(0, 4, n)}
    score = np.log(columns["p"]) - 9 + 0.3 * (columns["hits"] - 20)
    return columns, (score + rng.logistic(size=n) > 0).astype(int) + 2 * (columns["noise"] > 3)


def train(n_classes):
    from sklearn.neural_network import MLPClassifier

    columns, label = sample()
    label = label % n_classes
    features = scaled(QUANTITIES, columns)
    rows = np.stack([feature(columns[feature.name]) for feature in features], axis=1)
    network = MLPClassifier((16, 8), random_state=1, max_iter=300, early_stopping=True).fit(rows, label)
    return network, features, columns, rows


@pytest.fixture(scope="module", params=[2, 4])
def trained(request):
    return train(request.param)


def save(folder, trained):
    network, features, *_ = trained
    classes = tuple(f"class_{i}" for i in network.classes_)
    return save_classifier(folder, network, features, classes, Origin({"made_by": "sample()"}, 1, {"auc": 0.9}))


@pytest.fixture
def folder(tmp_path, trained):
    save(tmp_path / "toy", trained)
    return tmp_path / "toy"


def test_says_what_scikit_learn_says(folder, trained):
    network, _, columns, rows = trained
    found = Classifier.load(folder)(columns)
    assert found == pytest.approx(network.predict_proba(rows), abs=1e-5)
    assert found.sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    assert found.std(axis=0).min() > 0.01


def test_a_row_does_not_depend_on_its_neighbours(folder):
    classifier = Classifier.load(folder)
    columns, _ = sample(3 * BLOCK + 17, seed=5)
    whole = classifier(columns)
    order = np.random.default_rng(2).permutation(len(whole))
    assert np.array_equal(classifier({k: v[order] for k, v in columns.items()}), whole[order])
    for some in (slice(0, 1), slice(7, 8), slice(100, 107), slice(5, BLOCK + 9), slice(BLOCK, None)):
        assert np.array_equal(classifier({k: v[some] for k, v in columns.items()}), whole[some])


def test_nothing_in_nothing_out(folder):
    columns, _ = sample(0)
    classifier = Classifier.load(folder)
    assert classifier(columns).shape == (0, len(classifier.manifest.classes))


def test_written_the_same_again(tmp_path, trained):
    save(tmp_path / "a" / "toy", trained)
    save(tmp_path / "b" / "toy", train(len(trained[0].classes_)))
    for file in (MODEL, MANIFEST):
        assert (tmp_path / "a" / "toy" / file).read_bytes() == (tmp_path / "b" / "toy" / file).read_bytes()


def test_manifest_says_it_all(folder, trained):
    manifest = read_manifest(folder)
    assert [feature.name for feature in manifest.features] == ["p", "hits", "noise"]
    assert [feature.transform for feature in manifest.features] == ["log", "none", "sqrt"]
    assert manifest.sample == {"made_by": "sample()"}
    assert manifest.metrics == {"auc": 0.9}
    assert set(manifest.versions) >= {"scikit-learn", "skl2onnx", "onnx"}
    assert Manifest.model_validate(json.loads((folder / MANIFEST).read_text())) == manifest


def test_damaged_network_is_not_opened(folder):
    model = bytearray((folder / MODEL).read_bytes())
    model[len(model) // 2] ^= 1
    (folder / MODEL).write_bytes(model)
    with pytest.raises(ArtifactError, match=r"expected a model\.onnx with sha256 .*, got .*run its train\.py"):
        Classifier.load(folder)


def rewrite(folder, **changes):
    content = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**content, **changes}))


def test_manifest_of_another_network(folder):
    features = json.loads((folder / MANIFEST).read_text())["features"]
    rewrite(folder, features=features[:2])
    with pytest.raises(ArtifactError, match="is of another network"):
        Classifier.load(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sha256": None}, "sha256"),
        ({"extra": 1}, "extra"),
        ({"features": [{"name": "p"}]}, "features.0.unit"),
        ({"seed": "?"}, "seed"),
    ],
)
def test_manifest_that_is_wrong(folder, changes, message):
    rewrite(folder, **changes)
    with pytest.raises(ArtifactError, match=message):
        Classifier.load(folder)


def test_transform_that_does_not_exist(folder):
    features = json.loads((folder / MANIFEST).read_text())["features"]
    features[0]["transform"] = "exp"
    rewrite(folder, features=features)
    with pytest.raises(ArtifactError, match=r"features\.0\.transform"):
        Classifier.load(folder)


@pytest.mark.parametrize("file", [MODEL, MANIFEST])
def test_missing_file(folder, file):
    (folder / file).unlink()
    with pytest.raises(ArtifactError, match=rf"{file}.*No such file"):
        Classifier.load(folder)


def test_unknown_name():
    with pytest.raises(ArtifactError, match=r"expected a classifier out of .* got 'ghots'"):
        Classifier.load("ghots")


@pytest.mark.parametrize("change", ["missing", "unknown"])
def test_features_are_checked_by_name(folder, change):
    columns, _ = sample(5)
    if change == "missing":
        del columns["hits"]
    else:
        columns["eta"] = columns["p"]
    with pytest.raises(ArtifactError, match=f"{change}: \\['"):
        Classifier.load(folder)(columns)


def test_order_of_the_columns_does_not_matter(folder):
    columns, _ = sample(50)
    classifier = Classifier.load(folder)
    assert np.array_equal(classifier(columns), classifier(dict(reversed(columns.items()))))


@pytest.mark.parametrize(("name", "value"), [("p", -1.0), ("p", 0.0), ("hits", np.nan), ("noise", np.inf)])
def test_values_that_cannot_be(folder, name, value):
    columns, _ = sample(20)
    columns[name] = columns[name].astype(float)
    columns[name][3] = value
    with pytest.raises(DomainError, match=f"'{name}'.*row 3"):
        Classifier.load(folder)(columns)


def test_beyond_the_training_sample_as_at_its_edge(folder):
    columns, _ = sample(2)
    columns["p"] = np.array([columns["p"].max() * 1e9, np.exp(Classifier.load(folder).manifest.features[0].high)])
    columns = {**columns, "hits": np.full(2, 20), "noise": np.ones(2)}
    probability = Classifier.load(folder)(columns)
    assert probability[0] == pytest.approx(probability[1], abs=1e-6)


def test_network_with_other_features(tmp_path, trained):
    network, features, *_ = trained
    with pytest.raises(ValueError, match="expected a network of 2 features"):
        save_classifier(tmp_path / "toy", network, features[:2], ("a", "b"), Origin({}, 1, {}))


def test_needs_nothing_of_the_training_to_run(folder):
    code = (
        "import sys, pathlib; from lamarrpy.detailed.classifier import Classifier\n"
        "assert 'onnxruntime' not in sys.modules\n"
        f"Classifier.load(pathlib.Path({str(folder)!r}))\n"
        "assert not {'sklearn', 'skl2onnx', 'onnx'} & set(sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
