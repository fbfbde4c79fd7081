"""Names that columns have in data of one's own, such as the branches of an LHCb ntuple."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import ConfigError
from lamarrpy.train.table import Table, read_table
from lamarrpy.yaml_file import read_yaml

Names = Mapping[str, str | float]
"""By column of a recipe: the branch that it is called, or a number if it is the same in all rows."""


def read_names(path: Path | None) -> Names:
    """A mapping file; no names for None.

    Raises
    ------
    ConfigError
        If it is not a mapping from columns to branches or numbers.
    """
    if path is None:
        return {}
    content = read_yaml(path)
    if not isinstance(content, dict) or not all(isinstance(v, str | int | float) for v in content.values()):
        raise ConfigError(
            f"{path}: expected a mapping of columns to the names they have in the data, such as p: mu_P, or to a number"
            f" that is the same in all rows, got {content!r}"
        )
    return {str(column): value for column, value in content.items()}


def read_named(
    source: Path | Sequence[Path],
    wanted: Sequence[str],
    optional: Sequence[str] = (),
    table: str | None = None,
    names: Names | None = None,
) -> Table:
    """`read_table`, whose columns have other names in the data; parameters and errors as there.

    Parameters
    ----------
    names : mapping, optional
        As `read_names` gives it; columns that are not in it keep their names.
    """
    if not names:
        return read_table(source, wanted, optional, table)
    given = {column: names.get(column, column) for column in (*wanted, *optional)}
    branches = [str(given[column]) for column in wanted if isinstance(given[column], str)]
    more = [str(given[column]) for column in optional if isinstance(given[column], str)]
    read = read_table(source, branches, more, table)
    columns: dict[str, NDArray[Any]] = {}
    units: dict[str, str] = {}
    for column, branch in given.items():
        if not isinstance(branch, str):
            columns[column] = np.full(len(read), branch)
        elif branch in read.columns:
            columns[column] = read[branch]
            if branch in read.units:
                units[column] = read.units[branch]
    return Table(columns, units, read.source)
