"""Columns by name: order, names, errors that say which column, and recipes."""

import json

import numpy as np
import pytest

from lamarrpy.errors import ConfigError, DomainError, SchemaError
from lamarrpy.parameterization.transforms import (
    Chain,
    Identity,
    Log,
    PerColumn,
    QuantileToNormal,
    fit_columns,
    fitter,
    from_json,
)

RNG = np.random.default_rng(1)
N = 3000
COLUMNS = {
    "p": RNG.lognormal(9.0, 1.0, N),
    "eta": RNG.uniform(2.0, 5.0, N),
    "pid": RNG.choice([-321, 211, 321], N),
    "dll": np.where(RNG.random(N) < 0.4, 0.0, RNG.normal(size=N)),
    "nd_of": RNG.integers(2, 30, N),
}
SPECS = {
    "dll": {"kind": "quantile", "clip": True},
    "p": ["log", "standard"],
    "pid": "one_hot",
    "eta": {"kind": "min_max", "to": [0, 1]},
    "nd_of": {"kind": "chain", "steps": [{"kind": "quantile", "masses": "all"}, "identity"]},
}


@pytest.fixture(scope="module")
def fitted():
    return fit_columns(SPECS, COLUMNS)


def test_columns_are_side_by_side_in_the_order_of_the_recipe(fitted):
    assert fitted.names == ("dll", "p", "pid", "eta", "nd_of")
    assert fitted.slices == {
        "dll": slice(0, 1),
        "p": slice(1, 2),
        "pid": slice(2, 5),
        "eta": slice(5, 6),
        "nd_of": slice(6, 7),
    }
    seen = fitted.forward_columns(COLUMNS)
    assert seen.shape == (N, 7)
    assert seen.dtype == np.float32
    for name, part in fitted.slices.items():
        assert np.array_equal(seen[:, part], fitted.columns[name].forward(COLUMNS[name]).astype(np.float32))
    assert seen[:, 1].mean() == pytest.approx(0.0, abs=1e-4)


def test_columns_come_back(fitted):
    back = fitted.inverse_columns(fitted.forward_columns(COLUMNS))
    assert list(back) == list(fitted.names)
    for name, values in back.items():
        assert values.shape == (N,)
        assert values.dtype == np.float64
        assert np.allclose(values, COLUMNS[name], rtol=2e-6, atol=2e-6)
    for name in ("pid", "nd_of"):
        assert np.array_equal(back[name], COLUMNS[name])
    assert np.array_equal(back["dll"] == 0.0, COLUMNS["dll"] == 0.0)


def test_as_one_transform_among_others(fitted):
    matrix = np.stack([COLUMNS[name] for name in fitted.names], axis=1).astype(float)
    seen = fitted.forward(matrix)
    assert seen.dtype == np.float64
    assert np.array_equal(seen.astype(np.float32), fitted.forward_columns(COLUMNS))
    assert np.allclose(fitted.inverse(seen), matrix, rtol=1e-9, atol=1e-9)
    three = {name: SPECS[name] for name in ("dll", "p", "eta")}
    turned = fitter([{"kind": "per_column", "columns": three}, "rotation"])(matrix[:, [0, 1, 3]], None)
    assert np.allclose(turned.inverse(turned.forward(matrix[:, [0, 1, 3]])), matrix[:, [0, 1, 3]], rtol=1e-6, atol=1e-9)


def test_lists_inside_lists_are_chains_of_chains():
    chain = fit_columns({"x": ["log", ["one_hot", "standard"]]}, {"x": [1.0, 2.0]}).columns["x"]
    assert isinstance(chain, Chain)
    assert chain.forward([2.0, 1.0]) == pytest.approx(np.array([[-1, 1], [1, -1]]))


def test_json_gives_the_same_bits(fitted):
    stored = from_json(json.loads(json.dumps(fitted.as_json(), allow_nan=False)))
    assert isinstance(stored, PerColumn)
    assert stored.names == fitted.names
    seen = fitted.forward_columns(COLUMNS)
    assert np.array_equal(stored.forward_columns(COLUMNS), seen)
    for name, values in stored.inverse_columns(seen).items():
        assert np.array_equal(values, fitted.inverse_columns(seen)[name])


def test_positions_inside_masses_by_name(fitted):
    within = RNG.random(N)
    seen = fitted.forward_columns(COLUMNS, {"dll": within, "nd_of": within[::-1]})
    dll, nd_of = fitted.columns["dll"], fitted.columns["nd_of"]
    assert np.array_equal(seen[:, 0], dll.forward(COLUMNS["dll"], within)[:, 0].astype(np.float32))
    assert np.array_equal(seen[:, 6], nd_of.forward(COLUMNS["nd_of"], within[::-1])[:, 0].astype(np.float32))
    with pytest.raises(SchemaError, match="unknown column 'dlk'; did you mean 'dll'"):
        fitted.forward_columns(COLUMNS, {"dlk": within})
    with pytest.raises(ConfigError, match="column 'p': a transform 'chain' has no point masses"):
        fitted.forward_columns(COLUMNS, {"p": within})


