"""The trained stage `occupancy`: what counts as a whole event, one number for each, and what the model is told."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_models import node, onnx_network, plain_transforms, write_model

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.parameterization.manifest import Condition, Target
from lamarrpy.parameterization.transforms import Identity, PerColumn
from lamarrpy.shipped import shipped
from lamarrpy.stages.occupancy import UNKNOWN, Occupancy, conditions, targets
from lamarrpy.tables import EVENTS, PARTICLES, EventBatch
from lamarrpy.testing import check_stage
from lamarrpy.train.preparation import stage_of

N_TRACKS = Target(name="n_tracks", dtype="int32", integer=True, low=1.0, high=1e6)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """100 times the flavour, 1000 more for whole events, and the nearest number to the logarithm of the particles."""
    folder = tmp_path_factory.mktemp("models")
    names = ("flavour", "whole", "log_charged")
    nodes = [
        node("MatMul", "conditions matrix", "sum"),
        node("Mul", "latents nothing", "zero"),
        node("Add", "sum zero", "y"),
        node("Round", "y", "targets"),
    ]
    weights = {"matrix": np.array([[100.0], [1000.0], [10.0]]), "nothing": np.zeros(1)}
    network = onnx_network(nodes, weights, {"conditions": 3, "latents": 1}, {"targets": 1})
    transforms = {"conditions": PerColumn({name: Identity(1) for name in names})}
    transforms["targets"] = plain_transforms("n_tracks")
    known = tuple(
        Condition(name=n, low=0.0, high=high) for n, high in zip(names, (2.0, 1.0, np.log1p(100.0)), strict=True)
    )
    of = folder / "occupancy" / "event" / "distilled"
    of.mkdir(parents=True)
    write_model(of, "generator", (N_TRACKS,), {"model.onnx": network}, transforms, known, latents=1)
    return str(folder)


def events(sizes: list[int], extra: list[tuple[int, int]] | None = None, propagated: bool = True) -> EventBatch:
    """Events with so many pions, and other particles (event, pid)."""
    of = np.repeat(np.arange(len(sizes)), sizes).tolist() + [event for event, _ in extra or []]
    pid = [211] * sum(sizes) + [number for _, number in extra or []]
    batch = EventBatch({}).with_table(EVENTS.only("event_id"), {"event_id": np.arange(len(sizes))})
    return batch.with_table(
        PARTICLES.only("event_id", "particle_id", "pid", "propagated"),
        {
            "event_id": np.array(of, np.int64),
            "particle_id": np.arange(len(of)),
            "pid": np.array(pid, np.int32),
            "propagated": np.full(len(of), propagated),
        },
    )


def n_tracks(batch: EventBatch, models: str, **options) -> list[int]:
    return Occupancy(models=models, **options)(batch, Draws(1, "occupancy")).array("events", "n_tracks").tolist()


def whole(charged: int, flavour: int = 0) -> int:
    return round(1000 + 100 * flavour + 10 * np.log1p(charged))


def part(flavour: int = 0) -> int:
    return round(100 * flavour + 10 * np.log1p(40))


def test_an_event_is_whole_from_some_particles_on(models):
    assert n_tracks(events([0, 11, 12, 30]), models) == [part(), part(), whole(12), whole(30)]
    assert n_tracks(events([0, 11, 12, 30]), models, whole_from=0) == [whole(0), whole(11), whole(12), whole(30)]
    assert n_tracks(events([0, 11, 12, 30]), models, whole_from=20) == [part(), part(), part(), whole(30)]


def test_only_propagated_charged_particles_count(models):
    neutral = [(0, pid) for pid in (22, 2112, 130, 3112)]
    assert n_tracks(events([12], neutral), models) == [whole(12)]
    assert n_tracks(events([12, 40], propagated=False), models) == [part(), part()]


def test_flavour_goes_with_the_heaviest_hadron(models):
    batch = events([20, 20, 20, 0], [(1, 421), (2, 511), (2, 421), (3, 5122)])
    assert n_tracks(batch, models) == [whole(20), whole(20, 1), whole(20, 2), part(2)]
    assert n_tracks(batch, models, flavour="c") == [whole(20, 1)] * 3 + [part(1)]


def test_larger_events_than_were_seen_are_flagged(models):
    out = Occupancy(models=models)(events([5, 50, 150]), Draws(1, "occupancy"))
    assert out.array("events", "outside_occupancy").tolist() == [False, False, True]
    assert out.array("events", "n_tracks").tolist() == [part(), whole(50), whole(100)]


def test_what_the_model_is_told():
    told = conditions({"flavour": np.array([0, 2]), "n_charged": np.array([UNKNOWN, 20])})
    assert told["flavour"].tolist() == [0, 2]
    assert told["whole"].tolist() == [0.0, 1.0]
    assert told["log_charged"][1] == np.log(21)
    assert targets({"n_tracks": np.array([0, 7])})["n_tracks"].tolist() == [1, 7]


def test_events_of_collisions_are_learned_from_twice():
    """Whole, and as a part, the latter not if there is nothing of it in the window; events of guns not at all."""
    stage = stage_of(shipped("models", "occupancy", "recipe.yaml"))
    assert stage is not None
    columns = {
        "event_id": np.arange(4),
        "flavour": np.array([2, 0, 0, 1]),
        "n_charged": np.array([60, 0, 25, 30]),
        "n_tracks": np.array([70, 2, 27, 33]),
        "collisions": np.array([2, 0, 1, 1]),
        "whole": np.array([True, True, False, True]),
    }
    rows = stage.prepare(columns, "event")
    assert rows["event_id"].tolist() == [0, 1, 3, 0, 3]
    assert rows["whole"].tolist() == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert rows["n_tracks"].tolist() == [70, 2, 33, 70, 33]
    assert rows["flavour"].tolist() == [2, 0, 1, 2, 1]


def test_wrong_settings_of_occupancy(models, tmp_path):
    with pytest.raises(ConfigError, match="whole_from"):
        Occupancy(models=models, whole_from=-1)
    with pytest.raises(ConfigError, match="expected a model"):
        Occupancy(models=str(tmp_path))


def test_conformance_occupancy(models):
    check_stage(Occupancy(models=models), events([0, 5, 12, 30, 40, 3, 20], [(1, 511), (4, 421)]))
    check_stage(Occupancy(flavour="b", models=models), events([0, 5, 12]))
