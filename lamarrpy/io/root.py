"""ROOT files through uproot: TTrees and RNTuples with flat branches, one a table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from lamarrpy.errors import InputError, OutputError
from lamarrpy.io.stored import StoredTable, arrow_array
from lamarrpy.tables.arrow import to_numpy

if TYPE_CHECKING:
    from lamarrpy.io.staging import Staging

NULL = -1000.0
"""What ntuples of LHCb hold where a variable does not exist."""

PROVENANCE = "provenance"
"""Name of the TObjString that tells how an output was made."""

_BLOCK_ROWS = 1 << 17
_TABLE_CLASSES = ("TTree", "ROOT::RNTuple")
_TYPES = {
    "bool": pa.bool_(),
    "char": pa.int8(),
    "short": pa.int16(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
}


def _arrow_type(typename: str) -> pa.DataType:
    """The Arrow type of a flat C++ type; a list for anything that is not flat."""
    name = typename.removeprefix("std::").removesuffix("_t")
    if sized := re.fullmatch(r"(u?)int(8|16|32|64)", name):
        return pa.from_numpy_dtype(np.dtype(f"{sized[1]}int{sized[2]}"))
    unsigned = name.startswith("unsigned ")
    kind = _TYPES.get(name.removeprefix("unsigned "))
    if kind is None:
        return pa.list_(pa.float64())
    return pa.from_numpy_dtype(np.dtype(f"u{kind}")) if unsigned else kind


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a damaged file can fail anywhere inside uproot, with any type
        raise InputError(
            f"{file}: expected a complete ROOT file, but it is cut off or damaged"
            f" ({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}); make or copy it again"
        ) from error


class RootTable(StoredTable):
    """A TTree or RNTuple; its blocks are runs of entries.

    Parameters
    ----------
    file : Path
        The ROOT file.
    key : str
        Path of the tree in it.
    tree : uproot.TTree or uproot RNTuple
        The open tree.
    """

    null_value = NULL

    def __init__(self, file: Path, key: str, tree: Any) -> None:
        names = tree.keys(recursive=False)
        types = [_arrow_type(tree[name].typename) for name in names]
        super().__init__(file, pa.schema(list(zip(names, types, strict=True))), _block_starts(tree))
        self._key = key

    def open(self) -> Any:
        """Open the tree."""
        import uproot

        return uproot.open(self.file)[self._key]

    def load(self, block: int, columns: tuple[str, ...]) -> pa.Table:
        """Decode one run of entries."""
        for name in columns:
            if pa.types.is_list(self.schema.field(name).type):
                raise InputError(
                    f"{self.file}: branch {name!r} of {self._key!r} is not flat; expected one number an entry;"
                    " flatten the tree, one entry a particle"
                )
        start, stop = self.starts[block : block + 2].tolist()
        with _reading(self.file):
            data = self.handle().arrays(list(columns), entry_start=start, entry_stop=stop)
            arrays = [arrow_array(np.asarray(data[name])) for name in columns]
        return pa.table(arrays, names=list(columns))


def _block_starts(tree: Any) -> list[int]:
    """Entries where blocks start: at clusters, where the format has them, of at least 2^17 entries."""
    rows = int(tree.num_entries)
    clusters = getattr(tree, "cluster_summaries", None)
    if clusters is None:
        return [*range(0, rows, _BLOCK_ROWS), rows] if rows else [0]
    starts = [0]
    for cluster in clusters:
        end = int(cluster.num_first_entry + cluster.num_entries)
        if end - starts[-1] >= _BLOCK_ROWS:
            starts.append(end)
    return starts if starts[-1] == rows else [*starts, rows]


def open_root(file: Path, staging: Staging) -> dict[str, StoredTable]:
    """The trees of a ROOT file by name; a tree that is alone holds particles, unless its name says otherwise."""
    import uproot

    with _reading(file), uproot.open(file) as root:
        if file.stat().st_size < root.file.fEND:
            raise EOFError(f"{root.file.fEND} bytes expected, {file.stat().st_size} there")
        classes = root.classnames(cycle=False)
        keys = [key for key, kind in classes.items() if kind in _TABLE_CLASSES]
        return {key.rsplit("/")[-1]: RootTable(file, key, root[key]) for key in keys}


class RootWriter:
    """Writes tables as TTrees or RNTuples of one ROOT file; null becomes -1000.

    Parameters
    ----------
    path : Path
        The file.
    provenance : str
        JSON kept as the TObjString ``provenance``.
    rntuple : bool
        RNTuples instead of TTrees.
    """

    def __init__(self, path: Path, provenance: str, rntuple: bool = False) -> None:
        import uproot

        self._file = uproot.recreate(path)
        self._file[PROVENANCE] = provenance
        self._create = self._file.mkrntuple if rntuple else self._file.mktree
        self._trees: dict[str, Any] = {}

    def write(self, table: str, data: pa.Table) -> None:
        """Append rows as one set of baskets."""
        if table == PROVENANCE:
            raise OutputError(f"a table of a ROOT file cannot be called {PROVENANCE!r}; choose another name")
        if table not in self._trees:
            kinds = {field.name: np.dtype(field.type.to_pandas_dtype()) for field in data.schema}
            self._trees[table] = self._create(table, kinds)
        if data.num_rows:
            self._trees[table].extend({name: _without_nulls(data.column(name)) for name in data.column_names})

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


def _without_nulls(values: pa.ChunkedArray) -> Any:
    return to_numpy(values.fill_null(NULL) if values.null_count else values)


def read_provenance(file: Path) -> str | None:
    """The JSON that an output carries about how it was made, or None."""
    import uproot

    with _reading(file), uproot.open(file) as root:
        return str(root[PROVENANCE]) if PROVENANCE in root.keys(cycle=False) else None
