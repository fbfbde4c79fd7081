"""What RICH1 and RICH2 say of the tracks of some events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector
from lamarrpy.detailed.reconstruction.paths import Paths
from lamarrpy.detailed.rich.expectation import HYPOTHESES, PION, expect
from lamarrpy.detailed.rich.legs import legs_of
from lamarrpy.detailed.rich.likelihood import log_likelihoods
from lamarrpy.detailed.rich.photons import Photons, Pixels, background, emit, fired, positions
from lamarrpy.detailed.rich.radiators import Radiator, radiators
from lamarrpy.detailed.transport import Truth
from lamarrpy.draws import Draws
from lamarrpy.io.index import whole_events

Array = NDArray[np.float64]
Ids = NDArray[np.int64]


TRACKS_AT_ONCE = 2000
"""Tracks looked at together: their pairs with pixels take some 100 MB."""


class RichAnswer(NamedTuple):
    """What the Cherenkov detectors say of m tracks and k events.

    Attributes
    ----------
    dll : dict of str to ndarray, shape (m,)
        Log-likelihoods of ``e``, ``mu``, ``k`` and ``p`` less that of the pion; exactly 0 where neither radiates.
    used : ndarray of bool, shape (m, 2)
        Whether the track goes through the gas of RICH1 and RICH2.
    hits : ndarray of int, shape (k, 2)
        Pixels that fired in RICH1 and RICH2, in the order of the events.
    """

    dll: dict[str, Array]
    used: NDArray[np.bool_]
    hits: NDArray[np.int64]


def observe(truths: tuple[Truth, Truth], paths: Paths, detector: Detector, events: Ids, draws: Draws) -> RichAnswer:
    """Let all particles radiate, and look at each track's surroundings.

    Parameters
    ----------
    truths : (Truth, Truth)
        The charged particles of the events, and the pairs of their photons.
    paths : Paths
        m tracks.
    detector : Detector
        Where the radiators are.
    events : ndarray of int, shape (k,)
        All events.
    draws : Draws
        The random numbers.
    """
    gases = radiators()
    pixels = [_pixels(truths, detector, radiator, events, draws) for radiator in gases]
    expectations = [expect(paths, radiator) for radiator in gases]
    event = positions(events, paths.event_id)
    log_l = np.zeros((len(event), len(HYPOTHESES)))
    for first, last in whole_events(np.bincount(event, minlength=len(events)), TRACKS_AT_ONCE, 0, len(events)):
        rows = np.flatnonzero((event >= first) & (event < last))
        lit, some = [one.between(first, last) for one in pixels], [one.at(rows) for one in expectations]
        log_l[rows] = log_likelihoods(event[rows] - first, some, lit, list(gases), last - first)
    dll = {name: log_l[:, i] - log_l[:, PION] for i, name in enumerate(HYPOTHESES) if i != PION}
    used = np.stack([expectation.used for expectation in expectations], axis=1)
    hits = np.stack([np.bincount(one.event, minlength=len(events)) for one in pixels], axis=1)
    return RichAnswer(dll, used, hits.astype(np.int64))


def _pixels(truths: tuple[Truth, Truth], detector: Detector, radiator: Radiator, events: Ids, draws: Draws) -> Pixels:
    """The pixels of one RICH that fired."""
    light = list(_light(truths, detector, radiator, draws))
    known = Photons._make(np.concatenate(columns) for columns in zip(*light, strict=True))
    stray = background(known, radiator, events, draws.stage(f"{radiator.name} background"))
    return fired([known, stray], radiator, events)


def _light(truths: tuple[Truth, Truth], detector: Detector, radiator: Radiator, draws: Draws) -> Iterator[Photons]:
    for truth, whose in zip(truths, ("particles", "pairs"), strict=True):
        legs = legs_of(truth, detector, radiator)
        yield emit(truth, legs, radiator, draws.stage(f"{radiator.name} {whose}"))
