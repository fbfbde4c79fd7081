"""The flavour of an event: which heavy quark its hadrons have."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FLAVOURS = ("minimum_bias", "c", "b")
"""What an event can be, the rarer the later."""

_B_QUARK, _C_QUARK = 5, 4


def contains_quark(pid: NDArray[np.integer[Any]], quark: int) -> NDArray[np.bool_]:
    """Whether each particle is a hadron with a quark or antiquark of this flavour, shape (n,).

    Read off the digits of the PDG numbering scheme: n_q1, n_q2, n_q3 are the thousands, hundreds
    and tens. Nuclei (ten digits) and generator codes beyond seven digits are none.
    """
    size = np.abs(np.asarray(pid, np.int64))
    digits = [size // scale % 10 == quark for scale in (1000, 100, 10)]
    found: NDArray[np.bool_] = (digits[0] | digits[1] | digits[2]) & (size > 100) & (size < 10_000_000)
    return found


def flavour_of_events(
    event_id: NDArray[np.int64], particle_event: NDArray[np.int64], pid: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Position in `FLAVOURS` of each event by the hadrons among its particles, shape (events,)."""
    flavour = np.zeros(len(event_id), np.int64)
    for quark, name in ((_C_QUARK, "c"), (_B_QUARK, "b")):
        flavour[np.isin(event_id, particle_event[contains_quark(pid, quark)])] = FLAVOURS.index(name)
    return flavour
