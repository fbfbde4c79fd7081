"""Efficiency curves: by hand, against scipy, and how often their intervals are right."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lamarrpy.errors import ConfigError, DomainError, SchemaError
from lamarrpy.validate.metrics import clopper_pearson, efficiency, wilson


def test_by_hand() -> None:
    passed = [True, False, True, True, False, True, True]
    curve = efficiency(passed, [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 9.0], [0.0, 1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(curve.value, [0.5, 1.0, 0.0, 1.0])
    assert curve.entries.tolist() == [2, 2, 1, 1]
    # Wilson with z = 1 for 1 of 2: (1/2 + 1/4) / (3/2) and sqrt(1/8 + 1/16) / (3/2) to either side
    assert curve.low[0] == pytest.approx(0.5 - np.sqrt(3 / 16) / 1.5)
    assert curve.high[0] == pytest.approx(0.5 + np.sqrt(3 / 16) / 1.5)
    assert curve.high[1] == 1.0
    assert curve.low[2] == 0.0


@pytest.mark.parametrize("level", [0.6826894921370859, 0.95])
@given(n=st.integers(1, 500), data=st.data())
def test_intervals_are_those_of_scipy(level: float, n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    share, entries = np.array([k / n]), np.array([float(n)])
    for method, ours in (("wilson", wilson), ("exact", clopper_pearson)):
        expected = stats.binomtest(k, n).proportion_ci(level, method)
        low, high = ours(share, entries, level)
        np.testing.assert_allclose([low[0], high[0]], [expected.low, expected.high], atol=1e-9)
        assert 0.0 <= low[0] <= share[0] <= high[0] <= 1.0


def coverage(method: str, true: float, n: int) -> float:
    """How often an interval holds the true efficiency: exact, by the binomial probabilities of all outcomes."""
    k = np.arange(n + 1)
    low, high = (wilson if method == "wilson" else clopper_pearson)(k / n, np.full(n + 1, float(n)))
    return float(stats.binom.pmf(k, n, true)[(low <= true) & (true <= high)].sum())


def test_coverage() -> None:
    efficiencies = np.linspace(0.02, 0.98, 97)
    for n in (20, 100):
        right = [coverage("wilson", e, n) for e in efficiencies]
        assert np.mean(right) == pytest.approx(0.683, abs=0.015)
        assert min(coverage("clopper-pearson", e, n) for e in efficiencies) > 0.6826


def test_coverage_with_weights() -> None:
    random = np.random.default_rng(1)
    bins, n = 2000, 400
    variable, w = np.repeat(np.arange(bins), n), random.exponential(size=bins * n)
    curve = efficiency(random.random(bins * n) < 0.8, variable, np.arange(bins + 1) - 0.5, w)
    assert np.mean(curve.effective) == pytest.approx(n / 2, rel=0.02)
    right = np.mean((curve.low <= 0.8) & (curve.high >= 0.8))
    assert right == pytest.approx(0.683, abs=0.035)  # 3.4 standard deviations of 2000 bins


@pytest.mark.parametrize("method", ["wilson", "clopper-pearson"])
def test_equal_weights_do_not_matter(method: str) -> None:
    random = np.random.default_rng(2)
    passed, variable = random.random(300) < 0.6, random.uniform(size=300)
    bare = efficiency(passed, variable, [0.0, 0.3, 1.0], method=method)
    equal = efficiency(passed.astype(int), variable, [0.0, 0.3, 1.0], np.full(300, 7.0), method=method)
    for name in ("value", "low", "high", "entries", "effective"):
        np.testing.assert_allclose(getattr(bare, name), getattr(equal, name))


def test_weights_change_the_share() -> None:
    curve = efficiency([True, False, True], [0.5, 0.5, 0.5], [0.0, 1.0], [3.0, 1.0, 0.0])
    assert curve.value[0] == pytest.approx(0.75)
    assert curve.entries[0] == 2
    assert curve.effective[0] == pytest.approx(1.6)


def test_an_empty_bin_knows_nothing() -> None:
    curve = efficiency([True], [0.5], [0.0, 1.0, np.inf])
    assert np.isnan(curve.value[1])
    assert (curve.low[1], curve.high[1]) == (0.0, 1.0)
    stored = json.loads(json.dumps(curve.as_dict(), allow_nan=False))
    assert stored["value"] == [1.0, None]
    assert stored["edges"] == [0.0, 1.0, "inf"]
    assert stored["entries"] == [1, 0]


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        ({"passed": []}, DomainError, "what passed: expected at least one row"),
        ({"passed": [], "variable": []}, DomainError, "at least one row"),
        ({"passed": [True]}, SchemaError, "each of 2 rows"),
        ({"passed": [0.3, 1.0]}, DomainError, "True or False"),
        ({"variable": [np.nan, 1.0]}, DomainError, "nan in row 0"),
        ({"weights": [-1.0, 1.0]}, DomainError, "-1.0 in row 0"),
        ({"edges": [1.0, 0.0]}, ConfigError, "ascending"),
        ({"method": "wilsen"}, ConfigError, "did you mean 'wilson'"),
        ({"level": 1.0}, ConfigError, "between 0 and 1"),
    ],
)
def test_bad_efficiencies_are_refused(changed: dict, error: type[Exception], told: str) -> None:
    arguments = {"passed": [True, False], "variable": [0.1, 0.2], "edges": [0.0, 1.0]}
    with pytest.raises(error, match=told):
        efficiency(**(arguments | changed))