def test_names_are_checked(fitted):
    others = {("momentum" if name == "p" else name): values for name, values in COLUMNS.items()}
    with pytest.raises(SchemaError, match=r"missing: \['p'\], unknown: \['momentum'\]"):
        fitted.forward_columns(others)
    with pytest.raises(SchemaError, match=r"same n, got .*'eta': \(3,\)"):
        fitted.forward_columns({**COLUMNS, "eta": np.ones(3)})
    with pytest.raises(SchemaError, match=r"shape \(n,\)"):
        fitted.forward_columns({name: values[:, None] for name, values in COLUMNS.items()})
    with pytest.raises(SchemaError, match=r"shape \(n, 7\), got \(2, 5\)"):
        fitted.inverse_columns(np.ones((2, 5)))
    with pytest.raises(SchemaError, match=r"expected a column 'etta', got .*did you mean 'eta'"):
        fit_columns({"etta": "standard"}, COLUMNS)


def test_bad_values_are_named_by_column_and_row(fitted):
    bad = COLUMNS["p"].copy()
    bad[[17, 40]] = -5.0
    with pytest.raises(DomainError, match=r"column 'p': expected x > 0 .* got 2 others, the first x = -5.0 in row 17"):
        fitted.forward_columns({**COLUMNS, "p": bad})
    with pytest.raises(DomainError, match="column 'p': expected x > 0"):
        fit_columns(SPECS, {**COLUMNS, "p": bad})
    seen = fitted.forward_columns(COLUMNS)
    seen[5, 0] = np.nan
    with pytest.raises(DomainError, match=r"column 'dll': expected finite .* first nan in row 5"):
        fitted.inverse_columns(seen)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("quantil", "column 'p': .*did you mean 'quantile'"),
        ({"kind": "quantile", "mases": "all"}, "column 'p': .*'mases'; did you mean 'masses'"),
        ({"masses": "all"}, "column 'p': expected a transform out of .*, got None"),
        (["log", "standart"], "did you mean 'standard'"),
        ([], "one or more transforms"),
        ({"kind": "chain", "steps": "log"}, "a list of them"),
        (7, "a list of them"),
        ("per_column", "named columns"),
        ({"kind": "per_column", "columns": ["a"]}, "for each named column"),
        ("inverted", "cannot be fitted"),
    ],
)
def test_recipes_that_cannot_be(spec, message):
    with pytest.raises(ConfigError, match=message):
        fit_columns({"p": spec}, COLUMNS)


def test_weights_reach_every_column():
    weights = np.where(COLUMNS["pid"] > 0, 1.0, 0.0)
    fitted = fit_columns(SPECS, COLUMNS, weights)
    assert fitted == fit_columns(SPECS, {name: values[weights > 0] for name, values in COLUMNS.items()})
    assert fitted.columns["pid"].categories.tolist() == [211, 321]


def test_per_column_takes_one_column_each():
    with pytest.raises(ConfigError, match="one or more named columns"):
        PerColumn({})
    with pytest.raises(ConfigError, match="column 'a': expected a transform of one column, got 'identity' of 2"):
        PerColumn({"a": Identity(2)})


def test_no_rows_give_no_rows(fitted):
    empty = {name: np.empty(0) for name in fitted.names}
    assert fitted.forward_columns(empty).shape == (0, 7)
    assert all(values.shape == (0,) for values in fitted.inverse_columns(np.empty((0, 7))).values())


def test_single_precision_columns_with_masses():
    values = np.where(RNG.random(N) < 0.3, 0.1, RNG.normal(size=N)).astype(np.float32)
    fitted = fit_columns({"x": {"kind": "quantile", "masses": [0.1], "clip": True}}, {"x": values})
    assert isinstance(fitted.columns["x"], QuantileToNormal)
    back = fitted.inverse_columns(fitted.forward_columns({"x": values}))["x"].astype(np.float32)
    assert np.array_equal(back == np.float32(0.1), values == np.float32(0.1))


def test_options_are_those_of_fit():
    log = fit_columns({"x": {"kind": "log", "offset": 2.0, "sign": -1}}, {"x": [1.0, -4.0]}).columns["x"]
    assert isinstance(log, Log)
    assert (log.offset, log.sign) == (2.0, -1)
