"""Where tracks start: in a box at the magnet, from a collision through the field, or from a displaced vertex."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from lamarrpy.draws import RowDraws
from lamarrpy.field import MagneticField
from lamarrpy.propagation.state import Array, State
from lamarrpy.strict import Strict
from lamarrpy.tracks.ranges import Ranges, fixed, uniform
from lamarrpy.tracks.truth import true_end

Flags = NDArray[np.bool_]

X, Y, TX, TY, Z, COLLISION, ETA, PHI, KINK, KINK_PHI = range(10)
"""Index of the random number of each quantity; `lamarrpy.tracks.recipe` goes on behind them."""

FLATTEST = 0.2
"""Pseudorapidity below which a particle counts as curling from the beginning."""

_AROUND = 2.0 * np.pi


class Hollow(Strict):
    """The middle of a box: tracks with every given quantity below its limit are no candidates.

    What is left is the rim of the box, for tests at and beyond the edge of a domain.
    """

    x: float | None = Field(None, gt=0, description="|x| [mm]")
    y: float | None = Field(None, gt=0, description="|y| [mm]")
    tx: float | None = Field(None, gt=0, description="|tx|")
    ty: float | None = Field(None, gt=0, description="|ty|")

    def contains(self, start: State) -> Flags:
        """Which tracks lie in it, shape (n,)."""
        limits = {name: limit for name, limit in self.model_dump().items() if limit is not None}
        inside = np.full(len(start.x), bool(limits))
        for name, limit in limits.items():
            inside &= np.abs(getattr(start, name)) < limit
        return inside


class Box(Strict):
    """Position and slopes drawn evenly and independently, as the protocol has them."""

    kind: Literal["box"]
    z: Ranges = Field(description="mm")
    x: Ranges = Field(description="mm")
    y: Ranges = Field(description="mm")
    tx: Ranges = Field(description="dx/dz")
    ty: Ranges = Field(description="dy/dz")
    hollow: Hollow = Field(Hollow(), description="the middle that is left out")

    def draw(self, qop: Array, draws: RowDraws, field: MagneticField) -> tuple[State, Flags, Flags]:
        """n states, who gets there and whose state is exact: all of them."""
        drawn = {"x": X, "y": Y, "z": Z, "tx": TX, "ty": TY}
        start = State(
            qop=qop, **{name: uniform(getattr(self, name), draws.uniform(index)) for name, index in drawn.items()}
        )
        return start, np.ones(len(qop), bool), np.ones(len(qop), bool)

    def candidates(self, start: State) -> Flags:
        """Which states count as drawn: those outside the hollow."""
        return ~self.hollow.contains(start)


class _FromCollision(Strict):
    collision: Ranges = Field(((0.0, 0.0),), description="z of the collision [mm], on the axis")
    eta: tuple[float, float] = Field(description="pseudorapidity, drawn evenly")
    phi: tuple[float, float] = Field((-np.pi, np.pi), description="azimuth, drawn evenly")
    z: Ranges = Field(description="where the track starts [mm]")

    @field_validator("eta", "phi")
    @classmethod
    def _check_order(cls, pair: tuple[float, float]) -> tuple[float, float]:
        if not pair[0] < pair[1]:
            raise ValueError(f"expected low < high, got {list(pair)}")
        return pair

    @field_validator("eta")
    @classmethod
    def _check_forward(cls, eta: tuple[float, float]) -> tuple[float, float]:
        if eta[0] < FLATTEST:
            raise ValueError(f"expected pseudorapidities of at least {FLATTEST}, where |t| = 5, got {list(eta)}")
        return eta

    def _at_collision(self, qop: Array, draws: RowDraws) -> State:
        slope = 1.0 / np.sinh(uniform((self.eta,), draws.uniform(ETA)))
        phi = uniform((self.phi,), draws.uniform(PHI))
        z, zero = uniform(self.collision, draws.uniform(COLLISION)), np.zeros(len(qop))
        return State(zero, zero, z, slope * np.cos(phi), slope * np.sin(phi), qop)

    def candidates(self, start: State) -> Flags:
        """Which states count as drawn: all."""
        return np.ones(len(start.x), bool)


class Acceptance(_FromCollision):
    """Charged particles of a collision, carried through the field to where the track starts.

    A track whose collision lies beyond that z starts at the collision.
    """

    kind: Literal["acceptance"]

    def draw(self, qop: Array, draws: RowDraws, field: MagneticField) -> tuple[State, Flags, Flags]:
        """n states, who gets there, and whose state no longer depends on the integration steps."""
        born = self._at_collision(qop, draws)
        z = np.maximum(uniform(self.z, draws.uniform(Z)), born.z)
        planes = [value for value in (fixed(self.collision), fixed(self.z)) if value is not None]
        return true_end(born, z - born.z, field, planes=planes)


class Displaced(_FromCollision):
    """Charged particles born anywhere on the way of a neutral one, as the daughters of Ks, Lambda and photons.

    The neutral parent goes straight from the collision to z; the track leaves it there under an angle
    whose slope is drawn evenly between 0 and `kink`, in any direction: many small, few large.
    Where z lies before the collision the parent's way is that of its backward prolongation.
    """

    kind: Literal["displaced"]
    kink: float = Field(0.0, ge=0, le=1, description="largest change of slope at the vertex")

    def draw(self, qop: Array, draws: RowDraws, field: MagneticField) -> tuple[State, Flags, Flags]:
        """n states, who gets there and whose state is exact: all of them."""
        parent = self._at_collision(qop, draws)
        z = uniform(self.z, draws.uniform(Z))
        way, kink, phi = z - parent.z, self.kink * draws.uniform(KINK), _AROUND * draws.uniform(KINK_PHI)
        tx, ty = parent.tx + kink * np.cos(phi), parent.ty + kink * np.sin(phi)
        start = State(parent.tx * way, parent.ty * way, z, tx, ty, qop)
        return start, np.ones(len(qop), bool), np.ones(len(qop), bool)


Start = Annotated[Box | Acceptance | Displaced, Field(discriminator="kind")]
"""Any way to start; chosen by its ``kind``."""
