"""Models in memory: columns in, columns out; a row's answer depends on its conditions and its stream alone."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import chi2, kstest
from tiny_models import (
    CONDITIONS,
    DLL,
    LATENTS,
    NDOF,
    SEEN,
    asked,
    classifier_network,
    generator_network,
    node,
    onnx_network,
    plain_transforms,
    training_rows,
    write_classifier,
    write_generator,
    write_resampling,
)

from lamarrpy.draws import Draws
from lamarrpy.errors import ArtifactError, DomainError, SchemaError
from lamarrpy.parameterization import parameterization as module
from lamarrpy.parameterization.folder import MODEL, TRANSFORM
from lamarrpy.parameterization.manifest import Target
from lamarrpy.parameterization.parameterization import KINDS, Classifier, Generator, Resampling, load

ROWS = 20_000
WRITERS = {"generator": write_generator, "classifier": write_classifier, "neighbours": write_resampling}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """One of each kind."""
    folder = tmp_path_factory.mktemp("models")
    return {kind: load(write(folder / kind)) for kind, write in WRITERS.items()}


@pytest.fixture(scope="module", params=WRITERS)
def model(request, models):
    return models[request.param]


def draws(count=ROWS, seed=5):
    return Draws(seed, "test").rows(np.arange(count))


def taken(columns, some):
    return {name: values[some] for name, values in columns.items()}


def assert_same(one, other):
    assert list(one) == list(other)
    for name, values in one.items():
        assert values.dtype == other[name].dtype
        assert np.array_equal(values, other[name]), name


def test_every_kind_is_opened_as_what_it_is(models):
    assert {kind: type(model) for kind, model in models.items()} == dict(KINDS)
    assert set(KINDS.values()) == {Generator, Classifier, Resampling}


class TestBits:
    def test_chunks_order_threads_and_neighbours_change_nothing(self, model, monkeypatch):
        given, rows = asked(ROWS), draws()
        whole = model(given, rows)
        for threads in (2, 3, 7):
            assert_same(whole, model(given, rows, threads=threads))
        random = np.random.default_rng(0)
        for some in (random.permutation(ROWS), random.integers(ROWS, size=700), np.arange(ROWS)[8190:8195]):
            assert_same(taken(whole, some), model(taken(given, some), rows[some]))
        for chunk in (1000, 1024, 12_345):
            monkeypatch.setattr(module, "_CHUNK", chunk)
            assert_same(whole, model(given, rows, threads=2))

    @settings(max_examples=40, deadline=None)
    @given(data=st.data())
    def test_any_rows_in_any_order(self, models, data):
        model = models[data.draw(st.sampled_from(list(WRITERS)))]
        given, rows = asked(3000), draws(3000)
        count, seed = data.draw(st.integers(0, 3000)), data.draw(st.integers(0, 1000))
        some = np.random.default_rng(seed).integers(3000, size=count)
        assert_same(taken(model(given, rows), some), model(taken(given, some), rows[some]))

    def test_rows_beyond_the_domain_leave_others_alone(self, model):
        given, rows = asked(5000), draws(5000)
        odd = np.arange(5000) % 3 == 0
        far = given | {"p": np.where(odd, 1e9, given["p"])}
        assert_same(taken(model(given, rows), ~odd), taken(model(far, rows), ~odd))

    def test_other_streams_give_other_answers(self, model):
        given = asked(ROWS)
        one, other = model(given, draws()), model(given, draws(seed=6))
        for name, values in one.items():
            assert np.mean(values != other[name]) > 0.05, name

    def test_the_first_number_can_be_chosen(self, model):
        """So that a stage can use numbers before and behind; an answer takes as many as it says."""
        given, rows = asked(ROWS), draws()
        answers = model(given, rows, first=2)
        assert any(not np.array_equal(values, model(given, rows)[name]) for name, values in answers.items())
        assert_same(answers, model(given, Shifted(rows, 2, model.draws_needed)))

    def test_a_copy_through_pickle(self, model):
        copy = pickle.loads(pickle.dumps(model))
        assert type(copy) is type(model)
        assert copy.manifest == model.manifest
        assert_same(model(asked(), draws(5000)), copy(asked(), draws(5000)))
        assert len(pickle.dumps(model)) < 1000  # the path, not the network

    def test_a_copy_elsewhere(self, tmp_path, monkeypatch):
        """A relative path means the same in another folder."""
        (tmp_path / "other").mkdir()
        monkeypatch.chdir(tmp_path)
        write_generator(tmp_path / "m")
        kept = pickle.dumps(load("m"))
        monkeypatch.chdir(tmp_path / "other")
        assert pickle.loads(kept).manifest.name == "tiny"

    def test_another_process_gives_the_same(self, tmp_path):
        folder = write_generator(tmp_path / "m")
        code = (
            "import numpy as np\n"
            "from lamarrpy.draws import Draws\n"
            "from lamarrpy.parameterization.parameterization import load\n"
            f"given = dict(np.load({str(tmp_path / 'c.npz')!r}))\n"
            f"answers = load({str(folder)!r})(given, Draws(5, 'test').rows(np.arange(5000)))\n"
            f"np.savez({str(tmp_path / 'a.npz')!r}, **answers)"
        )
        np.savez(tmp_path / "c.npz", **asked())
        subprocess.run([sys.executable, "-c", code], check=True)
        with np.load(tmp_path / "a.npz") as answers:
            assert_same(load(folder)(asked(), draws(5000)), dict(answers))


class Shifted:
    """Streams that begin later, and say if more numbers are asked for than promised."""

    def __init__(self, rows, by, count):
        self.rows, self.by, self.count = rows, by, count

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, some):
        return Shifted(self.rows[some], self.by, self.count)

    def uniform(self, index):
        assert index < self.count
        return self.rows.uniform(index + self.by)

    def normals(self, count, first=0):
        assert first + count <= self.count
        return self.rows.normals(count, first + self.by)


class TestAnswers:
    def test_dtypes_names_and_order_are_those_of_the_manifest(self, model):
        answers = model(asked(), draws(5000))
        assert list(answers) == [target.name for target in model.manifest.targets]
        for target in model.manifest.targets:
            assert answers[target.name].dtype == np.dtype(target.dtype)
            assert answers[target.name].shape == (5000,)

    def test_whole_numbers_and_point_masses_are_exact_and_bounds_hold(self, models):
        answers = models["generator"](asked(ROWS), draws())
        share = np.mean(answers["dll"] == 0.0)
        assert 0.1 < share < 0.9
        near = np.abs(answers["dll"][answers["dll"] != 0.0])
        assert near.min() > 0.0
        assert set(np.unique(answers["ndof"])) == {3, 4, 7}
        assert answers["dll"].min() >= -4.0
        assert answers["dll"].max() <= 5.0

    def test_bounds_hold_whatever_the_network_says(self, tmp_path):
        nodes = [
            node("Concat", "conditions latents", "x", axis=1),
            node("MatMul", "x w", "y"),
            node("Mul", "y large", "targets"),
        ]
        weights = {"w": np.eye(5)[:, 2:4], "large": [1e6]}
        network = onnx_network(nodes, weights, {"conditions": 2, "latents": LATENTS}, {"targets": 2})
        answers = load(write_generator(tmp_path / "m", network))(asked(ROWS), draws())
        assert set(np.unique(answers["dll"])) == {-4.0, 5.0}
        assert set(np.unique(answers["ndof"])) == {3, 7}

    def test_a_generator_gives_what_its_network_says(self, tmp_path):
        """Targets that are the latents themselves are normal numbers with the mean and deviation of their transform."""
        nodes = [node("MatMul", "latents first", "targets")]
        first = {"first": np.eye(LATENTS)[:, :1]}
        network = onnx_network(nodes, first, {"conditions": 2, "latents": LATENTS}, {"targets": 1})
        target = Target(name="x", low=-100.0, high=100.0)
        model = load(write_generator(tmp_path / "m", network, (target,), plain_transforms("x")))
        rows = draws()
        answers = model(asked(ROWS), rows, first=4)
        assert np.array_equal(answers["x"], rows.normal(4).astype(np.float32).astype(np.float64))
        assert kstest(answers["x"], "norm").statistic < 1.95 / np.sqrt(ROWS)  # exceeded once in 1000

    def test_resampling_answers_with_rows_of_the_sample(self, models):
        sample = training_rows()
        answers = models["neighbours"](asked(ROWS), draws())
        seen = set(zip(*(sample[name] for name in answers), strict=True))
        assert set(zip(*answers.values(), strict=True)) <= seen

    def test_the_nearest_row_of_a_training_row_is_itself(self, tmp_path):
        sample = training_rows()
        answers = load(write_resampling(tmp_path / "m", k=1))({c.name: sample[c.name] for c in CONDITIONS}, draws(2000))
        for name, values in answers.items():
            assert np.array_equal(values, sample[name]), name

    def test_conditions_in_other_dtypes_and_other_columns_beside_them(self, model):
        given, rows = asked(), draws(5000)
        single = given | {"p": given["p"].astype(np.float32)}
        double = {name: values.astype(np.float64) for name, values in single.items()}
        assert_same(model(double, rows), model(single, rows))
        assert_same(model(given, rows), model(given | {"name": np.array(["x"] * 5000), "p_other": None}, rows))
        lists = {name: values.tolist() for name, values in given.items()}
        assert_same(model(given, rows), model(lists, rows))

    def test_conditions_are_not_changed(self, model):
        given = asked()
        for values in given.values():
            values.flags.writeable = False
        model(given, draws(5000), threads=2)
        assert_same(given, asked())

    def test_no_rows(self, model):
        none = taken(asked(1), slice(0))
        for threads in (1, 2):
            answers = model(none, draws(0), threads=threads)
            assert {name: (values.shape, values.dtype) for name, values in answers.items()} == {
                target.name: ((0,), np.dtype(target.dtype)) for target in model.manifest.targets
            }
        assert model.outside(none).shape == (0,)
        assert model.seen(none).shape == (0, 2)


class TestClassifier:
    def test_probabilities_add_up(self, models):
        p = models["classifier"].probabilities(asked(ROWS))
        assert p.shape == (ROWS, 2)
        assert p.dtype == np.float64
        assert np.abs(p.sum(axis=1) - 1.0).max() < 1e-12

    @pytest.mark.parametrize("classes", [2, 3, 10])
    def test_draws_follow_the_probabilities(self, tmp_path, classes):
        values = tuple(float(3 * k - 4) for k in range(classes))
        target = Target(name="kind", dtype="int32", integer=True, masses=values, low=values[0], high=values[-1])
        model = load(write_classifier(tmp_path / "m", None, target, values))
        point = {"p": np.full(100_000, 5600.0), "n_tracks": np.full(100_000, 230)}
        kinds = model(point, draws(100_000))["kind"]
        expected = 100_000 * model.probabilities(taken(point, slice(1)))[0]
        counts = np.array([np.count_nonzero(kinds == value) for value in values])
        assert counts.sum() == 100_000
        assert expected.min() > 50
        statistic = ((counts - expected) ** 2 / expected).sum()
        assert statistic < chi2.isf(1e-3, classes - 1)

    def test_draws_follow_probabilities_that_vary(self, models):
        """In bins of the probability, within 4 standard deviations of each of 20."""
        given = asked(200_000)
        model = models["classifier"]
        p, seen = model.probabilities(given)[:, 1], model(given, draws(200_000))["seen"]
        order = np.argsort(p)
        for some in np.array_split(order, 20):
            spread = np.sqrt((p[some] * (1.0 - p[some])).sum())
            assert abs(seen[some].sum() - p[some].sum()) < 4.0 * spread

    def test_sure_classes_are_always_drawn(self, tmp_path):
        nodes = [node("MatMul", "conditions w", "y"), node("Add", "y b", "probabilities")]
        weights = {"w": np.zeros((2, 3)), "b": [0.0, 1.0, 0.0]}
        network = onnx_network(nodes, weights, {"conditions": 2}, {"probabilities": 3})
        target = Target(name="kind", dtype="int8", integer=True, masses=(0.0, 1.0, 2.0), low=0.0, high=2.0)
        kinds = load(write_classifier(tmp_path / "m", network, target, (0.0, 1.0, 2.0)))(asked(ROWS), draws())["kind"]
        assert set(kinds) == {1}

    @pytest.mark.parametrize(
        ("dtype", "classes"),
        [
            ("bool", (0.0, 1.0)),
            ("int8", (-1.0, 1.0)),
            ("int64", (-211.0, 13.0, 321.0)),
            ("uint16", (0.0, 65535.0)),
            ("float32", (0.5, 1.5)),
            ("float64", (0.1, 0.2)),
        ],
    )
    def test_the_target_keeps_its_dtype(self, tmp_path, dtype, classes):
        target = Target(name="kind", dtype=dtype, masses=classes, low=classes[0], high=classes[-1])
        kinds = load(write_classifier(tmp_path / "m", None, target, classes))(asked(ROWS), draws())["kind"]
        assert kinds.dtype == np.dtype(dtype)
        assert set(np.unique(kinds)) == set(np.array(classes).astype(dtype))

    def test_boolean_conditions(self, tmp_path):
        assert load(write_classifier(tmp_path / "m")).outside({"p": np.ones(3, bool), "n_tracks": [1, 2, 30]}).all()


class TestDomain:
    @settings(max_examples=80, deadline=None)
    @given(
        p=st.floats(-1e12, 1e12, allow_nan=False),
        n_tracks=st.floats(-1e12, 1e12, allow_nan=False),
    )
    def test_rows_beyond_are_flagged_and_answered_as_at_the_edge(self, models, p, n_tracks):
        held = {"p": np.array([np.clip(p, 1000.0, 9000.0)]), "n_tracks": np.array([np.clip(n_tracks, 20, 400)])}
        far, rows = {"p": np.array([p]), "n_tracks": np.array([n_tracks])}, draws(1)
        beyond = p != held["p"][0] or n_tracks != held["n_tracks"][0]
        for model in models.values():
            assert model.outside(far).tolist() == [beyond]
            assert not model.outside(held).any()
            assert_same(model(held, rows), model(far, rows))

    def test_the_edges_are_inside(self, model):
        edges = {"p": np.array([1000.0, 9000.0, 999.999, 9000.001]), "n_tracks": np.array([400, 20, 30, 30])}
        assert model.outside(edges).tolist() == [False, False, True, True]

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("row", [0, 17, 8192, ROWS - 1])
    @pytest.mark.parametrize("threads", [1, 2])
    def test_what_is_not_finite_is_an_error_that_says_where(self, model, bad, row, threads):
        given = asked(ROWS)
        given["p"][row] = bad
        assert model.outside(given)[row]
        with pytest.raises(DomainError, match=rf"column 'p': expected finite numbers.*first {bad} in row {row}(;|$)"):
            model(given, draws(), threads=threads)

    def test_the_first_of_several_is_named(self, model):
        given = asked(ROWS)
        given["p"][[12_000, 9000, 19_000]] = np.nan
        with pytest.raises(DomainError, match=r"got 3 others, the first nan in row 9000;"):
            model(given, draws(), threads=2)

    @pytest.mark.parametrize("missing", ["p", "n_tracks"])
    def test_a_missing_condition_is_an_error(self, model, missing):
        given = {name: values for name, values in asked().items() if name != missing} | {missing[:-1]: np.zeros(5000)}
        for ask in (lambda: model(given, draws(5000)), lambda: model.outside(given), lambda: model.seen(given)):
            with pytest.raises(SchemaError, match=f"'tiny': expected the conditions p, n_tracks; missing: {missing}"):
                ask()

    @pytest.mark.parametrize("count", [1, 4999, 5001])
    def test_as_many_conditions_as_streams(self, model, count):
        with pytest.raises(SchemaError, match=f"expected columns of the {count} rows that there are draws for"):
            model(asked(5000), draws(count))

    def test_columns_of_one_length(self, model):
        given = asked(10)
        for odd in (given | {"p": given["p"][:1]}, given | {"p": given["p"][:, None]}, given | {"p": 5000.0}):
            with pytest.raises(SchemaError, match="expected columns of"):
                model(odd, draws(10))
            with pytest.raises(SchemaError, match="expected columns of one length"):
                model.outside(odd)


class TestWhatDoesNotFit:
    """Files with right hashes that are not of one model."""

    def test_transforms_of_other_columns(self, tmp_path):
        other = plain_transforms("dll", "n_dof")
        with pytest.raises(
            ArtifactError, match=f"{TRANSFORM}: expected transforms of the targets dll, ndof, got dll, n_d"
        ):
            load(write_generator(tmp_path / "a", transform=other))
        conditions = {"conditions": plain_transforms("p")}
        folder = write_generator(tmp_path / "b")
        with pytest.raises(ArtifactError, match="expected transforms of the conditions p, n_tracks, got p"):
            load(rewritten(folder, conditions))
        with pytest.raises(ArtifactError, match="expected transforms of the conditions p, n_tracks, got none"):
            load(rewritten(folder, {}))

    @pytest.mark.parametrize(
        "text", [b"", b"[]", b"1", b'{"conditions": {"kind": "magic"}}', b'{"conditions": 1}', b"\xff"]
    )
    def test_transforms_that_are_none(self, tmp_path, text):
        folder = write_generator(tmp_path / "m", more={TRANSFORM: text}.items())
        with pytest.raises(ArtifactError):
            load(folder)

    def test_networks_of_other_sizes(self, tmp_path):
        with pytest.raises(ArtifactError, match="model 'tiny': expected a network from"):
            load(write_generator(tmp_path / "a", generator_network(outputs=3)))
        with pytest.raises(ArtifactError, match="model 'tiny': expected a network from"):
            load(write_generator(tmp_path / "b", latents=LATENTS + 1))
        with pytest.raises(ArtifactError, match=r"to 3 of 'probabilities', got .*'probabilities': 2"):
            load(write_classifier(tmp_path / "c", classifier_network(2), classes=(0.0, 1.0, 2.0)))

    def test_no_network(self, tmp_path):
        folder = write_generator(tmp_path / "m")
        (folder / MODEL).unlink()
        with pytest.raises(ArtifactError, match=r"model\.onnx, got: No such file"):
            load(folder)

    def test_rows_of_other_targets(self, tmp_path):
        with pytest.raises(ArtifactError, match=r"rows\.npz: expected rows of dll, ndof, got rows of dll, ndof, seen"):
            load(write_resampling(tmp_path / "a", targets=(DLL, NDOF)))
        more = Target(name="more", low=0.0, high=1.0)
        with pytest.raises(ArtifactError, match="expected rows of dll, more, ndof, seen, got"):
            load(write_resampling(tmp_path / "b", targets=(DLL, NDOF, SEEN, more)))

    def test_digits_are_never_cut_off(self, tmp_path):
        """A manifest that promises whole numbers, of rows and of a network that have others."""
        whole = Target(name="dll", dtype="int32", low=-4.0, high=5.0)
        flag = Target(name="dll", dtype="bool", low=0.0, high=1.0)
        for name, target in (("a", whole), ("b", flag)):
            model = load(write_resampling(tmp_path / name, targets=(target, NDOF, SEEN)))
            with pytest.raises(ArtifactError, match=r"expected answers of .* in 'dll', got others"):
                model(asked(), draws(5000))
        model = load(write_generator(tmp_path / "c", targets=(whole, NDOF)))
        with pytest.raises(ArtifactError, match="expected answers of int32 in 'dll', got others"):
            model(asked(), draws(5000))

    def test_a_network_that_answers_with_nan(self, tmp_path):
        model = load(write_generator(tmp_path / "m", generator_network(last=[node("Log", "y", "targets")])))
        with pytest.raises(DomainError, match="column 'dll': expected finite numbers"):
            model(asked(), draws(5000))


def rewritten(folder, transforms):
    """The same model with other transforms, and the right hashes."""
    import json

    from lamarrpy.parameterization.folder import read_manifest, write_folder

    files = {MODEL: (folder / MODEL).read_bytes()}
    text = json.dumps({role: transform.as_json() for role, transform in transforms.items()}).encode()
    write_folder(folder, read_manifest(folder), {TRANSFORM: text, **files})
    return folder


@pytest.mark.parametrize(
    "heavy", ["tensorflow", "keras", "sklearn", "optuna", "pandas", "onnx", "matplotlib", "uproot"]
)
def test_running_a_model_imports_nothing_heavy(heavy, loaded_by_running):
    assert "onnxruntime" in loaded_by_running
    assert heavy not in loaded_by_running


@pytest.fixture(scope="module")
def loaded_by_running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("light")
    folders = [str(write(folder / kind)) for kind, write in WRITERS.items()]
    code = (
        "import sys, numpy as np\n"
        "from lamarrpy.draws import Draws\n"
        "from lamarrpy.parameterization.parameterization import load\n"
        f"for folder in {folders!r}:\n"
        "    load(folder)({'p': [2000.0], 'n_tracks': [30]}, Draws(1, 'x').rows(np.arange(1)))\n"
        "print(*sorted(m for m in sys.modules if '.' not in m))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_normal_numbers_reach_the_network_as_they_are(models):
    """The latents of a row are the normal numbers of its stream, in order."""
    model, rows, given = models["generator"], draws(100), asked(100)
    latents = np.stack([ndtri(rows.uniform(index)) for index in range(LATENTS)], axis=1)
    direct = model._network(conditions=model.seen(given), latents=latents)
    assert np.array_equal(model.raw(given, rows), direct)
