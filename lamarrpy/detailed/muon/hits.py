"""Pads that fire in the muon stations: by particles, in clusters, and at random."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from lamarrpy.detailed.muon.flight import Crossings
from lamarrpy.detailed.muon.stations import REGIONS, STATIONS, Stations
from lamarrpy.detailed.tuning import tuning
from lamarrpy.draws import Draws

Array = NDArray[np.float64]
Ids = NDArray[np.int64]

COLUMN = 4096
"""More than there are pads side by side: the place of a pad is one number, ``COLUMN`` times the one in x plus y."""

_SEEN, _BESIDE, _ABOVE = range(3)
"""Random numbers of a crossing: whether it is seen, and whether the pad beside and the one above fire too."""

_SCALE, _SIDE, _ALONG, _SIGN = range(4)
"""Random numbers of a random hit."""

_NUMBER = -1
"""Last part of the key of the random number that says how many there are in a station."""


class Pads(NamedTuple):
    """k pads that fired, each once, by station, region, event, x and y; arrays of shape (k,).

    Attributes
    ----------
    station, region : ndarray of int
        Both from 0.
    event : ndarray of int
        Position of the event in the sorted list of all of them.
    place : ndarray of int
        Which pad: ``COLUMN`` (column + COLUMN / 2) + row + COLUMN / 2, both counted from the beam.
    """

    station: Ids
    region: Ids
    event: Ids
    place: Ids

    def at(self, rows: Any) -> Pads:
        """Some of them."""
        return Pads._make(column[rows] for column in self)

    def centres(self, stations: Stations) -> tuple[Array, Array]:
        """x and y [mm] of the middle of each."""
        size = stations.pads[self.station, self.region]
        column, row = np.divmod(self.place, COLUMN)
        return (column - COLUMN // 2 + 0.5) * size[:, 0], (row - COLUMN // 2 + 0.5) * size[:, 1]


class _Points(NamedTuple):
    """Where pads fire, arrays of shape (n,): position of the event, station, x and y [mm]."""

    event: Ids
    station: Ids
    x: Array
    y: Array


def fire(crossings: Crossings, arrivals: Ids, events: Ids, stations: Stations, draws: Draws) -> Pads:
    """The pads of a batch of events.

    Parameters
    ----------
    crossings : Crossings
        Where charged particles go through stations.
    arrivals : ndarray of int, shape (k,)
        Event of every particle that gets to the calorimeters: random hits grow with their number.
    events : ndarray of int, shape (e,)
        All events, sorted.
    stations : Stations
        Where the pads are.
    draws : Draws
        The random numbers, used by rows of particles and stations, and of (event_id, station, running number).
    """
    number = np.bincount(np.searchsorted(events, arrivals), minlength=len(events))
    own = _of_particles(crossings, events, stations, draws)
    parts = [own, _random(number, events, stations, draws)]
    return _pads(_Points._make(np.concatenate(columns) for columns in zip(*parts, strict=True)), stations)


def _regions(points: _Points, stations: Stations) -> Ids:
    region = np.full(len(points.x), -1)
    for station in range(STATIONS):
        here = points.station == station
        region[here] = stations.region(station, points.x[here], points.y[here])
    return region


def _pads(points: _Points, stations: Stations) -> Pads:
    """The pads at some points, each once."""
    region = _regions(points, stations)
    points, region = _Points._make(column[region >= 0] for column in points), region[region >= 0]
    size = stations.pads[points.station, region]
    column, row = (np.floor(at / size[:, i]).astype(np.int64) + COLUMN // 2 for i, at in enumerate(points[2:]))
    layer = points.station * REGIONS + region
    events = int(points.event.max(initial=0)) + 1
    which = np.unique((layer * events + points.event) * COLUMN**2 + column * COLUMN + row)
    group, place = np.divmod(which, COLUMN**2)
    layer, event = np.divmod(group, events)
    return Pads(layer // REGIONS, layer % REGIONS, event, place)


def _of_particles(crossings: Crossings, events: Ids, stations: Stations, draws: Draws) -> _Points:
    """Where particles are seen, and the pads beside and above that they fire too."""
    rows, tuned = draws.rows(*crossings[:5]), tuning("muon")
    seen, beside, above = (rows.uniform(i) for i in (_SEEN, _BESIDE, _ABOVE))
    event = np.searchsorted(events, crossings.event_id)
    points = _Points(event, crossings.station, crossings.x, crossings.y)
    region = _regions(points, stations)
    keep = (seen < stations.efficiency) & (region >= 0)
    points, size = _Points._make(column[keep] for column in points), stations.pads[points.station, region][keep]
    parts = [points]
    for axis, chance in (("x", beside[keep]), ("y", above[keep])):
        width, at = size[:, "xy".index(axis)], getattr(points, axis)
        within = at / width - np.floor(at / width)
        edge = np.minimum(within, 1.0 - within) * width
        fires = chance < tuned["neighbour_chance"] + np.exp(-edge / tuned["neighbour_length"])
        moved = at + np.where(within < 0.5, -1.0, 1.0) * width
        parts.append(_Points._make(column[fires] for column in points._replace(**{axis: moved})))
    return _Points._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


def _random(number: Ids, events: Ids, stations: Stations, draws: Draws) -> _Points:
    """Hits that belong to no particle: as many in each region, which doubles in size outwards."""
    tuned = tuning("muon")
    event, station = (a.ravel() for a in np.meshgrid(np.arange(len(events)), np.arange(STATIONS), indexing="ij"))
    mean = np.array(tuned["noise_constant"])[station] + np.array(tuned["noise_share"])[station] * number[event]
    chance = draws.rows(events[event], station, np.full(len(event), _NUMBER)).uniform(0)
    count = np.asarray(poisson.ppf(chance, mean)).astype(np.int64)
    which = np.repeat(np.arange(len(event)), count)
    running = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    event, station = event[which], station[which]
    rows = draws.rows(events[event], station, running)
    # on a rectangle around the beam of 2^0 to 2^4 holes, each of its four sides as often
    scale, along = 2.0 ** (REGIONS * rows.uniform(_SCALE)), 2.0 * rows.uniform(_ALONG) - 1.0
    upright, sign = rows.uniform(_SIDE) < 0.5, np.where(rows.uniform(_SIGN) < 0.5, -1.0, 1.0)
    half = stations.hole[station] * scale[:, None]
    x = half[:, 0] * np.where(upright, sign, along)
    y = half[:, 1] * np.where(upright, along, sign)
    return _Points(event, station, x, y)
