"""Secondaries: charged particles from interactions of hadrons and conversions of photons in the detector."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector
from lamarrpy.detailed.reconstruction.layers import Mask, Rows, layers_of
from lamarrpy.detailed.reconstruction.matching import MID_T, crossing_of
from lamarrpy.detailed.reconstruction.search import Search
from lamarrpy.detailed.transport import Fate, Particles, Truth
from lamarrpy.draws import Draws, RowDraws
from lamarrpy.field.model import MagneticField
from lamarrpy.particles import charge
from lamarrpy.propagation import SharedSteps, State

Array = NDArray[np.float64]

HADRONS = 3
"""Hadrons of an interaction that are looked at, those that the others leave next to nothing for."""

CHARGED = 2.0 / 3.0
"""Share of charged ones among the pions of an interaction: isospin."""

CONVERSION = 7.0 / 9.0
"""Conversions of a photon in a radiation length."""

STEEPEST_SECONDARY = 0.7
"""Slope [rad] beyond which none gets through the magnet."""

_AZIMUTH, _DEPTH, _SPLIT = 20, 21, 22
"""Indices of the random numbers of a photon: direction, where it converts, and how the pair shares its energy."""

_SHARE, _KIND, _PT, _MORE_PT, _ANGLE = 30, 33, 36, 39, 42
"""Of an interaction; each index is that of the first hadron."""

_NUMBERS = 8
"""Secondaries of a particle are numbered: hadrons from 0 on, electrons from HADRONS on."""


class Secondaries(NamedTuple):
    """k charged secondaries: what they are, and the row of the particle that each comes from or stands beside."""

    particles: Particles
    source: Rows


def secondary_particles(
    truth: Truth, detector: Detector, field: MagneticField, search: Search, draws: Draws
) -> Secondaries:
    """Let hadrons that interact, and photons, leave charged particles before the T stations.

    Parameters
    ----------
    truth : Truth
        n particles and how they end.
    detector, field : Detector, MagneticField
        What they went through.
    search : Search
        Least momentum of tracks that are looked for.
    draws : Draws
        The random numbers, used by rows of (event_id, particle_id).
    """
    own = draws.rows(truth.particles.event_id, truth.particles.particle_id)
    made = [*_from_interactions(truth, detector, field, search, own), *_from_photons(truth, detector, search, own)]
    columns = [np.concatenate(parts) for parts in zip(*made, strict=True)]
    source, number, pid, x, y, z, px, py, pz = columns
    order = np.lexsort((number, source))
    source = source[order].astype(np.intp)
    at = truth.particles
    ids = at.particle_id[source] * _NUMBERS + number[order].astype(np.int64)
    rest = (column[order] for column in (x, y, z, px, py, pz))
    return Secondaries(Particles(at.event_id[source], ids, pid[order].astype(np.int64), *rest), source)


def _from_interactions(
    truth: Truth, detector: Detector, field: MagneticField, search: Search, own: RowDraws
) -> list[tuple[NDArray[np.generic], ...]]:
    """Charged hadrons of inelastic interactions, in the order in which they share out the momentum.

    A chain: each takes a share of what is left that is as likely small as large (R. Field, R. Feynman,
    Nucl. Phys. B136 (1978) 1, the leading particle's spectrum being flat, too), and
    a transverse momentum as dN / d^2 pT = exp(-pT / constant) has it, on average twice the constant.
    """
    everywhere = np.ones(len(truth.crossings.row), bool)
    last, exists = crossing_of(truth, everywhere, layers_of(detector).z)
    rows = np.flatnonzero((truth.fate == Fate.interacted) & (truth.end_z < MID_T) & (truth.end_p > search.least_p))
    p, some, first = truth.end_p[rows], own[rows], truth.particles.at(rows)
    origin = State(first.x, first.y, first.z, first.px / first.pz, first.py / first.pz, charge(first.pid) / p)
    known = zip(last.at(rows), origin, strict=True)
    start = State._make(np.where(exists[rows], *columns) for columns in known)._replace(qop=origin.qop)
    end = SharedSteps(field).carry(start, truth.end_z[rows])
    made, left = [], p
    for number in range(HADRONS):
        share = left * some.uniform(_SHARE + number)
        left = left - share
        kind = some.uniform(_KIND + number)
        pt = -search.secondary_pt * np.log(some.uniform(_PT + number) * some.uniform(_MORE_PT + number))
        angle = 2.0 * np.pi * some.uniform(_ANGLE + number)
        pid = np.where(kind < 0.5 * CHARGED, 211, -211)
        kick = pt * np.cos(angle), pt * np.sin(angle)
        made.append(_seen(rows, number, pid, end, share, kick, kind < CHARGED, search))
    return made


def _from_photons(
    truth: Truth, detector: Detector, search: Search, own: RowDraws
) -> list[tuple[NDArray[np.generic], ...]]:
    """Electrons and positrons of converted photons.

    There are half as many neutral pions as charged ones, and each makes two photons: one for every charged
    particle, with half its momentum, in the same polar angle, through the same material.
    """
    particles = truth.particles
    p = 0.5 * np.sqrt(particles.px**2 + particles.py**2 + particles.pz**2)
    depth = -np.log(own.uniform(_DEPTH)) / CONVERSION
    z, inside = _where_converted(truth, depth, layers_of(detector).z)
    rows = np.flatnonzero(inside & (p > search.least_p) & (z < MID_T))
    some, p, z, particles = own[rows], p[rows], z[rows], particles.at(rows)
    turn = 2.0 * np.pi * some.uniform(_AZIMUTH)
    tx, ty = particles.px / particles.pz, particles.py / particles.pz
    tx, ty = tx * np.cos(turn) - ty * np.sin(turn), tx * np.sin(turn) + ty * np.cos(turn)
    way, zero = z - particles.z, np.zeros(len(rows))
    there = State(particles.x + way * tx, particles.y + way * ty, z, tx, ty, zero)
    first = p * some.uniform(_SPLIT)
    made, every = [], np.ones(len(rows), bool)
    for number, (pid, share) in enumerate(((11, first), (-11, p - first))):
        made.append(_seen(rows, HADRONS + number, np.full(len(rows), pid), there, share, (zero, zero), every, search))
    return made


def _where_converted(truth: Truth, depth: Array, planes: Array) -> tuple[Array, Mask]:
    """z [mm] at which the ways of particles have a depth [radiation lengths], and whether they have it."""
    at, n, z = truth.crossings, len(depth), truth.particles.z
    if not len(at.row):
        return z, np.zeros(n, bool)
    # the crossings of a particle stand together, and their depth grows
    passed = np.bincount(at.row[at.x_over_x0 < depth[at.row]], minlength=n)
    behind = np.searchsorted(at.row, np.arange(n)) + passed
    inside = behind < np.searchsorted(at.row, np.arange(n), side="right")
    behind = np.where(inside, behind, 0)
    before = np.maximum(behind - 1, 0)
    near = np.where(passed > 0, planes[at.plane[before]], z)
    done = np.where(passed > 0, at.x_over_x0[before], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(inside, (depth - done) / (at.x_over_x0[behind] - done), 0.0)
    return np.where(inside, near + share * (planes[at.plane[behind]] - near), z), inside


def _seen(
    rows: Rows,
    number: int,
    pid: NDArray[np.int64],
    at: State,
    p: Array,
    kick: tuple[Array, Array],
    made: Mask,
    search: Search,
) -> tuple[NDArray[np.generic], ...]:
    """Those of the secondaries that are hard and forward enough to be found: source, number, pid, x ... pz."""
    forward = p / np.sqrt(1.0 + at.tx**2 + at.ty**2)
    px, py = forward * at.tx + kick[0], forward * at.ty + kick[1]
    pz = np.sqrt(np.maximum(p * p - px * px - py * py, 0.0))
    seen = made & (p > search.least_p) & (px * px + py * py < (STEEPEST_SECONDARY * pz) ** 2)
    columns = (rows, np.full(len(rows), number), pid, at.x, at.y, at.z, px, py, pz)
    return tuple(np.asarray(column)[seen] for column in columns)
