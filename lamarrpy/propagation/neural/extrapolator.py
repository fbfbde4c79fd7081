"""Tracks carried by networks, and by Runge-Kutta where the networks have never been."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import ConfigError
from lamarrpy.field import MagneticField
from lamarrpy.parameterization.folder import read_file, read_manifest
from lamarrpy.parameterization.manifest import Manifest
from lamarrpy.parameterization.network import Network
from lamarrpy.propagation.neural.legs import Leg, Legs, read_legs
from lamarrpy.propagation.shared_steps import SharedSteps
from lamarrpy.propagation.state import Array, Crossings, State
from lamarrpy.propagation.straight_line import straight_ahead

STEEPEST = 1.5
"""Slope |t| at the end of a leg beyond which the networks are not trusted: the track nearly curls."""

TRACKS = 7
"""Columns that a network is given: x, y, z, tx, ty, q/p, dz."""

ANSWERS = 4
"""Columns that it answers with: x, y, tx, ty at z + dz, less those of the straight line."""

Rows = NDArray[np.intp] | slice
"""Some of the tracks; a slice if it is all of them, which spares copies."""

Passed = Callable[[Leg, Rows, NDArray[np.float32]], None]


class Propagated(NamedTuple):
    """States of n tracks at k planes, and who carried them.

    Attributes
    ----------
    crossings : Crossings
        The states.
    left_over : ndarray of bool, shape (n,)
        Charged tracks that were left to Runge-Kutta, because they are outside of what the networks have learned.
    """

    crossings: Crossings
    left_over: NDArray[np.bool_]


class NeuralExtrapolator:
    """The neural extrapolator: one network a leg, in a field they were trained in, in both polarities.

    A network answers with the deviation from the straight line, in float32; the line itself is float64. MagDown is
    MagUp for the opposite charge. Tracks outside of the limits of a leg they enter, or steep at its end, are done
    by `SharedSteps` from their very start. A track's result is the same, bit for bit, whatever others are with it.

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
        self.folder, self.manifest = folder, read_manifest(folder)
        self.legs: Legs = read_legs(folder, self.manifest)
        if self.legs.magnet(field.polarity) != field:
            raise ConfigError(
                f"expected the field that {folder.name} was trained in ({self.legs.field}), got {field}: use the"
                " method runge_kutta, or train an extrapolator in that field"
            )
        self.field, self._steps = field, SharedSteps(field)
        self._networks = {leg.name: _network(folder, self.manifest, leg.onnx) for leg in self.legs.legs}

    def __call__(self, start: State, planes: Sequence[float]) -> Crossings:
        """The states at planes of increasing z [mm], in one pass."""
        return self.propagate(start, planes).crossings

    def propagate(self, start: State, planes: Sequence[float]) -> Propagated:
        """The states at planes of increasing z, and which tracks were left to Runge-Kutta.

        Parameters
        ----------
        start : State
            n tracks; neutral ones go straight.
        planes : sequence of float, mm
            Where to, increasing. Planes behind a track's origin are not reached.

        Returns
        -------
        Propagated
            Tracks that curl do not reach what lies beyond.
        """
        out = Crossings.empty(len(planes), len(start.x))
        neutral = start.qop == 0.0
        straight_ahead(start, np.flatnonzero(neutral), planes, out)
        rows = np.flatnonzero(~neutral & (start.z <= planes[-1]))
        state, left_over = start.at(rows), np.zeros(len(start.x), bool)
        lost = np.zeros(len(rows), bool)
        for i, plane in enumerate(planes):
            ahead = state.z <= plane
            state, inside = self.extrapolate(state, np.maximum(state.z, plane), ~lost)
            lost |= ~inside
            out.put(i, rows, (state.x, state.y, state.tx, state.ty), ahead & ~lost)
        left_over[rows[lost]] = True
        for i, done in enumerate(_columns(self._steps(start.at(rows[lost]), planes), len(planes))):
            out.put(i, rows[lost], *done)
        return Propagated(out, left_over)

    def carry(self, start: State, z: Array) -> State:
        """The states at a z [mm] of each track's own, a short way from where it is: by Runge-Kutta."""
        return self._steps.carry(start, z)

    def extrapolate(
        self,
        start: State,
        z: Array,
        wanted: NDArray[np.bool_] | None = None,
        passed: Passed | None = None,
    ) -> tuple[State, NDArray[np.bool_]]:
        """The states at a z of each track's own, by the networks alone, leg by leg.

        Parameters
        ----------
        start : State
            n charged tracks.
        z : ndarray, shape (n,), mm
            Where to, not before their own z.
        wanted : ndarray of bool, shape (n,), optional
            Which tracks; all if left out.
        passed : callable, optional
            Told each leg, which tracks go along it, and what the network is given, shape (k, 7).

        Returns
        -------
        state : State
            n states, new arrays.
        inside : ndarray of bool, shape (n,)
            Whether the networks know such tracks all the way; the states of the others are somewhere on it.
        """
        first, last = self.legs.reach
        inside = (start.z >= first) & (z >= start.z) & (z <= last)
        if wanted is not None:
            inside &= wanted
        state = State(*(np.array(column, np.float64) for column in start))
        for legs in self.legs.stretches:
            begin, end = np.maximum(state.z, legs[0].low), np.minimum(z, legs[0].high)
            entering = inside & (end > begin)
            for leg in legs:
                taken = entering & leg.limits.contain(state)
                if leg.whole:
                    taken &= (begin == leg.low) & (end == leg.high)
                entering &= ~taken
                if taken.any():
                    rows = slice(None) if taken.all() else np.flatnonzero(taken)
                    inside[rows] = self._go(leg, state, rows, end[rows], passed)
            inside &= ~entering
        return state, inside & (state.z == z)

    def _go(self, leg: Leg, state: State, rows: Rows, end: Array, passed: Passed | None) -> NDArray[np.bool_]:
        """Carry some tracks along a leg, in place; which of them can be trusted."""
        some = state.at(rows)
        dz = end - some.z
        tracks = np.empty((len(dz), TRACKS), np.float32)
        for i, column in enumerate((some.x, some.y, some.z, some.tx, some.ty, self.field.sign * some.qop, dz)):
            tracks[:, i] = column
        x, y, tx, ty = self._networks[leg.name](tracks=tracks).astype(np.float64).T
        if passed is not None:
            passed(leg, rows, tracks)
        state.x[rows] = some.x + some.tx * dz + x
        state.y[rows] = some.y + some.ty * dz + y
        state.z[rows] = end
        state.tx[rows] = tx = some.tx + tx
        state.ty[rows] = ty = some.ty + ty
        trusted: NDArray[np.bool_] = tx * tx + ty * ty <= STEEPEST**2  # false for what is no number
        return trusted


def _columns(crossings: Crossings, planes: int) -> list[tuple[tuple[Array, ...], NDArray[np.bool_]]]:
    """x, y, tx, ty and who gets there, plane by plane."""
    return [(tuple(column[i] for column in crossings[:4]), crossings.reaches[i]) for i in range(planes)]


def _network(folder: Path, manifest: Manifest, name: str) -> Network:
    return Network(read_file(folder, manifest, name), {"tracks": TRACKS}, ANSWERS, str(folder / name))
