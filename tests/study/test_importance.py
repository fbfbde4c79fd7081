"""What an extrapolator looks at: known where its answer is a formula, and where the field is."""

import keras
import numpy as np
import pytest

from lamarrpy.field import magnetic_field
from lamarrpy.nn.extrapolators.families import Shape, build
from lamarrpy.study.importance import FEATURES, derivatives, permuted, spreads, true_derivatives
from lamarrpy.tracks import make_sample
from lamarrpy.train.extrapolation.running import answers, rows_of

X, Y, Z, TX, TY, QOP, DZ = range(7)


@pytest.fixture(scope="module")
def tracks():
    return rows_of(make_sample("box", 200, 1)).conditions


def test_shuffling_hurts_where_it_is_looked_at_alone(tracks):
    def answer(given):
        return given[:, [QOP, QOP, QOP, QOP]].astype(float) * 1e5

    told = permuted(answer, tracks, answer(tracks), 1)
    assert tuple(told) == FEATURES
    assert all(figures["plain_um"] == 0.0 for figures in told.values())
    assert told["qop"]["permuted_um"] > 1000.0
    assert all(told[name]["permuted_um"] == 0.0 for name in FEATURES if name != "qop")


def test_what_is_the_same_for_all_has_no_spread(tracks):
    spread = spreads(tracks)
    assert (spread[Z], spread[DZ]) == (0.0, 0.0)
    assert spread[X] == pytest.approx(1200.0 / np.sqrt(3.0), rel=0.1)


def test_derivatives_of_a_linear_network_are_its_weights(tracks):
    given = keras.Input((7,))
    network = keras.Model(given, keras.layers.Dense(4)(given))
    kernel = np.array(network.trainable_variables[0], float)
    wanted = np.abs(kernel) * spreads(tracks)[:, None] * [1e3, 1e3, 1e6, 1e6]
    assert derivatives(network, tracks) == pytest.approx(wanted, rel=1e-5)


def test_without_a_field_nothing_matters_and_lhcb_is_the_same_everywhere_in_x(tracks):
    assert np.abs(true_derivatives(tracks, magnetic_field("none"))).max() < 1e-4
    found = true_derivatives(tracks, magnetic_field("lhcb"))
    assert np.abs(found[X]).max() < 1e-4
    assert found[QOP, 0] > 100.0 * found[TY, 1]
    assert not found[[Z, DZ]].any()


def test_swept_paths_have_the_true_derivatives(tracks):
    fine = build(Shape("picard", nodes=20, sweeps=8, middle=4500.0, width=2500.0, start=4000.0, end=12000.0))
    stiff = tracks[np.abs(tracks[:, QOP]) < 1.0 / 5000.0]
    assert len(answers(fine, stiff)) == len(stiff)
    got, wanted = derivatives(fine, stiff), true_derivatives(stiff, magnetic_field("lhcb"))
    seen = [Y, TX, TY, QOP]
    assert got[seen] == pytest.approx(wanted[seen], rel=2e-3)
