"""Numbers of the Detailed Simulation that no source gives: models/detailed/tuning.yaml, each with its reason."""

from __future__ import annotations

from functools import cache
from typing import Any

from lamarrpy.shipped import shipped
from lamarrpy.yaml_file import read_yaml


@cache
def tuning(part: str = "") -> dict[str, Any]:
    """The values of one part, whose names in the file begin with ``<part>_``; all of them if left out.

    Parameters
    ----------
    part : str
        Such as ``fit``; the names returned are without it.
    """
    text: dict[str, dict[str, Any]] = read_yaml(shipped("models", "detailed", "tuning.yaml"))
    prefix = f"{part}_" if part else ""
    return {name.removeprefix(prefix): entry["value"] for name, entry in text.items() if name.startswith(prefix)}
