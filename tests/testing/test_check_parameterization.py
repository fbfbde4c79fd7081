"""The conformance test of models passes sound ones, and finds every broken promise."""

import numpy as np
import pytest
from tiny_models import (
    CONDITIONS,
    DLL,
    LATENTS,
    NDOF,
    SEEN,
    asked,
    classifier_network,
    condition_transforms,
    generator_network,
    node,
    onnx_network,
    plain_transforms,
    write_classifier,
    write_generator,
    write_model,
    write_resampling,
)

from lamarrpy.errors import ArtifactError
from lamarrpy.parameterization.folder import KERAS, MODEL
from lamarrpy.parameterization.manifest import Condition, Target
from lamarrpy.parameterization.parameterization import Classifier, Generator, Parameterization
from lamarrpy.parameterization.transforms import OneHot, PerColumn
from lamarrpy.testing import check_parameterization

PLAIN = (Target(name="x", low=-10.0, high=10.0), Target(name="y", low=-10.0, high=10.0))


def write_plain(folder, last=(), **options):
    """A model whose targets are what its network says."""
    options = {"targets": PLAIN, "transform": plain_transforms("x", "y")} | options
    return write_generator(folder, generator_network(last=last), **options)


@pytest.mark.parametrize("write", [write_generator, write_classifier, write_resampling, write_plain])
def test_sound_models_pass(write, tmp_path):
    check_parameterization(write(tmp_path / "m"))
    check_parameterization(write(tmp_path / "m"), asked(1500), seed=1)
    check_parameterization(str(tmp_path / "m"), {"p": np.array([1000.0]), "n_tracks": np.array([30], np.int32)})


def test_models_of_every_dtype_pass(tmp_path):
    conditions = (
        Condition(name="p", dtype="float32", low=0.10000000149011612, high=0.30000001192092896),
        Condition(name="charge", dtype="int8", low=-1.0, high=1.0),
        Condition(name="muon", dtype="bool", low=0.0, high=1.0),
    )
    names = [condition.name for condition in conditions]
    network = onnx_network(
        [node("MatMul", "conditions w", "y"), node("Softmax", "y", "probabilities")],
        {"w": np.ones((3, 3))},
        {"conditions": 3},
        {"probabilities": 3},
    )
    target = Target(name="kind", dtype="int16", integer=True, masses=(-1.0, 0.0, 1.0), low=-1.0, high=1.0)
    transforms = {"conditions": plain_transforms(*names)}
    folder = write_model(
        tmp_path / "m",
        "classifier",
        (target,),
        {MODEL: network},
        transforms,
        conditions,
        classes=target.masses,
        latents=1,
    )
    check_parameterization(folder)


BROKEN_GENERATORS = {
    "rows that see the mean of all": (
        [node("ReduceMean", "y", "mean", axes=[0]), node("Add", "y mean", "targets")],
        "tiny: other chunks gave other values of x",
    ),
    "rows that see the one before": (
        [node("CumSum", "y axis", "sums"), node("Tanh", "sums", "targets")],
        "tiny: other chunks gave other values of x",
    ),
    "numbers of its own": (
        [node("RandomNormalLike", "y", "noise"), node("Add", "y noise", "targets")],
        "tiny: a second call gave other values of x",
    ),
    "NaN": (
        [node("Log", "y", "targets")],
        "tiny has no answer inside of its training domain: column 'x': expected finite numbers",
    ),
    "infinity": (
        [node("Abs", "y", "z"), node("Floor", "z", "f"), node("Reciprocal", "f", "targets")],
        "tiny has no answer inside of its training domain: column 'x': expected finite numbers",
    ),
    "values beyond the bounds": (
        [node("Exp", "y", "e"), node("Exp", "e", "targets")],
        r"tiny: x: \d+ values beyond \[-10.0, 10.0\]",
    ),
}


@pytest.mark.parametrize("broken", BROKEN_GENERATORS)
def test_broken_generators_are_found(broken, tmp_path):
    last, message = BROKEN_GENERATORS[broken]
    axis = [node("Constant", "", "axis", value_int=0)] if "axis" in last[0].input else []
    folder = write_plain(tmp_path / "m", [*axis, *last])
    with pytest.raises(AssertionError, match=message):
        check_parameterization(folder)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (DLL.model_copy(update={"dtype": "int32"}), "expected answers of int32 in 'dll', got others"),
        (DLL.model_copy(update={"dtype": "bool"}), "expected answers of bool in 'dll', got others"),
        (DLL.model_copy(update={"integer": True}), "dll has values that were never seen in training"),
        (DLL.model_copy(update={"high": 1.0}), r"dll: \d+ values beyond \[-4.0, 1.0\]"),
        (DLL.model_copy(update={"low": -1.0}), r"dll: \d+ values beyond \[-1.0, 5.0\]"),
    ],
)
def test_answers_that_are_not_as_the_manifest_says(target, message, tmp_path):
    for number, folder in enumerate(
        (
            write_generator(tmp_path / "0", targets=(target, NDOF)),
            write_resampling(tmp_path / "1", targets=(target, NDOF, SEEN)),
        )
    ):
        with pytest.raises(AssertionError, match=message):
            check_parameterization(folder, seed=number)


