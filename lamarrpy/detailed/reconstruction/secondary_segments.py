"""T segments that belong to no particle of the event: of secondaries, and of all that is not simulated."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector
from lamarrpy.detailed.hits import Hits, measure
from lamarrpy.detailed.reconstruction.confusion import Picked, crossing_of_hits
from lamarrpy.detailed.reconstruction.layers import Mask, Rows, layers_of
from lamarrpy.detailed.reconstruction.matching import measured_parts
from lamarrpy.detailed.reconstruction.neighbours import take
from lamarrpy.detailed.reconstruction.search import Search
from lamarrpy.detailed.reconstruction.secondary_particles import secondary_particles
from lamarrpy.detailed.reconstruction.segments import t_segments
from lamarrpy.detailed.transport import Particles, PlaneCrossings, Truth
from lamarrpy.detailed.transport.truth import Record
from lamarrpy.draws import Draws
from lamarrpy.field.model import MagneticField
from lamarrpy.particles import charge
from lamarrpy.propagation import SharedSteps, State

Array = NDArray[np.float64]

MIRRORS = ((-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0))
"""Signs of x and y of the mirror images of a segment, the first image of which comes first."""

_IMAGES = 20
"""Index of the random number of a particle that says how many images its segment has."""


class SecondarySegments(NamedTuple):
    """k segments at mid T.

    Attributes
    ----------
    source : ndarray of int, shape (k,)
        Row of the particle that each comes from, or is an image of.
    state : State
        Where it is at mid T, as measured, shape (k,).
    held : Picked
        The hits of each in T, by segment; nobody's hits.
    image : ndarray of bool, shape (k,)
        Whether it is an image.
    """

    source: Rows
    state: State
    held: Picked
    image: Mask


class _Originals(NamedTuple):
    """Segments, where each of their hits was left [mm], and a random number in (0, 1) of each segment."""

    segments: SecondarySegments
    x: Array
    y: Array
    chance: Array


def secondary_segments(
    truth: Truth, ends: tuple[Mask, State], held: Picked, setting: tuple[Detector, MagneticField, Search], draws: Draws
) -> SecondarySegments:
    """T segments of secondaries, and of what is not simulated.

    Hadrons from interactions and electrons from conversions fly through the field, and leave hits. For
    what the T stations see besides, from neutral hadrons, interactions of secondaries, and the bunch
    crossings before and after, stand mirror images of all segments of the event: tracks that come from
    the beam and are bent as their momentum says, since field and detector are the same on the left and
    on the right, above and below.

    Parameters
    ----------
    truth : Truth
        n particles, of which some interact.
    ends : ndarray of bool and State, shape (n,)
        Whether they have T segments, and where these are at mid T.
    held : Picked
        Hits held for them.
    setting : Detector, MagneticField, Search
        What they went through, and how many images there are.
    draws : Draws
        The random numbers.
    """
    detector, field, search = setting
    particles = _of_particles(truth, ends, held, detector, draws)
    secondaries = _of_secondaries(truth, detector, field, search, draws)
    parts = [secondaries.segments]
    for number, signs in enumerate(MIRRORS):
        least = number + 1.0 - search.secondary_images
        parts += [_images(originals, originals.chance >= least, *signs) for originals in (particles, secondaries)]
    return _end_to_end(parts)


def _of_particles(truth: Truth, ends: tuple[Mask, State], held: Picked, detector: Detector, draws: Draws) -> _Originals:
    """The segments of the particles themselves."""
    found = np.flatnonzero(ends[0])
    own = np.flatnonzero(held.right)
    right = Picked(held.row[own], take(held.hits, own), held.right[own])
    return _originals(truth, found, found, ends[1], right, detector, draws)


def _of_secondaries(truth: Truth, detector: Detector, field: MagneticField, search: Search, draws: Draws) -> _Originals:
    """The segments of secondaries, which fly through the field."""
    made = secondary_particles(truth, detector, field, search, draws.stage("secondaries"))
    story = _through_t(made.particles, detector, field)
    hits = measure(story, detector, draws.stage("hits of secondaries"))
    held = Picked(hits.row, hits, np.ones(len(hits.row), bool))
    keys = draws.stage("ends of secondaries").rows(made.particles.event_id, made.particles.particle_id)
    ends = measured_parts(story, held, detector, keys).t
    found = np.flatnonzero(t_segments(held, held.right, len(made.source), detector) & ends.exists)
    return _originals(story, found, made.source[found], ends.state, held, detector, draws.stage("images"))


def _through_t(particles: Particles, detector: Detector, field: MagneticField) -> Truth:
    """Where particles cross the T stations, without any matter before and between them."""
    p = np.sqrt(particles.px**2 + particles.py**2 + particles.pz**2)
    slopes, qop = (particles.px / particles.pz, particles.py / particles.pz), charge(particles.pid) / p
    planes = np.flatnonzero(layers_of(detector).t)
    start = State(particles.x, particles.y, particles.z, *slopes, qop)
    at = SharedSteps(field)(start, [detector.planes[plane].z for plane in planes])
    inside = at.reaches.copy()
    for number, plane in enumerate(planes):
        sensor = detector.planes[plane].sensor
        assert sensor is not None
        inside[number] &= sensor.contains(at.x[number], at.y[number])
    row, which = np.nonzero(inside.T)
    x, y, tx, ty = (column[which, row] for column in (at.x, at.y, at.tx, at.ty))
    known = {"row": row, "plane": planes[which], "x": x, "y": y, "tx": tx, "ty": ty, "p": p[row]}
    crossings = PlaneCrossings(**dict.fromkeys(PlaneCrossings._fields, np.zeros(len(row))) | known)
    return replace(Record(particles, detector.planes[-1].z).truth(), crossings=crossings)


def _originals(
    truth: Truth, found: Rows, source: Rows, state: State, held: Picked, detector: Detector, draws: Draws
) -> _Originals:
    """The segments of some particles, with their hits in T, which are theirs all."""
    layers = layers_of(detector)
    number = np.full(len(truth.particles.pid), -1)
    number[found] = np.arange(len(found))
    which = np.flatnonzero(layers.t[held.hits.plane] & (number[held.row] >= 0))
    hits, row = take(held.hits, which), held.row[which]
    crossing, at = crossing_of_hits(truth, row, hits.plane, len(detector.planes)), truth.crossings
    way = hits.z - layers.z[hits.plane]
    x, y = at.x[crossing] + way * at.tx[crossing], at.y[crossing] + way * at.ty[crossing]
    nobodys = Picked(number[row], _nobodys(hits), held.right[which])
    return _Originals(
        SecondarySegments(source, state.at(found), nobodys, np.zeros(len(found), bool)),
        x,
        y,
        _chances(truth.particles, found, draws),
    )


def _chances(particles: Particles, rows: Rows, draws: Draws) -> Array:
    return draws.rows(particles.event_id[rows], particles.particle_id[rows]).uniform(_IMAGES)


def _nobodys(hits: Hits) -> Hits:
    """Hits of particles that are not in the event's list."""
    none = np.full(len(hits.row), -1)
    return hits._replace(row=none, particle_id=none.astype(np.int64))


