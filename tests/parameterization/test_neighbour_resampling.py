from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from lamarrpy.errors import ArtifactError, ConfigError, DomainError, SchemaError
from lamarrpy.parameterization.neighbours import Neighbours

RANDOM = np.random.default_rng(20)


def sample(rows: int, seed: int = 0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Conditions with ties and continuous ones, targets of several dtypes."""
    random = np.random.default_rng(seed)
    conditions = np.stack([random.normal(size=rows), random.integers(0, 4, rows), random.integers(0, 2, rows)], axis=1)
    return conditions.astype(np.float32), {
        "row": np.arange(rows, dtype=np.int32),
        "mass": np.where(random.random(rows) < 0.7, 0.0, random.normal(size=rows)).astype(np.float32),
        "flag": random.random(rows) < 0.5,
        "exact": random.normal(size=rows),
    }


def by_hand(conditions: np.ndarray, weights: np.ndarray, k: int, asked: np.ndarray, uniform: float) -> int:
    """The answer to one row by sorting all training rows; ties as far as the k-th belong to the candidates."""
    distances = np.sqrt(((conditions.astype(float) - asked.astype(float)) ** 2).sum(axis=1))
    distances[weights == 0.0] = np.inf
    far = np.sort(distances)[min(k, np.count_nonzero(weights)) - 1]
    rows = np.flatnonzero(distances <= far)
    rows = rows[np.argsort(distances[rows], kind="stable")]
    # Rows of one place stay together even where another place is as far away.
    place = [min(j for j in rows if (conditions[j] == conditions[i]).all()) for i in rows]
    rows = rows[np.lexsort((rows, place, distances[rows]))]
    upto = np.cumsum(weights[rows])
    return int(rows[min(np.searchsorted(upto, uniform * upto[-1], side="right"), len(rows) - 1)])


@settings(max_examples=60, deadline=None)
@given(
    conditions=arrays(np.float64, st.tuples(st.integers(1, 30), st.just(2)), elements=st.integers(-2, 2).map(float)),
    data=st.data(),
    k=st.integers(1, 8),
)
def test_choice_is_that_of_sorting_all_rows(conditions: np.ndarray, data: st.DataObject, k: int) -> None:
    rows = len(conditions)
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows)), float)
    weights[0] = 1.0
    asked = data.draw(arrays(np.float64, (3, 2), elements=st.sampled_from([-2.0, -0.5, 0.0, 0.5, 1.0, 3.0])))
    # Not where one candidate ends and the next begins, to the last bit.
    uniform = np.array(data.draw(st.lists(st.integers(0, 996), min_size=3, max_size=3))) / 997.0 + 1e-4
    chosen = Neighbours(conditions, {"row": np.arange(rows)}, weights, k).choose(asked, uniform)
    expected = [by_hand(conditions, weights, k, row, u) for row, u in zip(asked, uniform, strict=True)]
    assert chosen.tolist() == expected


@pytest.mark.parametrize("k", [1, 3, 8])
def test_answer_does_not_depend_on_the_batch(k: int) -> None:
    conditions, targets = sample(3000)
    asked, _ = sample(10_000, seed=1)
    uniform = np.random.default_rng(2).random(len(asked))
    neighbours = Neighbours(conditions, targets, RANDOM.random(3000), k)
    whole = neighbours(asked, uniform)
    order = np.random.default_rng(3).permutation(len(asked))
    permuted = neighbours(asked[order], uniform[order])
    pieces = [neighbours(asked[a : a + 777], uniform[a : a + 777]) for a in range(0, len(asked), 777)]
    single = [neighbours(asked[i : i + 1], uniform[i : i + 1]) for i in range(50)]
    for name in targets:
        np.testing.assert_array_equal(permuted[name], whole[name][order])
        np.testing.assert_array_equal(np.concatenate([piece[name] for piece in pieces]), whole[name])
        np.testing.assert_array_equal(np.concatenate([one[name] for one in single]), whole[name][:50])


def test_targets_come_back_bit_by_bit_in_their_dtypes() -> None:
    conditions, targets = sample(500)
    answer = Neighbours(conditions, targets, k=1)(conditions, np.full(500, 0.5))
    for name, column in targets.items():
        assert answer[name].dtype == column.dtype
        assert np.isin(answer[name], column).all()
    rows = answer["row"]
    np.testing.assert_array_equal(conditions[rows], conditions)
    for name, column in targets.items():
        np.testing.assert_array_equal(answer[name], column[rows])


def test_rows_of_equal_conditions_are_chosen_alike() -> None:
    # All conditions are equal: whatever k, every training row must come up, not only the first ones.
    neighbours = Neighbours(np.zeros((40, 2)), {"row": np.arange(40)}, k=2)
    chosen = neighbours.choose(np.zeros((40_000, 2)), (np.arange(40_000) + 0.5) / 40_000)
    np.testing.assert_array_equal(np.bincount(chosen, minlength=40), 1000)


def test_probability_is_proportional_to_weight() -> None:
    conditions = np.array([[0.0], [0.1], [0.2], [9.0]])
    neighbours = Neighbours(conditions, {"row": np.arange(4)}, np.array([1.0, 0.0, 3.0, 100.0]), k=2)
    chosen = neighbours.choose(np.full((4000, 1), 0.05), (np.arange(4000) + 0.5) / 4000)
    assert np.bincount(chosen, minlength=4).tolist() == [1000, 0, 3000, 0]


def test_integer_weights_are_as_good_as_repeated_rows() -> None:
    conditions, _ = sample(200, seed=5)
    weights = np.random.default_rng(6).integers(1, 4, 200)
    asked, uniform = sample(500, seed=7)[0], np.random.default_rng(8).random(500)
    rows = np.repeat(np.arange(200), weights)
    once = Neighbours(conditions, {"row": np.arange(200)}, weights, k=1)(asked, uniform)
    repeated = Neighbours(conditions[rows], {"row": rows}, k=1)(asked, uniform)
    np.testing.assert_array_equal(once["row"], repeated["row"])


def test_ends_of_the_random_numbers_are_answered() -> None:
    conditions = np.linspace(0.0, 1.0, 11)[:, None]
    chosen = Neighbours(conditions, {"row": np.arange(11)}, k=3).choose(
        np.array([[0.01], [0.01]]), np.array([0.0, 1.0])
    )
    assert chosen.tolist() == [0, 2]


def test_more_neighbours_than_rows() -> None:
    neighbours = Neighbours(np.array([[0.0], [1.0]]), {"y": np.array([5, 7])}, k=8)
    assert set(neighbours(np.zeros((9, 1)), np.linspace(0.0, 1.0, 9))["y"].tolist()) == {5, 7}


def test_generates_the_conditional_distribution() -> None:
    random = np.random.default_rng(11)
    given_, asked = random.normal(size=(20_000, 2)), random.normal(size=(5_000, 2))
    y = given_[:, 0] + (0.2 + 0.3 * (given_[:, 1] > 0.0)) * random.normal(size=20_000)
    for k in (1, 4):
        made = Neighbours(given_, {"y": y}, k=k)(asked, random.random(5_000))["y"]
        pull = np.sort((made - asked[:, 0]) / (0.2 + 0.3 * (asked[:, 1] > 0.0)))
        # Largest difference of the cumulative distributions; 1.63 / sqrt(n) is passed by one sample in a hundred.
        at = norm.cdf(pull)
        distance = np.maximum(at - np.arange(5_000) / 5_000, np.arange(1, 5_001) / 5_000 - at).max()
        assert distance < 1.63 / np.sqrt(5_000) + 0.01


def test_goes_through_npz_without_pickle() -> None:
    conditions, targets = sample(300)
    before = Neighbours(conditions, targets, RANDOM.random(300), k=3)
    stream = io.BytesIO()
    np.savez(stream, **before.arrays())
    stream.seek(0)
    with np.load(stream, allow_pickle=False) as stored:
        after = Neighbours.from_arrays(dict(stored))
    asked, uniform = sample(1000, seed=4)[0], np.random.default_rng(1).random(1000)
    assert after.k == 3
    assert after.names == before.names
    for name, column in before(asked, uniform).items():
        again = after(asked, uniform)[name]
        assert again.dtype == column.dtype
        np.testing.assert_array_equal(again, column)


def test_no_rows_give_no_answers() -> None:
    conditions, targets = sample(10)
    answer = Neighbours(conditions, targets)(np.empty((0, 3), np.float32), np.empty(0))
    assert {name: (len(column), column.dtype) for name, column in answer.items()} == {
        name: (0, column.dtype) for name, column in targets.items()
    }


@pytest.mark.parametrize("drop", ["conditions", "weights", "k", "target_row"])
def test_arrays_that_lack_something_are_refused(drop: str) -> None:
    conditions, targets = sample(10)
    stored = Neighbours(conditions, {"row": targets["row"]}).arrays()
    del stored[drop]
    with pytest.raises(ArtifactError, match="expected"):
        Neighbours.from_arrays(stored)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": np.array([1, 2])}, "one whole number"),
        ({"k": np.array(0)}, "one nearest row or more"),
        ({"weights": np.ones(9)}, "one weight for each"),
        ({"target_row": np.array([None] * 10)}, "one number for each"),
        ({"other": np.ones(10)}, "expected the arrays"),
        ({"conditions": np.full((10, 3), np.nan)}, "finite conditions"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, np.ndarray], message: str) -> None:
    conditions, targets = sample(10)
    stored = Neighbours(conditions, {"row": targets["row"]}).arrays()
    with pytest.raises(ArtifactError, match=message):
        Neighbours.from_arrays(stored | change)


def test_bad_rows_are_refused() -> None:
    conditions, targets = sample(10)
    neighbours = Neighbours(conditions, targets)
    with pytest.raises(SchemaError, match="expected 3 conditions"):
        neighbours(np.zeros((2, 2)), np.zeros(2))
    with pytest.raises(DomainError, match="the first 1"):
        neighbours(np.array([[0.0, 0, 0], [np.inf, 0, 0]]), np.zeros(2))
    with pytest.raises(SchemaError, match="one random number"):
        neighbours(np.zeros((2, 3)), np.zeros(3))
    with pytest.raises(DomainError, match="from 0 to 1"):
        neighbours(np.zeros((2, 3)), np.array([0.5, np.nan]))
    with pytest.raises(DomainError, match="weight above zero"):
        Neighbours(conditions, targets, np.zeros(10))
    with pytest.raises(DomainError, match="finite weights"):
        Neighbours(conditions, targets, np.full(10, -1.0))
    with pytest.raises(ConfigError, match="k=0"):
        Neighbours(conditions, targets, k=0)
    with pytest.raises(SchemaError, match="at least one target"):
        Neighbours(conditions, {})
