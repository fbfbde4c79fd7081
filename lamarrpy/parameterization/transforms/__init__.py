"""Transforms map columns to what a network sees, and back: fitted with weights, stored as JSON, never changed."""

from lamarrpy.parameterization.transforms.compositions import Chain, Inverted
from lamarrpy.parameterization.transforms.compressions import Asinh, Log, Log1p
from lamarrpy.parameterization.transforms.one_hot import OneHot
from lamarrpy.parameterization.transforms.per_column import PerColumn
from lamarrpy.parameterization.transforms.quantile import QuantileToNormal
from lamarrpy.parameterization.transforms.registry import TRANSFORMS, Spec, fit_columns, fitter, from_json
from lamarrpy.parameterization.transforms.rotation import Rotation
from lamarrpy.parameterization.transforms.scalings import Identity, MinMax, Standard
from lamarrpy.parameterization.transforms.transform import Floats, Transform

__all__ = [
    "TRANSFORMS",
    "Asinh",
    "Chain",
    "Floats",
    "Identity",
    "Inverted",
    "Log",
    "Log1p",
    "MinMax",
    "OneHot",
    "PerColumn",
    "QuantileToNormal",
    "Rotation",
    "Spec",
    "Standard",
    "Transform",
    "fit_columns",
    "fitter",
    "from_json",
]
