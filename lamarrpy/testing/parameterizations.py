"""The conformance test of parameterizations."""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import Draws, RowDraws
from lamarrpy.errors import LamarrpyError, SchemaError
from lamarrpy.parameterization import folder as on_disk
from lamarrpy.parameterization.manifest import Condition
from lamarrpy.parameterization.parameterization import Classifier, Generator, Parameterization, load

Columns = dict[str, NDArray[Any]]

_ROUNDING = 1e-5
"""What the probabilities of a network may add up to beside one."""

_ROWS = 3000


def check_parameterization(
    folder: str | Path, conditions: Mapping[str, NDArray[Any]] | None = None, seed: int = 20_11
) -> None:
    """See that a trained model keeps every promise that stages rely on.

    Tested are: every file is as its manifest says; the model answers with the targets of the manifest, in their dtypes
    and ranges, whole numbers where it says so, without NaN; the same call gives the same bits, whatever the number of
    threads; rows split and reordered in any way give the same bits; no rows are fine; the input is not changed; a
    missing condition is an error; rows beyond the training domain are flagged and answered; a copy through pickle
    answers the same; probabilities add up to one; Keras and ONNX agree to 1e-5 (where TensorFlow is installed).

    Parameters
    ----------
    folder : path
        Of the model.
    conditions : mapping of str to ndarray of shape (n,), optional
        Rows to test with, inside the training domain. By default they are spread evenly over it.
    seed : int
        Of the draws.

    Raises
    ------
    AssertionError
        Saying which promise was broken, by which column.
    ArtifactError
        If a file is not as its manifest says.
    """
    on_disk.verify(Path(folder))
    model = load(folder)
    given = dict(conditions) if conditions is not None else _spread(model, seed)
    count = len(next(iter(given.values())))
    rows = Draws(seed, "check").rows(np.arange(count))
    kept = {name: values.copy() for name, values in given.items()}
    try:
        answers = model(given, rows)
    except LamarrpyError as error:
        raise AssertionError(f"{model.manifest.name} has no answer inside of its training domain: {error}") from error
    for name, values in kept.items():
        assert np.array_equal(values, given[name]), f"{model.manifest.name} changed its condition {name!r}"
    _check_answers(model, answers, count)
    _check_same(model, given, rows, answers)
    _check_domain(model, given, rows)
    _check_probabilities(model, given)
    _check_keras(model, Path(folder), given, rows)


def _spread(model: Parameterization, seed: int) -> Columns:
    """Conditions all over the training domain."""
    random = np.random.default_rng(seed)
    return {condition.name: _values(condition, random) for condition in model.manifest.conditions}


def _values(condition: Condition, random: np.random.Generator) -> NDArray[Any]:
    kind = np.dtype(condition.dtype)
    if kind.kind == "f":
        even = random.uniform(condition.low, condition.high, _ROWS).astype(kind)
        return np.asarray(np.clip(even, condition.low, condition.high))
    ends: NDArray[Any] = np.array([condition.low, condition.high]).astype(kind)
    return ends[random.integers(2, size=_ROWS)]  # what lies between two codes may be none


def _check_answers(model: Parameterization, answers: Columns, count: int) -> None:
    name = model.manifest.name
    declared = [target.name for target in model.manifest.targets]
    assert list(answers) == declared, f"{name}: expected the targets {declared}, got {list(answers)}"
    for target in model.manifest.targets:
        values = answers[target.name]
        where = f"{name}: {target.name}"
        assert values.shape == (count,), f"{where}: expected shape ({count},), got {values.shape}"
        assert values.dtype == np.dtype(target.dtype), f"{where}: expected {target.dtype}, got {values.dtype}"
        assert np.isfinite(values).all(), f"{where} has NaN or infinite values"
        inside = (values >= target.low) & (values <= target.high)
        assert inside.all(), f"{where}: {int((~inside).sum())} values beyond [{target.low}, {target.high}]"
        if target.integer:
            assert np.isin(values, target.masses).all(), f"{where} has values that were never seen in training"


