"""Every kind of transform: there and back, stored as JSON, fitted with weights, and refusing what it cannot map."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lamarrpy.errors import ArtifactError, ConfigError, DomainError, SchemaError
from lamarrpy.parameterization.transforms import (
    TRANSFORMS,
    Asinh,
    Chain,
    Identity,
    Inverted,
    Log,
    Log1p,
    MinMax,
    OneHot,
    PerColumn,
    QuantileToNormal,
    Rotation,
    Standard,
    fitter,
    from_json,
)

FLOAT32 = 6e-8

rows = st.integers(1, 40)
sizes = st.floats(-1e12, 1e12, allow_subnormal=False)


def tables(columns, elements=sizes):
    return rows.flatmap(lambda n: hnp.arrays(np.float64, (n, columns), elements=elements))


def through_json(transform):
    return from_json(json.loads(json.dumps(transform.as_json(), allow_nan=False)))


def assert_round_trip(transform, values, scale=0.0):
    seen = transform.forward(values)
    assert seen.shape == (len(values), transform.width_out)
    assert seen.dtype == np.float64
    assert np.isfinite(seen).all()
    back = transform.inverse(seen)
    assert back.dtype == np.float64
    assert (np.abs(back - values) <= FLOAT32 * np.maximum(np.abs(values), scale)).all()
    stored = through_json(transform)
    assert stored == transform
    assert np.array_equal(stored.forward(values), seen)
    assert np.array_equal(stored.inverse(seen), back)


@given(tables(3), st.data())
def test_linear_kinds_come_back(values, data):
    kind = data.draw(st.sampled_from([Identity, Standard, MinMax, Rotation]))
    other = data.draw(tables(3))
    fitted = kind.fit(values)
    for some in (values, other):
        size = np.abs(values).max(axis=0)
        if kind is Rotation:
            deviations = np.abs(some - fitted.mean) / fitted.deviation
            size = size + fitted.deviation * deviations.max(axis=1, keepdims=True)
        assert_round_trip(fitted, some, size)


@pytest.mark.parametrize("kind", [Standard, MinMax, Rotation])
def test_what_varies_next_to_nothing_is_constant(kind):
    fitted = kind.fit([[1e-284], [0.0], [5e-284]])
    assert_round_trip(fitted, np.array([[1.0], [-1e40]]), 1e-200)


@given(tables(2, st.floats(1e-6, 1e12)))
def test_logarithms_come_back(values):
    assert_round_trip(Log.fit(values), values)
    assert_round_trip(Log.fit(-values, sign=-1), -values)
    assert_round_trip(Log.fit(values - 5.0, offset=6.0), values - 5.0, 6.0)
    assert_round_trip(Log1p.fit(values), values)
    assert_round_trip(Asinh.fit(values, scale=1e-3), values)
    assert_round_trip(Asinh.fit(-values), -values)


@given(st.lists(st.integers(-3000, 3000), min_size=1, max_size=30))
def test_categories_come_back(codes):
    values = np.array(codes, np.float64)[:, None]
    fitted = OneHot.fit(values)
    assert_round_trip(fitted, values)
    assert fitted.categories.tolist() == sorted(set(codes))
    assert (fitted.forward(values).sum(axis=1) == 1.0).all()


@given(tables(2, st.floats(1e-3, 1e6)), st.data())
def test_compositions_come_back(values, data):
    after_log = data.draw(
        st.lists(st.sampled_from(["standard", "min_max", "rotation", "asinh", "identity"]), max_size=4)
    )
    chain = fitter(["log", *after_log])(values, None)
    assert_round_trip(chain, values, 1.0)
    assert_round_trip(Chain((chain, Inverted(chain))), values, 1.0)
    assert_round_trip(Inverted(Inverted(chain)), values, 1.0)
    column = fitter([{"kind": "quantile", "masses": []}, "standard"])
    spread = float(np.ptp(values))
    assert_round_trip(PerColumn({"a": column(values[:, 0], None), "b": column(values[:, 1], None)}), values, spread)


def test_quantiles_of_one_sample_become_those_of_another():
    rng = np.random.default_rng(1)
    source, target = rng.normal(size=5000), rng.exponential(size=5000)
    morph = Chain((QuantileToNormal.fit(source), Inverted(QuantileToNormal.fit(target))))
    assert np.sort(morph.forward(source)[:, 0]) == pytest.approx(np.sort(target), rel=0.01, abs=0.01)
    assert_round_trip(morph, source[:, None], 1.0)


def test_kinds_do_what_their_names_say():
    rng = np.random.default_rng(2)
    values = rng.normal([3.0, -1e6], [0.1, 50.0], (1000, 2))
    standard = Standard.fit(values).forward(values)
    assert standard.mean(axis=0) == pytest.approx([0, 0], abs=1e-9)
    assert standard.std(axis=0) == pytest.approx([1, 1], abs=1e-9)
    for to in ([-1, 1], [0, 1]):
        scaled = MinMax.fit(values, to=to).forward(values)
        assert scaled.min(axis=0) == pytest.approx([to[0]] * 2, abs=1e-9)
        assert scaled.max(axis=0) == pytest.approx([to[1]] * 2, abs=1e-9)
    assert Log.fit([2.0], offset=1.0).forward([2.0]) == pytest.approx(np.log(3.0))
    assert Log.fit([-2.0], sign=-1, offset=1.0).forward([-2.0]) == pytest.approx(np.log(3.0))
    assert Log1p.fit([1e-20]).forward([1e-20]) == pytest.approx(1e-20, rel=1e-12)
    assert Asinh.fit([4.0], scale=2.0).forward([4.0]) == pytest.approx(np.arcsinh(2.0))
    assert OneHot.fit([3, 1, 3]).forward([1, 3]).tolist() == [[1, 0], [0, 1]]
    assert OneHot.fit([3, 1, 3]).inverse([[0.2, 0.7], [3.0, -1.0]]).tolist() == [[3], [1]]


def test_a_rotation_decorrelates():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(4000, 3)) @ np.array([[1e6, 2.0, 0.0], [0.0, 1.0, 1e-3], [0.0, 0.0, 1e-3]])
    weights = rng.uniform(0, 2, 4000)
    seen = Rotation.fit(values, weights).forward(values)
    assert np.cov(seen.T, aweights=weights, ddof=0) == pytest.approx(np.eye(3), abs=1e-9)
    turned = Rotation.fit(values, weights, whiten=False).forward(values)
    variances = np.cov(turned.T, aweights=weights, ddof=0)
    assert variances == pytest.approx(np.diag(np.diag(variances)), abs=1e-9)
    assert np.trace(variances) == pytest.approx(3.0)
    assert (np.diff(np.diag(variances)) <= 0.0).all()


def test_a_rotation_survives_directions_without_variance():
    rng = np.random.default_rng(4)
    x = rng.normal(size=200)
    values = np.stack([x, 2 * x, np.full(200, 7.0), rng.normal(size=200)], axis=1)
    fitted = Rotation.fit(values)
    assert_round_trip(fitted, values, 1.0)
    assert_round_trip(fitted, rng.normal(size=(50, 4)), 10.0)
    assert np.abs(fitted.forward(values)).max() < 10.0


@pytest.mark.parametrize("kind", ["rotation", "standard", "min_max", "log1p", "asinh", "quantile"])
def test_a_row_gives_the_same_bits_in_any_company(kind):
    values = np.random.default_rng(5).exponential(size=(1001, 1 if kind == "quantile" else 7))
    fitted = fitter(kind)(values, None)
    seen = fitted.forward(values)
    back = fitted.inverse(seen)
    for some in (slice(0, 1), slice(3, 10), slice(500, 1001)):
        assert np.array_equal(fitted.forward(values[some]), seen[some])
        assert np.array_equal(fitted.inverse(seen[some]), back[some])


@given(tables(2), st.data())
def test_whole_weights_count_as_repeated_rows(values, data):
    repeats = np.array(data.draw(st.lists(st.integers(0, 4), min_size=len(values), max_size=len(values))))
    if not repeats.any():
        repeats[0] = 1
    size = np.abs(values).max(axis=0) + 1e-300
    for kind in (Standard, MinMax):
        weighted, repeated = kind.fit(values, repeats), kind.fit(np.repeat(values, repeats, axis=0))
        assert weighted.center / size == pytest.approx(repeated.center / size, abs=1e-12)
        assert (weighted.scale == repeated.scale).all() or weighted.scale / size == pytest.approx(
            repeated.scale / size, abs=1e-7
        )


@pytest.mark.parametrize("value", [0.0, 3.5, -1e9, 1e-300])
@pytest.mark.parametrize("kind", ["standard", "min_max", "rotation", "quantile", "one_hot", "identity"])
@pytest.mark.parametrize("n", [1, 2, 50])
def test_constant_columns_come_back_exactly(kind, value, n):
    values = np.full((n, 1), value)
    fitted = fitter(kind)(values, None)
    assert np.array_equal(fitted.inverse(fitted.forward(values)), values)
    assert kind == "identity" or np.abs(fitted.forward(values)).max() <= 1.0


SAMPLE = np.array([[1.0], [2.0], [3.0], [2.0]])


@pytest.mark.parametrize("kind", sorted(set(TRANSFORMS) - {"inverted", "chain", "per_column"}))
def test_bad_numbers_are_refused(kind):
    fit = fitter(kind)
    fitted = fit(SAMPLE, None)
    for bad in (np.nan, np.inf, -np.inf, 1e200):
        with pytest.raises(DomainError, match=r"the first .* in row 2"):
            fit([1.0, 2.0, bad], None)
        with pytest.raises(DomainError, match=r"the first .* in row 1"):
            fitted.forward([[1.0], [bad]])
        with pytest.raises(DomainError, match=r"the first .* in row 1"):
            fitted.inverse(np.array([[0.0], [bad]]) * np.ones(fitted.width_out))
    with pytest.raises(SchemaError, match="shape"):
        fitted.forward(np.ones((3, 2)))
    with pytest.raises(SchemaError, match="real numbers"):
        fitted.forward(np.array(["a", "b"]))
    with pytest.raises(DomainError, match="above 0, got none in 0 rows"):
        fit(np.empty((0, 1)), None)
    with pytest.raises(DomainError, match="above 0, got none in 4 rows"):
        fit(SAMPLE, np.zeros(4))
    with pytest.raises(DomainError, match=r"not negative.*first -1.0 in row 3"):
        fit(SAMPLE, [1, 1, 1, -1])
    with pytest.raises(DomainError, match="weights that are finite"):
        fit(SAMPLE, [1, np.nan, 1, 1])
    with pytest.raises(SchemaError, match=r"weights of shape \(4,\)"):
        fit(SAMPLE, [1, 1, 1])


@pytest.mark.parametrize("kind", sorted(set(TRANSFORMS) - {"inverted", "chain", "per_column"}))
def test_no_rows_give_no_rows(kind):
    fitted = fitter(kind)(SAMPLE, None)
    assert fitted.forward(np.empty((0, 1))).shape == (0, fitted.width_out)
    assert fitted.inverse(np.empty((0, fitted.width_out))).shape == (0, 1)


def test_rows_of_no_weight_do_not_count():
    values, weights = np.array([[1.0], [2.0], [500.0], [3.0]]), [1, 1, 0, 1]
    for kind in ("standard", "min_max", "rotation", "quantile", "one_hot"):
        assert fitter(kind)(values, weights) == fitter(kind)(values[[0, 1, 3]], None)


def test_logarithms_refuse_what_has_none():
    for fit, good, bad in (
        (Log.fit, 1.0, 0.0),
        (lambda x: Log.fit(x, sign=-1), -1.0, 2.0),
        (lambda x: Log.fit(x, offset=3.0), -2.0, -3.0),
        (Log1p.fit, 0.0, -1.0),
    ):
        with pytest.raises(DomainError, match=rf"> 0 for a logarithm, got 1 others, the first x = {bad} in row 1"):
            fit([good, bad])
        with pytest.raises(DomainError, match="logarithm"):
            fit([good]).forward([bad])
        with pytest.raises(DomainError, match=r"exponential is finite, got 400.0 in row 1"):
            fit([good]).inverse([1.0, 400.0])
    with pytest.raises(DomainError, match="sinh is finite, got -400"):
        Asinh.fit([1.0]).inverse([-400.0])
    with pytest.raises(ConfigError, match="sign of 1 or -1"):
        Log.fit([1.0], sign=2)
    with pytest.raises(ConfigError, match="scale above 0"):
        Asinh.fit([1.0], scale=0.0)
    with pytest.raises(ConfigError, match="low before high"):
        MinMax.fit([1.0], to=[1, 0])


def test_unknown_categories_are_named():
    with pytest.raises(DomainError, match=r"categories -13, 13, got 1 others, the first 211 in row 2"):
        OneHot.fit([13, -13]).forward([13, 13, 211])
    with pytest.raises(DomainError, match="at most 1000 categories, got 1001"):
        OneHot.fit(np.arange(1001))


def test_within_is_for_point_masses():
    with pytest.raises(ConfigError, match="no point masses"):
        Standard.fit(SAMPLE).forward(SAMPLE, np.full(4, 0.5))
    chain = fitter(["quantile", "standard"])(SAMPLE, None)
    assert chain.has_masses
    assert chain.forward([2.0, 2.0], [0.2, 0.7])[:, 0] == pytest.approx(
        chain.steps[1].forward(chain.steps[0].forward([2.0, 2.0], [0.2, 0.7]))[:, 0]
    )


def test_chains_need_fitting_widths():
    with pytest.raises(ConfigError, match="one or more"):
        Chain(())
    with pytest.raises(ConfigError, match="'standard' to take the 2 columns that 'one_hot' gives"):
        Chain((OneHot.fit([1, 2]), Standard.fit([1.0, 2.0])))
    with pytest.raises(ConfigError, match="cannot be fitted"):
        fitter("inverted")(SAMPLE, None)


STORED = [
    (None, "its kind"),
    ([], "its kind"),
    ({"width": 1}, "its kind"),
    ({"kind": 3}, "its kind"),
    ({"kind": "standart"}, "did you mean 'standard'"),
    ({"kind": "identity"}, "a field 'width'"),
    ({"kind": "identity", "width": 0}, "above 0"),
    ({"kind": "identity", "width": True}, "above 0"),
    ({"kind": "identity", "width": 1, "widths": 2}, "unknown field 'widths'; did you mean 'width'"),
    ({"kind": "standard", "center": [], "scale": []}, "one or more columns"),
    ({"kind": "standard", "center": [0.0], "scale": [0.0]}, "positive"),
    ({"kind": "standard", "center": [0.0], "scale": [1.0, 2.0]}, r"shape \(1,\)"),
    ({"kind": "standard", "center": [float("nan")], "scale": [1.0]}, "finite"),
    ({"kind": "standard", "center": [10**400], "scale": [1.0]}, "finite"),
    ({"kind": "standard", "center": ["1"], "scale": [1.0]}, "finite"),
    ({"kind": "standard", "center": [True], "scale": [1.0]}, "finite"),
    ({"kind": "standard", "center": 1.0, "scale": [1.0]}, "shape"),
    ({"kind": "log", "width": 1, "offset": 0.0, "sign": 3}, "1 or -1"),
    ({"kind": "asinh", "width": 1, "scale": 0.0}, "above 0"),
    ({"kind": "one_hot", "categories": [2, 1]}, "rising"),
    ({"kind": "one_hot", "categories": []}, "rising"),
    ({"kind": "rotation", "mean": [0], "deviation": [1], "axes": [[2]], "scale": [1]}, "a rotation"),
    ({"kind": "rotation", "mean": [0, 0], "deviation": [1, 1], "axes": [[1], [0, 1]], "scale": [1, 1]}, "equal length"),
    ({"kind": "rotation", "mean": [0], "deviation": [-1], "axes": [[1]], "scale": [1]}, "positive"),
    ({"kind": "chain", "steps": []}, "one or more"),
    ({"kind": "chain", "steps": {}}, "a list"),
    ({"kind": "chain", "steps": [{"kind": "identity", "width": 2}, {"kind": "identity", "width": 1}]}, "fit"),
    ({"kind": "chain", "steps": [{"kind": "identity"}]}, "a field 'width'"),
    ({"kind": "inverted", "of": "log"}, "its kind"),
    ({"kind": "per_column", "columns": []}, "one or more"),
    ({"kind": "per_column", "columns": [{"name": "a"}]}, "name and transform"),
    ({"kind": "per_column", "columns": [{"name": "a", "transform": {"kind": "identity", "width": 2}}]}, "one column"),
    (
        {"kind": "per_column", "columns": [{"name": "a", "transform": {"kind": "identity", "width": 1}}] * 2},
        "different",
    ),
]


@pytest.mark.parametrize(("data", "message"), STORED)
def test_malformed_json_is_refused(data, message):
    with pytest.raises(ArtifactError, match=message):
        from_json(data)


@pytest.mark.parametrize("kind", sorted(TRANSFORMS))
def test_every_kind_is_registered_under_its_name(kind):
    assert TRANSFORMS[kind].kind == kind
