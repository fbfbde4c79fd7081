"""The default recipe: teacher, student, tuning; a training that is stopped in any of them goes on to the same model."""

import numpy as np
import pytest
from small_training import TINY, Stopped, content_of, problem_of, recipe_of, write_table

from lamarrpy.errors import ArtifactError, ConfigError
from lamarrpy.train.learned import Watch
from lamarrpy.train.learners import learn
from lamarrpy.train.running import checkpoints, train
from lamarrpy.train.students import learn_by_distillation
from lamarrpy.validate.metrics import ks_distance

TEACHER = content_of()["teacher"] | {"algorithm": "coupling_affine", "options": {"blocks": 1}}
THREE_PHASES = content_of("distilled") | {
    "teacher": TEACHER,
    "training": {"steps": 5, "batch": 400},
    "tuning": {"training": {"steps": 4, "batch": 100}, "adversarial": {"discriminator": TINY, "referee": False}},
}


def stop_in(phase, passes):
    """What ends a training in one of its phases."""
    told = []

    def tell(now, step, steps, figures):
        told.append(now)
        if now == phase and told.count(now) == passes:
            raise Stopped

    return tell


@pytest.fixture
def quick(monkeypatch, no_figures):
    monkeypatch.setattr("lamarrpy.train.marginals._ROWS", 3000)


def test_a_training_stopped_in_each_phase_ends_in_the_same_student(columns, tmp_path):
    problem = problem_of(columns, "distilled", **THREE_PHASES)
    whole = learn_by_distillation(problem, whole_watch := Watch())
    for phase, passes in (("student", 1), ("tuning", 1)):
        with pytest.raises(Stopped):
            learn_by_distillation(problem, Watch(tmp_path / "here", "mine", stop_in(phase, passes)))
    told = []
    again = learn_by_distillation(problem, watch := Watch(tmp_path / "here", "mine", lambda *now: told.append(now)))
    assert {phase for phase, *_ in told} == {"tuning"}
    assert list(watch.curves) == ["coupling_affine", "student", "tuning"]
    assert watch.curves == whole_watch.curves
    for first, second in zip(whole.network.get_weights(), again.network.get_weights(), strict=True):
        assert np.array_equal(first, second)
    watch.clean()
    assert not (tmp_path / "here").exists()


@pytest.mark.usefixtures("quick")
def test_checkpoints_of_another_recipe_or_other_data_are_refused(data, columns, tmp_path):
    recipe, output = recipe_of(), tmp_path / "model"
    with pytest.raises(Stopped):
        train(recipe, data, output, stop_in("adversarial", 1))
    assert not output.exists()
    other = write_table(columns | {"p": columns["p"] * 1.001}, tmp_path / "toy.parquet")
    attempts = [(recipe_of(seed=1), data), (recipe_of(training={"steps": 3, "batch": 300}), data), (recipe, other)]
    for changed, rows in attempts:
        with pytest.raises(ArtifactError, match=r"\.model\.training: expected the checkpoints of this recipe and"):
            train(changed, rows, output)
    unused = write_table(columns | {"prob": columns["prob"] * 2}, tmp_path / "moved.parquet")
    told = []
    model = train(recipe, unused, output, lambda *now: told.append(now[1]))  # the same numbers, from another file
    assert told == [2]
    assert model.manifest.sample["files"] == ["moved.parquet"]
    assert not checkpoints(output).exists()


@pytest.mark.parametrize("algorithm", ["distilled", "BceGAN"])
def test_every_generator_is_calibrated_on_the_sample_it_learned_from(algorithm):
    """Even one that has learned next to nothing."""
    random = np.random.default_rng(0)
    p = random.normal(size=8000)
    columns = {"p": p, "x": np.where(random.random(8000) < 0.3, 0.0, np.exp(p + random.normal(size=8000)))}
    network = TINY if algorithm == "distilled" else TINY | {"latents": 5}  # without the shortcut of a good beginning
    changes = {"network": network, "teacher": TEACHER | {"pairs": 8000}}
    problem = problem_of(columns, algorithm, conditions=["p"], targets=["x"], **changes)
    learned = learn(problem, Watch())
    numbers = random.normal(size=(4000, learned.network.inputs[1].shape[-1])).astype(np.float32)
    raw = learned.network([problem.given("training"), numbers], training=False).numpy()
    truth = problem.parts["training"]["x"]
    assert ks_distance(truth, learned.targets.inverse_columns(raw)["x"]) < 1.6 / np.sqrt(4000)
    if algorithm == "BceGAN":
        assert ks_distance(truth, problem.targets.inverse_columns(raw)["x"]) > 0.1


def test_a_student_with_nothing_to_learn_stays_a_normal_generator(columns):
    """Before its first step a student gives its random numbers back; a rate of nothing leaves it so."""
    how = {"steps": 4, "batch": 500, "rate": 1e-30, "score": "ks"}
    learned = learn_by_distillation(
        problem := problem_of(columns, "distilled", training=how, teacher=TEACHER), watch := Watch()
    )
    given, numbers = problem.given("test"), np.random.default_rng(0).normal(size=(240, 2)).astype(np.float32)
    assert np.allclose(learned.network([given, numbers]).numpy(), numbers, atol=1e-6)
    assert list(watch.curves) == ["coupling_affine", "student"]
    assert len(watch.curves["student"].scores) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"teacher": {"algorithm": "BceGAN"}}, "expected a teacher out of autoregressive, .*, got 'BceGAN'"),
        ({"teacher": {"algorithm": "autoregresive"}}, "did you mean 'autoregressive'"),
        ({"teacher": {"options": {"bin": 3}}}, "autoregressive: expected options out of bins, .* did you mean 'bins'"),
        ({"options": {"bins": 3}}, "distilled: expected no options, got 'bins'"),
        ({"training": {"score": "kss"}}, "expected a score out of .*, got 'kss'"),
    ],
)
def test_mistakes_are_told_before_the_teacher_learns(columns, changes, words):
    watch = Watch()
    with pytest.raises(ConfigError, match=words):
        learn_by_distillation(problem_of(columns, "distilled", **changes), watch)
    assert not watch.curves


@pytest.mark.parametrize(
    ("tuning", "message"),
    [
        ({"algorithm": "BCGAN"}, "did you mean 'BceGAN'"),
        ({"training": {"score": "kolmogorov"}}, "expected a score"),
        ({"adversarial": {"loss": {"smoothing": "much"}}}, "expected numbers of the kind"),
    ],
)
def test_mistakes_of_tuning_are_told_before_anything_is_learned(columns, tuning, message):
    told = []
    problem = problem_of(columns, "distilled", tuning=tuning)
    with pytest.raises(ConfigError, match=message):
        learn_by_distillation(problem, Watch(tell=lambda *said: told.append(said)))
    assert not told


@pytest.mark.parametrize("algorithm", ["autoregressive", "coupling_spline"])
def test_what_a_density_has_no_use_for_is_refused(columns, algorithm):
    problem = problem_of(columns, algorithm, network={"width": 16, "dropout": 0.1})
    with pytest.raises(ConfigError, match=r"expected layers and width of its networks, got dropout too"):
        learn(problem, Watch())


def test_patience_needs_a_score(columns):
    problem = problem_of(columns, "BceGAN", split=[0.8, 0.0, 0.2], training={"steps": 2, "batch": 300, "patience": 1})
    with pytest.raises(ConfigError, match="with patience 1: set training"):
        learn(problem, Watch())
