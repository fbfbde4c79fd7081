"""The signals of all cells of some events: sampling, noise, and the two planes before the ECAL."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.calorimeter.cells import Cells, ecal, hcal
from lamarrpy.detailed.calorimeter.deposits import deposited
from lamarrpy.detailed.calorimeter.description import described
from lamarrpy.detailed.calorimeter.showers import leave
from lamarrpy.detailed.transport import Arrivals
from lamarrpy.draws import Draws

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_ECAL, _HCAL = range(2)
"""Indices of the random numbers of a cell."""


class Readout(NamedTuple):
    """The signals of e events, one column a cell and one of zeros for what is outside.

    Attributes
    ----------
    ecal, hcal : ndarray, shape (e, cells + 1), MeV
        Energy; noise can make it negative.
    preshower : ndarray, shape (e, cells + 1), MeV
        Energy in the scintillator.
    spd : ndarray of bool, shape (e, cells + 1)
        Hits.
    """

    ecal: Array
    hcal: Array
    preshower: Array
    spd: NDArray[np.bool_]


def read_out(arrivals: Arrivals, events: Index, draws: Draws) -> Readout:
    """The signals that particles make.

    Parameters
    ----------
    arrivals : Arrivals
        Particles of these events, in their order within each.
    events : ndarray of int, shape (e,)
        event_id of each, increasing.
    draws : Draws
        The random numbers, used by rows of (event_id, particle_id, number) and of (event_id, cell).
    """
    event = np.searchsorted(events, arrivals.event_id)
    left = leave(arrivals, event, of_showers(draws))
    number, noise = len(events), draws.stage(f"{draws.stage_name}_noise")
    in_ecal, in_hcal = deposited(left.ecal, ecal(), number), deposited(left.hcal, hcal(), number)
    return Readout(
        _with_noise(in_ecal, ecal(), "ecal", events, noise, _ECAL),
        _with_noise(in_hcal, hcal(), "hcal", events, noise, _HCAL),
        deposited(left.preshower, ecal(), number),
        deposited(left.spd, ecal(), number) > 0.0,
    )


def of_showers(draws: Draws) -> Draws:
    """The random numbers of what particles leave, which are not those of cells."""
    return draws.stage(f"{draws.stage_name}_showers")


def _with_noise(energy: Array, cells: Cells, part: str, events: Index, draws: Draws, index: int) -> Array:
    """Energies that fluctuate: by sampling, which adds up over a shower as a^2 E, and by noise in transverse energy.

    The sampling of HCAL showers has been done shower by shower.
    """
    block = described(part)
    number = len(events), cells.number
    keys = draws.rows(np.repeat(events, cells.number), np.tile(np.arange(cells.number), len(events)))
    noise = block["noise"] / cells.sine[:-1]
    sampled = 1e3 * block["stochastic"] ** 2 if part == "ecal" else 0.0
    error = np.sqrt(sampled * energy[:, :-1] + noise**2)
    out = energy.copy()
    out[:, :-1] += error * keys.normal(index).reshape(number)
    return out
