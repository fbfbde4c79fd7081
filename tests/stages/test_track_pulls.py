from __future__ import annotations

import numpy as np
from track_models import made_up_numbers, truth

from lamarrpy.stages.track_factor import COVARIANCE, covariance_of, factor_from
from lamarrpy.stages.track_frame import frame
from lamarrpy.stages.track_pulls import PULLS, pulls_of, state_from
from lamarrpy.stages.track_type import TrackType
from lamarrpy.tables.schemas import STATE

HADRON, ELECTRON = 211, 11


def made(n=3000, width=1.0, **same):
    """True states, a factor, and pulls."""
    random = np.random.default_rng(6)
    columns = truth(n)
    columns |= {name: np.full_like(columns[name], value) for name, value in same.items()}
    said = {name: np.arcsinh(width * random.normal(size=n)) for name in PULLS}
    return columns, factor_from(made_up_numbers(n), columns), said


def test_pulls_come_back():
    columns, factor, said = made()
    back = pulls_of({**columns, **state_from(said, columns, factor)}, factor)
    assert list(back) == list(PULLS)
    held = np.abs(state_from(said, columns, factor)["qop"]) > 2e-7
    for name in PULLS:
        assert np.allclose(back[name][held], said[name][held], rtol=1e-5, atol=1e-5), name


def test_the_state_is_the_closest_to_the_beam_line():
    columns, factor, said = made(width=30.0)
    state = state_from(said, columns, factor)
    x, y = state["x"] - columns["beam_x"], state["y"] - columns["beam_y"]
    along = (x * state["tx"] + y * state["ty"]) / np.hypot(state["tx"], state["ty"])
    assert np.abs(along).max() < 1e-6


def test_without_pulls_the_state_is_the_true_one():
    columns, factor, said = made(width=0.0)
    state = state_from(said, columns, factor)
    for name in ("x", "y", "z", "tx", "ty", "qop"):
        assert np.allclose(state[name], columns[f"true_{name}"], rtol=1e-9, atol=1e-6), name


def test_residuals_have_the_covariance():
    """Normalised residuals of 30,000 tracks, Long hadrons: widths of 1 and the correlations of the matrix."""
    columns, _, said = made(30_000, true_pid=HADRON, track_type=TrackType.long)
    columns["true_qop"] = np.abs(columns["true_qop"])
    one = {name: np.full(30_000, values[0]) for name, values in columns.items()}
    factor = factor_from({name: np.full(30_000, values[0]) for name, values in made_up_numbers().items()}, one)
    state, covariance = state_from(said, one, factor), covariance_of(factor, one)
    back = one["true_z"] - state["z"]
    residuals = {f"{a}": state[a] + state[f"t{a}"] * back - one[f"true_{a}"] for a in "xy"}
    residuals |= {a: state[a] - one[f"true_{a}"] for a in ("tx", "ty", "qop")}
    for name in COVARIANCE:
        a, b = name.split("_")[1:]
        scale = np.sqrt(covariance[f"cov_{a}_{a}"][0] * covariance[f"cov_{b}_{b}"][0])
        found = np.mean(residuals[a] * residuals[b]) / scale
        assert abs(found - covariance[name][0] / scale) < 5 * np.sqrt(2 / 30_000), name
    assert set(residuals) == set(STATE)


def test_a_pull_of_momentum_is_less_of_it():
    columns, factor, said = made()
    said = {name: np.zeros_like(values) for name, values in said.items()} | {"pull_momentum": np.ones(3000)}
    state = state_from(said, columns, factor)
    assert (np.abs(state["qop"]) > np.abs(columns["true_qop"])).all()
    assert np.array_equal(np.sign(state["qop"]), np.sign(columns["true_qop"]))


def test_no_track_is_straighter_than_of_beam_momentum():
    columns, factor, said = made(width=100.0)
    p = 1 / np.abs(state_from(said, columns, factor)["qop"])
    assert p.min() > 0
    assert p.max() <= 6.5e6 * (1 + 1e-12)


def test_units_are_wide_where_the_covariance_knows_nothing():
    """Electrons lose momentum; prompt Downstream tracks were scattered; all else is told in its own uncertainty."""

    def offset(track_type, pid, flight):
        columns, factor, said = made(track_type=track_type, true_pid=pid)
        columns["origin_z"] = columns["true_z"] + flight
        cos, sin = frame(columns)
        at = np.ones(3000)
        state = state_from({name: np.arcsinh(at) for name in said}, columns, factor)
        slope = cos * (state["tx"] - columns["true_tx"]) + sin * (state["ty"] - columns["true_ty"])
        return slope / factor[0][0], np.abs(state["qop"] / columns["true_qop"] - 1)

    for track_type, flight in ((TrackType.long, 0.0), (TrackType.upstream, 0.0), (TrackType.downstream, 900.0)):
        assert np.allclose(offset(track_type, HADRON, flight)[0], 1)
    assert np.allclose(offset(TrackType.downstream, HADRON, 0.0)[0], 10)
    radiated = offset(TrackType.long, ELECTRON, 0.0)[1]
    assert np.median(radiated) > 10 * np.median(offset(TrackType.long, HADRON, 0.0)[1])
