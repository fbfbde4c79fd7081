"""Particles and small detectors that the tests shoot with and at."""

from __future__ import annotations

import numpy as np

from lamarrpy.detailed.geometry import Detector, Plane, Region, lhcb_detector
from lamarrpy.detailed.geometry.material import Material
from lamarrpy.detailed.transport import Particles

SILICON = Material("silicon", 2.329, 21.82, 108.4, 70.2, 0.49848, 173.0, False)


def gun(n, pid, p, eta, seed=1, spread=0.0, x=0.0, y=0.0, z=0.0):
    """n particles of PDG numbers, momenta [MeV] and pseudorapidities out of ranges, 50 an event."""
    rng = np.random.default_rng(seed)
    p = np.exp(rng.uniform(*np.log(p), n)) if isinstance(p, tuple) else np.full(n, float(p))
    eta = rng.uniform(*eta, n) if isinstance(eta, tuple) else np.full(n, float(eta))
    phi = rng.uniform(-np.pi, np.pi, n)
    pids = rng.choice(np.atleast_1d(pid), n).astype(np.int64)
    pt = p / np.cosh(eta)
    ids = np.arange(n)
    origin = (np.full(n, x), np.full(n, y), z + spread * rng.normal(size=n))
    return Particles(ids // 50, ids % 50, pids, *origin, pt * np.cos(phi), pt * np.sin(phi), p * np.tanh(eta))


def along_z(n, pid, p, z=0.0):
    """n particles that fly along the beam."""
    ids, zero = np.arange(n), np.zeros(n)
    return Particles(
        ids, zero.astype(np.int64), np.full(n, pid), zero, zero, np.full(n, z), zero, zero, np.full(n, float(p))
    )


def slab(x_over_x0, extent=0.0, material=SILICON, far=2000.0, scale=()):
    """A detector of one plane of material that ends at z = 1000 mm, and reference planes around it."""
    region = Region((), (), material, x_over_x0)
    planes = (
        Plane("begin", "reference", 10.0, recorded=True),
        Plane("slab", "slab", 1000.0, extent, (region,)),
        Plane("behind", "reference", 1000.001, recorded=True),
        Plane("end", "reference", far, recorded=True),
    )
    real = lhcb_detector()
    return Detector(
        planes, (), real.aperture, scale or real.interaction_scale, real.longest_step, 1.0, real.elastic_slope
    )


def at_plane(truth, detector, name):
    """The crossings of one plane as a dict of arrays."""
    here = truth.crossings.plane == detector.plane_number(name)
    return {key: column[here] for key, column in truth.crossings._asdict().items()}
