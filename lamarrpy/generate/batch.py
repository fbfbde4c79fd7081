"""Generated arrays to a batch of the tables events, vertices and particles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.generate.primary_vertices import Vertices
from lamarrpy.tables import EventBatch, generator_level


def to_batch(
    event_id: NDArray[np.int64],
    vertices: Vertices,
    particles: Mapping[str, NDArray[Any]],
    weight: NDArray[np.float64] | None = None,
    significant_bits: int | None = None,
) -> EventBatch:
    """Make the generator-level tables.

    Parameters
    ----------
    event_id : ndarray of int64, shape (n,)
        The events, also those without particles.
    vertices : Vertices
        Their collisions.
    particles : mapping of str to ndarray
        The columns of the table particles.
    weight : ndarray of float64, shape (n,), optional
        Generator weights, 1 if left out.
    significant_bits : int, optional
        Round momenta, positions and times to so many binary digits, so that files compress better.
    """
    position = vertices.position
    if significant_bits is not None:
        position = rounded(position, significant_bits)
        particles = {
            name: rounded(values, significant_bits) if values.dtype == np.float64 else values
            for name, values in particles.items()
        }
    collisions = {"event_id": vertices.event_id, "vertex_id": vertices.vertex_id}
    collisions |= {f"true_{axis}": values for axis, values in zip("xyz", position, strict=True)}
    weight = np.ones(len(event_id)) if weight is None else weight
    batch = EventBatch({}).with_table(generator_level("events"), {"event_id": event_id, "weight": weight})
    batch = batch.with_table(generator_level("vertices"), collisions)
    return batch.with_table(generator_level("particles"), particles)


def rounded(values: NDArray[np.float64], bits: int) -> NDArray[np.float64]:
    """Floating-point numbers rounded to so many significant binary digits, same shape."""
    mantissa, exponent = np.frexp(values)
    result: NDArray[np.float64] = np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits)
    return result
