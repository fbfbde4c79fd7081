"""Picard sweeps: the equation of motion, integrated along a guess of the path again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from lamarrpy.field import magnetic_field
from lamarrpy.nn.extrapolators.collocation import Collocation
from lamarrpy.nn.extrapolators.nodes import Integral, Nodes, common_nodes, own_nodes, shared_nodes
from lamarrpy.nn.extrapolators.tracks import Folded, fold, unfold
from lamarrpy.propagation.motion import KAPPA

SMALLEST_COSINE = 0.1
"""pz / p below which a guess of a path is held: it has turned round."""


class Path(NamedTuple):
    """Tracks at the nodes, each tensor of shape (nodes, n).

    Attributes
    ----------
    x, y : mm
    tx, ty
    """

    x: tf.Tensor
    y: tf.Tensor
    tx: tf.Tensor
    ty: tf.Tensor


@keras.saving.register_keras_serializable(package="lamarrpy")
class Sweeps(keras.layers.Layer):  # type: ignore[misc]
    """From the force along a guessed path to the end of the track.

    With the direction cosines u = px/p and v = py/p, du/dz = kappa q/p f and dv/dz = kappa q/p g, where the force
    f = ty Bz - By, g = Bx - tx Bz [T] depends on the path alone. A force, integrated from the start, gives a path; on
    that path the field gives a force, closer to the true one by a factor that grows with the momentum (E. Picard).
    What is learned is only where this begins. With sweeps enough, any guess ends on the true path; q/p -> 0 ends on
    the straight line; and the first state is always the one that was given.

    Parameters
    ----------
    field : mapping
        ``kind``, and what else `lamarrpy.field.magnetic_field` takes.
    nodes : int
        Gauss-Legendre nodes along the track.
    sweeps : int
        How often the field is evaluated at all nodes.
    centre, width : float or None, mm
        Where the nodes crowd, and how closely; see `Collocation`.
    start, end : float or None, mm
        z between which the nodes lie, if they are the same for all tracks: they, and the field there, are constants
        then. Otherwise each track has nodes of its own between its z and z + dz.
    parts : bool
        Whether tracks may start and end anywhere between ``start`` and ``end``, and not just there: the force is
        still that at the nodes, those before a track's start included, where its path is continued backwards. For
        weak fields: an integral up to a place between the nodes is less exact than one up to the end.
    opening : float or None
        Largest |y| / |z| of tracks for which common nodes have to know the field; all that it knows if None.
    straight : bool
        Whether the first guess is the force along the straight line, and none is given.
    """

    def __init__(
        self,
        field: Mapping[str, Any],
        nodes: int,
        sweeps: int,
        centre: float | None = None,
        width: float | None = None,
        start: float | None = None,
        end: float | None = None,
        parts: bool = False,
        opening: float | None = None,
        straight: bool = False,
        **base: Any,
    ) -> None:
        super().__init__(**base)
        self.settings: dict[str, Any] = {
            "field": dict(field), "nodes": nodes, "sweeps": sweeps, "centre": centre, "width": width,
            "start": start, "end": end, "parts": parts, "opening": opening, "straight": straight,
        }  # fmt: skip
        self.nodes, self.sweeps, self.straight = nodes, sweeps, straight
        made, rule = magnetic_field(**field), Collocation(nodes, centre, width)
        if start is None or end is None:
            self._nodes = own_nodes(made, rule)
        else:
            self._nodes = (shared_nodes if parts else common_nodes)(made, rule, start, end, opening)
        self.built = True

    def call(self, inputs: Any) -> tf.Tensor:
        """Deviations from the straight line, shape (n, 4).

        Parameters
        ----------
        inputs : tf.Tensor of shape (n, 7), and unless ``straight`` tf.Tensor of shape (n, 2 nodes)
            Tracks, and the guessed force f and g at the nodes of their mirror images, in T.
        """
        tracks, guess = (inputs, None) if self.straight else inputs
        start = fold(tracks, KAPPA)
        way = self.way(start)
        force = way.along_line() if guess is None else tf.transpose(guess)
        return unfold(way.end(way.swept(force, self.sweeps)), start)

    def way(self, start: Folded) -> Way:
        """The way of some tracks."""
        return Way(start, self._nodes(start))

    def get_config(self) -> dict[str, Any]:
        """What it is made from."""
        return {**super().get_config(), **self.settings}


class Way:
    """Tracks and their nodes: from a force along the path to the path, and from the path to the force.

    Parameters
    ----------
    start : Folded
        n tracks.
    nodes : Nodes
        Their nodes.
    """

    def __init__(self, start: Folded, nodes: Nodes) -> None:
        self.start, self.nodes = start, nodes

    def swept(self, force: tf.Tensor, sweeps: int) -> tf.Tensor:
        """The force after some sweeps, shape (2 nodes, n)."""
        for _ in range(sweeps):
            force = self.force(self.path(force))
        return force

    def along_line(self) -> tf.Tensor:
        """The force along the straight line, shape (2 nodes, n): a guess for which nothing has to be learned."""
        start, way = self.start, self.nodes.z - self.start.z
        still = tf.zeros_like(way)
        return self.force(Path(start.x + start.tx * way, start.y + start.ty * way, start.tx + still, start.ty + still))

    def path(self, force: tf.Tensor) -> Path:
        """The path under a force of shape (2 nodes, n)."""
        start, way = self.start, self.nodes.z - self.start.z
        u0, v0, _ = _direction(start)
        u, v = self._turned(force, self.nodes.to_nodes)
        along = _along(u0 + u, v0 + v)
        tx, ty = (u0 + u) * along, (v0 + v) * along
        x, y = (
            at + slope * way + self.nodes.to_nodes(t - slope)
            for at, slope, t in ((start.x, start.tx, tx), (start.y, start.ty, ty))
        )
        return Path(x, y, tx, ty)

    def force(self, path: Path) -> tf.Tensor:
        """The force [T] that the field exerts along a path, shape (2 nodes, n)."""
        bx, by, bz = self.nodes.field(path.x, path.y)
        first, second = -by, tf.zeros_like(by)
        if bz is not None:
            first, second = path.ty * bz - by, -path.tx * bz
        return tf.concat([first, second if bx is None else second + bx], axis=0)

    def end(self, force: tf.Tensor) -> tf.Tensor:
        """x, y, tx, ty at the end under a force, less those of the straight line, shape (4, n)."""
        at_nodes, at_end = (
            _bent(self.start, *self._turned(force, to)) for to in (self.nodes.to_nodes, self.nodes.to_end)
        )
        return tf.concat([*map(self.nodes.to_end, at_nodes), *at_end], axis=0)

    def _turned(self, force: tf.Tensor, integral: Integral) -> tuple[tf.Tensor, tf.Tensor]:
        """By how much u and v have changed where an integral ends."""
        first, second = tf.split(force, 2, axis=0)
        return integral(first) * self.start.bend, integral(second) * self.start.bend


def _direction(start: Folded) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """u, v and p/pz at the start."""
    along = tf.sqrt(1.0 + start.tx * start.tx + start.ty * start.ty)
    inverse = 1.0 / along
    return start.tx * inverse, start.ty * inverse, along


def _along(u: tf.Tensor, v: tf.Tensor) -> tf.Tensor:
    """p/pz, held where the track has nearly turned round."""
    return tf.math.rsqrt(tf.maximum(1.0 - u * u - v * v, SMALLEST_COSINE**2))


def _bent(start: Folded, u: tf.Tensor, v: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """By how much the slopes have changed when u and v have changed by so much.

    With a = p/pz, tx - tx0 = a (u - u0) + u0 (a - a0), and a - a0 = a^2 a0^2 (a0^-2 - a^-2) / (a + a0): no small
    difference of large numbers is taken, so float32 tells the smallest deviation as exactly as the largest.
    """
    u0, v0, before = _direction(start)
    after = _along(u0 + u, v0 + v)
    both = after * before
    grown = (u * (2.0 * u0 + u) + v * (2.0 * v0 + v)) * both * both / (after + before)
    return after * u + u0 * grown, after * v + v0 * grown
