"""What the commands that train share: changes to a recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lamarrpy.errors import ConfigError

if TYPE_CHECKING:
    pass


def changes_of(changes: Sequence[str] | None) -> Mapping[str, Any]:
    """``key=value`` pairs, values as YAML.

    Raises
    ------
    ConfigError
        If one is not.
    """
    import yaml

    out = {}
    for change in changes or ():
        key, equals, value = change.partition("=")
        if not equals or not key:
            raise ConfigError(f"expected a change such as training.steps=1000, got {change!r}")
        try:
            out[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"expected a change with a value in YAML, got {change!r}") from None
    return out
