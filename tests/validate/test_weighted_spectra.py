from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit

from lamarrpy.errors import ConfigError, SchemaError
from lamarrpy.validate.spectra import spectra, spectrum

EDGES = np.linspace(1.6, 5.2, 13)


def toy(rows: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pseudorapidity, probability, and whether it came true."""
    random = np.random.default_rng(seed)
    eta = random.uniform(1.6, 5.2, rows)
    p = expit(3.0 - (eta - 3.2) ** 2 + random.normal(size=rows))
    return eta, p, random.random(rows) < p


def test_right_predictions_have_normal_pulls() -> None:
    weights = np.random.default_rng(9).exponential(size=2000)
    pulls = np.concatenate([spectrum(toy(2000, i)[0], EDGES, *toy(2000, i)[1:], weights).pull for i in range(60)])
    assert abs(pulls.mean()) < 3.5 / np.sqrt(len(pulls))
    assert abs(pulls.std() - 1.0) < 3.5 / np.sqrt(2 * len(pulls))


def test_by_hand() -> None:
    found = spectrum(
        [0.0, 0.5, 0.5, 1.0, 7.0], [0.0, 0.5, 1.0], [0.2, 0.5, 1.0, 0.5, 0.5], [1, 0, 1, 1, 1], [2, 1, 2, 3, 1]
    )
    np.testing.assert_allclose(found.true, [2.0, 5.0])
    np.testing.assert_allclose(found.predicted, [0.4, 4.0])
    np.testing.assert_allclose(found.error, [np.sqrt(4 * 0.16), np.sqrt(0.25 + 9 * 0.25)])
    np.testing.assert_allclose(found.pull, [-1.6 / 0.8, -1.0 / np.sqrt(2.5)])
    np.testing.assert_allclose(found.relative, [-0.8, -0.2])
    assert found.entries.tolist() == [1, 3]
    assert found.passed.tolist() == [1, 2]
    np.testing.assert_allclose(found.excess(), [1.6 / 2.4, 1.0 / (3 * np.sqrt(2.5))])
    np.testing.assert_allclose(found.excess(within=0.5, errors=0.1), [1.6, 0.4])


def test_worst_bin_is_one_with_enough_entries() -> None:
    eta, p, y = toy(60_000)
    found = spectrum(eta, EDGES, p, y)
    worst = found.worst()
    assert worst is not None
    assert worst < 1.2
    wrong = spectrum(eta, EDGES, np.where(eta > 4.9, 0.7 * p, p), y)
    assert np.flatnonzero(wrong.excess() > 2.0).tolist() == [11]
    assert wrong.worst() == wrong.excess()[11]
    assert wrong.worst(minimum=60_001) is None


def test_certain_predictions() -> None:
    found = spectrum([0.5, 0.5, 1.5, 2.5], [0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 0.0, 1.0, 0.0], [1, 0, 0, 0])
    assert found.pull.tolist() == [0.0, np.inf, 0.0, 0.0]
    assert found.relative.tolist() == [0.0, np.inf, 0.0, 0.0]
    assert found.excess().tolist() == [0.0, np.inf, 0.0, 0.0]
    stored = json.loads(json.dumps(found.as_dict()))
    assert stored["pull"] == [0.0, "inf", 0.0, 0.0]
    assert stored["entries"] == [2, 1, 1, 0]


def test_integer_weights_are_repeated_rows_but_for_the_error() -> None:
    eta, p, y = toy(3000)
    weights = np.random.default_rng(1).integers(0, 4, 3000)
    again = np.repeat(np.arange(3000), weights)
    once, many = spectrum(eta, EDGES, p, y, weights), spectrum(eta[again], EDGES, p[again], y[again])
    np.testing.assert_allclose(once.true, many.true)
    np.testing.assert_allclose(once.predicted, many.predicted)
    assert (once.error > many.error).all()  # one row of weight three fluctuates more than three rows
    assert once.entries.sum() == np.count_nonzero(weights)


def test_classes_and_variables() -> None:
    eta, p, y = toy(20_000)
    z = np.random.default_rng(4).normal(size=20_000)
    found = spectra(
        {"eta": eta, "z": z, "unused": z},
        {"eta": EDGES, "z": [-1.0, 0.0, 1.0]},
        np.stack([1.0 - p, p], axis=1),
        y.astype(int),
        ("lost", "seen"),
    )
    assert list(found) == [("lost", "eta"), ("lost", "z"), ("seen", "eta"), ("seen", "z")]
    np.testing.assert_allclose(found["seen", "eta"].true, spectrum(eta, EDGES, p, y).true)
    both = found["lost", "z"].true + found["seen", "z"].true
    np.testing.assert_allclose(both, found["seen", "z"].entries)
    np.testing.assert_allclose(found["lost", "z"].pull, -found["seen", "z"].pull, atol=1e-9)
    with pytest.raises(SchemaError, match="missing"):
        spectra({"eta": eta}, {"z": [0.0, 1.0]}, np.stack([1.0 - p, p], axis=1), y.astype(int), ("lost", "seen"))


def test_bad_bins_and_columns_are_refused() -> None:
    with pytest.raises(ConfigError, match="ascending"):
        spectrum([0.5], [1.0, 0.0], [0.5], [1])
    with pytest.raises(SchemaError, match="2 rows of the variable"):
        spectrum([0.5], [0.0, 1.0], [0.5, 0.5], [1, 0])