def test_whole_numbers_that_were_never_seen(tmp_path):
    folder = write_generator(tmp_path / "m", targets=(DLL, NDOF.model_copy(update={"masses": (3.0, 7.0)})))
    with pytest.raises(AssertionError, match="tiny: ndof has values that were never seen in training"):
        check_parameterization(folder)


@pytest.mark.parametrize(
    ("last", "message"),
    [
        ("Sigmoid", "probabilities of its network do not add up to one, they are .* off"),
        ("Exp", "its network gives probabilities beyond"),
        ("Identity", "its network gives probabilities beyond"),
        ("Log", "its network gives probabilities beyond"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_probabilities_that_are_none(last, message, tmp_path):
    with pytest.raises(AssertionError, match=message):
        check_parameterization(write_classifier(tmp_path / "m", classifier_network(last=last)))


def test_probabilities_that_depend_on_other_rows(tmp_path):
    nodes = [
        node("MatMul", "conditions w", "y"),
        node("Softmax", "y", "probabilities", axis=0),  # over the rows
    ]
    network = onnx_network(nodes, {"w": np.eye(2)}, {"conditions": 2}, {"probabilities": 2})
    with pytest.raises(AssertionError, match="tiny: other chunks gave other values of seen"):
        check_parameterization(write_classifier(tmp_path / "m", network))


@pytest.fixture(scope="module")
def networks():
    """A generator and a classifier, each as ONNX and as Keras, and Keras files of others."""
    import keras

    from lamarrpy.train.export import to_keras, to_onnx

    keras.utils.set_random_seed(2)
    conditions, latents = keras.Input((2,), name="conditions"), keras.Input((LATENTS,), name="latents")
    hidden = keras.layers.Dense(16, "tanh")(keras.layers.Concatenate()([conditions, latents]))
    generator = keras.Model([conditions, latents], keras.layers.Dense(2)(hidden))
    probabilities = keras.layers.Dense(2, "softmax")(keras.layers.Dense(8, "relu")(conditions))
    made = {}
    for name, model in (("generator", generator), ("classifier", keras.Model(conditions, probabilities))):
        onnx, kept = to_onnx(model), to_keras(model)
        weights = model.get_weights()
        weights[-1] = weights[-1] + np.array([2e-4, 0.0], np.float32)
        model.set_weights(weights)
        made[name] = onnx, kept, to_keras(model)
    return made


class TestKeras:
    @pytest.mark.parametrize(("name", "write"), [("generator", write_generator), ("classifier", write_classifier)])
    def test_one_that_is_the_same_passes(self, networks, name, write, tmp_path):
        onnx, same, _ = networks[name]
        check_parameterization(write(tmp_path / "m", onnx, more={KERAS: same}.items()))

    @pytest.mark.parametrize(("name", "write"), [("generator", write_generator), ("classifier", write_classifier)])
    def test_one_that_differs_a_little_is_found(self, networks, name, write, tmp_path):
        onnx, _, other = networks[name]
        folder = write(tmp_path / "m", onnx, more={KERAS: other}.items())
        with pytest.raises(
            AssertionError, match=r"tiny: Keras and ONNX differ by (0\.000\d+|[\d.]+e-05), more than 1e-05"
        ):
            check_parameterization(folder)

    def test_one_that_cannot_be_read(self, networks, tmp_path):
        folder = write_generator(tmp_path / "m", networks["generator"][0], more={KERAS: b"PK"}.items())
        with pytest.raises(ArtifactError, match="expected a Keras network of this project"):
            check_parameterization(folder)


def test_damaged_files(tmp_path):
    folder = write_generator(tmp_path / "m")
    (folder / "stranger").write_text("")
    with pytest.raises(ArtifactError, match="got stranger"):
        check_parameterization(folder)
    (folder / "stranger").unlink()
    (folder / MODEL).write_bytes(generator_network(seed=1))
    with pytest.raises(ArtifactError, match="expected a file with sha256"):
        check_parameterization(folder)


class TestBrokenCode:
    """Parameterizations that do not do what models in files are relied upon for."""

    @pytest.fixture
    def found(self, tmp_path):
        folder = write_generator(tmp_path / "m")

        def check(message, error=AssertionError):
            with pytest.raises(error, match=message):
                check_parameterization(folder)

        return check

    def test_conditions_that_are_changed(self, found, monkeypatch):
        seen = Parameterization.seen

        def changes(self, conditions):
            conditions["p"][:1] = 2000.0
            return seen(self, conditions)

        monkeypatch.setattr(Parameterization, "seen", changes)
        found("tiny changed its condition 'p'")

    def test_threads_that_matter(self, found, monkeypatch):
        call = Generator.__call__

        def counts(self, conditions, rows, first=0, threads=1):
            return call(self, conditions, rows, first + threads - 1)

        monkeypatch.setattr(Generator, "__call__", counts)
        found("tiny: two threads gave other values of dll")

    def test_copies_that_differ(self, found, monkeypatch):
        monkeypatch.setattr(Generator, "__reduce__", lambda self: (Other, (self._folder, self.manifest)))
        found("tiny: a copy through pickle gave other values of dll")

    def test_rows_that_know_their_number(self, found, monkeypatch):
        seen = Parameterization.seen
        monkeypatch.setattr(
            Parameterization, "seen", lambda self, c: seen(self, c) + np.arange(len(c["p"]))[:, None].astype(np.float32)
        )
        found(r"tiny: (other chunks|another order) gave other values of dll")

    def test_domains_that_are_not_looked_at(self, found, monkeypatch):
        monkeypatch.setattr(Generator, "outside", lambda self, conditions: np.zeros(len(conditions["p"]), bool))
        found("rows beyond the training domain of p are not flagged")

    def test_domains_that_end_nowhere(self, found, monkeypatch):
        outside = Generator.outside
        monkeypatch.setattr(
            Generator, "outside", lambda self, c: outside(self, c) & (c["p"] > 5000.0) & (c["n_tracks"] > 0)
        )
        found("rows beyond the training domain of p are not flagged")

    def test_domains_that_are_too_small(self, found, monkeypatch):
        monkeypatch.setattr(Generator, "outside", lambda self, conditions: conditions["p"] > 5000.0)
        found("rows inside the training domain are flagged as beyond it")

    @pytest.mark.parametrize("side", ["low", "high"])
    def test_rows_that_are_not_held_at_the_edge(self, found, monkeypatch, side):
        from lamarrpy.parameterization import parameterization as module

        ends = {"low": (None, 9000.0), "high": (1000.0, None)}[side]
        monkeypatch.setattr(module, "_held", lambda values, c: np.clip(values, *ends) if c.name == "p" else values)
        found("rows beyond the training domain of p are not answered as at its edge: other values of dll")

    def test_missing_conditions_that_are_made_up(self, found, monkeypatch):
        call = Generator.__call__

        def made_up(self, conditions, rows, *more, **options):
            return call(self, {"p": np.full(len(rows), 2000.0), **conditions}, rows, *more, **options)

        monkeypatch.setattr(Generator, "__call__", made_up)
        found("tiny: a missing condition 'p' is no error")

    def test_targets_in_another_order(self, found, monkeypatch):
        call = Generator.__call__
        monkeypatch.setattr(Generator, "__call__", lambda self, *a, **o: dict(reversed(call(self, *a, **o).items())))
        found(r"tiny: expected the targets \['dll', 'ndof'\], got \['ndof', 'dll'\]")

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            (lambda values: values.astype(np.float32), "tiny: dll: expected float64, got float32"),
            (lambda values: values[:-1], r"tiny: dll: expected shape \(3000,\), got \(2999,\)"),
            (lambda values: values + np.nan, "tiny: dll has NaN or infinite values"),
        ],
    )
    def test_answers_of_another_sort(self, found, monkeypatch, changed, message):
        call = Generator.__call__

        def other(self, *arguments, **options):
            answers = call(self, *arguments, **options)
            return answers | {"dll": changed(answers["dll"])}

        monkeypatch.setattr(Generator, "__call__", other)
        found(message)

    def test_probabilities_that_are_not_made_to_add_up(self, tmp_path, monkeypatch):
        monkeypatch.setattr(Classifier, "probabilities", lambda self, given: np.asarray(self.raw(given), np.float64))
        with pytest.raises(AssertionError, match="tiny: its probabilities do not add up to one"):
            check_parameterization(write_classifier(tmp_path / "m"))


class Other(Generator):
    """Takes other numbers of the same stream."""

    def raw(self, conditions, rows, first=0):
        return super().raw(conditions, rows, first + 1)


def test_categories_among_real_numbers_need_conditions_of_ones_own(tmp_path):
    """Between two categories there is none: the test says what it asked for."""
    conditions = (CONDITIONS[0], Condition(name="region", low=1.0, high=3.0))
    p = condition_transforms().columns["p"]
    transforms = {
        "conditions": PerColumn({"p": p, "region": OneHot(np.array([1.0, 2.0, 3.0]))}),
        "targets": plain_transforms("x", "y"),
    }
    files = {MODEL: generator_network(conditions=4)}
    folder = write_model(tmp_path / "m", "generator", PLAIN, files, transforms, conditions)
    with pytest.raises(
        AssertionError, match=r"no answer inside.*column 'region': expected one of the categories 1, 2, 3"
    ):
        check_parameterization(folder)
    check_parameterization(folder, {"p": asked(90)["p"], "region": np.tile([1.0, 2.0, 3.0], 30)})
