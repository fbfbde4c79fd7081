"""The timing experiment: accuracy that is matched, factors between rows, and a small run of it."""

import json
from pathlib import Path

import numpy as np
import pytest
from small_study import CONFIG

from lamarrpy.errors import ConfigError, LamarrpyError
from lamarrpy.study.config import load_study
from lamarrpy.study.experiments import timing
from lamarrpy.study.experiments.timing import STEPS, conclusion, integrators, matched_steps, speedups
from lamarrpy.study.jobs import plain
from lamarrpy.study.stopwatch import Integrator, integrating, measure
from lamarrpy.study.study import Study
from lamarrpy.tracks import load_track_recipe, make_sample
from lamarrpy.tracks.accuracy import accuracy

FIELD = {"kind": "lhcb", "polarity": "MagUp"}


@pytest.fixture(scope="module")
def sample():
    return make_sample("box", 400, 1)


def distance_95(sample, steps):
    got = integrating(Integrator(method="runge_kutta", steps=steps), FIELD, sample)(sample.start, sample.dz)
    true = np.stack([sample.end.x, sample.end.y, sample.end.tx, sample.end.ty], axis=1)
    return accuracy(got, true)["distance_95"]


def test_matched_steps_are_the_fewest_that_are_as_accurate(sample):
    field = load_track_recipe("box").field.make()
    for steps in (4, 16, 40):
        just = distance_95(sample, steps)
        assert matched_steps(sample, field, just * 1.001) == steps
        before = STEPS[STEPS.index(steps) - 1]
        assert distance_95(sample, before) > just
        assert matched_steps(sample, field, just * 0.999) > steps
    assert matched_steps(sample, field, 0.0) is None
    assert matched_steps(sample, field, None) is None


def test_tracks_between_two_planes_step_together_and_others_do_not(sample):
    options = timing.Options()
    found = integrators(options, sample, [4, 12])
    assert found["runge_kutta_40"].method == found["runge_kutta_4"].method == "in_planes"
    assert found["runge_kutta_100mm"].steps == 80
    assert found["runge_kutta_anywhere"].method == "runge_kutta"
    assert found["runge_kutta_map"].spacing == 100.0
    assert "shared_steps" in found
    others = integrators(options, make_sample("stress_length", 50, 1), [])
    assert others["runge_kutta_40"].method == "runge_kutta"
    assert "shared_steps" not in others


def row(contender, kind, batch, time, threads=1, engine="onnx"):
    return {"contender": contender, "kind": kind, "engine": engine if kind == "network" else "numpy",
            "threads": threads, "device": "cpu", "batch": batch, "us_per_track": time, "p50_us": time * batch,
            "p95_us": 2 * time * batch, "p99_us": 3 * time * batch}  # fmt: skip


ROWS = [
    row("net", "network", 1, 20.0),
    row("net", "network", 1000, 0.5),
    row("net", "network", 1000, 0.4, threads=2),
    row("net", "network", 1000, 2.0, engine="keras"),
    row("runge_kutta_40", "integrator", 1, 800.0),
    row("runge_kutta_40", "integrator", 100, 10.0),
    row("runge_kutta_40", "integrator", 100, 6.0, threads=2),
    row("runge_kutta_8", "integrator", 100, 0.25),
]


def test_factors_are_between_rows_of_as_many_threads():
    found = {(one["over"], one["engine"], one["threads"], one["batch"]): one for one in speedups(ROWS, {"net": 8})}
    assert found["runge_kutta_40", "onnx", 1, 1]["factor"] == pytest.approx(40.0)
    assert found["runge_kutta_40", "onnx", 1, 1000]["factor"] == pytest.approx(20.0)  # against its largest batch
    assert found["runge_kutta_40", "onnx", 2, 1000]["factor"] == pytest.approx(15.0)
    assert found["runge_kutta_8", "onnx", 1, 1000]["factor"] == pytest.approx(0.5)
    assert [one["over"] for one in found.values() if one["matched"]] == ["runge_kutta_8"] * 2
    assert not any(one["matched"] for one in speedups(ROWS, {"net": None}))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (5.0, "20 times less than 40 Runge-Kutta steps and 2 times more than runge_kutta_8, the fastest"),
        (0.5, "and 20 times less than runge_kutta_40, the fastest"),
        (0.01, "95 % of its ends are within 0.01 um, which no integrator here reaches"),
        (None, "it has no finite answers"),
    ],
)
def test_the_conclusion_says_where_an_integrator_wins(error, told):
    figures = {"net": error, "runge_kutta_40": 0.1, "runge_kutta_8": 2.0}
    contenders = {name: {"distance_95": value, "share_finite": 1.0} for name, value in figures.items()}
    said = conclusion(ROWS, speedups(ROWS, {}), contenders)
    assert told in said
    assert "with onnx: half of the passes within 20 us, 99 % within 60 us" in said
    assert conclusion([], [], {}) == "No network was timed."


def test_networks_that_there_are_not_are_told():
    config = load_study({**CONFIG, "experiments": {"timing": {"networks": ["rkpinn_smal"]}}})
    with pytest.raises(ConfigError, match="did you mean 'rkpinn_small'"):
        timing.jobs(Study(Path("nowhere"), config))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    options = {"networks": ["mlp_tiny"], "engines": ["onnx", "pipeline", "keras", "function", "xla"], "threads": [1],
               "batches": [1, 20], "warmup": 1, "passes": 2}  # fmt: skip
    config = load_study({**CONFIG, "experiments": {"timing": options}})
    study = Study(tmp_path_factory.mktemp("timing"), config)
    study.train(timing.jobs(study))
    return study


def test_a_small_run_times_everything(trained, monkeypatch):
    monkeypatch.setattr(timing, "_carried_out", measure)  # in this process, which has TensorFlow already
    result = timing.run(trained)
    assert result["failed"] == []
    timed = {(one["contender"], one["engine"], one["batch"]) for one in result["rows"]}
    engines = ("onnx", "pipeline", "keras", "function", "xla")
    assert timed >= {("mlp_tiny", engine, batch) for engine in engines for batch in (1, 20)}
    assert timed >= {("runge_kutta_40", "numpy", batch) for batch in (1, 20)}
    assert result["contenders"]["mlp_tiny"]["family"] == "mlp"
    assert result["contenders"]["runge_kutta_40"]["distance_95"] < 100.0
    agreement = result["agreement"]["mlp_tiny"]
    assert list(agreement.values()) == pytest.approx([agreement["keras"]] * 5, rel=1e-3)
    assert [one["engine"] for one in result["memory"]] == ["numpy", *engines]
    assert {one["contender"] for one in result["latency"]} >= {"mlp_tiny", "dormand_prince"}
    json.dumps(plain(result), allow_nan=False)
    assert "mlp_tiny takes" in result["conclusion"]


def test_what_cannot_be_timed_is_told_and_the_rest_is(trained, monkeypatch):
    def fails(order):
        if order.engine != "numpy":
            raise LamarrpyError("timing failed: first line\nout of memory")
        return measure(order)

    monkeypatch.setattr(timing, "_carried_out", fails)
    result = timing.run(trained)
    assert {(one["engine"], one["reason"]) for one in result["failed"]} == {
        (engine, "out of memory") for engine in ("onnx", "pipeline", "keras", "function", "xla")
    }
    assert {one["kind"] for one in result["rows"]} == {"integrator"}
    assert result["conclusion"] == "No network was timed."
