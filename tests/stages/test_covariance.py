from __future__ import annotations

import numpy as np
import pytest
from track_models import in_mirror, made_up_numbers, truth, write_covariance_model

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.stages.covariance import Covariance, physical, targets
from lamarrpy.stages.track_factor import COVARIANCE, NUMBERS
from lamarrpy.stages.track_frame import mirrored
from lamarrpy.tables.schemas import STATE
from lamarrpy.testing import check_stage

WRITTEN = ("ndof", *COVARIANCE, "outside_covariance")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a model that has learned nothing."""
    models = tmp_path_factory.mktemp("models")
    write_covariance_model(models)
    return str(models)


def run(folder, batch, polarity="MagUp", seed=1):
    stage = Covariance(polarity, models=folder)
    out = stage(batch, Draws(seed, stage.name))
    return {name: out.array("tracks", name) for name in WRITTEN}


@pytest.mark.parametrize("polarity", ["MagUp", "MagDown"])
@pytest.mark.parametrize("track_type", [3, 4, 5])
def test_conformance(folder, tracks, track_type, polarity):
    batch = tracks(400, track_type, p=(1e3, 1e6), eta=(1.6, 5.2))
    check_stage(Covariance(polarity, models=folder), batch)


def test_covariances_are_positive_definite_and_degrees_of_freedom_whole(folder, tracks):
    t = run(folder, tracks(4000))
    sigma = {a: np.sqrt(t[f"cov_{a}_{a}"]) for a in STATE}
    matrix = np.empty((4000, 5, 5))
    for i, a in enumerate(STATE):
        for j, b in enumerate(STATE[i:], i):
            matrix[:, i, j] = matrix[:, j, i] = t[f"cov_{a}_{b}"] / sigma[a] / sigma[b]
    assert np.linalg.eigvalsh(matrix).min() > 0
    assert np.abs(matrix[:, ~np.eye(5, dtype=bool)]).max() < 1
    assert t["ndof"].dtype == np.int32
    assert t["ndof"].min() >= 3
    assert len(np.unique(t["cov_qop_qop"])) == 4000


def test_targets_are_the_inverse_of_what_they_become():
    columns = truth()
    said = {"ndof": columns["ndof"], **made_up_numbers()}
    back = targets({**columns, **physical(said, columns)})
    assert list(back) == ["ndof", *NUMBERS]
    for name, values in said.items():
        assert np.allclose(back[name], values, rtol=1e-6, atol=1e-6), name


def test_magdown_is_the_mirror_image_of_magup(folder, tracks):
    batch = tracks(1000)
    up, down = run(folder, batch), run(folder, in_mirror(batch), "MagDown")
    for name, values in mirrored(up).items():
        assert np.array_equal(values, down[name]), name
    assert (up["cov_x_qop"] != down["cov_x_qop"]).all()


def test_what_is_beyond_the_training_sample_is_flagged(folder, tracks):
    usual = tracks(400, p=(2e3, 100e3), eta=(2.0, 5.0), pids=(211, -211))
    assert not run(folder, usual)["outside_covariance"].all()
    assert run(folder, tracks(400, p=(1e6, 2e6), eta=(2.0, 5.0)))["outside_covariance"].all()


def test_a_missing_model_is_told_at_once(folder):
    with pytest.raises(ConfigError, match="distilled"):
        Covariance(version="by hand", models=folder)
