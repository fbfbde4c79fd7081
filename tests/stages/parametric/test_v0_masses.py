"""Masses of K_S0 and Lambda: momenta and opening angles together, as LHCb measures them."""

from __future__ import annotations

import numpy as np
import pytest

from lamarrpy.draws import Draws
from lamarrpy.generate.decay_gun import DecayGun
from lamarrpy.particles import mass
from lamarrpy.stages import STAGES
from lamarrpy.stages.track_type import TrackType
from lamarrpy.tables import EventBatch

DECAYS = {"K_S0": ("pi+ pi-", 497.611), "Lambda": ("p+ pi-", 1115.683)}


def reconstructed_decays(mother: str) -> EventBatch:
    """One V0 an event with the pT of those in collisions, through the stages that make tracks."""
    pt = {
        "kind": "quantiles",
        "shares": [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1],
        "values": [50, 150, 400, 700, 1200, 2200, 5e3],
    }
    recipe = {"kind": "decay_gun", "decay": f"{mother} -> {DECAYS[mother][0]}", "pt": pt}
    gun = DecayGun.model_validate({**recipe, "eta": {"kind": "uniform", "low": 2.0, "high": 5.0}})
    batch = gun.sample(np.arange(40_000), Draws(1))
    for kind in ("propagation", "parametric_acceptance", "parametric_efficiency", "parametric_resolution"):
        stage = STAGES[kind]()
        batch = stage(batch, Draws(1, stage.name))
    return batch


def mass_residuals(batch: EventBatch, mother: str, track_type: TrackType) -> tuple[np.ndarray, np.ndarray]:
    """Reconstructed less true mass of pairs of tracks of one type, and their momentum [MeV]."""
    rows = np.flatnonzero(batch.array("tracks", "track_type") == track_type)
    event = batch.array("tracks", "event_id")[rows]
    order = np.argsort(event, kind="stable")
    rows, event = rows[order], event[order]
    first = np.flatnonzero(event[1:] == event[:-1])
    p, tx, ty, pid = (c[rows] for c in batch.arrays("tracks", "p", "tx", "ty", "true_pid"))
    along = p / np.sqrt(1 + tx**2 + ty**2)
    four = np.stack([np.hypot(p, mass(pid)), along * tx, along * ty, along])
    energy, *momentum = four[:, first] + four[:, first + 1]
    total = np.sqrt(sum(component**2 for component in momentum))
    return np.sqrt(energy**2 - total**2) - DECAYS[mother][1], total


@pytest.fixture(scope="module")
def decays() -> dict[str, EventBatch]:
    return {mother: reconstructed_decays(mother) for mother in DECAYS}


@pytest.mark.parametrize(
    ("mother", "track_type", "low", "high"),
    [
        ("K_S0", TrackType.downstream, 6.3, 7.7),
        ("K_S0", TrackType.long, 3.0, 4.8),
        ("Lambda", TrackType.downstream, 2.2, 3.0),
        ("Lambda", TrackType.long, 1.0, 1.7),
    ],
)
def test_mass_width(decays, mother, track_type, low, high):
    """LHCb: K_S0 7 MeV from Downstream pairs and 3.5 to 4 from Long ones, Lambda 2.5 to 3 and 1.2."""
    residual, _ = mass_residuals(decays[mother], mother, track_type)
    assert len(residual) > 1000
    assert low < np.quantile(np.abs(residual), 0.683) < high
    assert abs(np.median(residual)) < 0.1 * high


def test_width_of_downstream_pairs_hardly_grows_with_momentum(decays):
    """Scattering falls as the lever of an angle error grows: what is left is the constant of TT."""
    residual, p = mass_residuals(decays["K_S0"], "K_S0", TrackType.downstream)
    widths = [
        np.quantile(np.abs(residual[(p > a) & (p < b)]), 0.683) for a, b in ((0, 12e3), (12e3, 25e3), (25e3, 6e4))
    ]
    assert max(widths) < 1.5 * min(widths)
