"""Magnetic fields as TensorFlow operations, so that networks can be differentiated through them and exported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from lamarrpy.errors import ConfigError
from lamarrpy.field import DipolePair, Lhcb, MagneticField, NoField, Uniform
from lamarrpy.field.lhcb import MARGIN, OPENING, PLANE_TOLERANCE
from lamarrpy.field.plane_polynomial import PlanePolynomial, plane_polynomial

FieldTensor = tuple[Any, Any, Any]
"""Bx, By, Bz [T]; None for a component that is zero everywhere, so that nothing is computed with it."""

FieldHere = Callable[[tf.Tensor, tf.Tensor], FieldTensor]
"""The field at x, y [mm], of the shape of the z that it was made for, or one that broadcasts to it."""

TensorField = Callable[[tf.Tensor], FieldHere]
"""The field at z [mm], a tensor of two dimensions: what depends on z alone is computed once for all sweeps."""

Numbers = np.ndarray[Any, np.dtype[np.float64]]

_MIDDLE = 4500.0
"""z [mm] of the middle of the magnet."""

_FAR = 30.0
"""|z - z_k| / w_k beyond which a logistic term is constant to 1e-13, and its exponential is held."""


def tensor_field(field: MagneticField) -> TensorField:
    """A magnetic field as a function of tensors.

    Parameters
    ----------
    field : MagneticField
        One with a closed form.

    Returns
    -------
    callable
        From z to a callable from x, y to Bx, By, Bz.

    Raises
    ------
    ConfigError
        If it is a map of points: networks learn in fields with a formula.
    """
    for kind, made in _FIELDS.items():
        if isinstance(field, kind):
            return made(field)
    raise ConfigError(
        f"expected a field with a closed form ({', '.join(kind.__name__ for kind in _FIELDS)}), got"
        f" {type(field).__name__}: neural extrapolators differentiate the field they learn in"
    )


def field_at_nodes(field: MagneticField, z: Numbers, heights: Numbers | None = None) -> TensorField:
    """A magnetic field in planes of constant z, which lie along the first axis of the tensors.

    Parameters
    ----------
    field : MagneticField
        The field.
    z : ndarray, shape (nodes,), mm
        The planes.
    heights : ndarray, shape (nodes,), mm, optional
        Largest |y| of the tracks in each of them: the lower, the shorter a polynomial will do.

    Returns
    -------
    callable
        As `tensor_field` gives it, for these z, shape (nodes, 1), and no others. Where the field in a plane is a
        polynomial in y, as that of ``lhcb`` is, one polynomial a plane.
    """
    planes = [field.at_plane(float(one)) for one in z]
    polynomials = [plane for plane in planes if isinstance(plane, PlanePolynomial)]
    if len(polynomials) < len(planes):
        return tensor_field(field)
    if heights is not None:
        polynomials = [_lower(field, *plane) for plane in zip(z, heights, polynomials, strict=True)]
    return _polynomials(polynomials)


def _lower(field: MagneticField, z: float, height: float, whole: PlanePolynomial) -> PlanePolynomial:
    """The polynomial of a plane for tracks up to a height, where that is below the one of the field's own."""
    if height >= whole.limit:
        return whole

    def complex_field(y: Numbers) -> Any:
        _, by, bz = field(0.0, y, z)
        return by + 1j * bz

    return plane_polynomial(complex_field, height, PLANE_TOLERANCE)


def _polynomials(planes: list[PlanePolynomial]) -> TensorField:
    limits = np.array([[plane.limit] for plane in planes])
    # in units of the limit: coefficients of one size, which float32 can hold
    even, odd = (_padded([getattr(plane, part) for plane in planes]) for part in ("even", "odd"))
    even = [row[:, None] * limits ** (2.0 * power) for power, row in enumerate(even)]
    odd = [row[:, None] * limits ** (2.0 * power + 1.0) for power, row in enumerate(odd)]

    def here(x: tf.Tensor, y: tf.Tensor) -> FieldTensor:
        part = tf.clip_by_value(y * tf.constant(1.0 / limits, y.dtype), -1.0, 1.0)
        square = part * part
        return None, _horner(even, square), part * _horner(odd, square)

    return lambda z: here


