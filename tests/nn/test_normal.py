"""The normal distribution in graphs."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import ndtr, ndtri

from lamarrpy.nn.normal import number, rank, tail


def test_tails_keep_their_digits():
    z = np.linspace(0.0, 6.9, 2001, dtype=np.float32)
    assert tail(tf.constant(z)).numpy() == pytest.approx(ndtr(-z.astype(np.float64)), rel=5e-6)


def test_ranks_are_those_of_scipy():
    z = np.linspace(-6.0, 6.0, 2001, dtype=np.float32)
    assert rank(tf.constant(z)).numpy() == pytest.approx(ndtr(z.astype(np.float64)), abs=2e-7)


def test_numbers_are_those_of_scipy():
    u = np.concatenate([np.logspace(-12, -1, 500), np.linspace(0.1, 0.999, 500)]).astype(np.float32)
    assert number(tf.constant(u)).numpy() == pytest.approx(ndtri(u.astype(np.float64)), abs=2e-5, rel=3e-6)


def test_rank_and_number_are_inverse_and_odd():
    z = np.linspace(-5.0, 5.0, 501, dtype=np.float32)
    distance = tf.constant(np.abs(z))
    assert (-number(tail(distance))).numpy() == pytest.approx(np.abs(z), abs=1e-5)
    assert (rank(tf.constant(z)) + rank(tf.constant(-z))).numpy() == pytest.approx(np.ones(501), abs=2e-7)


def test_what_is_far_outside_stays_finite():
    z = tf.constant([-1e30, -40.0, 40.0, 1e30])
    assert np.isfinite(rank(z).numpy()).all()
    assert np.isfinite(number(tf.constant([0.0, 1.0, -1.0, 2.0])).numpy()).all()
