"""Where the files that ship with lamarrpy are: models, pipelines and sample data."""

from __future__ import annotations

from pathlib import Path

from lamarrpy.errors import ConfigError

_PACKAGE = Path(__file__).parent


def shipped(*parts: str) -> Path:
    """Path of a shipped file or folder, such as ``shipped("models", "parametric")``.

    In an installed wheel the folders lie inside the package, in a source checkout beside it.

    Raises
    ------
    ConfigError
        If there is no such file.
    """
    for root in (_PACKAGE / "shipped", _PACKAGE.parent):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise ConfigError(f"expected {'/'.join(parts)} to be shipped with lamarrpy, but it is not installed")
