"""Tables of numbers made from this simulation itself: JSON with a hash that is checked before they are used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lamarrpy.errors import ArtifactError
from lamarrpy.parameterization.manifest import digest


def write_tables(path: Path, tables: dict[str, Any], **about: Any) -> None:
    """Write tables with their hash, and what is to be known of them: how they were made, from how many entries."""
    text = {**about, "sha256": digest(tables), "tables": tables}
    path.write_text(json.dumps(text, separators=(",", ":")) + "\n", encoding="utf-8")


def read_tables(path: Path) -> dict[str, Any]:
    """The tables in a file that the ``make_tables.py`` beside it has written.

    Raises
    ------
    ArtifactError
        If it is not there, or damaged.
    """
    remedy = remedy_of(path)
    try:
        text: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        tables, promised = text["tables"], text["sha256"]
        found = digest(tables)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path}: expected tables and their sha256 as JSON, got: {error!r}; {remedy}") from None
    if found != promised:
        raise ArtifactError(f"{path}: expected tables with sha256 {promised}, got {found}: damaged; {remedy}")
    return dict(tables)


def remedy_of(path: Path) -> str:
    """What to do about tables that are not as they should be."""
    return f"install lamarrpy anew or run models/detailed/{path.parent.name}/make_tables.py"