def _padded(rows: list[tuple[float, ...]]) -> Any:
    """Coefficients as a matrix, one power a row and one plane a column."""
    out = np.zeros((max(map(len, rows)), len(rows)))
    for column, row in enumerate(rows):
        out[: len(row), column] = row
    return out


def _horner(coefficients: list[Numbers], square: tf.Tensor) -> tf.Tensor:
    value = tf.constant(coefficients[-1], square.dtype)
    for row in coefficients[-2::-1]:
        value = value * square + tf.constant(row, square.dtype)
    return value


def _lhcb(field: Lhcb) -> TensorField:
    """By + i Bz = sum_k c_k / (1 + exp(-(u + i theta))), u = (z - z_k) / w_k, theta = y / w_k, in real numbers.

    Each term is c_k / 2 (1 + tanh((u + i theta) / 2)), and tanh((u + i theta) / 2) = (sinh u + i sin theta) /
    (cosh u + cos theta). The constants add up to zero, so any other will do: 1 - tanh before the middle of the magnet
    and -1 - tanh behind it leave no large numbers to cancel where the field is weak.
    """

    c, z_k, w_k = (np.array(part)[:, None, None] for part in zip(*field.terms, strict=True))

    def at(z: tf.Tensor) -> FieldHere:
        dtype = z.dtype
        limit = OPENING * tf.abs(z) + MARGIN
        # one term of the sum along the first axis: a few operations on long tensors instead of many on short ones
        grown = tf.exp(
            tf.clip_by_value((z[None] - tf.constant(z_k, dtype)) * tf.constant(1.0 / w_k, dtype), -_FAR, _FAR)
        )
        shrunk = 1.0 / grown
        cosh, before = 0.5 * (grown + shrunk), z < _MIDDLE
        side = tf.where(before, tf.ones_like(z), -tf.ones_like(z))
        rest = tf.where(before[None], grown, -shrunk)

        def here(x: tf.Tensor, y: tf.Tensor) -> FieldTensor:
            theta = tf.clip_by_value(y, -limit, limit)[None] * tf.constant(1.0 / w_k, dtype)
            cosine = tf.cos(theta)
            term = tf.constant(0.5 * field.sign * c, dtype) / (cosh + cosine)
            by = tf.reduce_sum((rest + side * cosine) * term, axis=0)
            return None, by, tf.reduce_sum(tf.sin(theta) * term, axis=0)

        return here

    return at


def _dipole_pair(field: DipolePair) -> TensorField:
    moment = field.sign * field.moment

    def at(z: tf.Tensor) -> FieldHere:
        dz = z - field.centre

        def here(x: tf.Tensor, y: tf.Tensor) -> FieldTensor:
            near = x * x + dz * dz
            axial, along = 0.0, 0.0
            for dy in (y - field.height, y + field.height):
                inverse = 1.0 / (near + dy * dy)
                cubed = moment * inverse * tf.sqrt(inverse)
                part = 3.0 * cubed * dy * inverse
                axial += part
                along += part * dy - cubed
            return axial * x, along, axial * dz

        return here

    return at


def _uniform(field: Uniform) -> TensorField:
    parts = [field.sign * part for part in (field.bx, field.by, field.bz)]
    return lambda z: lambda x, y: tuple(part * tf.ones_like(y) for part in parts)


def _none(field: NoField) -> TensorField:
    return lambda z: lambda x, y: (None, tf.zeros_like(y), None)


_FIELDS: dict[type[MagneticField], Callable[[Any], TensorField]] = {
    Lhcb: _lhcb,
    DipolePair: _dipole_pair,
    Uniform: _uniform,
    NoField: _none,
}
"""How each field is written in tensors."""
