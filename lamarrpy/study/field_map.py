"""A closed-form field as the map of points that a detector's software would look it up in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import ConfigError
from lamarrpy.field import Grid, MagneticField
from lamarrpy.tracks import TrackSample

Array = NDArray[np.float64]

SPACING = 100.0
"""Distance [mm] of nodes: that of the protocol's map, 81 x 81 x 146 nodes."""

MARGIN = 500.0
"""By how much [mm] the map is larger than the starts and ends of the tracks: they bulge out between."""


def map_of(field: MagneticField, sample: TrackSample, spacing: float = SPACING) -> Grid:
    """The map of a field where some tracks go, to be interpolated trilinearly.

    Parameters
    ----------
    field : MagneticField
        A field, which has to be finite beside the planes at multiples of the spacing in y: the poles of
        ``dipole_pair`` lie on such planes, so nodes are half a spacing away from them.
    sample : TrackSample
        The tracks.
    spacing : float, mm
        Of the nodes along each axis.

    Raises
    ------
    ConfigError
        If the spacing is not positive, or there are no tracks.
    """
    if not spacing > 0.0 or not len(sample):
        raise ConfigError(f"expected a spacing above 0 and tracks, got {spacing:g} mm and {len(sample)} tracks")
    start, end = sample.start, sample.end
    half_x, half_y = (
        spacing * np.ceil((np.max(np.abs(np.concatenate(both))) + MARGIN) / spacing)
        for both in ((start.x, end.x), (start.y, end.y))
    )
    x, y = _nodes(-half_x, half_x, spacing), _nodes(-half_y - 0.5 * spacing, half_y + 0.5 * spacing, spacing)
    z = _nodes(float(start.z.min()), float(end.z.max()), spacing)
    at_nodes = field(*np.meshgrid(x, y, z, indexing="ij"))
    return Grid(x=x, y=y, z=z, field=field.sign * np.stack(at_nodes, axis=-1), polarity=field.polarity)


def _nodes(first: float, last: float, spacing: float) -> Array:
    """Nodes from the first on, at least to the last."""
    count = int(np.ceil((last - first) / spacing - 1e-9)) + 1
    return np.asarray(first + spacing * np.arange(count), np.float64)
