"""What a discriminator is shown besides the targets: formulas of them, in physical units, inside the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.nn.formula import Formula

REACH = 8.0
"""Features stop at so many standard deviations from their mean: a wild generated row must not blind the network."""

Knots = tuple[Sequence[float] | NDArray[np.floating[Any]], Sequence[float] | NDArray[np.floating[Any]]]


@keras.saving.register_keras_serializable(package="lamarrpy")
class PiecewiseLinear(keras.layers.Layer):  # type: ignore[misc]
    """A function of one variable, linear between knots: the inverse of a quantile transform, inside a network.

    Its derivative is the slope of the segment, and zero where a point mass makes it flat.

    Parameters
    ----------
    z : sequence of float, shape (k,)
        Where the knots are, at least two of them, increasing strictly as float32.
    x : sequence of float, shape (k,)
        The function there.
    extrapolate : bool
        Whether the outermost segments go on beyond the knots, rather than the function staying constant there.

    Raises
    ------
    DomainError
        If the knots are too few, not finite or not in order.
    """

    def __init__(
        self,
        z: Sequence[float] | NDArray[np.floating[Any]],
        x: Sequence[float] | NDArray[np.floating[Any]],
        extrapolate: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.z, self.x, self.extrapolate = np.asarray(z, np.float32), np.asarray(x, np.float64), extrapolate
        _check(self.z, self.x)
        self._slope = (np.diff(self.x) / np.diff(self.z.astype(np.float64))).astype(np.float32)

    def call(self, values: Any) -> Any:
        """The function of values of any shape (float32)."""
        if not self.extrapolate:
            values = tf.clip_by_value(values, self.z[0], self.z[-1])
        flat = tf.reshape(values, (-1,))
        # The inner knots alone: whatever lies beyond the outer ones belongs to the outermost segments.
        segment = tf.searchsorted(self.z[1:-1], flat, side="right")
        start = tf.gather(self.x[:-1].astype(np.float32), segment)
        beyond = flat - tf.gather(self.z[:-1], segment)
        return tf.reshape(start + tf.gather(self._slope, segment) * beyond, tf.shape(values))

    def compute_output_shape(self, shape: Any) -> Any:
        """That of the values."""
        return shape

    def get_config(self) -> dict[str, Any]:
        """The knots, as plain numbers."""
        mine = {"z": self.z.tolist(), "x": self.x.tolist(), "extrapolate": self.extrapolate}
        return {**super().get_config(), **mine}


def _check(z: NDArray[np.float32], x: NDArray[np.float64]) -> None:
    if z.ndim != 1 or z.shape != x.shape or len(z) < 2:
        raise DomainError(f"expected at least two knots, as many z as x, got shapes {z.shape} and {x.shape}")
    if not (np.isfinite(z).all() and np.isfinite(x.astype(np.float32)).all()):
        raise DomainError("expected finite knots, got others")
    if not (np.diff(z) > 0).all():
        first = int(np.argmin(np.diff(z) > 0))
        raise DomainError(
            f"expected knots that increase strictly as float32, got z[{first}] = {z[first]} and z[{first + 1}] ="
            f" {z[first + 1]}: leave out knots that coincide"
        )


@keras.saving.register_keras_serializable(package="lamarrpy")
class AuxiliaryFeatures(keras.layers.Layer):  # type: ignore[misc]
    """Formulas of the targets in physical units, scaled to numbers near one.

    Parameters
    ----------
    formulas : sequence of str
        Such as ``"rich_dll_p - rich_dll_k"``; see `lamarrpy.nn.formula.Formula`.
    targets : sequence of str
        Names of the columns, in their order.
    knots : mapping of str to (z, x)
        For the targets that the formulas name, at least: the physical value x of the transformed one z at some points,
        linear between them, constant beyond.
    mean, scale : sequence of float, optional
        Of each formula in the training sample; as `fit` finds them.

    Raises
    ------
    ConfigError
        If a formula cannot be read, names something unknown, or a target without knots.
    DomainError
        If the knots are not in order, or a scale is not positive.
    """

    def __init__(
        self,
        formulas: Sequence[str],
        targets: Sequence[str],
        knots: Mapping[str, Knots],
        mean: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.formulas, self.targets = [Formula(text, targets) for text in formulas], list(targets)
        if not self.formulas:
            raise ConfigError("expected at least one formula, got none: leave the auxiliary features out instead")
        self.inverse = {name: self._curve(name, knots) for name in self._named()}
        self.mean = np.zeros(len(formulas)) if mean is None else np.asarray(mean, np.float64)
        self.scale = np.ones(len(formulas)) if scale is None else np.asarray(scale, np.float64)
        if self.mean.shape != (len(formulas),) or self.scale.shape != (len(formulas),) or not (self.scale > 0.0).all():
            raise DomainError(
                f"expected a mean and a positive scale for each of {len(formulas)} formulas, got {self.mean.tolist()}"
                f" and {self.scale.tolist()}: a formula that is constant in the sample says nothing, leave it out"
            )

    def _named(self) -> list[str]:
        return [name for name in self.targets if any(name in formula.names for formula in self.formulas)]

    @staticmethod
    def _curve(name: str, knots: Mapping[str, Knots]) -> PiecewiseLinear:
        if name not in knots:
            raise ConfigError(f"expected knots of the target {name!r}, which a formula names, got those of {[*knots]}")
        return PiecewiseLinear(*knots[name], name=name)

    def build(self, shape: Any) -> None:
        """There are no weights; the curves are told so."""
        for curve in self.inverse.values():
            curve.build(shape[:-1])

    def physical(self, transformed: Any) -> Any:
        """The formulas of transformed targets (n, t), in physical units, shape (n, formulas)."""
        columns = {name: self.inverse[name](transformed[:, self.targets.index(name)]) for name in self.inverse}
        return tf.stack([formula(columns) for formula in self.formulas], axis=1)

    def call(self, transformed: Any) -> Any:
        """The scaled features, shape (n, formulas), of transformed targets, shape (n, t)."""
        scaled = (self.physical(transformed) - self.mean.astype(np.float32)) / self.scale.astype(np.float32)
        return tf.clip_by_value(scaled, -REACH, REACH)

    def compute_output_shape(self, shape: Any) -> Any:
        """One column a formula."""
        return (*shape[:-1], len(self.formulas))

    def fit(self, transformed: NDArray[np.floating[Any]], weights: NDArray[np.floating[Any]]) -> AuxiliaryFeatures:
        """The same features, scaled by their mean and standard deviation in a sample.

        Parameters
        ----------
        transformed : ndarray, shape (n, t)
            Targets as the networks see them.
        weights : ndarray, shape (n,)
            Weight of each row.

        Returns
        -------
        AuxiliaryFeatures
            A new one.

        Raises
        ------
        DomainError
            If a feature is not finite for a row, or constant.
        """
        values = np.asarray(self.physical(tf.constant(transformed, tf.float32)), np.float64)
        for formula, column in zip(self.formulas, values.T, strict=True):
            if not np.isfinite(column).all():
                row = int(np.argmin(np.isfinite(column)))
                raise DomainError(f"{formula.text!r}: expected finite values, got {column[row]} in row {row}")
        mean = np.average(values, axis=0, weights=weights)
        deviation = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))
        return AuxiliaryFeatures(**{**self._settings(), "mean": mean.tolist(), "scale": deviation.tolist()})

    def _settings(self) -> dict[str, Any]:
        return {
            "formulas": [formula.text for formula in self.formulas],
            "targets": self.targets,
            "knots": {name: (curve.z.tolist(), curve.x.tolist()) for name, curve in self.inverse.items()},
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
        }

    def get_config(self) -> dict[str, Any]:
        """Everything, as plain data."""
        return {**super().get_config(), **self._settings()}
