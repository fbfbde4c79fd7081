"""The families of neural extrapolators: plain, physics-informed, Runge-Kutta-like, and one without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.nn.extrapolators.sweeps import Sweeps
from lamarrpy.nn.extrapolators.tracks import GEV, INPUTS, OUTPUTS, SCALES, TRACKS, Features
from lamarrpy.nn.players import Body

SIZES: dict[str, tuple[int, ...]] = {
    "tiny": (64, 64),
    "small": (128, 128, 64),
    "medium": (256, 256, 128),
    "wide": (512, 512, 256),
}
"""Hidden layers by name (G. Scriven, Neural Network Track Extrapolators for LHCb, 2026, table 3: "the protocol")."""

ENDS: tuple[str, ...] = ("direct", "residual", "bend")
"""What the network's numbers are: the state at the end; its deviation from the straight line; that over q/p."""

DIRECT_SCALES = (4000.0, 4000.0, 0.5, 0.3)
"""What one is of x, y [mm], tx, ty at the end, of a network that answers with them directly."""

PATH, GUESS, SWEEPS = "path", "guess", "sweeps"
"""Names of the parts that training looks into."""


@dataclass(frozen=True)
class Shape:
    """How a neural extrapolator is made up.

    Attributes
    ----------
    family : str
        One of `FAMILIES`.
    body : Body
        Its hidden layers.
    field : mapping
        The magnetic field of an RK-PINN, as `lamarrpy.field.magnetic_field` takes it: ``kind``, ``polarity`` ...
    columns : tuple of int
        Which of x, y, z, tx, ty, q/p, dz the network sees.
    centre, scale : tuple of float
        What is subtracted from each of the seven, and by what the rest is divided.
    ends : str
        One of `ENDS`, of MLP and PINN.
    batch_norm : bool
        Whether the features are normalized batch by batch, of an MLP.
    exact_start : bool
        Whether a PINN begins at the given state by construction; a term of the loss asks for it otherwise.
    spread : bool
        Whether an MLP answers with the logarithm of its own error too, in units of the output's scale: 8 columns.
    nodes, sweeps, middle, width, start, end, parts, opening
        Of the `Sweeps` of an RK-PINN; ``middle`` is their ``centre``.

    Raises
    ------
    ConfigError
        If a name is unknown, or a part does not fit the family.
    """

    family: str
    body: Body = field(default_factory=lambda: Body(SIZES["medium"], residual=False, activation="silu"))
    field: Mapping[str, Any] = field(default_factory=lambda: {"kind": "lhcb"})
    columns: tuple[int, ...] = tuple(range(INPUTS))
    centre: tuple[float, ...] = (0.0,) * INPUTS
    scale: tuple[float, ...] = SCALES
    ends: str = "residual"
    batch_norm: bool = False
    exact_start: bool = True
    spread: bool = False
    nodes: int = 10
    sweeps: int = 2
    middle: float | None = None
    width: float | None = None
    start: float | None = None
    end: float | None = None
    parts: bool = False
    opening: float | None = None

    def __post_init__(self) -> None:
        for what, name, known in (("a family", self.family, FAMILIES), ("ends", self.ends, ENDS)):
            if name not in known:
                raise ConfigError(f"expected {what} out of {', '.join(known)}, got {name!r}{did_you_mean(name, known)}")
        if self.spread and self.family != "mlp":
            raise ConfigError(f"expected no errors from any family but mlp, got spread with {self.family}")
        if self.batch_norm and self.family != "mlp":
            raise ConfigError(f"expected batch_norm with mlp alone, got it with {self.family}: it mixes tracks, which"
                              " a residual along one track cannot be differentiated through")  # fmt: skip


def build(shape: Shape) -> keras.Model:
    """A neural extrapolator, untrained.

    Parameters
    ----------
    shape : Shape
        How it is made up.

    Returns
    -------
    keras.Model
        From tracks, shape (n, 7), to the deviations from the straight line at z + dz, shape (n, 4), float32; with
        ``spread``, shape (n, 8).
    """
    return FAMILIES[shape.family](shape)


def _mlp(shape: Shape) -> keras.Model:
    """One network from the start to the end (protocol section 2.2.1)."""
    tracks = keras.Input((INPUTS,), name=TRACKS)
    flow = Features(shape.columns, shape.centre, shape.scale)(tracks)
    if shape.batch_norm:
        flow = keras.layers.BatchNormalization()(flow)
    hidden = shape.body(flow, "mlp")
    out = End(shape.ends)([tracks, shape.body.dense(OUTPUTS, "out", "mlp")(hidden)])
    if shape.spread:
        error = shape.body.dense(OUTPUTS, "log_error", "mlp")(hidden)
        out = keras.layers.Concatenate()([out, error])
    return keras.Model(tracks, out, name="mlp")


def _pinn(shape: Shape) -> keras.Model:
    """A network of the start and of how far along the way, asked for the whole way (protocol section 2.2.2)."""
    tracks, part = keras.Input((INPUTS,), name=TRACKS), keras.Input((1,), name="part")
    flow = keras.layers.Concatenate()([Features(shape.columns, shape.centre, shape.scale)(tracks), part])
    numbers = shape.body.dense(OUTPUTS, "out", "pinn")(shape.body(flow, "pinn"))
    path = keras.Model([tracks, part], Along(shape.ends, shape.exact_start)([tracks, part, numbers]), name=PATH)
    whole = keras.Input((INPUTS,), name=TRACKS)
    return keras.Model(whole, path([whole, Whole()(whole)]), name="pinn")


