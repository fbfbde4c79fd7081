"""Acceptance: by the way a particle goes, and by that which it would have gone."""

import numpy as np
import pytest
from guns import gun

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.reconstruction.acceptance import in_acceptance
from lamarrpy.detailed.transport import Fate, Physics, transport
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field

DETECTOR, FIELD = lhcb_detector(), magnetic_field("lhcb", "MagUp")
QUIET = Physics(False, False, False, False, False, False)


def accepted(particles, physics=QUIET):
    truth = transport(particles, DETECTOR, FIELD, Draws(2, "transport"), physics)
    return truth, in_acceptance(truth, DETECTOR, FIELD)


def test_stiff_tracks_in_the_middle_are():
    assert accepted(gun(300, 13, 5e4, (2.3, 4.3)))[1].all()


@pytest.mark.parametrize("eta", [1.2, 5.6])
def test_beside_and_in_the_pipe_are_not(eta):
    assert not accepted(gun(300, 13, 5e4, eta))[1].any()


def test_half_of_what_the_magnet_turns_by_forty_degrees():
    """2 GeV at eta 3 end 2 to 4 m beside the beam, at either edge of OT at 2.985 m by the direction in x."""
    particles = gun(2000, 13, 2e3, 3.0)
    inside = accepted(particles)[1]
    assert 0.4 < inside.mean() < 0.65
    # negative muons bend to +x in MagUp: what starts to -x stays inside
    assert inside[particles.px < -0.3 * np.hypot(particles.px, particles.py)].mean() > 0.95
    assert inside[particles.px > 0.3 * np.hypot(particles.px, particles.py)].mean() < 0.05


def test_what_interacts_is_judged_by_where_it_was_going():
    particles = gun(3000, [211, -211], 3e4, (2.3, 4.3))
    truth, inside = accepted(particles, Physics(False, False, False, True, False, False))
    early = (truth.fate == Fate.interacted) & (truth.end_z < 7000.0)
    assert early.sum() > 200
    assert inside[early].mean() > 0.97
    assert inside[early].mean() == pytest.approx(inside[~early].mean(), abs=0.03)


def test_no_particles():
    assert len(accepted(gun(0, 13, 1e4, 3.0))[1]) == 0
