"""Runge-Kutta integration of fourth order with a fixed number of steps, each particle on steps of its own."""

from __future__ import annotations

import numpy as np

from lamarrpy.field.model import FieldAtPlane, MagneticField
from lamarrpy.propagation.motion import KAPPA, runge_kutta_step
from lamarrpy.propagation.state import LARGEST_SINE, Array, Crossings, Planes, State, direction, slopes


def _field_at(field: MagneticField, z: Array) -> FieldAtPlane:
    return lambda x, y: field(x, y, z)


def runge_kutta(start: State, planes: Planes, field: MagneticField, steps: int = 40) -> Crossings:
    """Integrate the equation of motion from each particle's z to the planes in turn.

    The plain form of the method: any field, any start, forwards or backwards, the error falling with
    the fourth power of the number of steps. `lamarrpy.propagation.SharedSteps` is the fast form.

    Parameters
    ----------
    start : State
        n particles.
    planes : sequence of float or ndarray of shape (n,), mm
        Where to, one after the other.
    field : MagneticField
        The field between.
    steps : int
        Equal steps from the start to the first plane, and from each plane to the next.

    Returns
    -------
    Crossings
        Particles that curl (|t| > 5 after a step) do not reach what lies beyond.
    """
    out = Crossings.empty(len(planes), len(start.x))
    u, v = direction(start.tx, start.ty)
    track = (start.x.astype(np.float64), start.y.astype(np.float64), u, v)
    bend = KAPPA * start.qop
    z, reaches = start.z, u * u + v * v <= LARGEST_SINE**2
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        for i, plane in enumerate(planes):
            step = (plane - z) / steps
            for n in range(steps):
                near, middle, far = (_field_at(field, z + (n + part) * step) for part in (0.0, 0.5, 1.0))
                runge_kutta_step(track, bend, step, (near, middle, far))
                reaches &= u * u + v * v <= LARGEST_SINE**2
            z = np.broadcast_to(np.asarray(plane, np.float64), start.z.shape)
            out.put(i, slice(None), (track[0], track[1], *slopes(u, v)), reaches)
    return out
