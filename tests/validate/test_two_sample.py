"""The two-sample classifier: honest where nothing differs, right where it does; the area under the curve itself."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr
from sklearn.metrics import roc_auc_score

from lamarrpy.errors import ConfigError, DomainError, SchemaError
from lamarrpy.validate.metrics import TwoSample, auc_with_error, roc_auc, two_sample_auc

SMALL = {"max_iter": 20, "max_leaf_nodes": 8}


def columns(seed: int, n: int) -> dict[str, np.ndarray]:
    """Three columns of three dtypes."""
    random = np.random.default_rng(seed)
    return {
        "x": random.normal(size=n),
        "n": random.poisson(3.0, n),
        "flag": random.random(n) < 0.4,
    }


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans(), st.integers(1, 4)), min_size=2, max_size=40))
def test_area_is_that_of_sklearn(rows: list[tuple[int, bool, int]]) -> None:
    scores, labels, w = np.array(rows).T
    if len(set(labels)) < 2:
        return
    assert roc_auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    weighted = roc_auc(scores, labels, w)
    assert weighted == pytest.approx(roc_auc_score(labels, scores, sample_weight=w), abs=1e-12)
    assert weighted == pytest.approx(roc_auc(np.repeat(scores, w), np.repeat(labels, w)), abs=1e-12)
    assert roc_auc(-scores, labels, w) == pytest.approx(1.0 - weighted, abs=1e-12)


def test_area_by_hand() -> None:
    assert roc_auc([1.0, 2.0, 3.0, 4.0], [False, False, True, True]) == 1.0
    assert roc_auc([1.0, 2.0, 2.0, 4.0], [0, 1, 0, 1]) == pytest.approx(3.5 / 4)
    assert roc_auc([1.0, 2.0, 3.0], [0, 1, 0], [1.0, 1.0, 3.0]) == pytest.approx(0.25)
    # shares of the true rows 3/4 and 1, of the false rows 1 and 3/4, each 1/8 from the mean: 2 (1/8)^2 (1/2)^2 twice
    assert auc_with_error([1.0, 2.0, 2.0, 4.0], [0, 1, 0, 1]) == pytest.approx((7 / 8, 1 / 8))


@pytest.mark.parametrize("with_weights", [False, True])
def test_error_of_the_area(with_weights: bool) -> None:
    """The areas of many samples scatter as each of them says, around the true one."""
    random, found = np.random.default_rng(1), []
    for _ in range(1500):
        scores = np.concatenate([random.normal(size=150), random.normal(0.7, 1.0, 100)])
        w = random.exponential(size=250) if with_weights else None
        found.append(auc_with_error(scores, np.repeat([0, 1], [150, 100]), w))
    values, errors = np.array(found).T
    true = ndtr(0.7 / np.sqrt(2.0))
    assert values.mean() == pytest.approx(true, abs=4.0 * values.std() / np.sqrt(1500))
    assert np.std((values - true) / errors) == pytest.approx(1.0, abs=0.08)


def test_nothing_to_tell() -> None:
    """Two samples of one distribution, ten times: 0.5 within the error, with a spread that is not above it."""
    pulls = []
    for seed in range(10):
        result = two_sample_auc(
            columns(100 + seed, 1500), columns(200 + seed, 1500), seed=seed, importance_rows=0, **SMALL
        )
        pulls.append((result.auc - 0.5) / result.error)
    assert np.all(np.abs(pulls) < 3.5)
    assert abs(np.mean(pulls)) < 3.5 / np.sqrt(10)
    assert 0.3 < np.sqrt(np.mean(np.square(pulls))) < 1.75  # chi-square of 10: beyond the upper bound once in 1000


def test_a_shift_gives_the_area_of_two_normal_distributions() -> None:
    random = np.random.default_rng(3)
    a = {"x": random.normal(size=6000), "y": random.normal(size=6000)}
    b = {"x": random.normal(0.6, 1.0, 6000), "y": random.normal(size=6000)}
    result = two_sample_auc(a, b, seed=1, importance_rows=2000, **SMALL)
    assert result.auc == pytest.approx(ndtr(0.6 / np.sqrt(2.0)), abs=4.0 * result.error)
    assert result.auc < ndtr(0.6 / np.sqrt(2.0)) + 3.0 * result.error
    assert [item.name for item in result.importances] == ["x", "y"]
    x, y = result.importances
    assert x.drop == pytest.approx(result.auc - 0.5, abs=0.05)
    assert x.drop > 5.0 * x.error
    assert abs(y.drop) < 0.03


def test_a_correlation_gives_both_columns_away() -> None:
    random = np.random.default_rng(4)
    a = np.column_stack([random.normal(size=(4000, 2)), random.random(4000)])
    b = np.column_stack([random.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 4000), random.random(4000)])
    result = two_sample_auc(a, b, seed=1, names=["x", "y", "z"], importance_rows=2000, **SMALL)
    assert result.auc > 0.65
    assert {item.name for item in result.importances[:2]} == {"x", "y"}


def test_weights_make_two_samples_one() -> None:
    """Rows weighted by the ratio of densities: a weighted tree has nothing left to learn."""
    random = np.random.default_rng(5)
    a, b = {"x": random.normal(size=4000)}, {"x": random.normal(0.5, 1.0, 4000)}
    bare = two_sample_auc(a, b, seed=1, importance_rows=0, **SMALL)
    assert bare.auc > 0.6
    mended = two_sample_auc(a, b, np.exp(0.5 * a["x"]), seed=1, importance_rows=0, **SMALL)
    assert mended.auc == pytest.approx(0.5, abs=3.5 * mended.error)
    assert mended.error > bare.error


def test_samples_of_different_size_count_the_same() -> None:
    a, b = columns(6, 4000), columns(7, 400)
    b["x"] = b["x"] + 3.0
    result = two_sample_auc(a, b, seed=1, importance_rows=0, **SMALL)
    assert result.auc == pytest.approx(ndtr(3.0 / np.sqrt(2.0)), abs=0.02)
    assert (result.rows_reference, result.rows_candidate) == (4000, 400)


def test_the_same_seed_gives_the_same_figures() -> None:
    a, b = columns(8, 600), columns(9, 600)
    results = [two_sample_auc(a, b, seed=seed, importance_rows=200, **SMALL) for seed in (5, 5, 6)]
    assert results[0] == results[1]
    assert results[0].auc != results[2].auc


def test_missing_values_are_seen() -> None:
    a, b = columns(10, 1000), columns(11, 1000)
    a["ll"] = np.where(np.arange(1000) % 2, np.nan, 0.0)
    b["ll"] = np.where(np.arange(1000) % 10, np.nan, 0.0)
    result = two_sample_auc(a, b, seed=1, importance_rows=1000, **SMALL)
    assert result.auc == pytest.approx(0.7, abs=0.04)
    assert result.importances[0].name == "ll"


def test_rounding_to_another_dtype_gives_nothing_away() -> None:
    random = np.random.default_rng(12)
    a, b = ({"x": np.where(random.random(1000) < 0.5, 0.1, 0.7)} for _ in range(2))
    b["x"] = b["x"].astype(np.float32)
    result = two_sample_auc(a, b, seed=1, importance_rows=0, **SMALL)
    assert result.auc == pytest.approx(0.5, abs=3.5 * max(result.error, 0.01))


def test_twins_that_are_kept_together_hide_nothing() -> None:
    """A simulation that answers the very conditions of its reference, right or half a sigma off."""
    random, n = np.random.default_rng(3), 3000
    shared = {f"given_{i}": random.normal(size=n) for i in range(3)}
    reference = {**shared, "x": random.normal(size=n)}
    events = np.repeat(np.arange(n // 3), 3)

    def area(shift: float, groups: tuple | None) -> float:
        candidate = {**shared, "x": random.normal(shift, 1.0, n)}
        return two_sample_auc(reference, candidate, seed=1, groups=groups, importance_rows=0).auc

    assert area(0.0, None) < 0.46  # trees know the twins again
    assert area(0.0, (events, events)) == pytest.approx(0.5, abs=0.03)
    assert 0.56 < area(0.5, (events, events)) < ndtr(0.5 / np.sqrt(2.0)) + 0.02
    with pytest.raises(SchemaError, match="one whole number for each of 3000 rows"):
        area(0.0, (events[:-1], events))


def test_fewer_rows_and_more_folds() -> None:
    a, b = columns(13, 2000), columns(14, 2000)
    w = np.where(np.arange(2000) < 500, 0.0, 1.0)
    result = two_sample_auc(a, b, w, seed=1, folds=3, rows=1800, importance_rows=300, **SMALL)
    assert (result.rows_reference, result.rows_candidate, result.folds) == (1500, 1800, 3)
    stored = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert {item["name"] for item in stored["importances"]} == {"x", "n", "flag"}
    assert isinstance(result, TwoSample)


ROWS = columns(15, 200)


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        ({"candidate": {"x": ROWS["x"], "n": ROWS["n"], "flags": ROWS["flag"]}}, SchemaError, "did you mean 'flag"),
        ({"candidate": {**ROWS, "x": ROWS["x"][:100]}}, SchemaError, "one length"),
        ({"candidate": {**ROWS, "x": np.full(200, "a")}}, SchemaError, "candidate column 'x'"),
        ({"candidate": {**ROWS, "x": np.full(200, np.inf)}}, DomainError, "candidate column 'x'"),
        (
            {"candidate": {name: column[:99] for name, column in ROWS.items()}},
            DomainError,
            "50 rows in each of 2 parts",
        ),
        ({"candidate": {name: column[:0] for name, column in ROWS.items()}}, DomainError, "at least one row"),
        ({"weights_reference": np.full(200, -1.0)}, DomainError, "-1.0 in row 0"),
        ({"weights_candidate": np.zeros(200)}, DomainError, "200 times 0"),
        ({"reference": np.ones((200, 3))}, ConfigError, "names="),
        ({"folds": 1}, ConfigError, "folds >= 2"),
        ({"rows": 0}, ConfigError, "rows >= 1"),
        ({"threads": 0}, ConfigError, "threads >= 1"),
    ],
)
def test_bad_samples_are_refused(changed: dict, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        two_sample_auc(**({"reference": ROWS, "candidate": ROWS, "seed": 1} | changed))


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (([], []), DomainError, "at least one row"),
        (([1.0, 2.0], [1, 1]), DomainError, "both labels"),
        (([1.0, 2.0], [0, 1], [1.0, 0.0]), DomainError, "both labels"),
        (([1.0, 2.0], [0, 2]), DomainError, "True or False"),
        (([1.0, 2.0], [0]), SchemaError, "each of 2 scores"),
        (([np.nan, 2.0], [0, 1]), DomainError, "nan in row 0"),
    ],
)
def test_bad_scores_are_refused(arguments: tuple, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        roc_auc(*arguments)
