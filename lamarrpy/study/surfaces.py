"""What the loss looks like around the weights that a training has ended with: lines, planes, curvature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from lamarrpy.errors import ConfigError

Array = NDArray[np.float64]
Weights = list[NDArray[np.float32]]
Loss = Callable[[], tf.Tensor]
"""The loss, on tracks that stay the same, of the network as its weights stand."""

_TINY = 1e-12


def filter_normalised(weights: Weights, random: np.random.Generator) -> Weights:
    """A random direction whose every neuron is as long as that neuron's weights.

    Many networks do the same with large weights in one layer and small ones in the next as with equal ones; a
    direction of one length for all weights would show the same loss as flat or as steep. So the part of the direction
    that belongs to a neuron gets the length of the neuron's own weights; biases stay where they are (H. Li, Z. Xu,
    G. Taylor, C. Studer, T. Goldstein, arXiv:1712.09913, section 4).

    Parameters
    ----------
    weights : list of ndarray
        Kernels, shape (in, out), and biases, shape (out,).
    random : numpy.random.Generator
        Of the direction.

    Returns
    -------
    list of ndarray
        Of the same shapes.
    """
    direction = []
    for own in weights:
        drawn = random.normal(size=own.shape).astype(np.float32)
        if own.ndim < 2:
            direction.append(np.zeros_like(own))
            continue
        lengths = [np.sqrt(np.sum(np.square(values), axis=0, keepdims=True)) for values in (own, drawn)]
        direction.append(drawn * (lengths[0] / np.maximum(lengths[1], _TINY)))
    return direction


def along(network: keras.Model, loss: Loss, directions: Sequence[Weights], at: Array) -> Array:
    """The loss on a line or in a plane through the network's weights, which are left as they were.

    Parameters
    ----------
    network : keras.Model
        Whose weights are moved.
    loss : callable
        Of the network as it stands.
    directions : sequence of list of ndarray
        One or two directions, each of the shapes of the network's trainable weights.
    at : ndarray, shape (k,)
        Where on each of them; 0 is the network.

    Returns
    -------
    ndarray, shape (k,) or (k, k)
        The loss; the first axis is along the first direction.

    Raises
    ------
    ConfigError
        If there are neither one nor two directions.
    """
    if len(directions) not in (1, 2):
        raise ConfigError(f"expected one direction or two, got {len(directions)}")
    variables = network.trainable_variables
    before = [np.array(variable) for variable in variables]
    values = np.empty((len(at),) * len(directions))
    try:
        for place in product(range(len(at)), repeat=len(directions)):
            for i, variable in enumerate(variables):
                variable.assign(before[i] + sum(at[k] * way[i] for k, way in zip(place, directions, strict=True)))
            values[place] = float(loss())
    finally:
        for variable, own in zip(variables, before, strict=True):
            variable.assign(own)
    return values


def minima(plane: Array) -> int:
    """How many points of a plane, shape (k, k), lie below all their neighbours; those on its border are not asked."""
    inner = plane[1:-1, 1:-1]
    shifts = [(i, j) for i, j in product((0, 1, 2), repeat=2) if (i, j) != (1, 1)]
    rows, columns = inner.shape
    lowest = np.ones(inner.shape, bool)
    for i, j in shifts:
        lowest &= inner < plane[i : i + rows, j : j + columns]
    return int(lowest.sum())


def curvature(network: keras.Model, loss: Loss, turns: int = 40, seed: int = 0) -> tuple[float, float]:
    """The lowest and the highest eigenvalue of the loss's Hessian: a minimum has none below zero, a saddle has.

    By the method of Lanczos, from products of Hessian and vector alone (Li et al., section 6, judge by the ratio of
    the two). Each lies within the spectrum, and at its end after turns enough.

    Parameters
    ----------
    network : keras.Model
        At whose weights.
    loss : callable
        Of the network as it stands, twice differentiable.
    turns : int
        Products of Hessian and vector.
    seed : int
        Of the first vector.
    """
    variables = network.trainable_variables
    shapes = [tuple(variable.shape) for variable in variables]
    product_with = _hessian_times(loss, variables)

    def times(vector: Array) -> Array:
        parts = np.split(vector.astype(np.float32), np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1])
        image = product_with([tf.constant(part.reshape(shape)) for part, shape in zip(parts, shapes, strict=True)])
        return np.concatenate([np.asarray(part, np.float64).ravel() for part in image])

    size = sum(int(np.prod(shape)) for shape in shapes)
    values = lanczos(times, np.random.default_rng(seed).normal(size=size), min(turns, size))
    return float(values[0]), float(values[-1])


def _hessian_times(loss: Loss, variables: Sequence[Any]) -> Callable[[list[tf.Tensor]], list[tf.Tensor]]:
    none = tf.UnconnectedGradients.ZERO

    def times(vector: list[tf.Tensor]) -> list[tf.Tensor]:
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                value = loss()
            slope = inner.gradient(value, variables, unconnected_gradients=none)
            along_vector = tf.add_n([tf.reduce_sum(a * b) for a, b in zip(slope, vector, strict=True)])
        found: list[tf.Tensor] = outer.gradient(along_vector, variables, unconnected_gradients=none)
        return found

    graph: Callable[[list[tf.Tensor]], list[tf.Tensor]] = tf.function(times, autograph=False)
    return graph


def lanczos(times: Callable[[Array], Array], first: Array, turns: int) -> Array:
    """Eigenvalues of a symmetric matrix, those at the ends of its spectrum first to be right.

    Parameters
    ----------
    times : callable
        The matrix times a vector, shape (n,).
    first : ndarray, shape (n,)
        A vector to begin with, not an eigenvector.
    turns : int
        Products, at most n.

    Returns
    -------
    ndarray, shape (at most turns,)
        Ascending (C. Lanczos, J. Res. Nat. Bur. Stand. 45 (1950) 255), with every vector made orthogonal to all before.
    """
    basis = [first / np.linalg.norm(first)]
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        image = times(basis[-1])
        diagonal.append(float(image @ basis[-1]))
        known = np.stack(basis)
        for _ in range(2):  # once is not enough in finite precision
            image = image - known.T @ (known @ image)
        length = float(np.linalg.norm(image))
        if len(basis) == turns or length <= _TINY * max(map(abs, diagonal)):
            break
        beside.append(length)
        basis.append(image / length)
    found: Array = np.linalg.eigvalsh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
    return found
