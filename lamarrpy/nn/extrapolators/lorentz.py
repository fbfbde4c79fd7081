"""By how much a path fails the equation of motion: the physics in the loss of a PINN."""

from __future__ import annotations

import keras
import tensorflow as tf

from lamarrpy.nn.extrapolators.fields import TensorField
from lamarrpy.nn.extrapolators.tracks import INPUTS
from lamarrpy.propagation.motion import KAPPA


def lorentz(tx: tf.Tensor, ty: tf.Tensor, qop: tf.Tensor, field: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, tf.Tensor]:
    """d tx/dz and d ty/dz [1/mm] in a magnetic field.

    Parameters
    ----------
    tx, ty : tf.Tensor
        Slopes.
    qop : tf.Tensor, 1/MeV
        Charge over momentum.
    field : Bx, By, Bz [T]
        None for a component that vanishes.

    Returns
    -------
    tf.Tensor, tf.Tensor
        Of the same shape (protocol equations 3 and 4).
    """
    bx, by, bz = (0.0 if part is None else part for part in field)
    bend = KAPPA * qop * tf.sqrt(1.0 + tx * tx + ty * ty)
    return (
        bend * (tx * ty * bx - (1.0 + tx * tx) * by + ty * bz),
        bend * ((1.0 + ty * ty) * bx - tx * ty * by - tx * bz),
    )


def residual(path: keras.Model, tracks: tf.Tensor, part: tf.Tensor, field: TensorField) -> tf.Tensor:
    """What a path lacks of the equation of motion at one point of each track, times the length of the way.

    Parameters
    ----------
    path : keras.Model
        From tracks (n, 7) and parts of the way (n, 1) to deviations from the straight line (n, 4).
    tracks : tf.Tensor, shape (n, 7)
        The tracks.
    part : tf.Tensor, shape (n, 1)
        Where, from 0 to 1.
    field : callable
        The magnetic field.

    Returns
    -------
    tf.Tensor, shape (n, 4)
        dx/dz - tx and dy/dz - ty times dz [mm], d tx/dz and d ty/dz less the Lorentz force times dz, by automatic
        differentiation along the track.
    """
    with tf.autodiff.ForwardAccumulator(part, tf.ones_like(part)) as forward:
        deviations = path([tracks, part], training=True)
    change = forward.jvp(deviations)
    x, y, z, tx, ty, qop, dz = tf.split(tracks, INPUTS, axis=1)
    dx, dy, dtx, dty = tf.split(deviations, 4, axis=1)
    way = part * dz
    here = field(z + way)(x + tx * way + dx, y + ty * way + dy)
    bent_x, bent_y = lorentz(tx + dtx, ty + dty, qop, here)
    expected = tf.concat([dtx, dty, bent_x, bent_y], axis=1) * dz
    return change - expected
