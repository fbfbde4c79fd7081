"""Cherenkov photons: emitted along the true ways of particles, focused, seen by pixels; and background."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from lamarrpy.detailed.rich.legs import Legs
from lamarrpy.detailed.rich.radiators import Direction, Radiator, direction_of
from lamarrpy.detailed.transport import Truth
from lamarrpy.detailed.transport.scattering import perpendicular
from lamarrpy.detailed.tuning import tuning
from lamarrpy.draws import Draws

Array = NDArray[np.float64]
Ids = NDArray[np.int64]

_NUMBER = 0
_AZIMUTH, _PLACE, _COLOUR, _EMISSION, _SPREAD_U, _SPREAD_V = range(6)
_PARTNER, _AWAY_U, _AWAY_V = range(3)
"""Indices of the random numbers of a leg, of a photon, and of a background photon."""

_BACKGROUND = -1
"""Second part of the key of background photons."""


class Photons(NamedTuple):
    """k detected photons: event and direction cosines, each of shape (k,)."""

    event_id: Ids
    u: Array
    v: Array


class Pixels(NamedTuple):
    """k pixels that fired, by event: its position in the list of events, and the direction of their middle."""

    event: NDArray[np.intp]
    u: Array
    v: Array
    w: Array

    def between(self, first: int, last: int) -> Pixels:
        """Those of the events from one to before another, counted from the first of them."""
        begin, end = np.searchsorted(self.event, (first, last))
        return Pixels(self.event[begin:end] - first, self.u[begin:end], self.v[begin:end], self.w[begin:end])


def emit(truth: Truth, legs: Legs, radiator: Radiator, draws: Draws) -> Photons:
    """The photons of all ways through the gas that reach a mirror, with the errors of single photons.

    Their number is Poisson-distributed about photons x (path / gas) x sin^2 theta / sin^2 theta_saturated (Frank
    and Tamm); cos theta = 1 / (n beta) with an index of each photon's own; emission points are spread evenly.

    Parameters
    ----------
    truth : Truth
        Whose particles they are.
    legs : Legs
        Their ways through the gas.
    radiator : Radiator
        Which gas.
    draws : Draws
        The random numbers, used by rows of (event_id, particle_id, part of the way, running number).
    """
    event_id, particle_id = truth.particles.event_id[legs.row], truth.particles.particle_id[legs.row]
    keys = draws.rows(event_id, particle_id, legs.part)
    slant = np.sqrt(1.0 + legs.tx**2 + legs.ty**2)
    share = (legs.end - legs.begin) * slant / (radiator.gas[1] - radiator.gas[0])
    mean = radiator.photons * share * radiator.sine_squared(legs.p, legs.mass) / radiator.saturated
    number = np.asarray(poisson.ppf(keys.uniform(_NUMBER), mean)).astype(np.intp)
    leg = np.repeat(np.arange(len(number)), number)
    running = np.arange(len(leg)) - np.repeat(np.cumsum(number) - number, number)
    of = draws.rows(event_id[leg], particle_id[leg], legs.part[leg], running)
    some = legs.at(leg)
    lever = of.uniform(_PLACE) * (some.end - some.begin)
    index = radiator.refractivity * (1.0 + radiator.chromatic * of.normal(_COLOUR))
    angle = np.arcsin(np.sqrt(radiator.sine_squared(some.p, some.mass, index)))
    angle = angle + radiator.emission * of.normal(_EMISSION)
    along = direction_of(some.tx + lever * some.turn_x, some.ty + lever * some.turn_y)
    photon = around(along, angle, 2.0 * np.pi * of.uniform(_AZIMUTH))
    x, y = some.x + lever * some.tx, some.y + lever * some.ty
    seen = radiator.sees_photon(x, y, some.begin + lever, photon)
    u, v = (a + radiator.point_spread * of.normal(i) for a, i in ((photon[0], _SPREAD_U), (photon[1], _SPREAD_V)))
    return Photons(event_id[leg][seen], u[seen], v[seen])


def around(axis: Direction, angle: Array, azimuth: Array) -> Direction:
    """Directions at an angle [rad] and azimuth [rad] around an axis, direction cosines of shape (n,)."""
    first, second = perpendicular(axis[0], axis[1])
    sine, cosine = np.sin(angle), np.cos(angle)
    a, b = sine * np.cos(azimuth), sine * np.sin(azimuth)
    u, v, w = (cosine * d + a * e + b * f for d, e, f in zip(axis, first, second, strict=True))
    return u, v, w


def background(photons: Photons, radiator: Radiator, events: Ids, draws: Draws) -> Photons:
    """Photons that none of the particles has radiated, in proportion to those of the event.

    Light of secondaries, scattered and reflected light, and noise are not simulated one by one: each stands at a
    Gaussian distance from a random photon of the event.

    Parameters
    ----------
    photons : Photons
        Those of particles, the events together.
    radiator : Radiator
        Whose width to take.
    events : ndarray of int, shape (k,)
        All events, in the order in which their photons stand.
    draws : Draws
        The random numbers, used by rows of (event_id, running number).
    """
    tuned = tuning("rich")
    width = 1e-3 * tuned["background_width"][0 if radiator.name == "rich1" else 1]
    at = positions(events, photons.event_id)
    order = np.argsort(at, kind="stable")
    size = np.bincount(at, minlength=len(events))
    first = np.cumsum(size) - size
    mean = np.where(size > 0, tuned["background_share"] * size + tuned["background_constant"], 0.0)
    chance = draws.rows(events, np.full(len(events), _BACKGROUND)).uniform(_NUMBER)
    number = np.asarray(poisson.ppf(chance, mean)).astype(np.intp)
    event = np.repeat(np.arange(len(events)), number)
    running = np.arange(len(event)) - np.repeat(np.cumsum(number) - number, number)
    keys = draws.rows(events[event], running)
    near = order[first[event] + (keys.uniform(_PARTNER) * size[event]).astype(np.intp)]
    u, v = photons.u[near] + width * keys.normal(_AWAY_U), photons.v[near] + width * keys.normal(_AWAY_V)
    inside = u * u + v * v < 0.5
    return Photons(events[event][inside], u[inside], v[inside])


def fired(photons: list[Photons], radiator: Radiator, events: Ids) -> Pixels:
    """The pixels that photons hit, each once however many there are.

    Parameters
    ----------
    photons : list of Photons
        All photons of some events.
    radiator : Radiator
        Whose pixels.
    events : ndarray of int, shape (k,)
        The events.
    """
    event_id, u, v = (np.concatenate(columns) for columns in zip(*photons, strict=True))
    at = positions(events, event_id)
    column, row = (np.floor(a / radiator.pixel).astype(np.int64) for a in (u, v))
    half = int(1.0 / radiator.pixel) + 2
    code = (at * 2 * half + column + half) * 2 * half + row + half
    code = np.unique(code)
    at, rest = np.divmod(code, 4 * half * half)
    column, row = np.divmod(rest, 2 * half)
    u, v = (np.asarray((a - half + 0.5) * radiator.pixel) for a in (column, row))
    return Pixels(at, u, v, np.sqrt(1.0 - u * u - v * v))


def positions(events: Ids, event_id: Ids) -> NDArray[np.intp]:
    """Where in the list of events each of these stands."""
    order = np.argsort(events, kind="stable")
    return np.asarray(order[np.searchsorted(events[order], event_id)], np.intp)
