"""Where the files that ship with lamarrpy are: models, pipelines and sample data."""

from __future__ import annotations

from pathlib import Path

from lamarrpy.errors import ConfigError, did_you_mean

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


def shipped_files(*folder: str) -> dict[str, Path]:
    """The YAML files of a shipped folder, by name without suffix."""
    return {path.stem: path for path in sorted(shipped(*folder).glob("*.yaml"))}


def find(what: str, name: str | Path, known: dict[str, Path]) -> Path:
    """The file that is meant by a path, or by the name of a shipped one.

    Parameters
    ----------
    what : str
        What it is, for the message: "pipeline", "recipe".
    name : str or Path
        Path or name; a path wins.
    known : dict of str to Path
        The shipped ones, as `shipped_files` gives them.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    path = Path(name)
    if path.is_file():
        return path
    if str(name) in known:
        return known[str(name)]
    raise ConfigError(
        f"expected a {what} file or the name of a shipped {what} ({', '.join(known)}), got {str(name)!r},"
        f" which is neither{did_you_mean(name, known)}"
    )
