"""Gauss-Legendre nodes: exact for polynomials, wherever the nodes lie."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamarrpy.errors import ConfigError
from lamarrpy.nn.extrapolators.collocation import Collocation


@given(nodes=st.integers(1, 24), data=st.data())
def test_integrals_of_polynomials_are_exact(nodes, data):
    rule = Collocation(nodes)
    t, weights = rule.rule
    degree = data.draw(st.integers(0, nodes - 1))
    assert np.allclose(
        t**degree @ rule.to_nodes, (t ** (degree + 1) - (-1.0) ** (degree + 1)) / (degree + 1), atol=1e-9
    )
    best = 2 * nodes - 1
    assert weights @ t**best == pytest.approx(0.0, abs=1e-12)
    assert weights @ t ** (best - 1) == pytest.approx(2.0 / best)


@pytest.mark.parametrize("crowd", [(None, None), (4500.0, 1500.0)])
def test_the_length_of_a_way_is_its_integral(crowd):
    rule = Collocation(12, *crowd)
    z, speed = rule.between(-200.0, 12_000.0)
    assert rule.rule[1] @ speed == pytest.approx(12_200.0)
    assert np.allclose(speed @ rule.to_nodes, z + 200.0)


def test_nodes_crowd_in_the_middle():
    far, _ = Collocation(16).between(0.0, 12_000.0)
    near, _ = Collocation(16, 4500.0, 1500.0).between(0.0, 12_000.0)
    assert np.sum(np.abs(near - 4500.0) < 1500.0) > np.sum(np.abs(far - 4500.0) < 1500.0)


@pytest.mark.parametrize("wrong", [(0, None, None), (4, 4500.0, None), (4, None, 10.0), (4, 4500.0, 0.0)])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ConfigError, match="expected"):
        Collocation(*wrong)
