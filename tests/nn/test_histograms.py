"""Autoregressive conditional histograms."""

import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from lamarrpy.errors import ConfigError
from lamarrpy.nn.density import density_of, generator_of
from lamarrpy.nn.histograms import HistogramShape, bin_edges, conditional_histograms
from lamarrpy.parameterization.network import Network
from lamarrpy.train.export import from_keras, to_keras, to_onnx
from lamarrpy.train.likelihood import LikelihoodLearner
from lamarrpy.train.loop import Plan, fit
from lamarrpy.train.rows import Rows
from lamarrpy.train.schedules import Descent
from lamarrpy.validate.metrics import ks_distance

MASSES = [[], [(0.2, 0.7)], [(0.0, 0.1), (0.1, 0.4), (0.4, 1.0)]]
"""A continuous target, one with a point mass, an integer with three values."""


def normal(rows, columns, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)


def knowing(seed=1, scale=0.5):
    """Histograms that depend on all they are given, strongly."""
    histograms = conditional_histograms(2, MASSES, HistogramShape(bins=8, width=8, layers=2), seed)
    random = np.random.default_rng(seed)
    histograms.set_weights(
        [w + scale * random.normal(size=w.shape).astype(np.float32) for w in histograms.get_weights()]
    )
    return histograms


@given(st.lists(st.floats(0.001, 0.999), max_size=6, unique=True), st.integers(1, 70))
def test_bins_cover_the_ranks_and_a_mass_is_one_bin(limits, bins):
    limits = sorted(limits)[: len(limits) // 2 * 2]
    masses = list(zip(limits[::2], limits[1::2], strict=True))
    edges = bin_edges(masses, bins)
    assert edges[0] == 0.0
    assert edges[-1] == pytest.approx(1.0)
    assert all(a < b for a, b in itertools.pairwise(edges))
    for mass in masses:
        at = [i for i, pair in enumerate(itertools.pairwise(edges)) if pair == pytest.approx(mass)]
        assert len(at) == 1


def test_without_masses_bins_are_even():
    assert bin_edges([], 4) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_before_training_every_bin_is_as_probable_as_any_other():
    histograms = conditional_histograms(2, [[]], HistogramShape(bins=16, width=4, layers=1))
    latents, conditions = normal(200, 1), normal(200, 2)
    assert histograms([conditions, latents]).numpy() == pytest.approx(latents, abs=1e-4)
    wanted = -0.5 * (latents[:, 0] ** 2 + math.log(2.0 * math.pi))
    assert histograms.log_density(latents, conditions).numpy() == pytest.approx(wanted, abs=1e-4)


def test_a_target_depends_on_earlier_ones_alone():
    histograms, targets, conditions = knowing(), normal(50, 3), normal(50, 2)
    logits = histograms.logits(tf.constant(targets), tf.constant(conditions))[0].numpy()
    for later in range(3):
        other = targets.copy()
        other[:, later] = normal(50, 1, seed=9)[:, 0]
        changed = histograms.logits(tf.constant(other), tf.constant(conditions))[0].numpy()
        assert np.array_equal(changed[: later + 1], logits[: later + 1])
        if later < 2:
            assert not np.allclose(changed[later + 1 :], logits[later + 1 :])


def test_the_place_inside_a_point_mass_means_nothing_to_later_targets():
    histograms, conditions = knowing(), normal(50, 2)
    logits = []
    for place in (0.25, 0.65):  # both in the mass of the second target
        targets = normal(50, 3)
        targets[:, 1] = ndtri(place)
        logits.append(histograms.logits(tf.constant(targets), tf.constant(conditions))[0].numpy()[2])
    assert np.array_equal(*logits)


def test_density_integrates_to_one():
    histograms = conditional_histograms(2, [[], [(0.2, 0.7)]], HistogramShape(bins=8, width=8, layers=2), 3)
    histograms.set_weights([w + 0.3 * normal(w.size, 1, 4).reshape(w.shape) for w in histograms.get_weights()])
    u = (np.arange(400) + 0.5) / 400
    z = ndtri(np.stack(np.meshgrid(u, u), -1).reshape(-1, 2)).astype(np.float32)
    conditions = np.tile(np.float32([[0.3, -1.2]]), (len(z), 1))
    base = -0.5 * (z**2 + math.log(2.0 * math.pi)).sum(axis=1)
    density = np.exp(histograms.log_density(z, conditions).numpy() - base)  # of ranks, which are even here
    assert density.mean() == pytest.approx(1.0, abs=0.01)


def test_sampling_runs_the_histograms_backwards():
    """Of targets made of even latents, the share in each bin is the probability that the networks say."""
    histograms = knowing()
    rows = 20_000
    conditions = np.tile(np.float32([[0.5, -0.5]]), (rows, 1))
    made = histograms([conditions, normal(rows, 3)]).numpy()
    logits, where = (part.numpy() for part in histograms.logits(tf.constant(made), tf.constant(conditions)))
    probability = tf.nn.softmax(logits[0, 0]).numpy()
    counted = np.bincount(where[0], minlength=len(probability)) / rows
    assert np.abs(counted - probability).max() < 5 * 0.5 / np.sqrt(rows)
    expected = tf.nn.softmax(logits[1]).numpy().mean(axis=0)
    counted = np.bincount(where[1], minlength=len(expected)) / rows
    assert np.abs(counted - expected).max() < 5 * 0.5 / np.sqrt(rows)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_each_target_rises_with_its_latent(seed):
    histograms = knowing(seed)
    conditions, latents = normal(1, 2, seed).repeat(60, axis=0), normal(1, 3, seed).repeat(60, axis=0)
    latents[:, 0] = np.linspace(-4.5, 4.5, 60)
    made = histograms([conditions, latents]).numpy()[:, 0]
    assert (np.diff(made) > -1e-5).all()
    assert np.isfinite(made).all()


def test_tails_are_resolved_on_both_sides():
    histograms = conditional_histograms(2, [[]], HistogramShape(bins=8, width=4, layers=1))
    latents = np.float32([[-5.2], [-5.1], [5.1], [5.2]])
    made = histograms([np.zeros((4, 2), np.float32), latents]).numpy()
    assert made == pytest.approx(latents, abs=2e-4)


def test_keras_file_and_onnx_answer_the_same():
    network = generator_of(knowing())
    conditions, latents = normal(300, 2), normal(300, 3)
    wanted = network([conditions, latents]).numpy()
    assert np.array_equal(from_keras(to_keras(network))([conditions, latents]).numpy(), wanted)
    onnx = Network(to_onnx(network), {"conditions": 2, "latents": 3}, 3, "test")
    assert onnx(conditions=conditions, latents=latents) == pytest.approx(wanted, abs=1e-5, rel=1e-5)


def test_the_density_is_found_in_the_generator():
    histograms = knowing()
    assert density_of(generator_of(histograms)) is histograms
    plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.raises(ConfigError, match="a flow or histograms"):
        density_of(plain)


def test_it_learns_a_correlated_mixture_with_a_point_mass():
    """y0 is bimodal and moves with c; y1 follows y0, or sits at its point mass, more often for large c."""
    rows, random = 6000, np.random.default_rng(5)

    def truth(count, random):
        c = random.normal(size=(count, 1)).astype(np.float32)
        y0 = 0.5 * c[:, 0] + random.choice([-0.8, 0.8], count) + 0.25 * random.normal(size=count)
        y1 = 0.7 * y0 + 0.4 * random.normal(size=count)
        y1[random.random(count) < ndtr(c[:, 0])] = -3.0
        return c, y0, y1

    c, y0, y1 = truth(rows, random)
    share = float((y1 == -3.0).mean())

    def ranks(values, reference):
        return (np.searchsorted(np.sort(reference), values) + 0.5) / (len(reference) + 1)

    u1 = np.where(y1 == -3.0, share * random.random(rows), share + (1 - share) * ranks(y1, y1[y1 > -3.0]))
    targets = ndtri(np.stack([ranks(y0, y0), np.clip(u1, 1e-6, 1 - 1e-6)], axis=1)).astype(np.float32)
    histograms = conditional_histograms(1, [[], [(0.0, share)]], HistogramShape(32, 32, 2), 1)
    learner = LikelihoodLearner(histograms, Descent("adam", 5e-3, "cosine", 500))
    fit(learner, Rows(c, targets, np.ones(rows, np.float32)), Plan(500, 256, 1, every=500))
    fresh, z0, z1 = truth(8000, np.random.default_rng(6))
    made = learner.network()([fresh, normal(8000, 2, 7)]).numpy()
    u = ndtr(made.astype(np.float64))
    got = np.quantile(y0, u[:, 0])
    at_mass = u[:, 1] < share
    assert ks_distance(got, z0) < 0.03
    for low, high in ((-3.0, -0.5), (-0.5, 0.5), (0.5, 3.0)):
        here = (fresh[:, 0] > low) & (fresh[:, 0] < high)
        assert ks_distance(got[here], z0[here]) < 0.06
        assert at_mass[here].mean() == pytest.approx((z1[here] == -3.0).mean(), abs=0.04)
    free, true_free = ~at_mass, z1 > -3.0
    y1_got = np.quantile(y1[y1 > -3.0], (u[free, 1] - share) / (1 - share))
    assert ks_distance(y1_got - 0.7 * got[free], (z1 - 0.7 * z0)[true_free]) < 0.05