def _rk_pinn(shape: Shape) -> keras.Model:
    """A network that guesses the force at the nodes, and sweeps that make it true (protocol section 2.2.3)."""
    tracks = keras.Input((INPUTS,), name=TRACKS)
    flow = Features(shape.columns, shape.centre, shape.scale, folded=True)(tracks)
    guess = shape.body.dense(2 * shape.nodes, GUESS, "rk_pinn")(shape.body(flow, "rk_pinn"))
    return keras.Model(tracks, _sweeps(shape, straight=False)([tracks, guess]), name="rk_pinn")


def _picard(shape: Shape) -> keras.Model:
    """What an RK-PINN is without its network: the sweeps begin with the force along the straight line."""
    tracks = keras.Input((INPUTS,), name=TRACKS)
    return keras.Model(tracks, _sweeps(shape, straight=True)(tracks), name="picard")


def _sweeps(shape: Shape, straight: bool) -> Sweeps:
    return Sweeps(
        shape.field,
        shape.nodes,
        shape.sweeps,
        shape.middle,
        shape.width,
        shape.start,
        shape.end,
        shape.parts,
        shape.opening,
        straight,
        name=SWEEPS,
    )


FAMILIES: dict[str, Callable[[Shape], keras.Model]] = {
    "mlp": _mlp,
    "pinn": _pinn,
    "rk_pinn": _rk_pinn,
    "picard": _picard,
}
"""Families by name; the last has no network in it, and nothing to learn."""


def scaled(numbers: tf.Tensor, tracks: tf.Tensor, ends: str) -> tf.Tensor:
    """The numbers of a network as deviations from the straight line, shape (n, 4).

    A deviation's scale is what a field of 1 T along the whole way makes of a particle of 4 GeV: kappa q/p dz in
    slope, half of that times dz in position.
    """
    x, y, _, tx, ty, qop, dz = tf.split(tracks, INPUTS, axis=1)
    if ends == "direct":
        line = tf.concat([x + tx * dz, y + ty * dz, tx, ty], axis=1)
        return numbers * tf.constant(DIRECT_SCALES, numbers.dtype) - line
    turn = dz * (0.3 / (4.0 * GEV)) * tf.ones_like(qop)
    if ends == "bend":
        turn *= 4.0 * GEV * qop
    return numbers * tf.concat([0.5 * turn * dz, 0.5 * turn * dz, turn, turn], axis=1)


@keras.saving.register_keras_serializable(package="lamarrpy")
class End(keras.layers.Layer):  # type: ignore[misc]
    """The numbers of an MLP as deviations from the straight line.

    Parameters
    ----------
    ends : str
        One of `ENDS`.
    """

    def __init__(self, ends: str, **base: Any) -> None:
        super().__init__(**base)
        self.ends = ends
        self.built = True

    def call(self, inputs: Any) -> tf.Tensor:
        """Deviations, shape (n, 4), of tracks of shape (n, 7) and numbers of shape (n, 4)."""
        tracks, numbers = inputs
        return scaled(numbers, tracks, self.ends)

    def get_config(self) -> dict[str, Any]:
        """What it is made from."""
        return {**super().get_config(), "ends": self.ends}


@keras.saving.register_keras_serializable(package="lamarrpy")
class Along(keras.layers.Layer):  # type: ignore[misc]
    """The numbers of a PINN as deviations from the straight line at a part s of the way.

    Deviations of position are multiplied by s^2 and those of slope by s where the start is exact, so that at s = 0
    both vanish: the initial condition holds by construction (I. Lagaris, A. Likas, D. Fotiadis, IEEE Trans. Neural
    Netw. 9 (1998) 987).

    Parameters
    ----------
    ends : str
        One of `ENDS`.
    exact_start : bool
        Whether the start is exact.
    """

    def __init__(self, ends: str, exact_start: bool, **base: Any) -> None:
        super().__init__(**base)
        self.ends, self.exact_start = ends, exact_start
        self.built = True

    def call(self, inputs: Any) -> tf.Tensor:
        """Deviations, shape (n, 4), of tracks (n, 7), parts (n, 1) and numbers (n, 4)."""
        tracks, part, numbers = inputs
        if self.exact_start:
            numbers *= tf.concat([part * part, part * part, part, part], axis=1)
        if self.ends != "direct":
            return scaled(numbers, tracks, self.ends)
        x, y, z, tx, ty, qop, dz = tf.split(tracks, INPUTS, axis=1)
        if self.exact_start:
            return numbers * tf.constant(DIRECT_SCALES, numbers.dtype)
        return scaled(numbers, tf.concat([x, y, z, tx, ty, qop, dz * part], axis=1), self.ends)

    def get_config(self) -> dict[str, Any]:
        """What it is made from."""
        return {**super().get_config(), "ends": self.ends, "exact_start": self.exact_start}


@keras.saving.register_keras_serializable(package="lamarrpy")
class Whole(keras.layers.Layer):  # type: ignore[misc]
    """The whole way of each track: s = 1."""

    def call(self, tracks: tf.Tensor) -> tf.Tensor:
        """Ones, shape (n, 1)."""
        return tf.ones_like(tracks[:, :1])
