"""All transforms by name: read from JSON, or fitted to a sample as a recipe says."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from lamarrpy.errors import ArtifactError, ConfigError, did_you_mean
from lamarrpy.parameterization.transforms.compositions import Chain, Fitter, Inverted
from lamarrpy.parameterization.transforms.compressions import Asinh, Log, Log1p
from lamarrpy.parameterization.transforms.one_hot import OneHot
from lamarrpy.parameterization.transforms.per_column import PerColumn
from lamarrpy.parameterization.transforms.quantile import QuantileToNormal
from lamarrpy.parameterization.transforms.rotation import Rotation
from lamarrpy.parameterization.transforms.scalings import Identity, MinMax, Standard
from lamarrpy.parameterization.transforms.stored import Stored
from lamarrpy.parameterization.transforms.transform import Transform

TRANSFORMS: dict[str, type[Transform]] = {
    "identity": Identity,
    "standard": Standard,
    "min_max": MinMax,
    "log": Log,
    "log1p": Log1p,
    "asinh": Asinh,
    "quantile": QuantileToNormal,
    "rotation": Rotation,
    "one_hot": OneHot,
    "chain": Chain,
    "inverted": Inverted,
    "per_column": PerColumn,
}
"""Every kind of transform, by its name in JSON and in recipes."""

Spec = str | Sequence[Any] | Mapping[str, Any]
"""A kind, a list of specs to be chained, or a mapping with `kind` and the options of its `fit`."""


def from_json(data: Any) -> Transform:
    """The transform that ``as_json`` wrote.

    Raises
    ------
    ArtifactError
        If the data are not those of a transform.
    """
    stored = Stored(data)
    if stored.kind not in TRANSFORMS:
        raise ArtifactError(
            f"expected a transform out of {', '.join(TRANSFORMS)}, got {stored.kind!r}"
            f"{did_you_mean(stored.kind, TRANSFORMS)}; it may have been written by a newer version"
        )
    transform = TRANSFORMS[stored.kind].of_json(stored, from_json)
    stored.done()
    return transform


def fit_columns(
    specs: Mapping[str, Spec], columns: Mapping[str, ArrayLike], weights: ArrayLike | None = None
) -> PerColumn:
    """Fit a transform to each of the columns that ``specs`` names, in that order.

    Parameters
    ----------
    specs : mapping of str to Spec
        ``{"p": ["log", "standard"], "nd_of": {"kind": "quantile", "masses": "all"}}``.
    columns : mapping of str to array_like of shape (n,)
        These columns at least.
    weights : array_like, shape (n,), optional
        How often each row counts.

    Raises
    ------
    ConfigError
        If a spec asks for a kind or an option that does not exist.
    SchemaError
        If a column is missing.
    DomainError
        If a column cannot be transformed so; the message names it.
    """
    return PerColumn.fit_columns(columns, weights, _fitters(specs))


def fitter(spec: Spec) -> Fitter:
    """What fits the transform that a spec describes.

    Raises
    ------
    ConfigError
        If it asks for a kind or an option that does not exist.
    """
    if isinstance(spec, str):
        spec = {"kind": spec}
    if not isinstance(spec, Mapping):
        spec = {"kind": "chain", "steps": _sequence(spec)}
    options = {key: value for key, value in spec.items() if key != "kind"}
    kind = TRANSFORMS[_known(spec.get("kind"))]
    _check_options(kind, options)
    if kind is Chain:
        options["steps"] = [fitter(step) for step in _sequence(options.get("steps", []))]
    if kind is PerColumn:
        options["columns"] = _fitters(options.get("columns", {}))
    return lambda values, weights: kind.fit(values, weights, **options)


def _fitters(specs: Any) -> dict[str, Fitter]:
    if not isinstance(specs, Mapping):
        raise ConfigError(f"expected a transform for each named column, got {specs!r}")
    fitters = {}
    for name, spec in specs.items():
        try:
            fitters[str(name)] = fitter(spec)
        except ConfigError as error:
            raise ConfigError(f"column {name!r}: {error}") from None
    return fitters


def _sequence(spec: Any) -> Sequence[Any]:
    if not isinstance(spec, Sequence) or isinstance(spec, str):
        raise ConfigError(f"expected a kind of transform, a list of them or a mapping with its kind, got {spec!r}")
    return spec


def _known(kind: Any) -> str:
    if not isinstance(kind, str) or kind not in TRANSFORMS:
        raise ConfigError(
            f"expected a transform out of {', '.join(TRANSFORMS)}, got {kind!r}{did_you_mean(kind, TRANSFORMS)}"
        )
    return kind


def _check_options(kind: type[Transform], options: Mapping[str, Any]) -> None:
    known = [name for name in inspect.signature(kind.fit).parameters if name not in ("values", "weights")]
    for name in options:
        if name not in known:
            raise ConfigError(
                f"transform {kind.kind!r}: expected options out of {known}, got {name!r}{did_you_mean(name, known)}"
            )
