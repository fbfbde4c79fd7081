"""Contenders of the timing: integrators that agree, networks with the straight line added, and a process of its own."""

import json

import numpy as np
import pytest

from lamarrpy.benchmark.processes import run_module
from lamarrpy.errors import ConfigError
from lamarrpy.propagation import State
from lamarrpy.study.samples import Samples, SampleSpec
from lamarrpy.study.stopwatch import Integrator, Order, _shared_out, integrating, measure, through
from lamarrpy.tracks import load_track_recipe, make_sample

FIELD = {"kind": "lhcb", "polarity": "MagUp"}


@pytest.fixture(scope="module")
def sample():
    return make_sample("box", 300, 1)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    found = Samples(tmp_path_factory.mktemp("samples"))
    found.make(SampleSpec("main.test", load_track_recipe("box").as_data(), 60, 1))
    return found


def true_ends(sample):
    return np.stack([sample.end.x, sample.end.y, sample.end.tx, sample.end.ty], axis=1)


@pytest.mark.parametrize(
    ("integrator", "within"),
    [
        ({"method": "runge_kutta", "steps": 80}, 5e-4),
        ({"method": "in_planes", "steps": 80}, 5e-4),
        ({"method": "dormand_prince", "tolerance": 1e-6}, 1e-4),
        ({"method": "shared_steps"}, 0.5),
        ({"method": "runge_kutta", "steps": 80, "spacing": 100.0}, 2.0),
    ],
)
def test_integrators_arrive_at_the_true_end(integrator, within, sample):
    hard = sample.at(sample.p > 5000.0)
    got = integrating(Integrator(**integrator), FIELD, hard)(hard.start, hard.dz)
    assert np.abs(got - true_ends(hard))[:, :2].max() < within


def test_steps_in_planes_are_those_anywhere(sample):
    ends = [integrating(Integrator(method=method, steps=10), FIELD, sample)(sample.start, sample.dz)
            for method in ("runge_kutta", "in_planes")]  # fmt: skip
    assert ends[0] == pytest.approx(ends[1], abs=0.02)


@pytest.mark.parametrize("method", ["in_planes", "shared_steps"])
def test_steps_that_all_share_need_one_end(method):
    lengths = make_sample("stress_length", 20, 1)
    with pytest.raises(ConfigError, match="end at one z"):
        integrating(Integrator(method=method), FIELD, lengths)(lengths.start, lengths.dz)


def test_a_network_adds_to_the_straight_line_in_full_precision(sample):
    shift = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
    given = []

    def answer(tracks):
        given.append(tracks)
        return np.tile(shift, (len(tracks), 1))

    got, start = through(answer)(sample.start, sample.dz), sample.start
    line = np.stack([start.x + start.tx * sample.dz, start.y + start.ty * sample.dz, start.tx, start.ty], axis=1)
    assert np.array_equal(got, line + shift)
    assert given[0].dtype == np.float32
    assert np.array_equal(given[0], np.stack([*start, sample.dz], axis=1).astype(np.float32))


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 2, 7, 5000])
def test_threads_share_tracks_out_and_keep_their_order(threads, count):
    start = State(*np.arange(6.0)[:, None] + np.arange(count))
    sizes = []

    def echo(some, dz):
        sizes.append(len(dz))
        return np.stack([some.x, some.y, some.tx, dz], axis=1)

    dz = np.arange(float(count))
    assert np.array_equal(_shared_out(echo, threads)(start, dz), echo(start, dz))
    assert max(sizes[:-1]) <= 4096
    assert len(sizes) - 1 >= min(threads, count)


def order(samples, **keys):
    return Order(batches=(1, 50), warmup=1, passes=3, seconds=1.0, samples=str(samples.folder), sample="main.test",
                 field=FIELD, **keys)  # fmt: skip


def test_every_batch_of_every_contender_is_measured(samples):
    wanted = {"short": Integrator(method="in_planes", steps=2), "long": Integrator(method="in_planes", steps=60)}
    told = measure(order(samples, engine="numpy", integrators=wanted))
    rows = {(row["contender"], row["batch"]): row for row in told["rows"]}
    assert set(rows) == {(name, batch) for name in wanted for batch in (1, 50)}
    for (_, batch), row in rows.items():
        assert row["passes"] == 3
        assert row["us_per_track"] == pytest.approx(row["p50_us"] / batch)
        assert row["per_second"] == pytest.approx(1e6 / row["us_per_track"])
    assert told["accuracy"]["long"]["distance_95"] < told["accuracy"]["short"]["distance_95"]
    assert told["accuracy"]["long"]["n"] == 50
    assert 0.0 < told["memory"]["imported_mb"] <= told["memory"]["peak_mb"]
    assert told["device"] == "cpu"


def test_it_runs_as_a_process_and_prints_json(samples, tmp_path):
    path = tmp_path / "order.json"
    wanted = {"steps": Integrator(method="shared_steps")}
    path.write_text(order(samples, engine="numpy", threads=2, integrators=wanted).model_dump_json())
    told = json.loads(run_module("timing", "lamarrpy.study.stopwatch", str(path)))
    assert [row["batch"] for row in told["rows"]] == [1, 50]
