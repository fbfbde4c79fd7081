"""The uncertainty experiment: what each method states as its error, and a small run of it."""

import json

import keras
import numpy as np
import pytest
from small_study import CONFIG, Untrained

from lamarrpy.nn.extrapolators.families import Shape, build
from lamarrpy.nn.players import Body
from lamarrpy.study.config import load_study
from lamarrpy.study.experiments import uncertainty
from lamarrpy.study.experiments.uncertainty import conclusion, dropout, ensemble, heteroscedastic
from lamarrpy.study.jobs import plain
from lamarrpy.tracks import make_sample
from lamarrpy.train.extrapolation.running import answers, rows_of


@pytest.fixture(scope="module")
def tracks():
    return rows_of(make_sample("box", 80, 1)).conditions


def constant(values):
    given = keras.Input((7,))
    bias = keras.initializers.Constant(values)
    return keras.Model(given, keras.layers.Dense(len(values), kernel_initializer="zeros", bias_initializer=bias)(given))


def test_an_ensemble_states_the_spread_of_its_members(tracks):
    told = ensemble([constant([value, 2.0, 0.0, 0.0]) for value in (1.0, 2.0, 3.0)])(tracks)
    assert told.predicted == pytest.approx(np.tile([2.0, 2.0, 0.0, 0.0], (80, 1)))
    assert told.error == pytest.approx(np.tile([1.0, 0.0, 0.0, 0.0], (80, 1)))


def test_an_own_error_is_told_in_the_unit_of_the_training(tracks):
    unit = np.array([100.0, 10.0, 0.1, 0.01])
    told = heteroscedastic(constant([1.0, 2.0, 3.0, 4.0, 0.0, np.log(2.0), np.log(0.5), 1e6]), unit)(tracks)
    assert told.predicted[0] == pytest.approx([1.0, 2.0, 3.0, 4.0])
    assert told.error[0, :3] == pytest.approx([100.0, 20.0, 0.05], rel=1e-5)
    assert np.isfinite(told.error).all()


def test_dropout_spreads_around_the_network_and_is_the_same_each_time(tracks):
    network = build(Shape("mlp", Body((32,), residual=False, activation="tanh", dropout=0.2)))
    method = dropout(network, 100, 1)
    told, again = method(tracks), method(tracks)
    assert np.array_equal(told.predicted, again.predicted)
    assert np.array_equal(told.error, again.error)
    assert np.all(told.error > 0.0)
    # one hidden layer: the mean over all masks is the network itself
    pull = (told.predicted - answers(network, tracks)) / told.error * np.sqrt(100.0)
    assert np.abs(pull).mean() < 2.0
    other = dropout(network, 2, 2)(tracks)
    assert not np.array_equal(other.predicted, dropout(network, 2, 1)(tracks).predicted)


def test_members_differ_in_their_seed_alone(tmp_path):
    jobs = {job.name: job for job in uncertainty.jobs(Untrained(tmp_path, load_study(CONFIG)))}
    members = [job.recipe for name, job in jobs.items() if name.startswith("ensemble_")]
    assert len({recipe.seed for recipe in members}) == len(members) == 4
    assert len({recipe.model_copy(update={"seed": 0, "name": ""}).model_dump_json() for recipe in members}) == 1
    assert jobs["mc_dropout"].recipe.architecture.dropout == 0.05
    assert jobs["heteroscedastic"].recipe.architecture.spread


def test_a_small_run_judges_every_method(tmp_path):
    options = {"size": "tiny", "members": 2, "passes": 3, "tracks": 100}
    study = Untrained(tmp_path, load_study({**CONFIG, "experiments": {"uncertainty": options}}))
    result = uncertainty.run(study)
    seen = {(row["method"], row["sample"], row["output"]) for row in result["rows"]}
    methods = ("ensemble", "dropout", "heteroscedastic")
    assert seen == {(m, s, o) for m in methods for s in ("test", "outside") for o in ("x", "y", "tx", "ty")}
    assert result["outside"] == "position"
    for method in methods:
        assert sum(result["pulls"][method]["x"]["counts"]) == 100
        assert result["accuracy"][method]["n"] == 100
    for row in result["rows"]:
        assert 0.0 <= row["coverage_68"] <= row["coverage_95"] <= 1.0
    json.dumps(plain(result), allow_nan=False)


def test_without_networks_nothing_is_said():
    assert conclusion([]) == "No network of this experiment has been trained."


def test_the_conclusion_compares_inside_and_outside():
    def row(sample, error, sigma):
        return {"method": "ensemble", "sample": sample, "output": "x", "pull_width": 2.0, "coverage_68": 0.4,
                "calibrated_68": 0.66, "error_68": error, "sigma_median": sigma}  # fmt: skip

    said = conclusion([row("test", 10.0, 5.0), row("outside", 100.0, 10.0)])
    assert "pulls in x have width 2.00 and 40% of the tracks lie within one stated error" in said
    assert "errors are 10 times as large, stated ones 2 times, and 66% lie within" in said
