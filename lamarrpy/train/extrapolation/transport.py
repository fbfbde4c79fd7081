"""Transport matrices: how the end of a track moves with its start, by differentiation of the networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from lamarrpy.field import MagneticField
from lamarrpy.nn.extrapolators.tracks import INPUTS
from lamarrpy.parameterization.folder import read_file
from lamarrpy.propagation.neural import Leg, NeuralExtrapolator
from lamarrpy.propagation.state import State
from lamarrpy.train.export import from_keras

STATE = (0, 1, 3, 4, 5)
"""Columns of the input that make up a state: x, y, tx, ty, q/p."""


class Transported(NamedTuple):
    """States at a plane, and how they move with those at the start.

    Attributes
    ----------
    state : State
        n states.
    matrix : ndarray of float64, shape (n, 5, 5)
        d(x, y, tx, ty, q/p) there by d(x, y, tx, ty, q/p) at the start, in mm and 1/MeV: a Kalman filter carries a
        covariance C along as J C J^T.
    inside : ndarray of bool, shape (n,)
        Whether the networks know such tracks; state and matrix of the others are not to be used.
    """

    state: State
    matrix: NDArray[np.float64]
    inside: NDArray[np.bool_]


class Transport:
    """A neural extrapolator that gives transport matrices too, at the cost of some evaluations a leg.

    Parameters
    ----------
    folder : Path
        Of a trained extrapolator.
    field : MagneticField
        The field to go through.

    Raises
    ------
    ArtifactError
        If the folder is not an extrapolator's, or is damaged.
    ConfigError
        If it was made for another field.
    """

    def __init__(self, folder: Path, field: MagneticField) -> None:
        self.extrapolator = NeuralExtrapolator(folder, field)
        manifest = self.extrapolator.manifest
        self._networks = {
            leg.name: from_keras(read_file(folder, manifest, leg.keras)) for leg in self.extrapolator.legs.legs
        }

    def __call__(self, start: State, plane: float) -> Transported:
        """The states of charged tracks at a plane, and the transport matrices there.

        Parameters
        ----------
        start : State
            n charged tracks before the plane.
        plane : float, mm
            Where to.

        Returns
        -------
        Transported
        """
        matrix = np.broadcast_to(np.eye(5), (len(start.x), 5, 5)).copy()

        def passed(leg: Leg, rows: Any, tracks: NDArray[np.float32]) -> None:
            matrix[rows] = self._matrix(leg, tracks) @ matrix[rows]

        state, inside = self.extrapolator.extrapolate(start, np.full(len(start.x), plane), passed=passed)
        return Transported(state, matrix, inside)

    def _matrix(self, leg: Leg, tracks: NDArray[np.float32]) -> NDArray[np.float64]:
        """Matrices of a leg, shape (n, 5, 5): those of the straight line and of the deviations from it."""
        out = np.broadcast_to(np.eye(5), (len(tracks), 5, 5)).copy()
        out[:, 0, 2] = out[:, 1, 3] = tracks[:, 6]
        change = derivatives(self._networks[leg.name], tf.constant(tracks)).numpy().astype(np.float64)
        change[:, :, 4] *= self.extrapolator.field.sign
        out[:, :4] += change
        return out


def derivatives(network: keras.Model, tracks: tf.Tensor) -> tf.Tensor:
    """Forward-mode derivatives of an extrapolator by each part of the state.

    Parameters
    ----------
    network : keras.Model
        From tracks, shape (n, 7), to deviations from the straight line, shape (n, 4).
    tracks : tf.Tensor, shape (n, 7)
        The tracks.

    Returns
    -------
    tf.Tensor, shape (n, 4, 5)
        d(x, y, tx, ty) / d(x, y, tx, ty, q/p), in mm and 1/MeV.
    """
    columns = []
    for column in STATE:
        tangent = tf.one_hot(column, INPUTS, dtype=tracks.dtype) * tf.ones_like(tracks)
        with tf.autodiff.ForwardAccumulator(tracks, tangent) as forward:
            out = network(tracks, training=False)
        change = forward.jvp(out)
        columns.append(tf.zeros_like(out) if change is None else change)
    return tf.stack(columns, axis=2)