def _images(originals: _Originals, chosen: Mask, x: float, y: float) -> SecondarySegments:
    """Some segments mirrored: x and y times 1 or -1. Their hits keep strip and wire direction, and their errors."""
    (source, state, held, image), number = originals.segments, np.cumsum(chosen) - 1
    which = np.flatnonzero(chosen[held.row])
    hits = take(held.hits, which)
    shift = (x - 1.0) * originals.x[which] * hits.cos + (y - 1.0) * originals.y[which] * hits.sin
    moved = hits._replace(measurement=hits.measurement + shift)
    old = state.at(chosen)
    there = State(x * old.x, y * old.y, old.z, x * old.tx, y * old.ty, x * old.qop)
    hits_of = Picked(number[held.row[which]], moved, held.right[which])
    return SecondarySegments(source[chosen], there, hits_of, ~image[chosen])


def _end_to_end(parts: list[SecondarySegments]) -> SecondarySegments:
    """All segments in one list."""
    first = np.cumsum([0, *(len(part.source) for part in parts)])
    rows = np.concatenate([part.held.row + start for part, start in zip(parts, first[:-1], strict=True)])
    hits = Hits._make(np.concatenate(columns) for columns in zip(*(part.held.hits for part in parts), strict=True))
    return SecondarySegments(
        np.concatenate([part.source for part in parts]),
        State._make(np.concatenate(columns) for columns in zip(*(part.state for part in parts), strict=True)),
        Picked(rows, hits, np.concatenate([part.held.right for part in parts])),
        np.concatenate([part.image for part in parts]),
    )
