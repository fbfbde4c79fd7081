"""The lateral profile: what a Moliere radius holds, and squares that add up."""

import numpy as np
import pytest

from lamarrpy.detailed.calorimeter.profile import terms, within_radius, within_square


def test_holds_what_the_experiment_measured():
    assert within_radius(35.0 * np.array([1.0, 2.0, 3.5])) == pytest.approx([0.90, 0.95, 0.99], abs=2e-4)
    assert within_radius(np.array([0.0, 1e4])) == pytest.approx([0.0, 1.0], abs=1e-6)


def test_is_nowhere_negative():
    assert all(weight > 0.0 and width > 0.0 for weight, width in terms())
    assert sum(weight for weight, _ in terms()) == pytest.approx(1.0)


@pytest.mark.parametrize("size", [20.2, 60.6])
def test_squares_add_up_to_one(size):
    i, j = np.meshgrid(np.arange(-15, 16), np.arange(-15, 16))
    shares = within_square(i.ravel() * size - 13.0, j.ravel() * size + 4.0, np.full(i.size, size))
    assert shares.sum() == pytest.approx(1.0, abs=1e-6)


def test_a_square_is_what_is_thrown_into_it():
    rng = np.random.default_rng(1)
    weights, widths = np.array(terms()).T
    width = rng.choice(widths, 400_000, p=weights / weights.sum())
    x, y = width * rng.normal(size=(2, len(width)))
    inside = (np.abs(x - 25.0) < 20.2) & (np.abs(y + 10.0) < 20.2)
    share = within_square(np.array([25.0]), np.array([-10.0]), np.array([40.4]))[0]
    assert inside.mean() == pytest.approx(share, abs=4.0 * np.sqrt(share / len(x)))
