from __future__ import annotations

import numpy as np
import pytest
from untrained import track_batch, track_columns, untrained_generator

from lamarrpy.detailed.muon.likelihoods import likelihoods
from lamarrpy.detailed.muon.observation import MuonAnswer
from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.stages.muon import LEARNED, Muon, conditions
from lamarrpy.stages.muon_likelihoods import muon_likelihoods
from lamarrpy.stages.trained import SPECIES
from lamarrpy.tables import TRACKS
from lamarrpy.testing import check_stage


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    models = tmp_path_factory.mktemp("models")
    for number, species in enumerate(SPECIES):
        path = models / "muon" / species.name / "distilled"
        untrained_generator(path, conditions(track_columns()), LEARNED, low=0.0, high=100.0, seed=number)
    return str(models)


def test_conformance(folder):
    check_stage(Muon(models=folder), track_batch())


def test_a_missing_model_is_told_at_once(folder):
    with pytest.raises(ConfigError, match="muon"):
        Muon(version="by hand", models=folder)


def test_likelihoods_exist_only_with_is_muon(folder):
    batch = track_batch()
    done = Muon(models=folder)(batch, Draws(1, "muon"))
    flag = batch.array("tracks", "is_muon")
    assert flag.any()
    for name in ("muon_d2", "muon_mu_ll", "muon_bg_ll"):
        np.testing.assert_array_equal(np.isfinite(done.array("tracks", name)), flag)
    assert not done.array("tracks", "outside_muon")[~flag].any()


def test_a_track_that_is_of_no_known_species_is_answered_as_a_pion(folder):
    """As an electron, which another stage may have given isMuon."""
    batch, done = track_batch(), {}
    for name, number in (("electron", 11), ("pion", 211), ("muon", 13)):
        pid = np.full(batch["tracks"].num_rows, number, np.int32)
        changed = batch.with_columns(TRACKS.only("true_pid"), {"true_pid": pid})
        done[name] = Muon(models=folder)(changed, Draws(1, "muon")).array("tracks", "muon_d2")
    np.testing.assert_array_equal(done["electron"], done["pion"])
    assert not np.array_equal(done["electron"], done["muon"], equal_nan=True)


def test_likelihoods_are_those_of_the_detailed_simulation():
    """Otherwise the models have to be trained again."""
    random = np.random.default_rng(2)
    n = 5000
    region, p = random.integers(0, 4, n), np.exp(random.uniform(np.log(3e3), np.log(2e5), n))
    p[:4] = 6000.0, 8000.0, 10000.0, 20000.0  # edges of bins
    d2 = random.exponential(10.0, n)
    d2[:50] = 0.0
    answer = MuonAnswer(np.ones(n, bool), np.ones(n, bool), d2, region, p, np.zeros(n, np.int64), np.ones((n, 4), bool))
    for own, theirs in zip(muon_likelihoods(d2, region, p), likelihoods(answer), strict=True):
        np.testing.assert_array_equal(own, theirs)
        assert (own <= 0.0).all()


def test_hits_that_are_near_speak_for_a_muon():
    d2, region, p = np.array([0.1, 500.0]), np.zeros(2, np.int64), np.full(2, 15e3)
    mu, bg = muon_likelihoods(d2, region, p)
    assert (mu - bg)[0] > 1.75 > (mu - bg)[1]
