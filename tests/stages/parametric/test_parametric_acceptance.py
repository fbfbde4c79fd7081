"""The stage `acceptance`: the published figures, the geometry behind them, the drawn flag."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from lamarrpy.constants import constants
from lamarrpy.draws import Draws
from lamarrpy.field import Lhcb
from lamarrpy.particles import charge
from lamarrpy.propagation import SharedSteps, State
from lamarrpy.stages.parametric.acceptance import Acceptance, Trajectory, acceptance_probability
from lamarrpy.stages.propagation import METHODS, Propagation
from lamarrpy.tables import EventBatch
from lamarrpy.testing import check_stage, example_events

PLANES = [2485.0, 8520.0]


def trajectory(start: State) -> Trajectory:
    """Where particles cross the TT and T stations."""
    at = SharedSteps(Lhcb())(start, PLANES)
    return Trajectory(start.tx, start.ty, at.x[0], at.y[0], at.x[1], at.y[1], at.tx[1], at.reaches[1])


@cache
def mean_probability(p: float, eta: float) -> float:
    """Mean over azimuth and charge, for particles from the origin; p in GeV."""
    phi = np.tile(2 * np.pi * (np.arange(90) + 0.5) / 90, 2)
    zero, slope = np.zeros(180), 1 / np.sinh(eta)
    start = State(zero, zero, zero, slope * np.cos(phi), slope * np.sin(phi), np.repeat([-1.0, 1.0], 90) / (1e3 * p))
    return float(acceptance_probability(trajectory(start), constants("acceptance")).mean())


# of the acceptance flag of the full-simulation surrogate published with SQLamarr (2016 MagUp)
@pytest.mark.parametrize("eta", [2.1, 2.5, 3.0, 3.5, 4.0, 4.4])
@pytest.mark.parametrize("p", [2.0, 5.0, 10.0, 50.0])
def test_plateau(p: float, eta: float) -> None:
    assert 0.975 < mean_probability(p, eta) < 0.99


@pytest.mark.parametrize(
    ("eta", "p", "expected"),
    [(5.0, 2.0, 0.95), (5.0, 50.0, 0.95), (5.2, 2.0, 0.80), (5.2, 50.0, 0.56), (1.7, 2.0, 0.95), (1.7, 50.0, 0.79)],
)
def test_edges(eta: float, p: float, expected: float) -> None:
    assert mean_probability(p, eta) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("eta", [1.7, 5.2])
def test_falls_with_momentum_at_the_edges(eta: float) -> None:
    values = [mean_probability(p, eta) for p in (3.0, 10.0, 30.0, 100.0)]
    assert np.all(np.diff(values) < 0.0)


def test_geometry() -> None:
    """Stiff particles along x: in the pipe, inside, beyond the T stations, beyond the acceptance."""
    tx = np.array([0.001, 0.1, 0.38, 0.6])
    zero = np.zeros(4)
    got = acceptance_probability(
        trajectory(State(zero, zero, zero, tx, zero, np.full(4, 1e-6))), constants("acceptance")
    )
    assert got[0] < 0.01
    assert got[1] == pytest.approx(constants("acceptance")["plateau"], abs=1e-6)
    assert 0.5 < got[2] < 0.8
    assert got[3] < 1e-6


def test_swept_out_of_the_t_stations_is_in_acceptance() -> None:
    """What an Upstream track needs: through the TT station, and then out of the magnet's side."""
    one = np.ones(1)
    at = trajectory(State(0 * one, 0 * one, 0 * one, 0.1 * one, 0.05 * one, one / 1000.0))
    assert not at.reaches_mid_t[0]
    assert acceptance_probability(at, constants("acceptance"))[0] > 0.97


@pytest.fixture(scope="module", params=METHODS)
def propagated(request: pytest.FixtureRequest) -> EventBatch:
    return Propagation(method=request.param)(example_events(400), Draws(1, "propagation"))


def test_keeps_the_promises_of_a_stage(propagated: EventBatch) -> None:
    check_stage(Acceptance(), propagated.select_events(np.unique(propagated.array("events", "event_id"))[:40]))


def test_only_charged_particles_that_get_to_the_tt(propagated: EventBatch) -> None:
    after = Acceptance()(propagated, Draws(1, "acceptance"))
    pid, reaches, probability, accepted = after.arrays(
        "particles", "pid", "reaches_mid_tt", "acceptance", "in_acceptance"
    )
    candidate = reaches & (charge(pid) != 0.0)
    assert np.all(probability[~candidate] == 0.0)
    assert not accepted[~candidate].any()
    assert np.all((probability[candidate] > 0.0) & (probability[candidate] < 1.0))


def test_flags_follow_the_probabilities(propagated: EventBatch) -> None:
    runs = [Acceptance()(propagated, Draws(seed, "acceptance")) for seed in range(20)]
    probability = runs[0].array("particles", "acceptance")
    accepted = np.sum([run.array("particles", "in_acceptance") for run in runs], axis=0)
    middling = (probability > 0.2) & (probability < 0.8)
    assert middling.sum() > 30
    for rows in (middling, probability > 0.0):
        variance = len(runs) * np.sum((probability * (1.0 - probability))[rows])
        assert abs(np.sum(accepted[rows]) - len(runs) * np.sum(probability[rows])) < 4.0 * np.sqrt(variance)


def test_polarity_does_not_matter_on_average() -> None:
    events = example_events(600)
    up, down = (
        Acceptance()(Propagation(polarity=polarity)(events, Draws(1, "propagation")), Draws(1, "acceptance"))
        for polarity in ("MagUp", "MagDown")
    )
    means = [np.mean(batch.array("particles", "acceptance")) for batch in (up, down)]
    assert means[0] == pytest.approx(means[1], abs=0.002)
