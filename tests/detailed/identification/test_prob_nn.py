"""What ProbNN looks at, and that it answers row by row."""

import numpy as np
import pytest

from lamarrpy.detailed.classifier import Classifier
from lamarrpy.detailed.identification.prob_nn import NETWORKS, prob_nn, prob_nn_features

N = 60


def known(seed=1):
    """Columns of tracks of any kind."""
    rng = np.random.default_rng(seed)
    track = {
        "p": np.exp(rng.uniform(np.log(2e3), np.log(1e5), N)),
        "pt": rng.uniform(100.0, 3e3, N),
        "chi2_per_dof": rng.uniform(0.3, 3.0, N),
        "ndof": rng.integers(8, 40, N),
        "ghost_prob": rng.uniform(0.0, 1.0, N),
        "track_type": rng.choice([3, 4, 5], N),
    }
    flags = {name: rng.uniform(size=N) < 0.7 for name in ("in_rich1", "in_rich2", "in_calo", "in_muon", "is_muon")}
    dlls = {f"rich_dll_{h}": rng.normal(0.0, 20.0, N) for h in ("e", "mu", "k", "p")}
    likelihoods = {
        name: np.where(flags["is_muon"], rng.normal(-3, 1, N), np.nan) for name in ("muon_mu_ll", "muon_bg_ll")
    }
    identity = {**flags, **dlls, **likelihoods, "muon_n_shared": rng.integers(0, 2, N)}
    names = ("ecal_pid_e", "prs_pid_e", "hcal_pid_e", "brem_pid_e", "ecal_pid_mu", "hcal_pid_mu")
    return track, identity, {name: rng.normal(size=N) for name in names}


def at(columns, rows):
    return {name: column[rows] for name, column in columns.items()}


@pytest.mark.parametrize("is_muon", [False, True])
def test_the_network_is_asked_what_it_was_trained_on(is_muon):
    parts = known()
    rows = np.flatnonzero(parts[1]["is_muon"] == is_muon)
    features = prob_nn_features(*(at(part, rows) for part in parts), is_muon)
    manifest = Classifier.load(NETWORKS[is_muon]).manifest
    assert [feature.name for feature in manifest.features] == list(features)
    assert ("muon_mu_ll" in features) == is_muon


def test_thresholds_count_where_there_is_gas_alone():
    track, identity, energy = known()
    track["p"] = np.resize([1.9e3, 2.1e3, 9.2e3, 9.5e3], N)
    identity["in_rich1"] = np.arange(N) < N // 2
    found = prob_nn_features(track, identity, energy, False)
    inside = identity["in_rich1"]
    assert np.array_equal(found["rich1_above_mu"] > 0.0, (track["p"] > 2.0e3) & inside)
    assert np.array_equal(found["rich1_above_k"] > 0.0, (track["p"] > 9.4e3) & inside)


def test_probabilities_row_by_row():
    parts = known()
    whole = prob_nn(*parts)
    is_muon = parts[1]["is_muon"]
    assert np.array_equal(np.isfinite(whole["mu"]), is_muon)
    total = sum(np.nan_to_num(values) for values in whole.values())
    assert (total <= 1.0 + 1e-6).all()
    rows = np.flatnonzero(np.arange(N) % 3 == 0)
    some = prob_nn(*(at(part, rows) for part in parts))
    for name, values in some.items():
        assert np.array_equal(values, whole[name][rows], equal_nan=True), name
