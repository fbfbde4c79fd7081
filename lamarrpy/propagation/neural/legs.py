"""The legs that a way through the detector is cut into, and which tracks each of them takes."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from lamarrpy.errors import ArtifactError
from lamarrpy.field import MagneticField, magnetic_field
from lamarrpy.parameterization.folder import LEGS, read_file
from lamarrpy.parameterization.manifest import Manifest
from lamarrpy.propagation.state import State
from lamarrpy.strict import Strict


class Limits(Strict):
    """The tracks that a leg takes, where they enter it; all others are left to Runge-Kutta."""

    p: float = Field(ge=0.0, description="lowest momentum [MeV]")
    tx: float = Field(gt=0.0, description="largest |tx|")
    ty: float = Field(gt=0.0, description="largest |ty|")
    opening: float = Field(gt=0.0, description="largest |y| grows with |z| by so much ...")
    margin: float = Field(ge=0.0, description="... from so many mm at z = 0: the coils are beyond it")

    def contain(self, state: State) -> NDArray[np.bool_]:
        """Which of n tracks are within, shape (n,)."""
        inside: NDArray[np.bool_] = np.abs(state.qop) * self.p <= 1.0
        inside &= np.abs(state.tx) <= self.tx
        inside &= np.abs(state.ty) <= self.ty
        inside &= np.abs(state.y) <= self.opening * np.abs(state.z) + self.margin
        return inside


class Leg(Strict):
    """A stretch in z and the network that carries tracks along it, or along a part of it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="of its files")
    low: float = Field(description="z [mm] where it begins")
    high: float = Field(description="z [mm] where it ends")
    whole: bool = Field(False, description="whether it takes only tracks that go all along it")
    limits: Limits

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"{self.name}: expected low < high, got {self.low:g} and {self.high:g}")
        return self

    @property
    def onnx(self) -> str:
        """Name of the network's file: tracks, shape (n, 7), to deviations from the straight line, shape (n, 4)."""
        return f"{self.name}.onnx"

    @property
    def keras(self) -> str:
        """Name of the same network's file for learning on, and for derivatives."""
        return f"{self.name}.keras"


class Legs(Strict):
    """All legs of an extrapolator, in order of z; of those for one stretch, a track takes the first that takes it."""

    field: dict[str, Any] = Field(description="the field it was made for, MagUp: kind and settings")
    legs: tuple[Leg, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        stretches = self.stretches
        for before, after in pairwise(stretches):
            if before[0].high != after[0].low:
                raise ValueError(
                    f"expected legs one after the other, got {before[0].name} to z = {before[0].high:g} and"
                    f" {after[0].name} from {after[0].low:g}"
                )
        return self

    @property
    def stretches(self) -> list[tuple[Leg, ...]]:
        """The legs, those of the same stretch together."""
        ends = dict.fromkeys((leg.low, leg.high) for leg in self.legs)
        return [tuple(leg for leg in self.legs if (leg.low, leg.high) == end) for end in ends]

    @property
    def reach(self) -> tuple[float, float]:
        """z [mm] of the first and the last place."""
        return self.legs[0].low, self.legs[-1].high

    def magnet(self, polarity: Any) -> MagneticField:
        """The field, in a polarity."""
        return magnetic_field(polarity=polarity, **self.field)


def read_legs(folder: Path, manifest: Manifest) -> Legs:
    """The legs of an extrapolator.

    Raises
    ------
    ArtifactError
        If they are damaged, or the folder is of another model.
    """
    if manifest.kind != "extrapolator":
        raise ArtifactError(f"{folder}: expected an extrapolator, got a {manifest.kind}; check the path")
    try:
        return Legs.model_validate(json.loads(read_file(folder, manifest, LEGS)))
    except (ValueError, ValidationError) as error:
        raise ArtifactError(
            f"{folder / LEGS}: expected legs of an extrapolator, got: {error}; train it again"
        ) from None
