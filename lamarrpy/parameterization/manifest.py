"""What is known of a trained model: what goes in, what comes out, whence it is and how good."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Kind = Literal["generator", "classifier", "neighbours", "extrapolator"]


def _of_numbers(dtype: str) -> str:
    try:
        if np.dtype(dtype).kind in "biuf":
            return dtype
    except TypeError:
        pass
    raise ValueError(f"expected the NumPy name of a dtype of numbers, got {dtype!r}")


_DType = Annotated[str, AfterValidator(_of_numbers)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Condition(_Frozen):
    """A column that a parameterization is given.

    Attributes
    ----------
    name, unit : str
        What it is.
    dtype : str
        Of the column it was trained on.
    low, high : float
        Training domain: the range of the values it was trained on.
    """

    name: str
    unit: str = ""
    dtype: _DType = "float64"
    low: float
    high: float


class Target(_Frozen):
    """A column that a parameterization answers with.

    Attributes
    ----------
    name, unit : str
        What it is.
    dtype : str
        NumPy name of the dtype of the answer.
    integer : bool
        Whether it takes whole numbers only.
    masses : tuple of float
        Values with a finite probability, answered exactly; of an integer all that were seen.
    low, high : float
        Range of the values it was trained on: answers stay within.
    """

    name: str
    unit: str = ""
    dtype: _DType = "float64"
    integer: bool = False
    masses: tuple[float, ...] = ()
    low: float
    high: float


class Manifest(_Frozen):
    """What the folder of a parameterization holds.

    Attributes
    ----------
    format : int
        Of these files; 1.
    name : str
        Of the parameterization.
    kind : {"generator", "classifier", "neighbours", "extrapolator"}
        How it answers: targets from conditions and normal numbers, probabilities of classes, rows of its sample, the
        state of a track further along z.
    algorithm : str
        How it was learned.
    conditions : tuple of Condition
        In order.
    targets : tuple of Target
        In order; of a classifier the one column whose class it tells.
    classes : tuple of float
        Of a classifier: the values of its target, in the order of its probabilities.
    latents : int
        Random numbers it needs for a row; none for an extrapolator.
    files : dict of str to str
        sha256 of every other file, by name.
    recipe : dict
        What it was trained by.
    sample : dict
        What it was trained on, and how its rows were split.
    seed : int
        Of the training.
    versions : dict of str to str
        Of the packages that made it.
    metrics : dict
        How good it is on rows it was not trained on.
    """

    format: Literal[1] = 1
    name: str
    kind: Kind
    algorithm: str
    conditions: tuple[Condition, ...] = Field(min_length=1)
    targets: tuple[Target, ...] = Field(min_length=1)
    classes: tuple[float, ...] = ()
    latents: int = Field(ge=0)
    files: dict[str, str] = {}
    recipe: dict[str, Any] = {}
    sample: dict[str, Any] = {}
    seed: int = 0
    versions: dict[str, str] = {}
    metrics: dict[str, Any] = {}

    @model_validator(mode="after")
    def _check_draws(self) -> Self:
        if (self.latents == 0) != (self.kind == "extrapolator"):
            raise ValueError(
                f"expected random numbers for every kind but extrapolator, got {self.latents}, {self.kind}"
            )
        return self

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes as text, each another one."""
        return tuple(str(int(value)) if value.is_integer() else repr(value) for value in self.classes)

    def as_text(self) -> str:
        """As JSON, with the sha256 of the rest of it, so that a changed byte of the manifest is noticed too."""
        return as_text(self.model_dump(mode="json"))


def as_text(content: dict[str, Any]) -> str:
    """The text of a manifest's file, down to the last space, from its content."""
    return json.dumps(content | {"sha256": digest(content)}, indent=2) + "\n"


def digest(content: dict[str, Any]) -> str:
    """sha256 of plain data as JSON without spaces, names in order."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
