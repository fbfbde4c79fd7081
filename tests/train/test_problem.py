"""Problems: what a recipe makes of data, and that every value finds its way back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_training import content_of, problem_of

from lamarrpy.errors import ConfigError, DomainError, SchemaError
from lamarrpy.train.preparation import prepared
from lamarrpy.train.problem import make_problem
from lamarrpy.train.recipe import make_recipe
from lamarrpy.train.table import Table


def made(columns, **recipe):
    content = {"conditions": ["p"], "targets": ["x"]} | recipe
    return make_problem(make_recipe(content), Table(columns, {}, {}))


def awkward(rows=2000, seed=0):
    """A target with a point mass in its middle and one at each bound, and an integer."""
    random = np.random.default_rng(seed)
    x = random.normal(size=rows)
    x[: rows // 4] = 0.0
    x[rows // 4 : rows // 3] = -3.0
    x = np.clip(random.permutation(x), -3.0, 1.0)
    return {"p": random.normal(size=rows), "x": x, "n": random.poisson(3.0, rows).astype(np.int32)}


def test_conditions_are_near_one_and_targets_normal(columns):
    problem = problem_of(columns, conditions=["p", "n_tracks", "charge", "z"], targets=["dx", "energy", "ndof"])
    rows = problem.rows("training").epoch(0)
    assert rows.conditions.dtype == rows.targets.dtype == rows.weights.dtype == np.float32
    assert rows.conditions.shape == (300, 4)
    assert np.abs(rows.conditions.mean(axis=0)).max() < 0.1
    assert np.abs(rows.conditions.std(axis=0) - 1.0).max() < 0.1
    assert np.abs(rows.targets.mean(axis=0)).max() < 0.1
    assert np.abs(rows.targets.std(axis=0) - 1.0).max() < 0.1
    assert set(np.round(rows.conditions[:, 2], 4)) == set(np.round(np.unique(rows.conditions[:, 2]), 4))
    assert len(np.unique(rows.conditions[:, 2])) == 2


def test_point_masses_lie_elsewhere_each_pass_and_come_back_exactly():
    columns = awkward()
    problem = made(columns, targets=["x", "n"])
    rows = problem.rows("training")
    passes = [rows.epoch(number).targets for number in (0, 1, 0)]
    assert np.array_equal(passes[0], passes[2])
    truth = {name: problem.parts["training"][name] for name in ("x", "n")}
    is_mass = np.isin(truth["x"], [-3.0, 0.0, 1.0])
    assert (passes[0][is_mass, 0] != passes[1][is_mass, 0]).mean() > 0.99
    assert (passes[0][~is_mass, 0] == passes[1][~is_mass, 0]).all()
    assert (passes[0][:, 1] != passes[1][:, 1]).mean() > 0.99
    for spread in passes[:2]:
        back = problem.targets.inverse_columns(spread)
        assert np.array_equal(back["n"], truth["n"])
        assert np.array_equal(back["x"][is_mass], truth["x"][is_mass])
        assert np.abs(back["x"] - truth["x"]).max() < 0.05


def test_spread_masses_make_a_normal_distribution():
    rows = made(awkward(20_000), targets=["x", "n"]).rows("training").epoch(3).targets
    for column in rows.T.astype(np.float64):
        assert np.abs(column.mean()) < 0.02
        assert np.abs(column.std() - 1.0) < 0.02
        assert np.abs((column > 1.0).mean() - 0.1587) < 0.01


@pytest.mark.parametrize(
    ("masses", "found"), [("auto", [-3.0, 0.0, 1.0]), ([0.0], [0.0]), ([0.0, -3.0], [-3.0, 0.0]), ([], [])]
)
def test_masses_are_found_or_declared(masses, found):
    problem = made(awkward(), targets={"x": {"masses": masses}})
    (target,) = problem.described_targets()
    assert list(target.masses) == found
    assert not target.integer
    assert len(problem.mass_ranges()["x"]) == len(found)


def test_ranges_of_ranks_are_as_wide_as_the_share_of_their_mass():
    problem = made(awkward(), targets={"x": {"masses": [0.0, 1.0]}, "n": {}})
    x, n = problem.mass_ranges()["x"], problem.mass_ranges()["n"]
    training = problem.parts["training"]
    for (low, high), mass in zip(x, (0.0, 1.0), strict=True):
        assert high - low == pytest.approx((training["x"] == mass).mean(), abs=1e-6)
    assert x[1][1] == 1.0
    assert [low for low, _ in n] == pytest.approx([0.0, *(high for _, high in n[:-1])])
    assert n[-1][1] == 1.0


def test_a_mass_that_is_not_there_is_said():
    with pytest.raises(ConfigError, match=r"target 'x': expected rows at each of its masses, got none at \[7\.0\]"):
        made(awkward(), targets={"x": {"masses": [0.0, 7.0]}})


def test_a_mass_of_float32_is_found_by_its_decimal_name():
    columns = awkward()
    columns["x"] = np.where(columns["x"] == 0.0, 0.1, columns["x"]).astype(np.float32)
    (target,) = made(columns, targets={"x": {"masses": [0.1]}}).described_targets()
    assert target.masses == (float(np.float32(0.1)),)


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.int64, bool])
def test_columns_of_integers_are_integers(dtype):
    columns = awkward()
    columns["n"] = (columns["n"] > 2).astype(dtype) if dtype is bool else columns["n"].astype(dtype)
    problem = made(columns, targets=["n"])
    (target,) = problem.described_targets()
    assert target.integer
    assert target.dtype == np.dtype(dtype).name
    assert list(target.masses) == np.unique(problem.parts["training"]["n"].astype(float)).tolist()


def test_whole_numbers_of_floats_are_integers_if_declared():
    columns = awkward()
    columns["x"] = columns["n"].astype(np.float32)
    (target,) = made(columns, targets={"x": {"integer": True}}).described_targets()
    assert target.integer
    assert target.dtype == "float32"
    columns["x"][-1] += 0.25  # wherever it is: every part is looked at
    with pytest.raises(DomainError, match="target 'x': expected whole numbers"):
        made(columns, targets={"x": {"integer": True}})


def test_an_integer_that_is_to_be_learned_as_a_number_is_not_cut_to_an_integer():
    columns = awkward()
    columns["n"] = np.arange(2000)
    problem = made(columns, targets={"n": {"integer": False}})
    (target,) = problem.described_targets()
    assert (target.integer, target.dtype, target.masses) == (False, "float64", ())
    (conditions,) = made(columns, conditions=["n"]).described_conditions()
    assert conditions.dtype == "int64"


def test_bounds_hold_wherever_the_network_goes():
    columns = awkward()
    columns["x"] = np.exp(columns["p"] + 0.1)
    problem = made(columns, targets={"x": {"low": 0.0}})
    drawn = problem.targets.inverse_columns(np.linspace(-30, 30, 1001)[:, None])["x"]
    training = problem.parts["training"]["x"]
    assert (drawn >= training.min()).all()
    assert (drawn <= training.max()).all()


@pytest.mark.parametrize(("bound", "value"), [("low", -2.5), ("high", 0.5)])
def test_values_beyond_a_bound_are_refused_in_any_part(bound, value):
    columns = awkward()
    keep = columns["x"] >= value if bound == "low" else columns["x"] <= value
    columns = {name: values[keep] for name, values in columns.items()}
    made(columns, targets={"x": {bound: value}})
    for row in range(4):
        worse = columns | {"x": columns["x"].copy()}
        worse["x"][row] = -2.75 if bound == "low" else 0.75
        with pytest.raises(DomainError, match=rf"target 'x': expected values within its bounds, got 1 .* row {row}"):
            made(worse, targets={"x": {bound: value}})


def test_constant_columns_are_learned_as_such():
    columns = awkward()
    columns |= {"c": np.full(2000, 3.5), "d": np.full(2000, -1, np.int32)}
    problem = made(columns, conditions=["c", "p"], targets=["d", "x"])
    rows = problem.rows("training").epoch(0)
    assert np.isfinite(rows.conditions).all()
    assert (rows.conditions[:, 0] == rows.conditions[0, 0]).all()
    back = problem.targets.inverse_columns(np.random.default_rng(0).normal(size=(100, 2)))
    assert (back["d"] == -1).all()
    assert problem.described_targets()[0].masses == (-1.0,)


def test_units_are_of_the_recipe_or_the_data():
    columns = awkward()
    recipe = make_recipe({"conditions": {"p": {"unit": "GeV"}}, "targets": ["x", "n"]})
    problem = make_problem(recipe, Table(columns, {"p": "MeV", "x": "mm"}, {}))
    assert [column.unit for column in problem.described_conditions()] == ["GeV"]
    assert [column.unit for column in problem.described_targets()] == ["mm", ""]


def test_the_domain_is_that_of_the_training_rows():
    problem = made(awkward())
    (condition,) = problem.described_conditions()
    training = problem.parts["training"]["p"]
    assert (condition.low, condition.high) == (training.min(), training.max())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_a_row_of_weight_two_is_two_rows(seed):
    random = np.random.default_rng(seed)
    values = {"p": random.normal(size=200), "x": random.normal(size=200), "n": random.poisson(2.0, 200)}
    weight = random.integers(1, 4, 200)
    twice = np.repeat(np.arange(200), weight)
    content = {"conditions": ["p"], "targets": ["x", "n"], "split": [1, 0, 0]}
    weighted = make_problem(make_recipe(content | {"weight": "w"}), Table(values | {"w": weight}, {}, {}))
    repeated = make_problem(make_recipe(content), Table({n: v[twice] for n, v in values.items()}, {}, {}))
    rows = weighted.rows("training").epoch(0)
    assert rows.weights.mean() == pytest.approx(1.0, abs=1e-5)
    assert np.allclose(rows.weights / rows.weights[0], weight / weight[0], rtol=1e-5)
    for transforms in ("conditions", "targets"):
        names = getattr(weighted, transforms).names
        some = {name: values[name] for name in names}
        first, second = (getattr(p, transforms).forward_columns(some) for p in (weighted, repeated))
        assert np.allclose(first, second, atol=1e-5)


def test_groups_are_those_of_the_recipe_or_of_events():
    columns = awkward() | {"event_id": np.arange(2000) // 10, "pair": np.arange(2000) // 2}
    for recipe, name in (({}, "event_id"), ({"group": "pair"}, "pair")):
        problem = made(columns, **recipe)
        seen = [set(part[name].tolist()) for part in problem.parts.values()]
        assert sum(len(some) for some in seen) == len(set.union(*seen))


def test_a_group_that_is_not_there_is_said():
    recipe = make_recipe({"name": "mine", "conditions": ["p"], "targets": ["x"], "group": "event"})
    with pytest.raises(SchemaError, match="mine: expected the columns p, x, event; missing after preparation: event"):
        prepared(Table(awkward(), {}, {}), None, recipe)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["p", "x", "w"])
def test_numbers_that_are_not_finite_are_refused_before_anything_is_learned(name, value):
    columns = awkward() | {"w": np.ones(2000)}
    columns[name][7] = value
    recipe = make_recipe({"conditions": ["p"], "targets": ["x"], "weight": "w"})
    with pytest.raises(DomainError, match=rf"column '{name}': expected finite numbers, got 1 others, .* in row 7"):
        prepared(Table(columns, {}, {}), None, recipe)


def test_errors_of_transforms_name_their_column():
    with pytest.raises(DomainError, match="column 'p'"):
        made(awkward(), conditions={"p": "log"})
    with pytest.raises(ConfigError, match=r"column 'p': expected a transform out of .*'lgo'; did you mean 'log'"):
        made(awkward(), conditions={"p": "lgo"})


def test_negative_weights_are_refused(columns):
    weights = np.where(np.arange(600) == 3, -1.0, 1.0)
    with pytest.raises(DomainError, match="weights that are finite and not negative"):
        problem_of(columns | {"weight": weights}, weight="weight", split=[1, 0, 0])
    assert "weight" not in content_of()
