"""Recipes: which field, where tracks start, their momenta, how far they go, and which are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, ValidationError, field_serializer, field_validator, model_validator

from lamarrpy.draws import RowDraws
from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.field import FIELDS, MagneticField, Polarity, magnetic_field
from lamarrpy.propagation.state import Array
from lamarrpy.shipped import find, shipped_files
from lamarrpy.strict import Strict
from lamarrpy.tables.schemas import PLANES
from lamarrpy.tracks.ranges import Intervals, Ranges, fixed, uniform
from lamarrpy.tracks.starts import Start
from lamarrpy.tracks.truth import LONGEST, POSITION_TOLERANCE, SLOPE_TOLERANCE
from lamarrpy.yaml_file import read_yaml

_MOMENTUM, _CHARGE, _LENGTH = 20, 21, 22
"""Index of the random number of each quantity; those below belong to `lamarrpy.tracks.starts`."""

_STARTS = ("box", "acceptance", "displaced")


class FieldRecipe(Strict):
    """The magnetic field that the tracks go through."""

    kind: str = Field("lhcb", description="a field of lamarrpy.field.FIELDS")
    polarity: Polarity = "MagUp"
    settings: dict[str, Any] = Field({}, description="what the kind takes, such as file for a grid")

    @field_validator("kind")
    @classmethod
    def _expect_known(cls, kind: str) -> str:
        if kind not in FIELDS:
            raise ValueError(f"expected a field out of {', '.join(FIELDS)}, got {kind!r}{did_you_mean(kind, FIELDS)}")
        return kind

    def make(self) -> MagneticField:
        """The field.

        Raises
        ------
        ConfigError
            If the kind does not take these settings.
        """
        return magnetic_field(
            self.kind, self.polarity, **{key: _hashable(value) for key, value in self.settings.items()}
        )


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


class Momentum(Strict):
    """Momenta [MeV] of both charges, equally often.

    The laws are flat in log p, in p, and in q/p.
    """

    p: Ranges = Field(description="MeV; with the law uniform_qop, null for an upper end is any momentum")
    law: Literal["log_uniform", "uniform", "uniform_qop"] = "log_uniform"

    @model_validator(mode="before")
    @classmethod
    def _without_end(cls, content: Any) -> Any:
        """An upper end that is null means any momentum above the lower one."""
        if isinstance(content, Mapping) and isinstance(content.get("p"), list | tuple):
            p = list(content["p"])
            if len(p) == 2 and p[1] is None:
                if content.get("law") != "uniform_qop":
                    raise ValueError(
                        "p: only with the law uniform_qop may the upper end be null, which is any momentum"
                    )
                return {**content, "p": [p[0], _ANY]}
        return content

    @field_serializer("p")
    def _spell_any(self, p: Intervals) -> list[Any]:
        return [p[0][0], None] if p[-1][1] >= _ANY else [list(pair) for pair in p]

    @model_validator(mode="after")
    def _check_positive(self) -> Self:
        if self.p[0][0] <= 0.0:
            raise ValueError(f"p: expected momenta above 0, got {self.p[0][0]:g} MeV")
        return self

    def qop(self, draws: RowDraws) -> Array:
        """q/p [1/MeV] of n tracks, shape (n,)."""
        u, sign = draws.uniform(_MOMENTUM), np.where(draws.uniform(_CHARGE) < 0.5, -1.0, 1.0)
        if self.law == "log_uniform":
            return sign / np.exp(uniform(_mapped(self.p, np.log), u))
        if self.law == "uniform":
            return sign / uniform(self.p, u)
        return sign * uniform(tuple((0.0 if high >= _ANY else 1.0 / high, 1.0 / low) for low, high in self.p[::-1]), u)


_ANY = 1e30
"""Momentum [MeV] that stands for an upper end that is none."""


def _mapped(ranges: Intervals, function: Any) -> Intervals:
    return tuple((float(function(low)), float(function(high))) for low, high in ranges)


class Length(Strict):
    """How far tracks go: by a distance, or to one of some planes that lies beyond their start."""

    dz: Ranges | None = Field(None, description="mm, above 0")
    planes: tuple[str | float, ...] | None = Field(None, description="names of reference planes, or z [mm]")

    @field_validator("planes")
    @classmethod
    def _expect_known(cls, planes: tuple[str | float, ...] | None) -> tuple[str | float, ...] | None:
        for plane in planes or ():
            if isinstance(plane, str) and plane not in PLANES:
                raise ValueError(
                    f"expected z [mm] or a plane out of {', '.join(PLANES)}, got {plane!r}{did_you_mean(plane, PLANES)}"
                )
        if planes is not None and not planes:
            raise ValueError("expected at least one plane")
        return planes

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.dz is None) == (self.planes is None):
            raise ValueError("expected either dz or planes")
        if self.dz is not None and self.dz[0][0] <= 0.0:
            raise ValueError(f"dz: expected distances above 0 mm, got {self.dz[0][0]:g}")
        return self

    @property
    def z_planes(self) -> Array:
        """z [mm] of the planes, ascending; empty if the length is a distance."""
        return np.unique([PLANES[plane] if isinstance(plane, str) else plane for plane in self.planes or ()])

    def draw(self, z: Array, draws: RowDraws) -> Array:
        """dz [mm] of tracks that start at z, shape (n,)."""
        u = draws.uniform(_LENGTH)
        if self.dz is not None:
            return uniform(self.dz, u)
        planes = self.z_planes
        behind = np.searchsorted(planes, z, side="right")
        ahead = len(planes) - behind
        return planes[behind + np.minimum((u * ahead).astype(np.intp), ahead - 1)] - z


class Keep(Strict):
    """What a track must meet to be kept; the others are left out and counted."""

    slope: float = Field(1.5, gt=0, description="largest |t| = sqrt(tx^2 + ty^2) at the end")
    x: float = Field(6000.0, gt=0, description="largest |x| at the end [mm]")
    y: float = Field(5000.0, gt=0, description="largest |y| at the end [mm]")
    p: Ranges | None = Field(None, description="window on the momentum [MeV]; those outside count as `momentum`")


class Tolerance(Strict):
    """How exactly the end must be known."""

    position: float = Field(POSITION_TOLERANCE, gt=0, description="mm")
    slope: float = Field(SLOPE_TOLERANCE, gt=0)


class TrackRecipe(Strict):
    """What tracks a sample is made of."""

    name: str = "tracks"
    description: str = Field("", description="what the tracks are for")
    field: FieldRecipe = FieldRecipe()
    start: Start
    momentum: Momentum
    length: Length
    keep: Keep = Keep()
    tolerance: Tolerance = Tolerance()

    @model_validator(mode="after")
    def _check_reach(self) -> Self:
        """No track can start or end outside the cavern, and every start has a plane ahead."""
        first, last = self.start.z[0][0], self.start.z[-1][1]
        if isinstance(getattr(self.start, "collision", None), tuple):
            collision = self.start.collision  # type: ignore[union-attr]
            first, last = min(first, collision[0][0]), max(last, collision[-1][1])
        ends = [last + self.length.dz[-1][1]] if self.length.dz else list(self.length.z_planes)
        if max(-first, last, *ends) > LONGEST:
            raise ValueError(f"expected tracks within |z| <= {LONGEST:g} mm, got {first:g} to {max(ends):g}")
        if self.length.planes and last >= ends[-1]:
            raise ValueError(f"length: expected a plane beyond every start, got starts up to z = {last:g} mm")
        return self

    @property
    def planes(self) -> tuple[float, ...]:
        """z [mm] where many tracks start or end."""
        z = fixed(self.start.z)
        dz = None if self.length.dz is None else fixed(self.length.dz)
        ends = [] if z is None or dz is None else [z + dz]
        return (*([] if z is None else [z]), *ends, *map(float, self.length.z_planes))

    def as_data(self) -> dict[str, Any]:
        """The recipe as plain data, which `load_track_recipe` takes back."""
        return self.model_dump(mode="json")


def shipped_track_recipes() -> dict[str, Path]:
    """The recipes that ship with lamarrpy, by name."""
    return shipped_files("data", "tracks")


def load_track_recipe(recipe: TrackRecipe | Mapping[str, Any] | str | Path) -> TrackRecipe:
    """Read and check a recipe.

    Parameters
    ----------
    recipe : TrackRecipe, mapping, str or Path
        A recipe, its content, a YAML file, or the name of a shipped recipe.

    Raises
    ------
    ConfigError
        With the path of the key that is wrong, and the closest known one.
    """
    if isinstance(recipe, TrackRecipe):
        return recipe
    if isinstance(recipe, Mapping):
        return _validated(dict(recipe), "recipe")
    path = find("track recipe", recipe, shipped_track_recipes())
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping with the keys of a recipe, got {type(content).__name__}")
    content.setdefault("name", path.stem)
    return _validated(_beside(content, path), str(path))


def _beside(content: dict[str, Any], path: Path) -> dict[str, Any]:
    """The content, with the file of a grid taken relative to the recipe."""
    field = content.get("field")
    settings = field.get("settings") if isinstance(field, dict) else None
    if isinstance(settings, dict) and isinstance(settings.get("file"), str):
        there = {**settings, "file": str(path.parent / settings["file"])}
        return {**content, "field": {**field, "settings": there}}  # type: ignore[dict-item]
    return content


def _validated(content: dict[str, Any], where: str) -> TrackRecipe:
    try:
        return TrackRecipe.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{where}: {'; '.join(_explain(dict(item)) for item in error.errors())}") from None


def _explain(item: dict[str, Any]) -> str:
    keys = [key for key in item["loc"] if key not in _STARTS]  # pydantic puts the kind of a start into the path
    path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "missing":
        return f"missing key {path!r}"
    said = message[0].lower() + message[1:]
    return f"{path}: {said}" if path else said
