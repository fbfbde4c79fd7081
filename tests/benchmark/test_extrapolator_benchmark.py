"""The benchmark of extrapolators: what is compared, and that every check is documented."""

import re
from pathlib import Path

import numpy as np
import pytest

from lamarrpy.benchmark.checks import Check
from lamarrpy.benchmark.extrapolator import checks
from lamarrpy.benchmark.extrapolator.contenders import (
    Contender,
    distance,
    fixed_steps,
    looked_up,
    matched,
    picard,
    times,
)
from lamarrpy.benchmark.extrapolator.matrices import jacobian_error
from lamarrpy.benchmark.extrapolator.pipeline import pipeline_checks
from lamarrpy.benchmark.extrapolator.table import Row, tell, verdict
from lamarrpy.field import magnetic_field
from lamarrpy.tracks import load_track_recipe, make_sample

PAGE = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text()


@pytest.fixture(scope="module")
def sample():
    return make_sample(load_track_recipe("box"), 400, seed=4)


def test_more_steps_are_nearer_to_the_truth(sample):
    field = magnetic_field("lhcb")
    errors = [distance(fixed_steps(field, count), sample, 0.95) for count in (8, 16, 32)]
    assert errors[0] > 10.0 * errors[1] > 100.0 * errors[2]
    assert matched(field, sample, 1.01 * errors[1]) in (14, 16)


def test_sweeps_without_a_network_get_there_too(sample):
    errors = [distance(picard({"kind": "lhcb"}, n, **checks.NODES["lhcb"]), sample, 0.95) for n in (1, 3, 5)]
    assert errors[0] > 100.0
    assert errors[2] < 1.0 < errors[0]


def test_a_map_costs_micrometres(sample):
    exact, mapped = (magnetic_field("lhcb"), looked_up(magnetic_field("lhcb")))
    assert distance(fixed_steps(exact, 48), sample, 0.5) < 0.1
    assert 1.0 < distance(fixed_steps(mapped, 48), sample, 0.5) < 100.0


def test_times_are_of_each_contender(sample):
    def work(much):
        return lambda start, dz: [np.sort(np.random.default_rng(0).normal(size=much)) for _ in range(3)]

    found = times([Contender("little", work(1000)), Contender("much", work(300_000))], sample, 2)
    assert found["much"] > 5.0 * found["little"] > 0.0


def test_tracks_that_are_left_over_do_not_count(sample):
    ends = np.stack([sample.end.x, sample.end.y, sample.end.tx, sample.end.ty], axis=1)
    ends[::2] = np.nan
    ends[1::2, 0] += 1e-3
    found = checks._figures(ends, sample, 2000.0)
    assert found["rms_x"] == pytest.approx(1.0)
    assert found["mean_x"] == pytest.approx(1.0)
    assert found["rms_ty"] == 0.0


def _row(name, time, near, soft):
    return Row(name, time, {"distance_68": near, "distance_95": 1.0, "rms_x": 1.0, "mean_x": 0.0},
               {"distance_68": 1.0, "distance_95": 1.0, "rms_x": soft})  # fmt: skip


def test_it_is_said_where_the_network_does_not_win(capsys):
    rows = [_row("network", 1.0, 0.2, 3.0), _row("Picard", 0.9, 0.1, 50.0), _row("slow", 9.0, 0.0, 0.0)]
    said = verdict(rows, "network")
    assert said[0] == (
        "The network does not win at the median from 5 GeV: Picard cost no more and end no further from the truth."
    )
    assert said[1].startswith("The network wins in the tail")
    assert verdict(rows, None) == []
    tell("lhcb", rows, "network")
    assert "does not win" in capsys.readouterr().err


def test_the_gain_is_over_sweeps_that_cost_as_much():
    sweeps = [Contender(str(n), None) for n in range(3)]
    rows = {"0": _row("0", 0.5, 1, 900.0), "1": _row("1", 1.1, 1, 60.0), "2": _row("2", 2.0, 1, 6.0),
            "network": _row("network", 1.0, 1, 2.0)}  # fmt: skip
    assert checks._gain("lhcb", Contender("network", None), sweeps, rows).value == pytest.approx(30.0)
    assert checks._gain("lhcb", None, sweeps, rows).value is None


def test_the_matrix_is_that_of_the_integration():
    assert jacobian_error(40).value < 0.01


def test_the_stage_is_timed_both_ways():
    found = {check.name: check for check in pipeline_checks(quick=True)}
    assert found["extrapolator.pipeline.speedup"].low == 1.0
    assert found["extrapolator.pipeline.error_95.neural"].value < 40.0
    assert 0.0 < found["extrapolator.pipeline.left_to_runge_kutta"].value < 0.4


def _names():
    """Every check but those of the pipeline, without measuring anything."""
    sample = make_sample(load_track_recipe("box"), 5, seed=1)
    for field in checks.FIELDS:
        for name in checks.SAMPLES:
            yield from checks._accuracy(f"{field}.{name}", None, sample)
    yield checks._gain("lhcb", None, [], {})


def test_bars_are_those_that_were_set():
    bars = {check.name: (check.low, check.high) for check in _names()}
    assert bars["extrapolator.rms_x.lhcb.box.p5"] == (None, 1.0)
    assert bars["extrapolator.rms_ty.dipole_pair.acceptance.p5"] == (None, 0.2)
    assert bars["extrapolator.distance_95.lhcb.acceptance.p5"] == (None, 1.5)
    assert bars["extrapolator.mean_tx.lhcb.box.p5"] == (-0.1, 0.1)
    assert bars["extrapolator.distance_68.lhcb.box.p2"] == (None, 1.0)
    assert bars["extrapolator.distance_95.lhcb.box.p2"] == (None, 5.0)
    assert bars["extrapolator.rms_x.lhcb.box.p2"] == (None, 10.0)
    assert bars["extrapolator.gain_over_picard.lhcb"] == (3.0, None)


def _documented(check: Check) -> bool:
    name = check.name.removeprefix("extrapolator.")
    for field in checks.FIELDS:
        name = name.replace(f".{field}", ".FIELD")
    for sample in checks.SAMPLES:
        name = name.replace(f".{sample}", ".SAMPLE")
    quantity, _, rest = name.partition(".")
    family = re.sub(r"_(x|y|tx|ty)$", "_x", quantity)
    family = family if family == "rms_x" or family == "mean_x" else quantity
    family = "rms_tx" if quantity in ("rms_tx", "rms_ty") else family
    return f"`extrapolator.{family}.{rest}`" in PAGE


def test_every_check_is_documented():
    assert [check.name for check in _names() if not _documented(check)] == []
    for fixed in ("jacobian_error", "pipeline.speedup", "training_cpu.fixed.FIELD", "speedup.FIELD.matched"):
        assert f"`extrapolator.{fixed}`" in PAGE
