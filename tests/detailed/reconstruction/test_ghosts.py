"""Ghost probability: features against numbers worked out by hand, training and evaluation on toys."""

import importlib.util

import numpy as np
import pytest

from lamarrpy.detailed.classifier import Classifier
from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.reconstruction.candidates import FittedTracks, Part, TrackType
from lamarrpy.detailed.reconstruction.ghosts import ghost_features, ghost_probability
from lamarrpy.propagation import State
from lamarrpy.shipped import shipped


@pytest.fixture(scope="module")
def recipe():
    spec = importlib.util.spec_from_file_location("train", shipped("models", "detailed", "ghost", "train.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tracks(n, seed=1):
    """Long, Upstream and Downstream tracks of which one in six, with worse chi2 and fewer hits, is a ghost."""
    rng = np.random.default_rng(seed)
    ghost = rng.random(n) < 1 / 6
    kind = rng.choice([TrackType.long, TrackType.upstream, TrackType.downstream], n, p=[0.7, 0.15, 0.15])
    worse = np.where(ghost, 1.6, 1.0)
    in_velo, in_tt, in_t = kind != TrackType.downstream, np.ones(n, bool), kind != TrackType.upstream
    hits = [np.where(seen, rng.integers(3, top, n), 0) for seen, top in ((in_velo, 15), (in_tt, 5), (in_t, 24))]
    parts = [Part(count, rng.chisquare(np.maximum(count, 1)) * worse * (count > 0)) for count in hits]
    eta, phi, p = rng.uniform(2, 5, n), rng.uniform(-np.pi, np.pi, n), np.exp(rng.normal(9, 1, n))
    zero, total = np.zeros(n), sum(part.chi2 for part in parts) + rng.chisquare(2, n) * worse
    state = State(zero, zero, zero, np.cos(phi) / np.sinh(eta), np.sin(phi) / np.sinh(eta), rng.choice([-1, 1], n) / p)
    ndof = np.maximum(sum(hits) - 5, 1)
    covariance = np.tile(np.eye(5), (n, 1, 1))
    outliers = rng.integers(0, np.where(ghost, 3, 2))
    return FittedTracks(state, covariance, total, ndof, outliers, *parts, np.ones(n, bool)), kind, ghost


def features(n, seed=1):
    fitted, kind, ghost = tracks(n, seed)
    return ghost_features(fitted, kind, np.full(n, 100), lhcb_detector()), kind, ghost


@pytest.fixture(scope="module")
def trained(recipe, tmp_path_factory):
    columns, kind, ghost = features(9000)
    columns["n_tracks"] = np.repeat(np.arange(50, 140), 100).astype(float)
    sample = recipe.Sample(columns, ghost, kind.astype(np.int64), np.repeat(np.arange(90), 100))
    folder = tmp_path_factory.mktemp("models") / "ghost"
    recipe.NETWORK.update(hidden_layer_sizes=(16, 8), n_iter_no_change=8)
    return folder, recipe.train(sample, folder, {"made_by": "a toy"}, seed=4)


def one_track(x=0.0, y=0.0, tx=0.1, ty=0.0, qop=1e-4, found=4):
    n = np.array([1])
    state = State(*(np.array([value]) for value in (x, y, 0.0, tx, ty, qop)))
    parts = (Part(10 * n, 12.0 * n), Part(found * n, 0.25 * found * n), Part(0 * n, 0.0 * n))
    return FittedTracks(state, np.eye(5)[None], 20.0 * n, 8 * n, 2 * n, *parts, np.array([True]))


def features_of(fitted, kind=TrackType.upstream):
    found = ghost_features(fitted, np.array([int(kind)]), np.array([130]), lhcb_detector())
    return {name: values[0] for name, values in found.items()}


def test_features_of_one_track():
    found = features_of(one_track(tx=0.03, ty=0.04))
    assert found["chi2_per_dof"] == 2.5
    assert found["ndof"] == 8
    assert found["outliers"] == 2
    assert (found["velo_hits"], found["tt_hits"], found["t_hits"]) == (10, 4, 0)
    assert (found["velo_chi2_per_hit"], found["tt_chi2_per_hit"], found["t_chi2_per_hit"]) == (1.2, 0.25, 0.0)
    assert found["p"] == pytest.approx(1e4)
    assert found["pt"] == pytest.approx(1e4 * np.sin(np.arctan(0.05)))
    assert found["eta"] == pytest.approx(-np.log(np.tan(0.5 * np.arctan(0.05))))
    assert found["n_tracks"] == 130


@pytest.mark.parametrize("kind", [TrackType.long, TrackType.upstream, TrackType.downstream])
def test_types_are_told_apart(kind):
    found = features_of(one_track(), kind)
    flags = {"upstream": kind == TrackType.upstream, "downstream": kind == TrackType.downstream}
    assert {name: found[name] for name in flags} == flags


@pytest.mark.parametrize(
    ("tx", "found", "missing"),
    [(0.1, 4, 0), (0.1, 3, 1), (0.1, 0, 4), (0.01, 0, 0), (0.5, 0, 0), (0.01, 2, -2)],
    ids=["all there", "one lost", "all lost", "through the hole", "beside it", "more than expected"],
)
def test_missing_layers_of_tt(tx, found, missing):
    assert features_of(one_track(tx=tx, found=found))["tt_missing"] == missing


def test_mirror_image_has_the_same_features():
    assert features_of(one_track(tx=0.1, ty=0.02, qop=1e-4)) == features_of(one_track(tx=-0.1, ty=0.02, qop=-1e-4))


def test_straight_forward_track_has_finite_features():
    found = features_of(one_track(tx=0.0, ty=0.0, qop=0.0))
    assert all(np.isfinite(value) for value in found.values())
    assert found["p"] == 1e7


def test_perfect_fit_has_a_logarithm():
    perfect = one_track()._replace(chi2=np.zeros(1))
    assert 0.0 < features_of(perfect)["chi2_per_dof"] < 0.01


def test_training_tells_ghosts_from_tracks(trained):
    metrics = trained[1]
    assert metrics["long"]["auc"] > 0.8
    assert metrics["long"]["ghost_share_after"] < 0.7 * metrics["long"]["ghost_share"]
    assert metrics["long"]["signal_lost"] < 0.06
    assert set(metrics) == {"long", "upstream", "downstream", "calibration"}


def test_it_is_a_probability(trained):
    """Of the tracks in each range of probability, as many are ghosts as it says."""
    for row in trained[1]["calibration"]:
        error = np.sqrt(row["probability"] * (1 - row["probability"]) / row["tracks"])
        assert row["ghosts"] == pytest.approx(row["probability"], abs=0.06 + 3 * error)


def test_probability_of_tracks(trained):
    classifier = Classifier.load(trained[0])
    fitted, kind, ghost = tracks(3000, seed=9)
    probability = ghost_probability(fitted, kind, np.full(3000, 100), lhcb_detector(), classifier)
    assert probability.shape == (3000,)
    assert probability.min() >= 0.0
    assert probability.max() <= 1.0
    assert probability.mean() == pytest.approx(ghost.mean(), abs=0.03)
    assert probability[ghost].mean() > probability[~ghost].mean() + 0.2
    some = np.arange(10, 23)
    alone = ghost_probability(fitted.at(some), kind[some], np.full(13, 100), lhcb_detector(), classifier)
    assert np.array_equal(alone, probability[some])


def test_no_tracks(trained):
    fitted, kind, _ = tracks(0)
    nothing = ghost_probability(fitted, kind, np.zeros(0, np.int64), lhcb_detector(), Classifier.load(trained[0]))
    assert nothing.shape == (0,)


def test_manifest_says_how_it_was_trained(trained, recipe):
    manifest = Classifier.load(trained[0]).manifest
    assert manifest.classes == ("track", "ghost")
    assert [feature.name for feature in manifest.features] == [quantity.name for quantity in recipe.QUANTITIES]
    assert set(features(1)[0]) == {quantity.name for quantity in recipe.QUANTITIES}
    assert manifest.sample == {"made_by": "a toy"}


@pytest.fixture(scope="module")
def shipped_classifier():
    return Classifier.load("ghost")


def test_shipped_one_takes_the_features_that_there_are(shipped_classifier):
    fitted, kind, _ = tracks(500)
    probability = ghost_probability(fitted, kind, np.full(500, 150), lhcb_detector())
    assert np.all((probability >= 0.0) & (probability <= 1.0))
    assert probability.std() > 0.01
    assert {feature.name for feature in shipped_classifier.manifest.features} == set(features(1)[0])


def test_shipped_one_halves_the_ghosts_and_keeps_the_signal(shipped_classifier):
    """At 0.4, where LHCb cuts; on events that it was not trained on, as its manifest has them."""
    long = shipped_classifier.manifest.metrics["long"]
    assert long["signal_lost"] <= 0.02
    assert long["ghosts_kept"] < 0.6
    assert long["auc"] > 0.9


def test_shipped_one_is_a_probability(shipped_classifier):
    for row in shipped_classifier.manifest.metrics["calibration"]:
        error = np.sqrt(row["probability"] * (1 - row["probability"]) / row["tracks"])
        assert row["ghosts"] == pytest.approx(row["probability"], abs=0.03 + 3 * error)
