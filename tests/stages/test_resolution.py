from __future__ import annotations

import numpy as np
import pytest
from track_models import in_mirror, made_up_numbers, truth, write_covariance_model, write_resolution_model

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.stages.covariance import Covariance
from lamarrpy.stages.resolution import QUALITY, Resolution, physical, targets
from lamarrpy.stages.track_factor import factor_from
from lamarrpy.stages.track_frame import mirrored
from lamarrpy.stages.track_pulls import PULLS
from lamarrpy.testing import check_stage


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with models that have learned nothing."""
    models = tmp_path_factory.mktemp("models")
    write_covariance_model(models)
    write_resolution_model(models)
    return str(models)


def measured(folder, batch, polarity="MagUp", seed=1):
    """The batch with what comes before the stage."""
    stage = Covariance(polarity, models=folder)
    return stage(batch, Draws(seed, stage.name))


def run(folder, batch, polarity="MagUp", seed=1):
    stage = Resolution(polarity, models=folder)
    out = stage(measured(folder, batch, polarity, seed), Draws(seed, stage.name))
    return {name: out.array("tracks", name) for name in out["tracks"].column_names}


@pytest.mark.parametrize("polarity", ["MagUp", "MagDown"])
@pytest.mark.parametrize("track_type", [3, 4, 5])
def test_conformance(folder, tracks, track_type, polarity):
    batch = measured(folder, tracks(400, track_type, p=(1e3, 1e6), eta=(1.6, 5.2)), polarity)
    check_stage(Resolution(polarity, models=folder), batch)


def test_momentum_direction_and_charge_agree(folder, tracks):
    t = run(folder, tracks(2000, p=(1e3, 1e6)))
    px, py, pz = (t["p"] * s / np.sqrt(1 + t["tx"] ** 2 + t["ty"] ** 2) for s in (t["tx"], t["ty"], 1.0))
    assert np.allclose(t["pt"], np.hypot(px, py), rtol=1e-12)
    assert np.allclose(t["eta"], np.arctanh(pz / t["p"]), rtol=1e-9)
    assert np.allclose(t["phi"], np.arctan2(py, px))
    assert np.array_equal(t["charge"], np.sign(t["qop"]))
    assert np.allclose(t["p"] * np.abs(t["qop"]), 1)
    assert t["p"].min() > 0


def test_the_state_is_the_closest_to_the_beam_line(folder, tracks):
    batch = tracks(2000, decay_z=300.0)
    t = run(folder, batch)
    events, vx, vy = batch.arrays("vertices", "event_id", "true_x", "true_y")
    of = np.searchsorted(events, t["event_id"])
    x, y = t["x"] - vx[of], t["y"] - vy[of]
    assert np.abs((x * t["tx"] + y * t["ty"]) / np.hypot(t["tx"], t["ty"])).max() < 1e-6


def test_targets_are_the_inverse_of_what_they_become():
    columns, random = truth(), np.random.default_rng(7)
    factor = factor_from(made_up_numbers(), columns)
    said = {name: np.arcsinh(random.normal(size=3000)) for name in PULLS}
    said |= {name: random.random(3000) for name in QUALITY}
    back = targets({**columns, **physical(said, columns, factor)}, factor)
    assert list(back) == [*PULLS, *QUALITY]
    for name, values in said.items():
        assert np.allclose(back[name], values, rtol=1e-5, atol=1e-5), name


def test_fit_quality_is_within_its_bounds(folder, tracks):
    t = run(folder, tracks(4000))
    assert t["chi2_per_dof"].min() > 0
    assert t["ghost_prob"].min() >= 0
    assert t["ghost_prob"].max() <= 1


def test_magdown_is_the_mirror_image_of_magup(folder, tracks):
    batch = tracks(1000)
    up, down = run(folder, batch), run(folder, in_mirror(batch), "MagDown")
    turned = mirrored(up)
    for name in ("x", "y", "z", "tx", "ty", "qop", *QUALITY):
        assert np.array_equal(turned[name], down[name]), name
    assert np.allclose(np.cos(up["phi"]), -np.cos(down["phi"]))


def test_what_is_beyond_the_training_sample_is_flagged(folder, tracks):
    assert run(folder, tracks(400, p=(1e6, 2e6), eta=(2.0, 5.0)))["outside_resolution"].all()


def test_a_missing_model_is_told_at_once(folder):
    with pytest.raises(ConfigError, match="distilled"):
        Resolution(version="by hand", models=folder)
