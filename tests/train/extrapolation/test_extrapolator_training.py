"""Neural extrapolators learn: from true ends, from the equation of motion, from both."""

import numpy as np
import pytest
from pydantic import ValidationError

from lamarrpy.errors import ConfigError
from lamarrpy.tracks import load_track_recipe, make_sample
from lamarrpy.train.extrapolation.learner import Weights
from lamarrpy.train.extrapolation.recipe import ExtrapolatorRecipe, features_of
from lamarrpy.train.extrapolation.running import answers, deviations, rows_of, train_extrapolator

STEPS = {"steps": 300, "batch": 256, "rate": 3e-3, "evaluations": 3}
CROWD = {"nodes": 10, "sweeps": 1, "middle": 4500, "width": 2500, "start": 4000, "end": 12_000}


@pytest.fixture(scope="module")
def sample():
    return make_sample(load_track_recipe("box"), 4000, seed=1)


@pytest.fixture(scope="module")
def held_out():
    return make_sample(load_track_recipe("box"), 1000, seed=2)


def _recipe(architecture, **rest):
    return ExtrapolatorRecipe.model_validate({"name": "x", "architecture": architecture, "training": STEPS} | rest)


def _error(trained, sample):
    """Median distance [mm] of the ends."""
    differ = answers(trained.network, rows_of(sample).conditions)[:, :4] - deviations(sample)
    return float(np.median(np.hypot(differ[:, 0], differ[:, 1])))


@pytest.mark.parametrize(
    ("architecture", "loss", "close"),
    [
        ({"family": "mlp", "size": [32], "ends": "bend"}, {}, 100.0),
        ({"family": "mlp", "size": [32], "ends": "direct", "normalization": "zscore"}, {}, 400.0),
        ({"family": "pinn", "size": [32], "ends": "bend"}, {"data": 1, "pde": 1}, 120.0),
        ({"family": "pinn", "size": [32], "ends": "bend", "exact_start": False}, {"data": 1, "pde": 1, "ic": 1}, 150.0),
        ({"family": "rk_pinn", "size": [32], **CROWD}, {"data": 0, "pde": 1}, 0.5),
        ({"family": "rk_pinn", "size": [32], **CROWD}, {"data": 1, "pde": 1}, 1.0),
    ],
    ids=["mlp", "mlp-direct", "pinn", "pinn-ic", "rk_pinn-physics", "rk_pinn-both"],
)
def test_every_family_learns(architecture, loss, close, sample, held_out):
    assert np.median(np.abs(deviations(held_out)[:, 0])) > 250.0  # how far a straight line ends from the truth
    trained = train_extrapolator(_recipe(architecture, loss=loss), sample, held_out)
    assert _error(trained, held_out) < close
    scores = trained.history.scores
    assert len(scores) == 3
    assert scores[-1] <= scores[0]


def test_physics_alone_needs_no_true_end(sample, held_out):
    recipe = _recipe({"family": "rk_pinn", "size": [16], **CROWD}, loss={"data": 0, "pde": 1})
    wrong = type(sample)(sample.start, sample.dz, sample.end._replace(x=sample.end.x + 1000.0))
    one, other = (train_extrapolator(recipe, each, held_out) for each in (sample, wrong))
    for mine, its in zip(one.network.get_weights(), other.network.get_weights(), strict=True):
        assert np.array_equal(mine, its)


def test_a_network_may_begin_with_what_another_has_learned(sample, held_out):
    architecture = {"family": "rk_pinn", "size": [16], **CROWD}
    first = train_extrapolator(_recipe(architecture, loss={"data": 0, "pde": 1}), sample, held_out)
    elsewhere = _recipe({**architecture, "sweeps": 2}, loss={"data": 0, "pde": 1})
    short = elsewhere.model_copy(update={"training": elsewhere.training.model_copy(update={"steps": 1, "rate": 1e-9})})
    again = train_extrapolator(short, sample, held_out, begin_with=first.network)
    assert _error(again, held_out) < _error(first, held_out)


def test_an_error_of_its_own_is_of_the_right_size(sample, held_out):
    trained = train_extrapolator(
        _recipe({"family": "mlp", "size": [32], "ends": "bend", "spread": True}), sample, held_out
    )
    told = answers(trained.network, rows_of(held_out).conditions).astype(float)
    unit = rows_of(sample).targets.std(axis=0)
    pull = (told[:, 0] - deviations(held_out)[:, 0]) / (unit[0] * np.exp(told[:, 4]))
    low, high = np.quantile(pull, (0.16, 0.84))
    assert 0.3 < 0.5 * (high - low) < 3.0


def test_features_are_scaled_by_the_sample(sample):
    columns = np.stack([*sample.start, sample.dz], axis=1)
    centre, scale = features_of("zscore", sample)
    seen = (columns - centre) / scale
    varies = [0, 1, 3, 4, 5]
    assert np.allclose(seen[:, varies].mean(axis=0), 0.0, atol=1e-9)
    assert np.allclose(seen[:, varies].std(axis=0), 1.0)
    centre, scale = features_of("minmax", sample)
    assert np.abs((columns - centre) / scale).max() == pytest.approx(1.0)
    assert scale[2] == scale[6] == 1.0


def test_what_cannot_be_learned_is_refused(sample, held_out):
    with pytest.raises(ConfigError, match="picard: it has no network"):
        train_extrapolator(_recipe({"family": "picard"}), sample, held_out)
    for wrong in ((-1.0, 0.0, 0.0), (0.0, 0.0, 1.0)):
        with pytest.raises(ConfigError, match="weights of the loss"):
            Weights(*wrong)
    with pytest.raises(ValidationError, match="did you mean 'sweeps'"):
        _recipe({"family": "rk_pinn", "sweps": 2})
