"""Correlations: against NumPy and scipy, with weights, and where they differ."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lamarrpy.errors import ConfigError, DomainError, SchemaError
from lamarrpy.validate.metrics import correlation_difference, correlation_matrix


def table(seed: int, n: int, rho: float = 0.8) -> dict[str, np.ndarray]:
    """Two correlated normal columns, an integer that follows the second, and a boolean on its own."""
    random = np.random.default_rng(seed)
    x, y = random.multivariate_normal([0.0, 5e4], [[1.0, rho * 1e3], [rho * 1e3, 1e6]], n).T
    return {"x": x, "p": y, "ndof": np.rint(y / 1e3).astype(int), "is_muon": random.random(n) < 0.3}


def test_pearson_is_that_of_numpy() -> None:
    columns = table(1, 70_000)
    np.testing.assert_allclose(correlation_matrix(columns), np.corrcoef(list(columns.values())), atol=1e-12)
    w = np.random.default_rng(2).exponential(size=70_000)
    covariance = np.cov(list(columns.values()), aweights=w)
    spread = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(correlation_matrix(columns, w), covariance / np.outer(spread, spread), atol=1e-12)


def test_spearman_is_that_of_scipy() -> None:
    matrix = np.stack(list(table(3, 2000).values()), axis=1)
    np.testing.assert_allclose(correlation_matrix(matrix, method="spearman"), stats.spearmanr(matrix)[0], atol=1e-12)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4), st.integers(0, 3)), min_size=1, max_size=25))
def test_whole_weights_are_repeated_rows_of_a_table(method: str, rows: list[tuple[int, int, int]]) -> None:
    x, y, repeated = np.array(rows).T
    if not repeated.any():
        return
    once = correlation_matrix({"x": np.repeat(x, repeated), "y": np.repeat(y, repeated)}, method=method)
    np.testing.assert_allclose(correlation_matrix({"x": x, "y": y}, repeated, method), once, atol=1e-9)


def test_ranks_do_not_see_a_monotone_map() -> None:
    columns = table(4, 3000)
    bent = columns | {"x": np.sinh(3.0 * columns["x"])}
    np.testing.assert_allclose(
        correlation_matrix(columns, method="spearman"), correlation_matrix(bent, method="spearman"), atol=1e-12
    )
    assert abs(correlation_matrix(columns) - correlation_matrix(bent)).max() > 0.3


def test_a_constant_column_correlates_with_nothing() -> None:
    for method in ("pearson", "spearman"):
        matrix = correlation_matrix({"x": [0.1, 0.1, 0.1], "y": [1.0, 2.0, 4.0]}, method=method)
        np.testing.assert_array_equal(matrix, np.eye(2))


def test_any_unit() -> None:
    columns = table(5, 500)
    tiny = {name: column * scale for (name, column), scale in zip(columns.items(), (1e-200, 1e150, 1, 1), strict=True)}
    np.testing.assert_allclose(correlation_matrix(tiny), correlation_matrix(columns), atol=1e-9)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_the_pair_that_differs_is_found(method: str) -> None:
    a, b = table(6, 20_000), table(7, 20_000, rho=0.3)
    del a["ndof"], b["ndof"]
    found = correlation_difference(a, dict(reversed(b.items())), method=method)
    assert found.names == ("x", "p", "is_muon")
    assert found.pair == ("x", "p")
    assert found.largest == pytest.approx(0.5, abs=0.03)
    assert found.largest == pytest.approx(abs(found.reference - found.candidate).max())
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["pair"] == ["x", "p"]


def test_weights_can_mend_a_correlation() -> None:
    """Weighting by the ratio of the densities of two normal distributions turns one correlation into the other."""
    random = np.random.default_rng(8)
    a, b = random.normal(size=(2, 200_000)), random.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], 200_000).T
    exponent = -(a[0] ** 2 - 0.6 * a[0] * a[1] + a[1] ** 2) / (2 * 0.91) + (a[0] ** 2 + a[1] ** 2) / 2
    ours, others = dict(zip("xy", a, strict=True)), dict(zip("xy", b, strict=True))
    assert correlation_difference(ours, others).largest == pytest.approx(0.3, abs=0.02)
    assert correlation_difference(ours, others, np.exp(exponent)).largest < 0.02


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (({"x": [1.0]}, {"x": [1.0]}), SchemaError, "at least two"),
        (({}, {}), SchemaError, "at least one column"),
        (({"x": [1.0], "y": [1.0]}, {"x": [1.0], "yy": [1.0]}), SchemaError, "only one of them"),
        (({"x": [1.0], "y": [1.0, 2.0]}, {"x": [1.0], "y": [1.0]}), SchemaError, "one length"),
        (({"x": [], "y": []}, {"x": [1.0], "y": [1.0]}), DomainError, "at least one row"),
        (({"x": [np.nan], "y": [1.0]}, {"x": [1.0], "y": [1.0]}), DomainError, "reference column 'x'"),
        (({"x": [1.0], "y": [1.0]}, {"x": [1.0], "y": [1.0]}, [-1.0]), DomainError, "-1.0 in row 0"),
        (({"x": [1.0], "y": [1.0]}, {"x": [1.0], "y": [1.0]}, None, None, "kendall"), ConfigError, "pearson, spearman"),
        ((np.ones((3, 2)), np.ones((3, 2))), ConfigError, "names="),
    ],
)
def test_bad_tables_are_refused(arguments: tuple, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        correlation_difference(*arguments)
