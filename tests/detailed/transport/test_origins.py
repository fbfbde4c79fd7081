"""Which particles are followed, and what is said of the others."""

import numpy as np
import pytest
from guns import gun

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.transport import charged_particles, transport
from lamarrpy.draws import Draws
from lamarrpy.errors import DomainError
from lamarrpy.field import magnetic_field
from lamarrpy.tables import EventBatch
from lamarrpy.tables.schemas import PARTICLES

NAMES = ("event_id", "particle_id", "pid", "px", "py", "pz", "x", "y", "z", "status")


def batch(rows):
    """A batch of particles, (pid, px, py, pz, x, y, z, status) each."""
    pid, px, py, pz, x, y, z, status = (np.array(column) for column in zip(*rows, strict=True))
    ids = np.arange(len(rows))
    values = dict(zip(NAMES, (ids * 0, ids, pid, px, py, pz, x, y, z, status), strict=True))
    floats = {name: np.asarray(values[name], float) for name in ("px", "py", "pz", "x", "y", "z")}
    return EventBatch({}).with_table(PARTICLES.only(*NAMES), {**values, **floats})


def test_chosen_and_counted():
    rows = [
        (211, 100.0, 0.0, 5e3, 0.0, 0.0, 0.0, 1),
        (22, 100.0, 0.0, 5e3, 0.0, 0.0, 0.0, 1),
        (511, 100.0, 0.0, 5e4, 0.0, 0.0, 0.0, 2),
        (-13, 100.0, 0.0, 5e3, 1.0, 2.0, 3000.0, 1),
        (211, 100.0, 0.0, -5e3, 0.0, 0.0, 0.0, 1),
        (211, 5e3, 0.0, 10.0, 0.0, 0.0, 0.0, 1),
        (211, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1),
        (99999999, 0.0, 0.0, 5e3, 0.0, 0.0, 0.0, 1),
        (1000020040, 0.0, 0.0, 5e3, 0.0, 0.0, 0.0, 1),
        (2212, 0.0, 0.0, 5e3, 0.0, 0.0, 15000.0, 1),
    ]
    particles, refused = charged_particles(batch(rows), lhcb_detector())
    assert particles.particle_id.tolist() == [0, 3]
    assert particles.z.tolist() == [0.0, 3000.0]
    assert (refused.neutral, refused.backward, refused.steep, refused.at_rest) == (1, 1, 1, 1)
    assert (refused.unknown, refused.multiply_charged, refused.born_outside, refused.not_finite) == (1, 1, 1, 0)
    assert "1 without momentum" in refused.warning
    assert "1 born outside the detector" in refused.warning


def test_nothing_to_say_of_good_particles():
    _, refused = charged_particles(batch([(22, 0.0, 0.0, 5e3, 0.0, 0.0, 0.0, 1)]), lhcb_detector())
    assert refused.warning == ""


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("px", np.nan, "not finite"),
        ("z", np.inf, "not finite"),
        ("pz", -1.0, "backward"),
        ("z", 9500.0, "born outside"),
        ("x", 5000.0, "born outside"),
        ("pid", 22, "neutral"),
        ("pid", 123456789, "unknown"),
        ("pz", 1e-3, "steep"),
    ],
)
def test_transport_says_what_it_cannot_follow(name, value, reason):
    particles = gun(3, 211, 1e4, 3.0)
    column = getattr(particles, name).copy()
    column[1] = value
    with pytest.raises(DomainError, match=f"1 that are {reason}, the first in row 1"):
        transport(particles._replace(**{name: column}), lhcb_detector(), magnetic_field("lhcb"), Draws(1, "t"))


def test_zero_momentum_is_refused():
    particles = gun(2, 211, 1e4, 3.0)
    still = particles._replace(px=np.zeros(2), py=np.zeros(2), pz=np.zeros(2))
    with pytest.raises(DomainError, match="at rest"):
        transport(still, lhcb_detector(), magnetic_field("lhcb"), Draws(1, "t"))
