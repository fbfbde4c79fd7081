"""How a track was found: the subdetectors that its segments come from."""

from __future__ import annotations

from enum import IntEnum


class TrackType(IntEnum):
    """The types of track that analyses use, with LHCb's numbers."""

    long = 3
    """VELO and T stations, with or without TT."""
    upstream = 4
    """VELO and TT, swept out or lost before the T stations."""
    downstream = 5
    """TT and T stations, from decays behind the VELO."""
