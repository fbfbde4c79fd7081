"""Autoregressive conditional histograms: each target drawn from a histogram that depends on all that came before it.

Targets come as standard normal numbers whose ranks (cumulative probabilities) are u. The range of ranks is cut into
bins; a network per target turns conditions and earlier targets into the probability of each bin; inside a bin ranks
are uniform. The chain rule makes a joint distribution of it, cross-entropy teaches it, and running through the
cumulative histograms backwards turns uniform numbers into targets: a map that is monotone in the number of each
target and triangular in all of them, which a one-shot network can learn by regression.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.special import ndtri

from lamarrpy.nn.normal import number, rank, tail

_FARTHEST = 6.0
"""As far from the middle as later networks see a value to be."""

Edges = list[list[float]]
Flags = list[list[bool]]


@dataclass(frozen=True)
class HistogramShape:
    """Sizes of the networks.

    Attributes
    ----------
    bins : int
        Bins of a target, besides those of its point masses.
    width : int
        Of a hidden layer.
    layers : int
        Hidden layers.
    """

    bins: int = 64
    width: int = 96
    layers: int = 3


class _Drawn(NamedTuple):
    """Values of one target as standard normal numbers, their ranks and their bins, each of shape (n,)."""

    value: tf.Tensor
    rank: tf.Tensor
    where: tf.Tensor


def bin_edges(mass_ranges: Sequence[tuple[float, float]], bins: int) -> list[float]:
    """Cut the ranks of one target into bins: a point mass is one bin, the rest is cut evenly.

    Parameters
    ----------
    mass_ranges : sequence of (float, float)
        Ranges of ranks that point masses take, in order, not overlapping.
    bins : int
        Bins that the whole range would be cut into if there were no masses.

    Returns
    -------
    list of float
        Edges from 0 to 1, increasing.
    """
    limits = [0.0, *itertools.chain.from_iterable(mass_ranges), 1.0]
    edges = [0.0]
    for part, (low, high) in enumerate(itertools.pairwise(limits)):
        if high <= low:
            continue
        is_mass = part % 2 == 1
        count = 1 if is_mass else max(1, round(bins * (high - low)))
        edges += np.linspace(low, high, count + 1)[1:].tolist()
    return edges


@keras.saving.register_keras_serializable(package="lamarrpy")
class ConditionalHistograms(keras.layers.Layer):  # type: ignore[misc]
    """The networks of all targets side by side; as a layer it maps conditions and latents to targets.

    Parameters
    ----------
    conditions : int
        Columns of conditions.
    edges : list of list of float
        Of each target: edges of its bins in ranks.
    masses : list of list of bool
        Of each bin of each target: whether it is a point mass, inside which the rank means nothing.
    width, layers : int
        As in `HistogramShape`.
    seed : int
        Of the first weights.
    """

    def __init__(
        self, conditions: int, edges: Edges, masses: Flags, width: int, layers: int, seed: int = 0, **base: Any
    ) -> None:
        super().__init__(**base)
        self._made_by = {"conditions": conditions, "edges": edges, "masses": masses, "width": width, "layers": layers}
        self._made_by["seed"] = seed
        self.conditions, self.targets, self.edges = conditions, len(edges), edges
        targets, most = len(edges), max(len(own) - 1 for own in edges)
        self._edges, self._widths, self._seen = _tables(edges, masses, most)
        self._middle_values = ndtri(np.clip(self._seen[:, 0], 1e-6, 1.0 - 1e-6)).astype(np.float32)
        self._absent = np.array([[-1e9 * (k >= len(own) - 1) for k in range(most)] for own in edges], np.float32)
        self._kernels, self._biases = [], []
        sizes = [conditions + 2 * targets, *[width] * layers, most]
        self._mask = np.ones((targets, sizes[0], 1), np.float32)
        for target in range(targets):
            self._mask[target, conditions + 2 * target :] = 0.0  # it sees the earlier targets alone
        for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
            first = keras.initializers.RandomNormal(stddev=(2.0 / fan_in) ** 0.5, seed=seed * 64 + layer)
            start = "zeros" if layer == layers else first
            shape = (targets, fan_in, fan_out)
            self._kernels.append(self.add_weight(shape=shape, initializer=start, name=f"kernel_{layer}"))
            self._biases.append(self.add_weight(shape=(targets, 1, fan_out), initializer="zeros", name=f"bias_{layer}"))
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """How it was made, as plain data."""
        config: dict[str, Any] = super().get_config()
        return config | self._made_by

    def compute_output_shape(self, shapes: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        """That of the latents."""
        return tuple(shapes[1])

    def logits(self, targets: tf.Tensor, conditions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits of the bins of every target, given the targets before it, and the bins that the targets are in.

        Parameters
        ----------
        targets : tf.Tensor of float32, shape (n, t)
            As standard normal numbers.
        conditions : tf.Tensor of float32, shape (n, c)

        Returns
        -------
        (tf.Tensor of shape (t, n, bins), tf.Tensor of int32, shape (t, n))
        """
        values, ranks = tf.transpose(targets), tf.transpose(rank(targets))
        where = tf.reduce_sum(tf.cast(ranks[:, :, None] >= self._edges[:, None, 1:-1], tf.int32), axis=2)
        seen = [self._shown(i, _Drawn(values[i], ranks[i], where[i])) for i in range(len(self.edges))]
        inputs = tf.concat([conditions, *seen], axis=1)
        hidden = tf.einsum("ni,jih->jnh", inputs, self._kernels[0] * self._mask) + self._biases[0]
        for kernel, bias in zip(self._kernels[1:], self._biases[1:], strict=True):
            hidden = tf.matmul(tf.nn.silu(hidden), kernel) + bias
        return hidden + self._absent[:, None, :], where

    def log_density(self, targets: tf.Tensor, conditions: tf.Tensor) -> tf.Tensor:
        """The logarithm of the density of targets given conditions, exact for histograms of the ranks.

        Parameters
        ----------
        targets : tf.Tensor of float32, shape (n, t)
            As standard normal numbers.
        conditions : tf.Tensor of float32, shape (n, c)

        Returns
        -------
        tf.Tensor of float32, shape (n,)
            Of the standard normal numbers: that of their ranks, and the change of volume between the two.
        """
        logits, where = self.logits(targets, conditions)
        bins = -tf.nn.sparse_softmax_cross_entropy_with_logits(labels=where, logits=logits)
        widths = tf.gather(tf.constant(self._widths), where, axis=1, batch_dims=1)
        change = -0.5 * tf.reduce_sum(targets**2 + math.log(2.0 * math.pi), axis=1)
        return tf.reduce_sum(bins - tf.math.log(widths), axis=0) + change

    def call(self, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """Targets from conditions of shape (n, c) and standard normal numbers of shape (n, t).

        In double precision inside: between modes little probability makes up for much of a target, and there the
        rounding of float32, different in each program that adds it up, would be seen.
        """
        known, latents = (tf.cast(column, tf.float64) for column in inputs)
        answers = []
        for target in range(len(self.edges)):
            drawn = self._draw(target, known, latents[:, target])
            answers.append(drawn.value)
            known = tf.concat([known, self._shown(target, drawn)], axis=1)
        return tf.cast(tf.stack(answers, axis=1), tf.float32)

    def _draw(self, target: int, known: tf.Tensor, latent: tf.Tensor) -> _Drawn:
        """A target whose cumulative probability is that of a standard normal number.

        Probabilities are summed up from the end that the number is nearer to: in the tails, float32 does not know how
        much is missing to one.
        """
        size = self.conditions + 2 * target
        kernels, biases = (
            [tf.cast(part[target], tf.float64) for part in parts] for parts in (self._kernels, self._biases)
        )
        hidden = tf.matmul(known, kernels[0][:size]) + biases[0]
        for kernel, bias in zip(kernels[1:], biases[1:], strict=True):
            hidden = tf.matmul(tf.nn.silu(hidden), kernel) + bias
        bins = len(self.edges[target]) - 1
        shares = tf.nn.softmax(hidden[:, :bins])
        from_above = latent[:, None] > 0.0
        shares = tf.where(from_above, tf.reverse(shares, (1,)), shares)
        edges = np.asarray(self.edges[target], np.float64)
        ends = tf.where(from_above, 1.0 - edges[::-1], edges)
        rank, where = _invert(shares, ends, tail(tf.abs(latent)))
        from_above = from_above[:, 0]
        value = number(rank)
        return _Drawn(
            tf.where(from_above, -value, value),
            tf.where(from_above, 1.0 - rank, rank),
            tf.where(from_above, bins - 1 - where, where),
        )

    def _shown(self, target: int, drawn: _Drawn) -> tf.Tensor:
        """What later networks see of a target: its rank about the middle, and as a normal number, shape (n, 2).

        All ranks inside a point mass look alike.
        """
        kind = drawn.value.dtype.as_numpy_dtype
        middle, is_mass, of_middle = (
            tf.gather(table.astype(kind), drawn.where) for table in (*self._seen[target], self._middle_values[target])
        )
        rank = tf.where(is_mass > 0.0, middle, drawn.rank)
        value = tf.where(is_mass > 0.0, of_middle, drawn.value)
        return tf.stack([2.0 * rank - 1.0, tf.clip_by_value(value, -_FARTHEST, _FARTHEST)], axis=1)


def _invert(shares: tf.Tensor, ends: tf.Tensor, probability: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The rank at which histograms (n, bins) with edges (n, bins + 1) have summed up to a probability, and its bin."""
    bins = shares.shape[1]
    summed = tf.cumsum(shares, axis=1)
    where = tf.minimum(tf.reduce_sum(tf.cast(summed <= probability[:, None], tf.int32), axis=1), bins - 1)
    at = tf.cast(tf.equal(tf.range(bins)[None, :], where[:, None]), shares.dtype)
    share, begin = tf.reduce_sum(at * shares, axis=1), tf.reduce_sum(at * (summed - shares), axis=1)
    inside = tf.clip_by_value((probability - begin) / tf.maximum(share, 1e-30), 0.0, 1.0)
    low, high = tf.reduce_sum(at * ends[:, :-1], axis=1), tf.reduce_sum(at * ends[:, 1:], axis=1)
    return low + inside * (high - low), where


def _tables(edges: Edges, masses: Flags, most: int) -> tuple[NDArray[np.float32], ...]:
    """Edges and widths of all bins, those of shorter histograms filled up; middles of bins, and which are masses."""
    padded = np.array([[*own, *[2.0] * (most + 1 - len(own))] for own in edges], np.float32)
    widths = np.maximum(np.diff(padded, axis=1), np.float32(1e-7))
    middles = padded[:, :-1] + 0.5 * widths
    flags = np.array([[*own, *[False] * (most - len(own))] for own in masses], np.float32)
    return padded, widths, np.stack([middles, flags], axis=1)


def conditional_histograms(
    conditions: int, mass_ranges: Sequence[Sequence[tuple[float, float]]], shape: HistogramShape, seed: int = 0
) -> ConditionalHistograms:
    """Histograms of some targets, which know nothing yet.

    Parameters
    ----------
    conditions : int
        Columns of conditions.
    mass_ranges : sequence of sequences of (float, float)
        Of each target, in the order in which they are drawn: the ranges of ranks of its point masses, rising.
    shape : HistogramShape
        How many bins, and how large the networks are.
    seed : int
        Of the first weights.

    Returns
    -------
    ConditionalHistograms
    """
    edges = [bin_edges(own, shape.bins) for own in mass_ranges]
    flags = [
        [any(low < 0.5 * (a + b) < high for low, high in own) for a, b in itertools.pairwise(cut)]
        for cut, own in zip(edges, mass_ranges, strict=True)
    ]
    return ConditionalHistograms(conditions, edges, flags, shape.width, shape.layers, seed, name="histograms")
