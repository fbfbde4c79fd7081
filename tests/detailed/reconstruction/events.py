"""Events with tracks in them, for the tests of pattern recognition."""

from functools import cache

import numpy as np
from guns import gun

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.hits import measure
from lamarrpy.detailed.reconstruction.finding import find_tracks
from lamarrpy.detailed.transport import Particles, transport
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field
from lamarrpy.propagation import BeamLine


def crowd(events, each, p=(2e3, 4e4), eta=(2.0, 4.8), pid=(211, -211), seed=1):
    """So many particles in each of so many events."""
    particles = gun(events * each, list(pid), p, eta, seed=seed, spread=40.0)
    ids = np.arange(events * each)
    return particles._replace(event_id=ids // each, particle_id=ids % each)


def measured(particles, seed=1):
    """What happens to particles, and what the sensors see of it."""
    detector = lhcb_detector()
    truth = transport(particles, detector, magnetic_field("lhcb"), Draws(seed, "t"))
    return truth, measure(truth, detector, Draws(seed, "h"))


def find(particles, seed=1):
    """The story, the hits and what is found."""
    truth, hits = measured(particles, seed)
    zero = np.zeros(len(particles.pid))
    line = BeamLine(zero, zero)
    return truth, hits, find_tracks(truth, hits, line, lhcb_detector(), magnetic_field("lhcb"), Draws(seed, "f"))


@cache
def busy():
    """Twenty events of a hundred pions."""
    return find(crowd(20, 100))


def nobody():
    """No particles at all."""
    ids, zero = np.zeros(0, np.int64), np.zeros(0)
    return Particles(ids, ids, ids, *[zero] * 6)