def _check_same(model: Parameterization, given: Columns, rows: RowDraws, answers: Columns) -> None:
    name, count = model.manifest.name, len(rows)
    whole = np.arange(count)
    order = np.random.default_rng(0).permutation(count)
    ways: dict[str, list[NDArray[np.intp]]] = {
        "a second call": [whole],
        "other chunks": np.array_split(whole, [1, 2, 700]),
        "another order": [order],
        "single rows": [whole[i : i + 1] for i in (0, count // 2, count - 1)],
        "no rows": [whole[:0]],
    }
    for way, parts in ways.items():
        for part in parts:
            again = model({key: values[part] for key, values in given.items()}, rows[part])
            _assert_equal(
                {key: values[part] for key, values in answers.items()}, again, f"{name}: {way} gave other values"
            )
    _assert_equal(answers, model(given, rows, threads=2), f"{name}: two threads gave other values")
    copy = pickle.loads(pickle.dumps(model))
    _assert_equal(answers, copy(given, rows), f"{name}: a copy through pickle gave other values")


def _assert_equal(wanted: Columns, got: Columns, message: str) -> None:
    for name, values in wanted.items():
        assert np.array_equal(values, got[name]), f"{message} of {name}"


def _check_domain(model: Parameterization, given: Columns, rows: RowDraws) -> None:
    name = model.manifest.name
    assert not model.outside(given).any(), f"{name}: rows inside the training domain are flagged as beyond it"
    for condition in model.manifest.conditions:
        if np.dtype(condition.dtype).kind != "f":
            continue
        for edge, away in ((condition.low, -10.0), (condition.high, 10.0)):
            at_edge, far = (
                given | {condition.name: np.full(len(rows), value)} for value in (edge, edge + away * (1.0 + abs(edge)))
            )
            where = f"{name}: rows beyond the training domain of {condition.name}"
            assert model.outside(far).all(), f"{where} are not flagged"
            _assert_equal(
                model(at_edge, rows), model(far, rows), f"{where} are not answered as at its edge: other values"
            )
    first = model.manifest.conditions[0].name
    try:
        model({key: values for key, values in given.items() if key != first}, rows)
    except SchemaError:
        return
    raise AssertionError(f"{name}: a missing condition {first!r} is no error")


def _check_probabilities(model: Parameterization, given: Columns) -> None:
    if not isinstance(model, Classifier):
        return
    name, said = model.manifest.name, model.raw(given)
    assert ((said >= 0.0) & (said <= 1.0)).all(), f"{name}: its network gives probabilities beyond [0, 1]"
    worst = float(np.abs(said.sum(axis=1, dtype=np.float64) - 1.0).max())
    assert worst <= _ROUNDING, (
        f"{name}: the probabilities of its network do not add up to one, they are {worst:.2g} off"
    )
    sums = model.probabilities(given).sum(axis=1)
    assert np.allclose(sums, 1.0, rtol=0.0, atol=1e-12), f"{name}: its probabilities do not add up to one"


def _check_keras(model: Parameterization, folder: Path, given: Columns, rows: RowDraws) -> None:
    """Whether the network that training goes on from is the one that runs."""
    runs_keras = on_disk.KERAS in model.manifest.files and importlib.util.find_spec("tensorflow") is not None
    if not runs_keras or not isinstance(model, Generator | Classifier):
        return
    from lamarrpy.train.export import AGREEMENT, disagreement, from_keras

    network = from_keras(on_disk.read_file(folder, model.manifest, on_disk.KERAS))
    inputs: Any = model.seen(given)
    if isinstance(model, Generator):
        inputs = [inputs, rows.normals(model.manifest.latents).T.astype(np.float32)]
    differ = disagreement(model.raw(given, rows), np.asarray(network(inputs, training=False)))
    assert differ <= AGREEMENT, f"{model.manifest.name}: Keras and ONNX differ by {differ:.2g}, more than {AGREEMENT}"
