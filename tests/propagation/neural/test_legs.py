"""Legs and limits: which tracks a network takes, and that legs follow each other."""

import numpy as np
import pytest
from pydantic import ValidationError

from lamarrpy.propagation import State
from lamarrpy.propagation.neural import Legs, Limits

LIMITS = {"p": 2000, "tx": 0.4, "ty": 0.3, "opening": 0.3, "margin": 100}


def _legs(*ends):
    return {
        "field": {"kind": "lhcb"},
        "legs": [{"name": f"leg{i}", "low": low, "high": high, "limits": LIMITS} for i, (low, high) in enumerate(ends)],
    }


def test_limits_hold_for_both_signs():
    inside = State(*np.array([[0.0, 399.0, 1000.0, 0.39, 0.29, 1 / 2001.0]]).T)
    for sign in (1.0, -1.0):
        track = inside._replace(y=sign * inside.y, tx=sign * inside.tx, ty=sign * inside.ty, qop=sign * inside.qop)
        assert Limits(**LIMITS).contain(track).all()
        beyond = {"y": sign * 401.0, "tx": sign * 0.41, "ty": sign * 0.31, "qop": sign / 1999.0}
        for name, value in beyond.items():
            assert not Limits(**LIMITS).contain(track._replace(**{name: np.array([value])})).any()


def test_what_is_no_number_is_outside():
    track = State(*np.array([[0.0, np.nan, 0.0, 0.0, 0.0, 1e-5]]).T)
    assert not Limits(**LIMITS).contain(track).any()


def test_legs_for_the_same_stretch_go_together():
    legs = Legs.model_validate(_legs((0, 10), (10, 20), (10, 20), (20, 30)))
    assert [len(stretch) for stretch in legs.stretches] == [1, 2, 1]
    assert legs.reach == (0.0, 30.0)


@pytest.mark.parametrize("ends", [[(0, 10), (11, 20)], [(10, 0)], []])
def test_legs_that_do_not_follow_each_other_are_refused(ends):
    with pytest.raises(ValidationError, match=r"expected|at least 1"):
        Legs.model_validate(_legs(*ends))
