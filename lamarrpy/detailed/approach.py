"""What comes to the detectors that identify particles: photons and pairs too, and the ways of the tracks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.reconstruction.paths import Paths, paths_of
from lamarrpy.detailed.tracking import Tracked
from lamarrpy.detailed.transport import Arrivals, Conversions, Particles, Physics, Truth, transport
from lamarrpy.detailed.transport.arrivals import joined, of_charged, of_pairs, on_straight_lines
from lamarrpy.detailed.transport.conversions import NEUTRAL, PHOTON, convert, forward, pairs
from lamarrpy.detailed.transport.origins import LAST
from lamarrpy.detailed.tuning import tuning
from lamarrpy.draws import Draws
from lamarrpy.field import MagneticField
from lamarrpy.tables import EventBatch


class Approach(NamedTuple):
    """What flies on behind the tracking system.

    Attributes
    ----------
    truth, pairs : Truth
        What the charged particles of the events did, and what electrons and positrons of photons did that
        convert before the last T station.
    photons : Particles
        k photons, from the generator and from bremsstrahlung.
    conversions : Conversions
        What becomes of them.
    arrivals : Arrivals
        Everything that gets to the end of RICH2.
    paths : Paths
        Where the m tracks go, as far as their fit can tell.
    """

    truth: Truth
    pairs: Truth
    photons: Particles
    conversions: Conversions
    arrivals: Arrivals
    paths: Paths


def approach(batch: EventBatch, tracked: Tracked, field: MagneticField, draws: Draws) -> Approach:
    """Follow all that the tracking system does not see, and the tracks, to the calorimeters.

    Parameters
    ----------
    batch : EventBatch
        Generator-level events.
    tracked : Tracked
        What the tracking system made of them.
    field : MagneticField
        What it is in.
    draws : Draws
        The random numbers of the run.
    """
    detector, truth, tracks = lhcb_detector(), tracked.truth, tracked.tracks
    neutrals = _neutrals(batch, tracked)
    neutrals = neutrals.at(forward(neutrals, tuning("photon")["least_momentum"]))
    is_photon = neutrals.pid == PHOTON
    photons = neutrals.at(is_photon)
    conversions = convert(photons, detector, draws.stage("conversions"))
    born = pairs(photons, conversions)
    energetic = born.px**2 + born.py**2 + born.pz**2 > detector.smallest_photon**2
    born = born.at(energetic & detector.aperture.contains(born.x, born.y, born.z))
    early = born.at(born.z < LAST)
    flown = transport(early, detector, field, draws.stage("pairs"), Physics(interactions=False, decays=False))
    arrivals = joined(
        [
            of_charged(truth, detector),
            of_pairs(of_charged(flown, detector)),
            of_pairs(on_straight_lines(born.at(born.z >= LAST), detector)),
            on_straight_lines(photons.at(np.isinf(conversions.z)), detector),
            on_straight_lines(neutrals.at(~is_photon), detector),
        ]
    )
    args = (tracks.event_id, tracks.row, tracks.track_type, tracks.fitted.state, truth)
    paths = paths_of(*args, detector, field, draws.stage("paths"))
    return Approach(truth, flown, photons, conversions, arrivals, paths)


def _neutrals(batch: EventBatch, tracked: Tracked) -> Particles:
    """Undecayed neutral particles of the generator and photons made in the detector."""
    names = ("event_id", "particle_id", "pid", "x", "y", "z", "px", "py", "pz")
    columns = batch.arrays("particles", *names)
    chosen = np.isin(columns[2], NEUTRAL) & (batch.array("particles", "status") == 1)
    made = tracked.followed.made
    light = made["pid"] == PHOTON
    parts = [np.concatenate([column[chosen], made[name][light]]) for name, column in zip(names, columns, strict=True)]
    ids, numbers = (np.asarray(part, np.int64) for part in parts[:3]), (np.asarray(p, np.float64) for p in parts[3:])
    found = Particles._make([*ids, *numbers])
    return found.at(np.isfinite(np.array(found[3:])).all(axis=0))
