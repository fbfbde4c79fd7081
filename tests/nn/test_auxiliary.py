"""Auxiliary features: formulas against NumPy, inverse transforms inside the graph, slopes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.nn.auxiliary import REACH, AuxiliaryFeatures, PiecewiseLinear
from lamarrpy.nn.formula import FUNCTIONS, Formula

NAMES = ("rich_dll_p", "rich_dll_k", "x")
COLUMNS = {name: np.random.default_rng(i).normal(size=40).astype("f") for i, name in enumerate(NAMES)}
KNOTS = {
    "rich_dll_p": (np.linspace(-4.0, 4.0, 33), np.sinh(np.linspace(-4.0, 4.0, 33)) * 10.0),
    "rich_dll_k": (np.array([-4.0, -1.0, 0.5, 4.0]), np.array([-80.0, 0.0, 0.0, 120.0])),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rich_dll_p - rich_dll_k", lambda p, k, x: p - k),
        ("  -(rich_dll_p + 2) * +x / 4.5e-1", lambda p, k, x: -(p + 2) * x / 0.45),
        ("log(abs(x) + 1) - exp(-x)", lambda p, k, x: np.log(np.abs(x) + 1) - np.exp(-x)),
        ("sqrt(x * x + rich_dll_k * rich_dll_k)", lambda p, k, x: np.hypot(x, k)),
        ("atanh(x / (1 + abs(x)))", lambda p, k, x: np.arctanh(x / (1 + np.abs(x)))),
        ("1 - rich_dll_p - 2 - x", lambda p, k, x: 1 - p - 2 - x),
        ("1 / rich_dll_p / x", lambda p, k, x: 1 / p / x),
    ],
)
def test_formula_agrees_with_numpy(text: str, expected: Any) -> None:
    columns = [column.astype(np.float64) for column in COLUMNS.values()]
    np.testing.assert_allclose(Formula(text, NAMES)(COLUMNS), expected(*columns), rtol=2e-5, atol=1e-6)


def test_formula_knows_its_names() -> None:
    assert Formula("x * (x - rich_dll_k)", NAMES).names == {"x", "rich_dll_k"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rich_dll_p - rich_dl_k", "did you mean 'rich_dll_k'"),
        ("sqr(x)", "did you mean 'sqrt'"),
        ("x +", "text that can be read"),
        ("", "text that can be read"),
        ("x\0", "text that can be read"),
        ("x ** 2", "numbers, names"),
        ("x[0]", "numbers, names"),
        ("x.real", "numbers, names"),
        ("__import__('os').system('true')", "numbers, names"),
        ("(lambda: x)()", "numbers, names"),
        ("log(x, 2)", "numbers, names"),
        ("log(*x)", "numbers, names"),
        ("x if x else x", "numbers, names"),
        ("x < 1", "numbers, names"),
        ("x + True", "numbers, names"),
        ("x + 'a'", "numbers, names"),
        ("x + 1j", "numbers, names"),
        ("not x", "numbers, names"),
        ("x + 1e999", "single precision"),
        ("x + 1" + "0" * 400, "single precision"),
        ("1 + 2", "at least one name"),
    ],
)
def test_formula_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        Formula(text, NAMES)


@pytest.mark.parametrize("text", [f"{name}(x)" for name in FUNCTIONS] + ["1 / x", "x / (x - x)"])
def test_values_and_slopes_are_finite_outside_the_domain(text: str) -> None:
    x = tf.constant([-1e3, -1.0, -1e-20, 0.0, 1e-20, 1.0, 1e3])
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = Formula(text, NAMES)({"x": x})
    assert np.isfinite(value).all()
    assert np.isfinite(tape.gradient(value, x)).all()


@given(
    steps=st.lists(st.floats(0.01, 2.0), min_size=1, max_size=20),
    seed=st.integers(0, 1000),
    extrapolate=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_piecewise_linear_agrees_with_numpy(steps: list[float], seed: int, extrapolate: bool) -> None:
    rng = np.random.default_rng(seed)
    z = np.cumsum([-3.0, *steps])
    x = np.sort(rng.normal(size=len(z)) * 50.0)
    values = np.concatenate([rng.uniform(z[0], z[-1], 30), z])
    found = PiecewiseLinear(z, x, extrapolate)(tf.constant(values, tf.float32))
    np.testing.assert_allclose(found, np.interp(values, z, x), atol=0.05, rtol=1e-3)
    beyond = np.asarray(PiecewiseLinear(z, x, extrapolate)(tf.constant([z[0] - 1.0, z[-1] + 1.0], tf.float32)))
    slopes = [(x[1] - x[0]) / (z[1] - z[0]), (x[-1] - x[-2]) / (z[-1] - z[-2])] if extrapolate else [0.0, 0.0]
    np.testing.assert_allclose(beyond, [x[0] - slopes[0], x[-1] + slopes[1]], atol=0.05, rtol=1e-3)


def test_piecewise_linear_has_the_slope_of_its_segment() -> None:
    z = tf.constant([-2.0, -0.5, 0.0, 2.0, 9.0])
    curve = PiecewiseLinear(*KNOTS["rich_dll_k"])
    with tf.GradientTape() as outer:
        outer.watch(z)
        with tf.GradientTape() as tape:
            tape.watch(z)
            value = curve(z) ** 2
        slope = tape.gradient(value, z)
    x, dx = [-80.0 + 80.0 / 3.0 * 2.0, 0.0, 0.0, 120.0 / 3.5 * 1.5, 120.0], [80.0 / 3.0, 0.0, 0.0, 120.0 / 3.5, 0.0]
    np.testing.assert_allclose(slope, 2.0 * np.multiply(x, dx), rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(outer.gradient(slope, z), 2.0 * np.square(dx), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize(
    ("z", "x"),
    [
        ([0.0], [1.0]),
        ([0.0, 1.0], [1.0]),
        ([0.0, 0.0], [1.0, 2.0]),
        ([1.0, 1.0 + 1e-12], [1.0, 2.0]),
        ([0.0, np.inf], [1.0, 2.0]),
        ([0.0, 1.0], [1.0, np.nan]),
        ([0.0, 1.0], [1.0, 1e300]),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_knots_refused(z: list[float], x: list[float]) -> None:
    with pytest.raises(DomainError, match="knots"):
        PiecewiseLinear(z, x)


def _features(*formulas: str) -> AuxiliaryFeatures:
    return AuxiliaryFeatures(formulas, NAMES, KNOTS)


def test_features_are_computed_in_physical_units_and_scaled() -> None:
    rng = np.random.default_rng(3)
    z, weights = rng.normal(size=(500, 3)).astype("f"), rng.uniform(0.0, 2.0, 500)
    fitted = _features("rich_dll_p - rich_dll_k", "rich_dll_k * 2").fit(z, weights)
    p, k = (np.interp(z[:, i], *KNOTS[name]) for i, name in enumerate(NAMES[:2]))
    for column, physical in zip(np.asarray(fitted(z)).T, (p - k, 2.0 * k), strict=True):
        mean = np.average(physical, weights=weights)
        scale = np.sqrt(np.average((physical - mean) ** 2, weights=weights))
        np.testing.assert_allclose(column, np.clip((physical - mean) / scale, -REACH, REACH), atol=1e-4)


def test_features_survive_their_configuration() -> None:
    z = np.random.default_rng(4).normal(size=(20, 3)).astype("f")
    features = _features("log(abs(rich_dll_p) + 1)").fit(z, np.ones(20))
    again = keras.layers.deserialize(keras.layers.serialize(features))
    np.testing.assert_array_equal(again(z), features(z))


def test_wild_rows_stay_within_reach_with_finite_slopes() -> None:
    z = tf.constant(np.full((1, 3), 1e6), tf.float32)
    features = AuxiliaryFeatures(["exp(rich_dll_p) / rich_dll_k"], NAMES, KNOTS, [0.0], [1.0])
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = features(z)
    assert float(value[0, 0]) == REACH
    assert np.isfinite(tape.gradient(value, z)).all()


def test_features_refused() -> None:
    with pytest.raises(ConfigError, match="knots of the target 'x'"):
        _features("x * 2")
    with pytest.raises(ConfigError, match="at least one formula"):
        _features()
    with pytest.raises(DomainError, match="constant"):
        _features("rich_dll_p - rich_dll_p").fit(np.zeros((3, 3), "f"), np.ones(3))
    with pytest.raises(DomainError, match="finite values, got"):
        AuxiliaryFeatures(["exp(x) * exp(x)"], NAMES, {"x": ([0.0, 80.0], [0.0, 80.0])}).fit(
            np.full((3, 3), 80.0, "f"), np.ones(3)
        )
