"""The trained stage `acceptance`: who is asked about, the drawn flag, the polarity, the training domain."""

from __future__ import annotations

import numpy as np
import pytest
from crossing_models import write_linear
from tiny_models import SEEN

from lamarrpy.draws import Draws
from lamarrpy.errors import ArtifactError, ConfigError
from lamarrpy.parameterization.manifest import Target
from lamarrpy.stages.acceptance import Acceptance
from lamarrpy.stages.trained import trained
from lamarrpy.tables import PARTICLES, EventBatch
from lamarrpy.testing import check_stage

IN_ACCEPTANCE = Target(**{**SEEN.model_dump(), "name": "in_acceptance"})


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Where particles that stay inside of the T stations are in acceptance, with a doubt of a tenth."""
    folder = tmp_path_factory.mktemp("models")
    weights = {0.0: {}, 1.0: {"t_hole": 2.0, "t_outer": 2.0, "side_tx": 1.0, "one": 0.2}}
    write_linear(folder / "acceptance" / "charged" / "classifier", IN_ACCEPTANCE, weights)
    return str(folder)


def run(batch: EventBatch, **options) -> tuple[np.ndarray, ...]:
    stage = Acceptance(**options)
    return stage(batch, Draws(1, stage.name)).arrays("particles", "acceptance", "in_acceptance", "outside_acceptance")


def test_the_flag_is_drawn_with_the_probability(gun, models):
    probability, accepted, outside = run(gun(20_000), models=models)
    assert ((probability > 0) & (probability < 1)).all()
    error = np.sqrt((probability * (1 - probability)).sum())
    assert abs(accepted.sum() - probability.sum()) < 4 * error
    doubtful = np.abs(probability - 0.5) < 0.4
    assert 0.2 < accepted[doubtful].mean() < 0.8
    assert not outside.any()


def test_inside_of_the_stations_is_more_probable(gun, models):
    batch = gun(4000, p=3e3, eta=(2.0, 4.5))
    inside = np.abs(batch.array("particles", "x_mid_t")) < 2500
    probability, _, _ = run(batch, models=models)
    assert probability[inside].mean() > probability[~inside].mean() + 0.2


def test_others_are_not_in_acceptance(gun, models):
    for pids in ([22], [2112], [3112], [1000010020]):
        probability, accepted, outside = run(gun(200, pids=pids), models=models)
        assert not probability.any()
        assert not accepted.any()
        assert not outside.any()
    batch = gun(200)
    flown = np.arange(200) % 2 == 0
    batch = batch.with_columns(PARTICLES.only("propagated"), {"propagated": flown})
    probability, _, _ = run(batch, models=models)
    assert np.array_equal(probability > 0, flown)


def test_the_polarity_mirrors(gun, models):
    """Behind a mirror in x and with the magnet the other way round, everything is as it was."""
    batch = gun(2000)
    names = [c for c in batch["particles"].column_names if c.startswith(("x", "tx"))]
    mirror = {name: -batch.array("particles", name) for name in names}
    mirrored = batch.with_columns(PARTICLES.only(*names), mirror)
    for here, there in zip(run(batch, models=models), run(mirrored, models=models, polarity="MagDown"), strict=True):
        assert np.array_equal(here, there)
    same = run(batch, models=models, polarity="MagDown")[0] == run(batch, models=models)[0]
    assert not same.all()


def test_beyond_the_training_domain_is_flagged_and_answered(gun, models):
    batch = gun(2000, p=(50e3, 200e3))
    probability, _, outside = run(batch, models=models)
    assert np.array_equal(outside, batch.array("particles", "p") > 100e3)
    assert outside.any()
    assert (probability > 0).all()


def test_a_model_that_is_not_there_is_told_at_once(models, tmp_path):
    with pytest.raises(ConfigError, match="the versions of it are: classifier"):
        Acceptance(version="gan", models=models)
    with pytest.raises(ConfigError, match="expected a model"):
        Acceptance(models=str(tmp_path))


def test_another_kind_of_model_is_refused(gun, models, tmp_path, monkeypatch):
    model = trained("acceptance", "charged", "classifier", models)
    monkeypatch.setattr("lamarrpy.stages.trained.Classifier", type("Other", (), {}))
    with pytest.raises(ArtifactError, match="expected a classifier"):
        Acceptance(models=models)
    assert model.kind == "classifier"


def test_conformance_acceptance(gun, models):
    check_stage(Acceptance(models=models), gun(400, p=(1e3, 150e3)))
