"""Which networks the experiments train: the protocol's tables, by their names; and what they conclude from figures."""

from pathlib import Path

import pytest

from lamarrpy.errors import ConfigError
from lamarrpy.study.config import load_study
from lamarrpy.study.experiments import (
    EXPERIMENTS,
    activations,
    architecture,
    momentum,
    normalization,
    physics_loss,
    volume,
)
from lamarrpy.study.study import Study
from lamarrpy.study.wording import best, distance, names, times

TABLE_4 = {f"{family}_{size}" for family in ("mlp", "pinn", "rkpinn") for size in ("tiny", "small", "medium", "wide")}
TABLE_5 = {
    "pinn_medium_data_only": 0.0, "pinn_medium_pde_weak": 0.1, "pinn_medium": 1.0, "pinn_medium_pde_strong": 10.0,
    "pinn_medium_pde_dominant": 100.0, "rkpinn_medium_data_only": 0.0, "rkpinn_medium_pde_weak": 0.1,
    "rkpinn_medium_pde_strong": 10.0, "rkpinn_medium_pde_dominant": 100.0,
}  # fmt: skip
TABLE_6 = {f"{family}_medium_{name}_p" for family in ("mlp", "pinn", "rkpinn") for name in ("low", "mid", "high")}


@pytest.fixture(scope="module", params=["quick", "full"])
def study(request):
    return Study(Path("nowhere"), load_study(request.param))


def by_name(jobs):
    return {job.name: job for job in jobs}


def test_architectures_are_those_of_table_4(study):
    jobs = by_name(architecture.jobs(study))
    assert set(jobs) == TABLE_4
    for name, job in jobs.items():
        weights = (job.recipe.loss.data, job.recipe.loss.pde, job.recipe.loss.ic)
        assert weights == ((1.0, 0.0, 0.0) if name.startswith("mlp") else (1.0, 1.0, 1.0))
        assert job.samples == ("main.train", "main.validation", "main.test")


def test_weights_of_the_physics_are_those_of_table_5(study):
    jobs = by_name(physics_loss.jobs(study))
    for name, weight in TABLE_5.items():
        assert (jobs[name].recipe.loss.pde, jobs[name].recipe.loss.ic) == (weight, weight)
        assert jobs[name].recipe.architecture.size == "medium"
    assert jobs["rkpinn_medium_physics_only"].recipe.loss.data == 0.0


def test_ranges_of_momentum_are_those_of_table_6(study):
    jobs = by_name(momentum.jobs(study))
    assert set(jobs) >= TABLE_6
    for name in ("low", "mid", "high"):
        assert jobs[f"pinn_medium_{name}_p"].samples == (f"{name}.train", f"{name}.validation", f"{name}.test")
    ranges = {name: study.track_recipe(f"{name}.train").momentum.p for name in ("low", "mid", "high")}
    assert ranges == {"low": ((500.0, 5000.0),), "mid": ((5000.0, 20000.0),), "high": ((20000.0, 100000.0),)}


def test_trainings_that_several_ask_for_are_one(study):
    everything = [job for experiment in EXPERIMENTS.values() for job in experiment.jobs(study)]
    once = study.wanted(everything)
    assert len({job.name for job in once}) == len(once) < len(everything)


def test_one_name_for_two_trainings_is_an_error(study):
    mine = architecture.job(study, "mlp", "tiny")
    with pytest.raises(ConfigError, match="mlp_tiny"):
        study.wanted([mine, study.job("mlp_tiny", "other", "mlp", "tiny", training={"steps": 3})])


def test_additional_experiments_change_one_thing_at_a_time(study):
    usual = architecture.job(study, "mlp", "medium").recipe.architecture
    changed = {
        "mlp_medium_relu": {"activation": "relu"}, "mlp_medium_zscore": {"normalization": "zscore"},
        "mlp_medium_bend": {"ends": "bend"}, "mlp_medium_batch_norm": {"batch_norm": True},
    }  # fmt: skip
    jobs = by_name([*activations.jobs(study), *normalization.jobs(study)])
    for name, change in changed.items():
        assert jobs[name].recipe.architecture == usual.model_copy(update=change)
    assert "pinn_medium_batch_norm" not in jobs


def test_volumes_are_parts_of_the_sample_that_the_protocol_names():
    study = Study(Path("nowhere"), load_study("full"))
    tracks = [job.tracks for job in volume.jobs(study) if job.recipe.architecture.family == "mlp"]
    assert tracks == [1_000_000, 5_000_000, 10_000_000, 25_000_000, None]


def row(name, error, parameters, time, enough=True):
    return {"name": name, "family": name.split("_")[0], "distance_rms": error, "parameters": parameters,
            "inference_us": time, "accurate_enough": enough}  # fmt: skip


def test_the_frontier_is_what_nothing_beats_in_both():
    rows = [row("a", 1.0, 30, 3.0), row("b", 2.0, 20, 2.0), row("c", 3.0, 25, 1.0), row("d", None, 1, 0.1)]
    on = {cost: [one["name"] for one in rows if architecture._on_frontier(one, rows, cost)]
          for cost in ("parameters", "inference_us")}  # fmt: skip
    assert on == {"parameters": ["a", "b"], "inference_us": ["a", "b", "c"]}


def test_two_that_are_alike_are_both_on_the_frontier():
    rows = [row("a", 1.0, 30, 3.0), row("b", 1.0, 30, 3.0)]
    assert all(architecture._on_frontier(one, rows, "parameters") for one in rows)


def test_a_training_has_converged_when_it_is_near_its_best():
    entries = [{"step": step, "score": score} for step, score in ((1, 9.0), (2, 1.4), (3, 1.6), (4, 1.0))]
    assert physics_loss.steps_to_converge(entries) == 2.0
    assert physics_loss.steps_to_converge([]) is None
    assert physics_loss.steps_to_converge([{"step": 1, "score": None}]) is None


def crossed(trained_on, tested_on, error, size="medium"):
    return {"family": "mlp", "size": size, "trained_on": trained_on, "tested_on": tested_on, "distance_rms": error}


def test_ranges_are_compared_with_their_own_network():
    rows = [crossed("low", "low", 10.0), crossed("low", "high", 50.0), crossed("high", "high", 2.0),
            crossed("main", "high", 3.0), crossed("high", "high", 4.0, "tiny")]  # fmt: skip
    told = " ".join(momentum._conclusions(rows))
    assert (
        "MLP on high momenta: 2 um rms if trained on them alone, 3 um if trained on the main sample (1.5 times as far)"
        in told
    )
    assert "A tiny one is at 4 um there" in told
    assert "trained on low, asked for high) the MLP is 25 times as far off" in told


def test_numbers_are_worded_in_units_that_suit_them():
    assert [distance(um) for um in (3.21e6, 2345.6, 12.3, 0.0042, None)] == ["3.21 m", "2.35 mm", "12.3 um", "4.2 nm",
                                                                    "no finite distance"]  # fmt: skip
    assert (times(1.51), times(1234.5)) == ("1.5 times", "1,234 times")
    assert [names(found) for found in ([], ["a"], ["a", "b", "c"])] == ["none", "a", "a, b and c"]
    assert best([{"distance_rms": None}]) is None
