"""The calorimeters' description, read from models/detailed/calorimeter."""

from __future__ import annotations

from functools import cache
from typing import Any

from lamarrpy.shipped import shipped
from lamarrpy.yaml_file import read_yaml


@cache
def described(part: str) -> dict[str, Any]:
    """The bare numbers of one part, such as ``ecal``; the file has the source of each.

    Parameters
    ----------
    part : {"ecal", "profile", "shower", "preshower", "hcal"}
        Which.
    """
    text: dict[str, dict[str, dict[str, Any]]] = read_yaml(
        shipped("models", "detailed", "calorimeter", "calorimeter.yaml")
    )
    return {name: entry["value"] for name, entry in text[part].items()}
