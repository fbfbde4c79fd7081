"""The multi-step experiment: exact steps chain to the exact end, wrong ones add up, and a small run of it."""

import json
from functools import partial

import numpy as np
import pytest
from small_study import CONFIG, Untrained

from lamarrpy.field import magnetic_field
from lamarrpy.propagation import State
from lamarrpy.study.config import load_study
from lamarrpy.study.experiments import multi_step
from lamarrpy.study.experiments.multi_step import chain, conclusion, growth, truths
from lamarrpy.study.experiments.robustness import integrated
from lamarrpy.study.jobs import plain
from lamarrpy.tracks import make_sample

LHCB = magnetic_field("lhcb")


@pytest.fixture(scope="module")
def sample():
    return make_sample("box", 60, 1)


def test_truths_end_where_the_sample_ends(sample):
    found = truths(sample.start, 1000.0, 8, LHCB)
    wanted = np.stack([sample.end.x, sample.end.y, sample.end.tx, sample.end.ty], axis=1)
    assert len(found) == 8
    assert np.abs(found[-1] - wanted).max() < 1e-4


def test_exact_steps_follow_the_truth_all_the_way(sample):
    states = list(chain(partial(integrated, field=LHCB, steps=20), sample.start, 1000.0, 8))
    for got, true in zip(states, truths(sample.start, 1000.0, 8, LHCB), strict=True):
        assert np.nanmax(np.abs(got - true)[:, :2]) < 1e-2


def test_a_slope_that_is_wrong_each_time_makes_errors_grow_with_the_square():
    start = State(*(np.zeros(3) for _ in range(5)), np.full(3, 1e-4))

    def kicked(state, dz):
        return np.tile([0.0, 0.0, 1e-6, 0.0], (len(dz), 1))

    x = [got[0, 0] for got in chain(kicked, start, 1000.0, 4)]
    assert x == pytest.approx([0.0, 1e-3, 3e-3, 6e-3])


def test_growth_is_the_power():
    rows = [{"step": step, "distance_68": 3.0 * step**1.5} for step in range(1, 9)]
    assert growth(rows) == pytest.approx(1.5)
    assert growth(rows[:1]) is None
    assert growth([{"step": 1, "distance_68": None}, {"step": 2, "distance_68": 1.0}]) is None


def test_both_networks_are_equal_but_for_their_tracks(tmp_path):
    study = Untrained(tmp_path, load_study(CONFIG))
    jobs = {job.name: job for job in multi_step.jobs(study)}
    assert set(jobs) == {"multi_step_mlp", "single_step_mlp", "multi_step_rkpinn", "single_step_rkpinn"}
    short, long = jobs["multi_step_mlp"].recipe, jobs["single_step_mlp"].recipe
    assert short.architecture == long.architecture
    assert short.architecture.columns is None
    assert (short.training, short.loss) == (long.training, long.loss)
    assert jobs["multi_step_rkpinn"].recipe.architecture.start is None
    assert jobs["single_step_rkpinn"].recipe.architecture.end == 12_000.0
    way = study.track_recipe("multi_step.train")
    assert way.start.z == ((4000.0, 11_000.0),)
    assert way.length.dz == ((1000.0, 1000.0),)


def test_a_small_run_tells_the_error_after_each_step(tmp_path):
    options = {"size": "tiny", "steps": 3, "train": 60, "test": 60}
    study = Untrained(tmp_path, load_study({**CONFIG, "experiments": {"multi_step": options}}))
    result = multi_step.run(study)
    steps = [(row["family"], row["step"], row["z"]) for row in result["rows"] if row["mode"] == "steps"]
    assert steps == [(family, i, 4000.0 + 1000.0 * i) for family in ("mlp", "rk_pinn") for i in (1, 2, 3)]
    assert [row["step"] for row in result["rows"] if row["mode"] == "single"] == [3, 3]
    assert set(result["growth"]) == {"multi_step_mlp", "multi_step_rkpinn"}
    assert all(row["n"] == 60 for row in result["rows"])
    json.dumps(plain(result), allow_nan=False)
    assert "mlp: 68 % of the tracks end within" in result["conclusion"]


def test_the_conclusion_names_the_closer_one():
    def row(mode, step, distance):
        return {"family": "mlp", "mode": mode, "step": step, "distance_68": distance, "contender": f"{mode}_mlp"}

    rows = [row("steps", 1, 1.0), row("steps", 2, 4.0), row("single", 2, 9.0)]
    assert conclusion(rows, {"steps_mlp": 2.0}) == (
        "mlp: 68 % of the tracks end within 4 um after 2 short steps and 9 um after a single one: short steps are"
        " closer; errors grow as the number of steps to the power 2."
    )
    assert "the single step is closer" in conclusion([*rows[:2], row("single", 2, 3.0)], {})
    assert conclusion(rows[:2], {}) == "mlp: no figures of both."
