"""Magnetic fields: B [T] as a function of position [mm], one model a file, all in one dict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.field.dipole_pair import DipolePair
from lamarrpy.field.grid import Grid, write_grid
from lamarrpy.field.lhcb import Lhcb
from lamarrpy.field.model import MagneticField, Polarity
from lamarrpy.field.uniform import NoField, Uniform

FIELDS: dict[str, Callable[..., MagneticField]] = {
    "lhcb": Lhcb,
    "dipole_pair": DipolePair,
    "grid": Grid.read,
    "uniform": Uniform,
    "none": NoField,
}
"""Every kind of field by name; each takes ``polarity`` and settings of its own."""


def magnetic_field(kind: str, polarity: Polarity = "MagUp", **settings: Any) -> MagneticField:
    """The magnetic field of a kind.

    Parameters
    ----------
    kind : str
        A key of ``FIELDS``.
    polarity : {"MagUp", "MagDown"}
        MagUp has By > 0 between the poles.
    **settings
        What the kind takes: ``file`` for a grid, ``bx``, ``by``, ``bz`` [T] for a uniform field, ...

    Raises
    ------
    ConfigError
        If there is no such kind or polarity, or it does not take these settings.
    InputError
        If the file of a grid is not a field map.
    """
    if kind not in FIELDS:
        raise ConfigError(f"expected a field out of {', '.join(FIELDS)}, got {kind!r}{did_you_mean(kind, FIELDS)}")
    if polarity not in ("MagUp", "MagDown"):
        raise ConfigError(f"expected the polarity MagUp or MagDown, got {polarity!r}")
    try:
        return FIELDS[kind](polarity=polarity, **settings)
    except TypeError as error:
        raise ConfigError(f"field {kind!r}: {error}") from error


__all__ = [
    "FIELDS",
    "DipolePair",
    "Grid",
    "Lhcb",
    "MagneticField",
    "NoField",
    "Polarity",
    "Uniform",
    "magnetic_field",
    "write_grid",
]
