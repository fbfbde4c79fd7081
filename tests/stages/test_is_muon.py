from __future__ import annotations

import numpy as np
import pytest
from untrained import track_batch, track_columns, untrained_classifier, untrained_generator

from lamarrpy.draws import Draws
from lamarrpy.errors import ArtifactError, ConfigError
from lamarrpy.stages.is_muon import IsMuon, candidates, conditions
from lamarrpy.stages.trained import SPECIES
from lamarrpy.testing import check_stage


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    models = tmp_path_factory.mktemp("models")
    for number, species in enumerate(SPECIES):
        path = models / "is_muon" / species.name / "classifier"
        untrained_classifier(path, conditions(track_columns()), "is_muon", seed=number)
    return str(models)


def flags(folder, batch):
    return IsMuon(models=folder)(batch, Draws(1, "is_muon")).array("tracks", "is_muon")


def test_conformance(folder):
    check_stage(IsMuon(models=folder), track_batch())


def test_a_missing_model_is_told_at_once(folder):
    with pytest.raises(ConfigError, match="muon"):
        IsMuon(version="by hand", models=folder)


def test_a_generator_is_refused(tmp_path):
    seen = conditions(track_columns())
    for species in SPECIES:
        untrained_generator(tmp_path / "is_muon" / species.name / "classifier", seen, ("is_muon",))
    with pytest.raises(ArtifactError, match="expected a classifier"):
        IsMuon(models=str(tmp_path))


def test_who_never_passes(folder):
    """Electrons, tracks that end before the magnet, slow ones, and those that are led past the muon system."""
    batch = track_batch()
    found = flags(folder, batch)
    pid, track_type, p = batch.arrays("tracks", "true_pid", "track_type", "p")
    slow = p <= 3000.0
    past = conditions(track_columns())["muon_depth"] <= -300.0
    for never in (np.abs(pid) == 11, track_type == 4, slow, past):
        assert never.sum() > 100
        assert not found[never].any()
    rest = (np.abs(pid) != 11) & (track_type != 4) & ~slow & ~past
    assert 0.2 < found[rest].mean() < 0.8


def test_only_candidates_are_outside_of_the_training_domain(folder):
    done = IsMuon(models=folder)(track_batch(seed=3), Draws(1, "is_muon"))
    seen = conditions(track_columns(seed=3))
    outside = done.array("tracks", "outside_is_muon")
    assert outside.any()
    assert not outside[~candidates(seen)].any()


def test_the_mirrored_track_is_as_deep():
    """What a model is told does not know the polarity."""
    columns = track_columns()
    mirrored = columns | {name: -columns[name] for name in ("x_ecal", "tx_ecal")}
    for name, values in conditions(columns).items():
        np.testing.assert_array_equal(values, conditions(mirrored)[name])
