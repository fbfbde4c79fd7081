"""Where the nodes of tracks lie, the field there, and integrals along the tracks, in tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lamarrpy.field import MagneticField
from lamarrpy.field.lhcb import MARGIN
from lamarrpy.nn.extrapolators.collocation import Array, Collocation
from lamarrpy.nn.extrapolators.fields import FieldHere, field_at_nodes, tensor_field
from lamarrpy.nn.extrapolators.tracks import Folded

Integral = Callable[[tf.Tensor], tf.Tensor]


class Nodes(NamedTuple):
    """The nodes of some tracks.

    Attributes
    ----------
    z : tf.Tensor, shape (nodes, n) or (nodes, 1), mm
        Where they lie.
    field : callable
        From x, y [mm] there, shape (nodes, n), to Bx, By, Bz [T].
    to_nodes : callable
        From a function of z at the nodes, shape (nodes, n), to its integrals from each track's start to each node.
    to_end : callable
        To its integrals from each track's start to its end, shape (1, n).
    """

    z: tf.Tensor
    field: FieldHere
    to_nodes: Integral
    to_end: Integral


def own_nodes(field: MagneticField, rule: Collocation) -> Callable[[Folded], Nodes]:
    """Nodes of each track's own, between its start and its end."""
    anywhere, (t, weights) = tensor_field(field), rule.rule
    matrix = rule.to_nodes.T

    def nodes(start: Folded) -> Nodes:
        z, speed = _between(rule, start, _constant(0.5 * (t[:, None] + 1.0), start.z))
        return Nodes(
            z,
            anywhere(z),
            lambda values: tf.matmul(_constant(matrix, z), values * speed),
            lambda values: tf.matmul(_constant(weights[None], z), values * speed),
        )

    return nodes


def _between(rule: Collocation, start: Folded, part: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """z of the nodes and dz/dt there, of shape (nodes, n)."""
    if rule.centre is None or rule.width is None:
        return start.z + start.dz * part, 0.5 * start.dz * tf.ones_like(part)
    first, last = (tf.asinh((z - rule.centre) / rule.width) for z in (start.z, start.z + start.dz))
    grown = tf.exp(first + (last - first) * part)
    shrunk = 1.0 / grown
    half = 0.5 * rule.width
    return rule.centre + half * (grown - shrunk), 0.5 * (last - first) * half * (grown + shrunk)


def common_nodes(
    field: MagneticField, rule: Collocation, low: float, high: float, opening: float | None = None
) -> Callable[[Folded], Nodes]:
    """The same nodes for all tracks, which go from one z to another: they and the field there are constants."""
    z, speed = rule.between(low, high)
    here = field_at_nodes(field, z, _heights(z, opening))
    matrix, weights = rule.to_nodes.T * speed, rule.rule[1][None] * speed

    def nodes(start: Folded) -> Nodes:
        places = _constant(z[:, None], start.z)
        return Nodes(
            places,
            here(places),
            lambda values: tf.matmul(_constant(matrix, places), values),
            lambda values: tf.matmul(_constant(weights, places), values),
        )

    return nodes


def shared_nodes(
    field: MagneticField, rule: Collocation, low: float, high: float, opening: float | None = None
) -> Callable[[Folded], Nodes]:
    """The same nodes for all tracks, which may start and end anywhere between one z and another.

    An integral from a track's start is the one from ``low`` less that up to the start, where what is integrated is
    the polynomial through all nodes, those before the start included.
    """
    z, speed = rule.between(low, high)
    here = field_at_nodes(field, z, _heights(z, opening))
    matrix, series = rule.to_nodes.T * speed, rule.integrals * speed[:, None]

    def nodes(start: Folded) -> Nodes:
        places = _constant(z[:, None], start.z)
        before, until = (
            tf.matmul(_constant(series, places), _legendre(_where(rule, at, low, high), rule.nodes))
            for at in (start.z, start.z + start.dz)
        )

        def to_nodes(values: tf.Tensor) -> tf.Tensor:
            missing = tf.reduce_sum(before * values, axis=0, keepdims=True)
            return tf.matmul(_constant(matrix, places), values) - missing

        return Nodes(
            places,
            here(places),
            to_nodes,
            lambda values: tf.reduce_sum((until - before) * values, axis=0, keepdims=True),
        )

    return nodes


def _heights(z: Array, opening: float | None) -> Array | None:
    """Largest |y| of tracks that open so much, with a hand's breadth to spare."""
    return None if opening is None else opening * np.abs(z) + MARGIN


def _where(rule: Collocation, z: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """t of a z, shape (1, n)."""
    if rule.centre is None or rule.width is None:
        return (2.0 * z - (low + high)) / (high - low)
    first, last = (float(np.arcsinh((end - rule.centre) / rule.width)) for end in (low, high))
    return (2.0 * tf.asinh((z - rule.centre) / rule.width) - (first + last)) / (last - first)


def _legendre(t: tf.Tensor, order: int) -> tf.Tensor:
    """Legendre polynomials of t, shape (1, n), up to an order: shape (order + 1, n)."""
    rows = [tf.ones_like(t), t]
    for n in range(1, order):
        rows.append(((2 * n + 1) * t * rows[n] - n * rows[n - 1]) / (n + 1))
    return tf.concat(rows[: order + 1], axis=0)


def _constant(values: Array, like: tf.Tensor) -> Any:
    return tf.constant(values, like.dtype)
