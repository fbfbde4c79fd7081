"""Propagation: kinematics, the state closest to the beam and the states at reference planes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.field import FIELDS, MagneticField, Polarity, magnetic_field
from lamarrpy.propagation import (
    BeamLine,
    Extrapolator,
    SharedSteps,
    SingleKick,
    StraightLine,
    closest_to_beam,
    kick_of,
)
from lamarrpy.propagation.neural import NeuralExtrapolator
from lamarrpy.propagation.true_states import CLOSEST, KINEMATICS, beam_lines, closest_columns, origins, scatter
from lamarrpy.shipped import shipped
from lamarrpy.tables import PARTICLES, VERTICES, EventBatch, Schema
from lamarrpy.tables.schemas import PLANES

SHIPPED = ("extrapolator", "variable")
"""The neural extrapolator that ships with lamarrpy, below ``models``."""

METHODS: dict[str, Callable[[MagneticField], Extrapolator]] = {
    "straight_line": lambda field: StraightLine(),
    "single_kick": lambda field: SingleKick(kick_of(field)),
    "runge_kutta": SharedSteps,
    "neural": lambda field: NeuralExtrapolator(shipped("models", *SHIPPED), field),
}
"""Every way through the magnetic field, by name."""

LEFT_OVER = "left_to_runge_kutta"
"""Column of ``particles`` that counts what the neural extrapolator does not know."""

_STABLE = 1
"""HepMC status of a particle that leaves the generator undecayed."""


@dataclass(frozen=True)
class Propagation:
    """Carry particles from their origins through the magnetic field.

    Every stable particle that heads into the detector gets its kinematics, its true state closest to
    the beam line, and its true states at the reference planes. Neutral particles go straight.

    Parameters
    ----------
    method : {"single_kick", "runge_kutta", "neural", "straight_line"}
        How: one kick in the middle of the magnet (centimetres exact at 5 GeV), integration of the
        equation of motion (20 um), a network that was trained in the field (1 um; what it does not know is
        integrated, and flagged), or as if the magnet were off.
    field : {"lhcb", "dipole_pair", "grid", "uniform", "none"}
        The magnetic field.
    field_file : str or None
        The map of a ``grid`` field: text of six columns or npz.
    extrapolator : str or None
        Folder of a neural extrapolator of one's own; the shipped one, which knows the field ``lhcb``, if left out.
    polarity : {"MagUp", "MagDown"}
        Polarity of the magnet.
    planes : tuple of str
        Names of the reference planes.
    eta_min, eta_max : float
        Pseudorapidity within which particles are propagated.
    p_min : float, MeV
        Momentum from which they are.
    beam_line : (x [mm], y [mm], tx, ty) or None
        The beam line, with its position at z = 0. By default it passes, parallel to the z axis,
        through the true position of each particle's own primary vertex.

    Raises
    ------
    ConfigError
        If a name is not known, a grid field has no file, the window is empty, or the neural extrapolator was trained
        in another field.
    ArtifactError
        If the neural extrapolator is damaged.
    """

    method: Literal["straight_line", "single_kick", "runge_kutta", "neural"] = "single_kick"
    field: Literal["lhcb", "dipole_pair", "grid", "uniform", "none"] = "lhcb"
    field_file: str | None = None
    extrapolator: str | None = None
    polarity: Polarity = "MagUp"
    planes: tuple[str, ...] = ("mid_tt", "mid_t", "ecal")
    eta_min: float = 1.6
    eta_max: float = 5.2
    p_min: float = 1000.0
    beam_line: tuple[float, float, float, float] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "planes", tuple(self.planes))
        _expect_known(self.method, METHODS, "method")
        _expect_known(self.field, FIELDS, "field")
        _expect_known(self.polarity, ("MagUp", "MagDown"), "polarity")
        for plane in self.planes:
            _expect_known(plane, PLANES, "plane")
        if not self.planes or len(set(self.planes)) < len(self.planes):
            raise ConfigError(f"expected at least one plane and none of them twice, got {list(self.planes)}")
        if not (self.eta_min < self.eta_max and self.p_min >= 0.0):
            raise ConfigError(
                f"expected eta_min < eta_max and p_min >= 0, got {self.eta_min}, {self.eta_max} and {self.p_min}"
            )
        if (self.field == "grid") != (self.field_file is not None):
            raise ConfigError(
                f"expected field_file with the field 'grid' and with no other, got field {self.field!r}"
                f" and field_file {self.field_file!r}"
            )
        if self.extrapolator is not None and self.method != "neural":
            raise ConfigError(
                f"expected an extrapolator with the method 'neural' alone, got it with {self.method!r}: leave it out"
            )
        if self.field_file is not None and not Path(self.field_file).is_file():
            raise ConfigError(f"expected field_file to be a field map, but there is no file {self.field_file!r}")
        if self.method == "neural":
            self._extrapolator()  # a model that is damaged, or of another field, is told before any row is read

    @property
    def name(self) -> str:
        """The name of the stage."""
        return "propagation"

    @property
    def reads(self) -> Mapping[str, Schema]:
        """Generator-level particles, and the vertices they come from unless the beam line is given."""
        columns = ("pid", "px", "py", "pz", "x", "y", "z", "status")
        if self.beam_line is not None:
            return {"particles": PARTICLES.only(*columns)}
        return {
            "particles": PARTICLES.only("event_id", "vertex_id", *columns),
            "vertices": VERTICES.only("event_id", "vertex_id", "true_x", "true_y"),
        }

    @property
    def writes(self) -> Mapping[str, Schema]:
        """Kinematics, the state closest to the beam line, the state at each plane, and who was left to Runge-Kutta."""
        at_planes = [f"{what}_{plane}" for plane in self.planes for what in ("reaches", "x", "y", "tx", "ty")]
        left_over = [LEFT_OVER] if self.method == "neural" else []
        return {"particles": PARTICLES.only("propagated", *left_over, *KINEMATICS, *CLOSEST, *at_planes)}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Propagate the particles of a batch; nothing is drawn."""
        propagated = self._window(batch)
        rows = np.flatnonzero(propagated)
        start, values = origins(batch, rows)
        extrapolator = self._extrapolator()
        closest = closest_to_beam(start, self._beam_line(batch, rows), extrapolator)
        values |= closest_columns(closest)
        flags = {"propagated": propagated}
        planes = sorted(self.planes, key=PLANES.__getitem__)
        if isinstance(extrapolator, NeuralExtrapolator):
            crossings, left_over = extrapolator.propagate(start, [PLANES[plane] for plane in planes])
            flags[LEFT_OVER] = scatter(left_over, rows, len(propagated), False)
        else:
            crossings = extrapolator(start, [PLANES[plane] for plane in planes])
        for i, plane in enumerate(planes):
            reaches = crossings.reaches[i] & (start.z <= PLANES[plane])
            flags[f"reaches_{plane}"] = scatter(reaches, rows, len(propagated), False)
            for what, column in zip(("x", "y", "tx", "ty"), crossings[:4], strict=True):
                values[f"{what}_{plane}"] = np.where(reaches, column[i], np.nan)
        columns = {name: scatter(column, rows, len(propagated), np.nan) for name, column in values.items()}
        return batch.with_columns(self.writes["particles"], {**flags, **columns})

    def _window(self, batch: EventBatch) -> NDArray[np.bool_]:
        """Which particles are propagated, shape (n,)."""
        px, py, pz, z, status = batch.arrays("particles", "px", "py", "pz", "z", "status")
        p = np.sqrt(px * px + py * py + pz * pz)
        last = max(PLANES[plane] for plane in self.planes)
        window: NDArray[np.bool_] = (status == _STABLE) & (pz > 0.0) & (p > self.p_min) & (z < last)
        # tanh(eta) = pz / p
        window &= (pz > np.tanh(self.eta_min) * p) & (pz < np.tanh(self.eta_max) * p)
        return window

    def _extrapolator(self) -> Extrapolator:
        return _extrapolator(self.method, self.field, self.polarity, self.field_file, self.extrapolator)

    def _beam_line(self, batch: EventBatch, rows: NDArray[np.intp]) -> BeamLine:
        if self.beam_line is not None:
            return BeamLine(*self.beam_line)
        return beam_lines(batch, rows)


@cache
def _extrapolator(method: str, field: str, polarity: Polarity, file: str | None, folder: str | None) -> Extrapolator:
    settings: dict[str, Any] = {} if file is None else {"file": file}
    made = magnetic_field(field, polarity, **settings)
    return METHODS[method](made) if folder is None else NeuralExtrapolator(Path(folder), made)


def _expect_known(name: str, known: Sequence[str] | Mapping[str, Any], what: str) -> None:
    if name not in known:
        raise ConfigError(f"expected a {what} out of {', '.join(known)}, got {name!r}{did_you_mean(name, known)}")
