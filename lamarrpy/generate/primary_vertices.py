"""Where the protons collide: the luminous region, and how many collisions an event has."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from lamarrpy.constants import constants
from lamarrpy.draws import Draws
from lamarrpy.strict import Strict


class Vertices(NamedTuple):
    """True primary vertices, event by event.

    Attributes
    ----------
    event_id, vertex_id : ndarray of int64, shape (m,)
        Vertices are counted from 0 in each event; 0 is the collision of the signal.
    position : ndarray of float64, shape (3, m)
        x, y, z [mm].
    first : ndarray of int64, shape (n,)
        Row of vertex 0 of each of the n events.
    """

    event_id: NDArray[np.int64]
    vertex_id: NDArray[np.int64]
    position: NDArray[np.float64]
    first: NDArray[np.int64]


class PrimaryVertices(Strict):
    """A Gaussian luminous region, and a Poisson number of collisions besides the first."""

    year: int = Field(2016, description="year of data taking, for the luminous region")
    further_collisions: float = Field(0.0, ge=0, le=100, description="mean number besides the first")

    @model_validator(mode="after")
    def _check_year(self) -> Self:
        if self.year not in _luminous_regions():
            raise ValueError(f"expected a year out of {sorted(_luminous_regions())}, got {self.year}")
        return self


def _luminous_regions() -> dict[int, dict[str, Any]]:
    years: dict[int, dict[str, Any]] = constants("luminous_region")["years"]
    return years


def draw_vertices(event_id: NDArray[np.int64], recipe: PrimaryVertices, draws: Draws) -> Vertices:
    """Draw the true positions of the collisions of each event from the luminous region.

    Parameters
    ----------
    event_id : ndarray of int64, shape (n,)
        The events.
    recipe : PrimaryVertices
        Which luminous region, and how many collisions.
    draws : Draws
        Random numbers; the stage "generate.primary_vertices" of the same run is used.
    """
    draws = draws.stage("generate.primary_vertices")
    count = 1 + poisson(draws.rows(event_id).uniform(0), recipe.further_collisions)
    vertex_event = np.repeat(event_id, count)
    first = np.cumsum(count) - count
    vertex_id = np.arange(len(vertex_event)) - np.repeat(first, count)
    streams = draws.rows(vertex_event, vertex_id)
    region = _luminous_regions()[recipe.year]
    position = [
        c + w * streams.normal(i) for i, (c, w) in enumerate(zip(region["centre"], region["width"], strict=True))
    ]
    return Vertices(vertex_event, vertex_id, np.array(position), first)


def poisson(u: NDArray[np.float64], mean: float) -> NDArray[np.int64]:
    """Numbers of a Poisson distribution out of uniform ones, shape of ``u``.

    Parameters
    ----------
    u : ndarray of float64
        Uniform in (0, 1).
    mean : float
        At most some hundreds.
    """
    from scipy.special import pdtr

    below = pdtr(np.arange(int(mean + 12 * np.sqrt(mean) + 30)), mean)
    return np.searchsorted(below, u, side="left").astype(np.int64)
