from __future__ import annotations

import numpy as np
import pytest
from track_models import made_up_numbers, truth

from lamarrpy.stages.track_factor import COVARIANCE, NUMBERS, covariance_of, factor_from, factor_of, numbers_of
from lamarrpy.stages.track_frame import mirrored
from lamarrpy.tables.schemas import STATE

ODD = ("slope_tilt", "lever_tilt", "position_tilt", "lever_twist", "tie_slope_x", "tie_position_x")
"""What tells the two sides of a track apart, or left from right."""


def matrices(covariance):
    """The covariance as an array of shape (n, 5, 5)."""
    n = len(covariance["cov_x_x"])
    out = np.empty((n, 5, 5))
    for i, a in enumerate(STATE):
        for j, b in enumerate(STATE[i:], i):
            out[:, i, j] = out[:, j, i] = covariance[f"cov_{a}_{b}"]
    return out


def scaled(matrix):
    """Correlations."""
    sigma = np.sqrt(np.diagonal(matrix, axis1=1, axis2=2))
    return matrix / sigma[:, :, None] / sigma[:, None, :]


def test_any_numbers_are_a_covariance():
    columns = truth()
    numbers = made_up_numbers(width=1.0)
    correlation = scaled(matrices(covariance_of(factor_from(numbers, columns), columns)))
    assert np.linalg.eigvalsh(correlation).min() > 0
    off_diagonal = correlation[:, ~np.eye(5, dtype=bool)]
    assert np.abs(off_diagonal).max() < 1


def test_numbers_come_back():
    columns, numbers = truth(), made_up_numbers()
    covariance = covariance_of(factor_from(numbers, columns), columns)
    back = numbers_of(factor_of({**columns, **covariance}), columns)
    assert list(back) == list(NUMBERS)
    for name in NUMBERS:
        assert np.allclose(back[name], numbers[name], rtol=1e-6, atol=1e-6), name


def test_a_factor_is_one_of_the_covariance():
    columns, numbers = truth(), made_up_numbers()
    covariance = covariance_of(factor_from(numbers, columns), columns)
    assert set(covariance) == set(COVARIANCE)
    factor = factor_of({**columns, **covariance})
    for row, made in zip(factor, factor_from(numbers, columns), strict=True):
        for value, own in zip(row, made, strict=True):
            assert np.allclose(value, own, rtol=1e-6, atol=1e-9 * np.abs(row[-1]))


def measured_by_the_velo():
    """Made-up tracks of the types that turn with their frame."""
    columns = truth()
    return columns | {"track_type": np.where(columns["track_type"] == 5, 3, columns["track_type"])}


def test_what_is_told_does_not_depend_on_the_azimuth():
    """The same matrix in a frame that is turned around the beam, with the track."""
    columns, numbers = measured_by_the_velo(), made_up_numbers()
    angle = np.random.default_rng(4).uniform(-np.pi, np.pi, len(columns["true_x"]))
    turn = np.zeros((len(angle), 5, 5))
    for first in (0, 2):
        turn[:, first, first] = turn[:, first + 1, first + 1] = np.cos(angle)
        turn[:, first, first + 1], turn[:, first + 1, first] = -np.sin(angle), np.sin(angle)
    turn[:, 4, 4] = 1
    matrix = matrices(covariance_of(factor_from(numbers, columns), columns))
    turned = turn @ matrix @ turn.transpose(0, 2, 1)
    tx, ty = columns["true_tx"], columns["true_ty"]
    columns["true_tx"], columns["true_ty"] = (
        np.cos(angle) * tx - np.sin(angle) * ty,
        np.sin(angle) * tx + np.cos(angle) * ty,
    )
    columns |= {
        name: turned[:, STATE.index(name.split("_")[1]), STATE.index(name.split("_")[2])] for name in COVARIANCE
    }
    back = numbers_of(factor_of(columns), columns)
    for name in NUMBERS[:-4]:  # the ties of q/p are told in x and y
        assert np.allclose(back[name], numbers[name], rtol=1e-6, atol=1e-6), name


def test_a_mirror_turns_the_sign_of_what_tells_the_sides_apart():
    columns, numbers = measured_by_the_velo(), made_up_numbers()
    columns |= covariance_of(factor_from(numbers, columns), columns)
    seen = mirrored(columns)
    back = numbers_of(factor_of(seen), seen)
    for name in NUMBERS:
        sign = -1 if name in ODD else 1
        assert np.allclose(back[name], sign * numbers[name], rtol=1e-6, atol=1e-6), name


def test_scattering_alone_is_round_in_space():
    """Of a small deflection of a line by the same angle in all directions (R. Fruehwirth, NIM A 262 (1987) 444):
    var(tx) = (1 + tx^2) (1 + t^2) s^2, cov(tx, ty) = tx ty (1 + t^2) s^2, t^2 = tx^2 + ty^2."""
    columns = measured_by_the_velo()
    n, s = len(columns["true_x"]), 1e-3
    tx, ty = columns["true_tx"], columns["true_ty"]
    square = 1 + tx * tx + ty * ty
    way = 100.0
    slopes = {"tx_tx": (1 + tx * tx) * square, "tx_ty": tx * ty * square, "ty_ty": (1 + ty * ty) * square}
    covariance = {name: np.zeros(n) for name in COVARIANCE}
    for a, b in (("x", "x"), ("x", "y"), ("y", "y")):
        angles = s * s * slopes[f"t{a}_t{b}"]
        covariance[f"cov_t{a}_t{b}"] = angles
        covariance[f"cov_{a}_{b}"] = way**2 * angles + 1e-6 * slopes[f"t{a}_t{b}"]
    covariance["cov_x_tx"], covariance["cov_y_ty"] = (-way * covariance[f"cov_t{a}_t{a}"] for a in "xy")
    covariance["cov_x_ty"] = covariance["cov_y_tx"] = -way * covariance["cov_tx_ty"]
    covariance["cov_qop_qop"] = 1e-4 * columns["true_qop"] ** 2
    numbers = numbers_of(factor_of({**columns, **covariance}), columns)
    for name in ("slope_ratio", "slope_tilt", "lever_ratio", "lever_tilt", "lever_twist"):
        assert np.abs(numbers[name]).max() < 1e-6, name
    for name in ("position_ratio", "position_tilt"):
        assert np.abs(numbers[name]).max() < 1e-4, name
    for name in NUMBERS[-4:]:
        assert not numbers[name].any()


def test_a_matrix_that_is_no_covariance_has_no_factor():
    columns, numbers = truth(10), made_up_numbers(10)
    covariance = covariance_of(factor_from(numbers, columns), columns)
    covariance["cov_x_x"] = -covariance["cov_x_x"]
    assert any(np.isnan(value).all() for row in factor_of({**columns, **covariance}) for value in row)


@pytest.mark.parametrize("rows", [slice(0, 1), slice(3, 10)])
def test_rows_do_not_see_each_other(rows):
    columns, numbers = truth(), made_up_numbers()
    of_all = covariance_of(factor_from(numbers, columns), columns)
    some = {name: values[rows] for name, values in columns.items()}
    of_some = covariance_of(factor_from({name: values[rows] for name, values in numbers.items()}, some), some)
    for name in COVARIANCE:
        assert np.array_equal(of_all[name][rows], of_some[name])
