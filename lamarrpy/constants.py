"""The numbers that describe the detector and the collisions, from the YAML files under models/parametric."""

from __future__ import annotations

from functools import cache
from typing import Any

from lamarrpy.shipped import shipped
from lamarrpy.yaml_file import read_yaml


@cache
def constants(effect: str) -> dict[str, Any]:
    """The numbers that describe one effect, each with its source beside it.

    Parameters
    ----------
    effect : str
        Name of the file, without its suffix.

    Returns
    -------
    dict
        The content of the file; read once, not to be changed.

    Raises
    ------
    ConfigError
        If there is no such file.
    """
    content: dict[str, Any] = read_yaml(shipped("models", "parametric", f"{effect}.yaml"))
    return content
