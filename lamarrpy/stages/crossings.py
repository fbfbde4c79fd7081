"""How charged particles cross the tracking system, as numbers in which its edges are easy to see.

Two symmetries are used up: what is above the beam is as what is below it, and a particle of the other charge, or with
the magnet the other way round, is its mirror image in x. So every x is counted towards the side to which the magnet
bends a positive particle with MagUp.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.field import Polarity
from lamarrpy.field.model import SIGN
from lamarrpy.particles import charge
from lamarrpy.shipped import shipped
from lamarrpy.tables.schemas import PLANES
from lamarrpy.yaml_file import read_yaml

Floats = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]

READS = (
    *("pid", "x", "y", "z", "p", "eta", "tx", "ty"),
    *(f"{what}_{plane}" for plane in ("mid_tt", "mid_t") for what in ("x", "y", "tx", "ty")),
)
"""Columns of ``particles`` that `crossings` is made of; a position is NaN where its plane is not reached."""

_FAR = 20.0
"""Standard deviations of scattering beyond which an edge is as good as infinitely far."""

_MOST_MODULES = 8.0
"""Of the VELO; more of them make no difference."""

_PITCH = 30.0
"""Distance of VELO modules [mm] that ends at which there is none stand in for."""

_LEAST_STEEP = 1e-12
"""Squared slope of what flies along the beam."""

_MEV_PER_GEV, _PIVOT = 1e3, 1e4
_DISPLACED, _EARLY = 300.0, 20.0
"""Lengths [mm] on which it matters where along the beam a particle comes from, and how long before the TT."""

_BEND = -1.0
"""Sign of the kick in x that the magnet gives to a positive particle, MagUp."""

_SIDEWAYS = 2.0
"""Half sizes of a T station at which a particle is told to pass that does not get to its plane."""


@dataclass(frozen=True)
class Station:
    """A set of tracking layers with a hole around the beam pipe.

    Attributes
    ----------
    z : (float, float), mm
        Where the hole decides, and where the outer edge does.
    hole, outer : (float, float), mm
        Half sizes in x and y.
    scattering : float, mm MeV
        Displacement by multiple scattering before it, times the momentum.
    """

    z: tuple[float, float]
    hole: tuple[float, float]
    outer: tuple[float, float]
    scattering: float

    def room(self, columns: Columns, plane: str) -> tuple[Floats, Floats]:
        """How far particles stay away from the hole and from the outer edge, each of shape (n,), -1 to 1.

        In standard deviations of scattering s, as s / (2 + |s|); above 0 on the active side. On straight lines through
        the states at a plane, at the worse end of the station; what does not get to the plane is beyond every edge.
        """
        x, y, tx, ty = (columns[f"{what}_{plane}"] for what in ("x", "y", "tx", "ty"))
        from_hole, from_outside = np.full(len(x), np.inf), np.full(len(x), np.inf)
        for dz in np.subtract(self.z, PLANES[plane]):
            ax, ay = np.abs(x + dz * tx), np.abs(y + dz * ty)
            np.fmin(from_hole, np.maximum(ax - self.hole[0], ay - self.hole[1]), out=from_hole)
            np.fmin(from_outside, np.minimum(self.outer[0] - ax, self.outer[1] - ay), out=from_outside)
        missed = np.isnan(x)
        from_hole[missed] = from_outside[missed] = -np.inf
        scale = columns["p"] / self.scattering
        return _squashed(from_hole * scale), _squashed(from_outside * scale)


@dataclass(frozen=True)
class Edges:
    """The edges of the tracking system: models/acceptance/edges.yaml.

    Attributes
    ----------
    modules : ndarray of float64, shape (m,), mm
        z of the modules in the half of the VELO at x > 0, rising.
    right_offset : float, mm
        By which the other half stands further downstream.
    radius : (float, float), mm
        Of the sensors.
    foil : float, mm
        Radius inside which there is nothing but vacuum.
    pipe_z : (float, float), mm
        Ends of the cone of the beam pipe that particles inside of the window meet under a small angle.
    pipe_slope : float
        Its radius over z.
    tt, t : Station
    """

    modules: Floats
    right_offset: float
    radius: tuple[float, float]
    foil: float
    pipe_z: tuple[float, float]
    pipe_slope: float
    tt: Station
    t: Station

    def modules_passed(self, z: Floats) -> Floats:
        """Modules of the half at x > 0 that lie before z [mm], with the part of the way to the next, shape (n,)."""
        first, last = self.modules[[0, -1]]
        ends = np.concatenate([[first - _PITCH], self.modules, [last + _PITCH]])
        passed = np.arange(len(ends), dtype=np.float64)
        passed[-1] = np.nextafter(passed[-1], 0.0)  # there is no module at the end
        return np.interp(z, ends, passed)


@cache
def edges() -> Edges:
    """The edges that the models of acceptance and efficiency were trained with."""
    text = read_yaml(shipped("models", "acceptance", "edges.yaml"))
    values = {part: {name: entry["value"] for name, entry in of.items()} for part, of in text.items()}
    velo = values["velo"]
    return Edges(
        modules=np.asarray(velo["module_z"], np.float64),
        right_offset=velo["right_offset"],
        radius=tuple(velo["radius"]),
        foil=velo["foil"],
        pipe_z=tuple(values["pipe"]["z"]),
        pipe_slope=values["pipe"]["slope"],
        tt=_station(values["tt"]),
        t=_station(values["t"]),
    )


def crossings(columns: Columns, polarity: Polarity = "MagUp") -> dict[str, NDArray[Any]]:
    """What is told of charged particles to the models of acceptance and efficiency.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        `READS` of propagated particles of the five species.
    polarity : {"MagUp", "MagDown"}
        Of the magnet in which they flew.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        ``species`` (as in `lamarrpy.particles.Species`) and ``charge``; ``log_p``, log10 over 10 GeV; ``eta``;
        ``side_tx`` and ``steep_ty``, slopes at the origin towards the side and away from y = 0; ``origin_z`` (-1 to 1),
        ``origin_r`` (0 to 1) and ``before_tt`` (-1 to 1), how far along, from and before what the particle is born;
        ``velo_modules``, the modules crossed, up to 8, and ``velo_path``, the same with the parts of a gap at both
        ends; ``pipe_begin`` and ``pipe_end`` (-1 to 1), how far outside of the beam pipe at the ends of its cone;
        ``tt_hole, tt_outer, t_hole, t_outer``, see `Station.room`; ``side_x_t`` (-2 to 2) and ``height_t`` (0 to 2),
        the position in the T stations in their half sizes; ``side_tx_t``, the slope there, up to 1 in size.
    """
    at, known = edges(), {name: np.asarray(columns[name]) for name in READS}
    charged = charge(known["pid"])
    side = _BEND * SIGN[polarity] * charged
    x, y, z, tx, ty = (known[name] for name in ("x", "y", "z", "tx", "ty"))
    tt_hole, tt_outer = at.tt.room(known, "mid_tt")
    t_hole, t_outer = at.t.room(known, "mid_t")
    modules, path = _velo(at, x, y, z, tx, ty)
    pipe_begin, pipe_end = (_from_pipe(at, x, y, z, tx, ty, end) for end in at.pipe_z)
    radius = np.sqrt(x * x + y * y)
    return {
        "species": np.abs(known["pid"]),
        "charge": charged,
        "log_p": np.log10(known["p"] / _PIVOT),
        "eta": known["eta"],
        "side_tx": side * tx,
        "steep_ty": np.abs(ty),
        "origin_z": z / (_DISPLACED + np.abs(z)),
        "origin_r": radius / (at.foil + radius),
        "before_tt": _squashed((at.tt.z[0] - z) / _EARLY),
        "velo_modules": modules,
        "velo_path": path,
        "pipe_begin": pipe_begin,
        "pipe_end": pipe_end,
        "tt_hole": tt_hole,
        "tt_outer": tt_outer,
        "t_hole": t_hole,
        "t_outer": t_outer,
        "side_x_t": _or(np.clip(side * known["x_mid_t"] / at.t.outer[0], -_SIDEWAYS, _SIDEWAYS), _SIDEWAYS),
        "height_t": _or(np.minimum(np.abs(known["y_mid_t"]) / at.t.outer[1], _SIDEWAYS), _SIDEWAYS),
        "side_tx_t": _or(np.clip(side * known["tx_mid_t"], -1.0, 1.0), 1.0),
    }


def _velo(at: Edges, x: Floats, y: Floats, z: Floats, tx: Floats, ty: Floats) -> tuple[Floats, Floats]:
    """Modules crossed on a straight line, whole ones and with the parts of gaps at both ends, each of shape (n,)."""
    steep = np.maximum(tx * tx + ty * ty, _LEAST_STEEP)
    nearest = -(x * tx + y * ty) / steep
    missed = x * x + y * y - steep * nearest * nearest  # squared distance of the line from the axis
    inner, outer = (np.sqrt(np.maximum(r * r - missed, 0.0) / steep) for r in at.radius)
    begin, end = np.maximum(nearest + inner, 0.0), np.maximum(nearest + outer, 0.0)
    shift = z - np.where(x + tx * end < 0.0, at.right_offset, 0.0)
    first, last = at.modules_passed(shift + begin), at.modules_passed(shift + end)
    modules, path = np.floor(last) - np.floor(first), last - first
    inwards = np.flatnonzero(nearest > inner)
    if len(inwards):
        begin, end = np.maximum(nearest - outer, 0.0)[inwards], (nearest - inner)[inwards]
        shift = z[inwards] - np.where(x[inwards] < 0.0, at.right_offset, 0.0)
        first, last = at.modules_passed(shift + begin), at.modules_passed(shift + end)
        modules[inwards] += np.floor(last) - np.floor(first)
        path[inwards] += last - first
    return np.minimum(modules, _MOST_MODULES), np.minimum(path, _MOST_MODULES)


def _from_pipe(at: Edges, x: Floats, y: Floats, z: Floats, tx: Floats, ty: Floats, end: float) -> Floats:
    """How far outside of the beam pipe a straight line, or its origin, is at one of its ends, -1 to 1, shape (n,)."""
    dz = np.maximum(end - z, 0.0)
    out_x, out_y = x + tx * dz, y + ty * dz
    return _squashed(np.sqrt(out_x * out_x + out_y * out_y) - at.pipe_slope * end)


def _squashed(deviations: Floats) -> Floats:
    """A distance in standard deviations between -1 and 1, the same for all that is far."""
    near = np.clip(deviations, -_FAR, _FAR)
    return near / (2.0 + np.abs(near))


def _or(values: Floats, otherwise: float) -> Floats:
    """The values, and another in the place of NaN."""
    return np.where(np.isnan(values), otherwise, values)


def _station(values: Mapping[str, Any]) -> Station:
    z, hole, outer = (tuple(values[name]) for name in ("z", "hole", "outer"))
    return Station(z, hole, outer, values["scattering"] * _MEV_PER_GEV)
