"""A pipeline is checked when it is built, and is a plain loop over its stages."""

import pickle

import numpy as np
import pytest
from toy_stages import TOY, Tracker, Window

from lamarrpy.errors import ConfigError
from lamarrpy.pipeline import Pipeline
from lamarrpy.testing import check_stage, example_events


def test_stages_act_in_order():
    batch, flow = TOY(example_events(), seed=1)
    assert (batch.array("tracks", "true_p") > 1000).all()
    assert set(batch) == {"events", "vertices", "particles", "tracks"}
    lines = {(c.stage, c.quantity): (c.passed, c.of) for c in flow.counts if c.table != "vertices"}
    n, kept = batch["particles"].num_rows, batch["tracks"].num_rows
    assert lines["window", "propagated"] == (np.count_nonzero(batch.array("particles", "propagated")), n)
    assert lines["tracker", "rows"] == (kept, n)
    assert lines["tracker", "Long"][0] + lines["tracker", "Upstream"][0] == kept
    assert lines["tracker", "Downstream"] == (0, kept)


def test_the_seed_decides():
    one, again, other = (TOY(example_events(), seed=seed)[0]["tracks"] for seed in (1, 1, 2))
    assert one.equals(again)
    assert not one.equals(other)


def test_a_missing_column_names_the_stage():
    with pytest.raises(ConfigError, match=r"stage 'tracker' needs particles.propagated, particles.p, which neither"):
        Pipeline("bad", (Tracker(),))


def test_a_provider_that_comes_too_late_is_named():
    with pytest.raises(ConfigError, match="'window' provides it, but comes later: move it up"):
        Pipeline("bad", (Tracker(), Window()))


def test_a_stage_stands_once():
    with pytest.raises(ConfigError, match="stage 'window' stands twice"):
        Pipeline("bad", (Window(), Window()))


def test_nothing_is_overwritten():
    class Again(Window):
        name = "again"

    with pytest.raises(ConfigError, match=r"stage 'again' writes particles.propagated, p, which an earlier stage"):
        Pipeline("bad", (Window(), Again()))


def test_output_keeps_the_key_and_what_is_asked_for():
    pipeline = Pipeline("few", TOY.stages, {"tracks": None, "particles": ("p",)})
    batch = pipeline.select_output(pipeline(example_events(), seed=1)[0])
    assert set(batch) == {"tracks", "particles"}
    assert batch["particles"].column_names == ["event_id", "particle_id", "p"]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ({"clusters": None}, "no stage makes the table 'clusters'; there are: events, particles, tracks, vertices"),
        ({"tracks": ("q",)}, r"output.tracks: no column 'q'; there are: event_id, track_id"),
    ],
)
def test_output_that_no_one_makes_is_refused(output, message):
    with pytest.raises(ConfigError, match=message):
        Pipeline("bad", TOY.stages, output)


def test_a_pipeline_can_be_sent_to_a_worker():
    pipeline = Pipeline("few", TOY.stages, {"tracks": None})
    assert pickle.loads(pickle.dumps(pipeline)) == pipeline


@pytest.mark.parametrize("stage", [Window(), Tracker()])
def test_the_toys_conform(stage):
    check_stage(stage, Window()(example_events(), None) if stage.name == "tracker" else example_events())
