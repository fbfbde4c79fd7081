"""What a neural extrapolator is given and answers with, and the symmetries that fold one track onto another."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf

TRACKS = "tracks"
"""Name of the input: x, y, z [mm], tx, ty, q/p [1/MeV], dz [mm]."""

INPUTS, OUTPUTS = 7, 4
"""Columns of the input, and of the output: x, y [mm], tx, ty at z + dz, less those of the straight line."""

GEV = 1000.0
"""Networks see momenta in GeV: numbers near one."""

SCALES = (1000.0, 1000.0, 5000.0, 0.3, 0.25, 1.0 / (4.0 * GEV), 5000.0)
"""What one is, of each column of the input, where nothing is learned from a sample."""


class Folded(NamedTuple):
    """Tracks turned onto q > 0 and y >= 0, each tensor of shape (1, n).

    The tracks lie along the last axis, here and at the nodes: then rows of memory are long where numbers of the tracks
    meet numbers of the nodes.

    A field whose By is even and whose Bx and Bz are odd under y -> -y, with By and Bz even and Bx odd under x -> -x
    (`lhcb`, `dipole_pair`), bends a negative particle as the mirror image in x of a positive one, and one below the
    plane y = 0 as the mirror image of one above it.

    Attributes
    ----------
    x, y, z : mm
    tx, ty
    bend : 1/(T mm)
        kappa |q/p|.
    dz : mm
    sign_x, sign_y
        What brings the answer back.
    """

    x: tf.Tensor
    y: tf.Tensor
    z: tf.Tensor
    tx: tf.Tensor
    ty: tf.Tensor
    bend: tf.Tensor
    dz: tf.Tensor
    sign_x: tf.Tensor
    sign_y: tf.Tensor


def fold(tracks: tf.Tensor, kappa: float) -> Folded:
    """Tracks, shape (n, 7), as their mirror images with q > 0 and y >= 0."""
    x, y, z, tx, ty, qop, dz = tf.split(tf.transpose(tracks), INPUTS, axis=0)
    sign_x, sign_y = _sign(qop), _sign(y)
    return Folded(x * sign_x, y * sign_y, z, tx * sign_x, ty * sign_y, kappa * qop * sign_x, dz, sign_x, sign_y)


def unfold(deviations: tf.Tensor, folded: Folded) -> tf.Tensor:
    """The deviations of the mirror images, shape (4, n), as those of the tracks, shape (n, 4)."""
    signs = tf.concat([folded.sign_x, folded.sign_y, folded.sign_x, folded.sign_y], axis=0)
    return tf.transpose(deviations * signs)


def _sign(values: tf.Tensor) -> tf.Tensor:
    return tf.where(values < 0.0, -tf.ones_like(values), tf.ones_like(values))


@keras.saving.register_keras_serializable(package="lamarrpy")
class Features(keras.layers.Layer):  # type: ignore[misc]
    """Columns of the input as numbers near one: (value - centre) / scale; folded if that is wanted.

    Parameters
    ----------
    columns : sequence of int
        Which of the input's columns the network sees.
    centre, scale : sequence of float
        Of all seven; 0 and `SCALES` if left out.
    folded : bool
        Whether tracks are turned onto q > 0 and y >= 0 before.
    """

    def __init__(
        self,
        columns: Any = tuple(range(INPUTS)),
        centre: Any = (0.0,) * INPUTS,
        scale: Any = SCALES,
        folded: bool = False,
        **base: Any,
    ) -> None:
        super().__init__(**base)
        self.columns, self.centre, self.scale = (tuple(part) for part in (columns, centre, scale))
        self.folded = folded
        self.built = True

    def call(self, tracks: tf.Tensor) -> tf.Tensor:
        """Features, shape (n, columns), of tracks of shape (n, 7)."""
        values = (tracks - tf.constant(self.centre, tracks.dtype)) / tf.constant(self.scale, tracks.dtype)
        if self.folded:
            mirror = fold(tracks, 1.0)
            signs = {0: mirror.sign_x, 1: mirror.sign_y, 3: mirror.sign_x, 4: mirror.sign_y, 5: mirror.sign_x}
            kept = tf.ones_like(mirror.sign_x)
            values *= tf.transpose(tf.concat([signs.get(column, kept) for column in range(INPUTS)], axis=0))
        return tf.gather(values, self.columns, axis=1)

    def get_config(self) -> dict[str, Any]:
        """What it is made from."""
        settings = {"columns": self.columns, "centre": self.centre, "scale": self.scale, "folded": self.folded}
        return {**super().get_config(), **settings}
