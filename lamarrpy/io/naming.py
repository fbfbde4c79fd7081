"""Names of columns outside lamarrpy: LHCb ntuples, from the one mapping file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from lamarrpy.yaml_file import read_yaml

Naming = Literal["lhcb"]
"""What a naming can be; None stands for lamarrpy's own names."""

RENAMED = "column names are shown as lamarrpy's; the file has LHCb's"
"""What to say where an input in LHCb's naming is shown."""


@cache
def column_names(naming: Naming) -> Mapping[str, Mapping[str, str]]:
    """The names by table and canonical column; columns that are not there keep their names."""
    names: dict[str, dict[str, str]] = read_yaml(Path(__file__).with_name(f"{naming}_names.yaml"))
    return names


def from_canonical(table: str, columns: Iterable[str], naming: Naming | None) -> list[str]:
    """What columns of a table are called in a naming."""
    names = {} if naming is None else column_names(naming).get(table, {})
    return [names.get(column, column) for column in columns]


def to_canonical(table: str, columns: Iterable[str]) -> dict[str, str]:
    """Canonical names of columns that stand in LHCb's naming, which event_id tells; empty if they do not."""
    present = set(columns)
    names = column_names("lhcb").get(table, {})
    if "event_id" in present or names.get("event_id") not in present:
        return {}
    return {outside: column for column, outside in names.items() if outside in present}
