"""The trained stage `efficiency`: classes, tracks, who leaves none, and what the model is told."""

from __future__ import annotations

import numpy as np
import pytest
from crossing_models import write_linear

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.parameterization.manifest import Target
from lamarrpy.particles import charge
from lamarrpy.stages.efficiency import Efficiency
from lamarrpy.stages.reconstruction import TRUTH
from lamarrpy.stages.track_type import TrackType
from lamarrpy.tables import EVENTS, PARTICLES, EventBatch
from lamarrpy.testing import check_stage

CLASSES = (0.0, 3.0, 4.0, 5.0)
TRACK_TYPE = Target(name="track_type", dtype="int32", integer=True, masses=CLASSES, low=0.0, high=5.0)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Long in acceptance, Upstream outside of it, Downstream in crowded events, and a part of all."""
    folder = tmp_path_factory.mktemp("models")
    weights = {
        0.0: {},
        3.0: {"in_acceptance": 8.0, "one": -4.0},
        4.0: {"in_acceptance": -8.0, "one": 2.0},
        5.0: {"n_tracks": 0.1, "one": -40.0},
    }
    more = ("in_acceptance", "n_tracks")
    write_linear(folder / "efficiency" / "charged" / "classifier", TRACK_TYPE, weights, more)
    return str(folder)


def run(batch: EventBatch, models: str, **options) -> EventBatch:
    stage = Efficiency(models=models, **options)
    return stage(batch, Draws(1, stage.name))


def shares(batch: EventBatch) -> dict[int, float]:
    track_type = batch.array("particles", "track_type")
    return {kind: float(np.mean(track_type == kind)) for kind in (0, *TrackType)}


def test_classes_follow_the_conditions(gun, models):
    batch = gun(4000)
    found = shares(run(batch, models))
    assert found[TrackType.long] == pytest.approx(np.exp(4) / (1 + np.exp(4) + np.exp(-6)), abs=0.01)
    swept = batch.with_columns(PARTICLES.only("in_acceptance"), {"in_acceptance": np.zeros(4000, bool)})
    found = shares(run(swept, models))
    assert found[TrackType.upstream] == pytest.approx(np.exp(2) / (1 + np.exp(2) + np.exp(-4)), abs=0.03)
    crowded = gun(4000, n_tracks=600)
    assert shares(run(crowded, models))[TrackType.downstream] == 1.0


def test_the_occupancy_is_that_of_the_own_event(gun, models):
    batch = gun(400)
    events = batch.array("events", "event_id")
    n_tracks = np.where(np.arange(len(events)) % 2 == 0, 600, 10).astype(np.int32)
    out = run(batch.with_columns(EVENTS.only("n_tracks"), {"n_tracks": n_tracks}), models)
    crowded = np.isin(out.array("particles", "event_id"), events[::2])
    assert np.array_equal(out.array("particles", "track_type") == TrackType.downstream, crowded)


def test_tracks_are_of_the_particles_with_a_class(gun, models):
    batch = run(gun(2000), models)
    event_id, particle_id, track_type, pid, p = batch.arrays(
        "particles", "event_id", "particle_id", "track_type", "pid", "p"
    )
    found = track_type > 0
    assert 0 < found.sum() < 2000
    assert np.array_equal(batch.array("tracks", "event_id"), event_id[found])
    assert np.array_equal(batch.array("tracks", "track_id"), particle_id[found])
    assert np.array_equal(batch.array("tracks", "particle_id"), particle_id[found])
    assert np.array_equal(batch.array("tracks", "track_type"), track_type[found])
    assert np.array_equal(batch.array("tracks", "true_pid"), pid[found])
    assert np.allclose(batch.array("tracks", "true_qop"), (charge(pid) / p)[found])
    for truth, column in TRUTH.items():
        assert np.array_equal(batch.array("tracks", truth), batch.array("particles", column)[found])


def test_others_leave_no_track(gun, models):
    for pids in ([22], [2112], [3112], [1000010020]):
        out = run(gun(200, pids=pids), models)
        assert out["tracks"].num_rows == 0
        assert not out.array("particles", "track_type").any()
        assert not out.array("particles", "outside_efficiency").any()
    flown = {"propagated": np.arange(200) % 2 == 0}
    out = run(gun(200, n_tracks=600).with_columns(PARTICLES.only("propagated"), flown), models)
    assert out["tracks"].num_rows == 100


def test_beyond_the_training_domain_is_flagged(gun, models):
    batch = gun(2000, p=(50e3, 200e3), n_tracks=600)
    out = run(batch, models)
    assert np.array_equal(out.array("particles", "outside_efficiency"), batch.array("particles", "p") > 100e3)
    assert out["tracks"].num_rows == 2000


def test_a_missing_model_is_told_at_once(tmp_path):
    with pytest.raises(ConfigError, match="expected a model"):
        Efficiency(models=str(tmp_path))


def test_conformance_efficiency(gun, models):
    check_stage(Efficiency(models=models), gun(400, p=(1e3, 150e3)))
    check_stage(Efficiency(models=models, polarity="MagDown"), gun(400))
