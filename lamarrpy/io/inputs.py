"""Opening inputs: the format is chosen by the suffix, a folder or a list is taken as parts of one input."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from lamarrpy.errors import InputError
from lamarrpy.io.naming import to_canonical
from lamarrpy.io.staging import Staging
from lamarrpy.io.stored import JoinedTable, RenamedTable, StoredTable
from lamarrpy.tables import SCHEMAS
from lamarrpy.tables.arrow import to_numpy

SUFFIXES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".root": "root",
    ".hepmc": "hepmc",
    ".hepmc2": "hepmc",
    ".hepmc3": "hepmc",
    ".db": "sqlite",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".csv": "csv",
}
"""Format of a file by its suffix."""

_COMPRESSED = {f"{suffix}.gz": kind for suffix, kind in SUFFIXES.items() if kind in ("hepmc", "csv")}
_ONE_TABLE = ("parquet", "csv")
_WITHOUT_PARTICLES = ("events", "vertices")

Tables = dict[str, StoredTable]


def file_format(path: Path) -> str | None:
    """Format of a file by its name, such as "hepmc" for ``events.hepmc.gz``; None if no suffix is known."""
    name = path.name.lower()
    known = (kind for suffix, kind in {**_COMPRESSED, **SUFFIXES}.items() if name.endswith(suffix))
    return next(known, None)


class StoredTables(Mapping[str, StoredTable]):
    """The tables of an input by name; a context manager that removes what was staged.

    Attributes
    ----------
    files : tuple of Path
        The files read.
    root : Path
        The folder that file names are relative to.
    notes : tuple of str
        What the reader should know, such as particles left out by the format's reader.
    staging : Staging
        Where that is which cannot stay in memory.
    """

    def __init__(self, tables: Tables, files: Sequence[Path], root: Path, notes: Sequence[str], staging: Staging):
        self._tables = tables
        self.files, self.root, self.notes = tuple(files), root, tuple(notes)
        self.staging = staging

    def __getitem__(self, table: str) -> StoredTable:
        if table not in self._tables:
            raise InputError(
                f"{self.root}: expected a table {table!r}, but the input has: {', '.join(self._tables) or 'none'}"
            )
        return self._tables[table]

    def __contains__(self, table: object) -> bool:
        return table in self._tables

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __enter__(self) -> StoredTables:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def has_lhcb_names(self) -> bool:
        """Whether columns go by LHCb's names in the files, and by lamarrpy's here."""
        return any(isinstance(table, RenamedTable) for table in self._tables.values())

    def close(self) -> None:
        """Remove what was staged."""
        self.staging.close()


def open_tables(source: str | Path | Sequence[str | Path]) -> StoredTables:
    """Open all tables of an input.

    Parameters
    ----------
    source : path or sequence of paths
        A file, a folder of files of one format, or several files of one format. Files called after
        one of the five tables hold that table; other Parquet and CSV files hold particles.

    Raises
    ------
    InputError
        If there is nothing to read, the format is not known, or a file is cut off or damaged.
    SchemaError
        If parts of one table do not have the same columns.
    """
    files, root = _files(source)
    kind = _common_format(files)
    staging = Staging()
    try:
        tables, notes = _open_hepmc(files, staging) if kind == "hepmc" else (_open_parts(files, kind, staging), ())
    except BaseException:
        staging.close()
        raise
    renamed = {name: _renamed(name, table) for name, table in tables.items()}
    return StoredTables(renamed, files, root, notes, staging)


def _files(source: str | Path | Sequence[str | Path]) -> tuple[list[Path], Path]:
    if not isinstance(source, str | Path):
        files = [Path(path) for path in source]
        if not files:
            raise InputError("expected at least one input file, got an empty list")
        root = files[0].parent
    else:
        path = Path(source)
        folder = path.is_dir()
        files = sorted(p for p in path.iterdir() if _is_data(p)) if folder else [path]
        root = path if folder else path.parent
        if not files:
            raise InputError(f"{path}: expected a folder with data files, found none ({_known_suffixes()})")
    for file in files:
        _check_file(file)
    return files, root


def _is_data(path: Path) -> bool:
    return path.is_file() and not path.name.startswith((".", "_")) and file_format(path) is not None


def _check_file(file: Path) -> None:
    if not file.exists():
        raise InputError(f"{file}: no such file or folder; check the path")
    if file.is_dir():
        raise InputError(f"{file}: expected a file in a list of inputs, got a folder; give its files, or it alone")
    if file_format(file) is None:
        raise InputError(f"{file}: expected a suffix that tells the format, got {file.suffix!r} ({_known_suffixes()})")
    if file.stat().st_size == 0:
        raise InputError(f"{file}: expected data, but the file is empty (0 bytes); make or copy it again")


def _known_suffixes() -> str:
    return f"known are {', '.join({**SUFFIXES, **_COMPRESSED})}"


def _common_format(files: list[Path]) -> str:
    kinds = {file_format(file): file for file in reversed(files)}
    if len(kinds) > 1:
        (_, a), (_, b), *_ = kinds.items()
        raise InputError(f"{a} and {b}: expected files of one format as one input, got {' and '.join(map(str, kinds))}")
    return str(next(iter(kinds)))


def _open_parts(files: list[Path], kind: str, staging: Staging) -> Tables:
    """Open every file; tables that several of them have are joined in the order of the files."""
    opener: Callable[[Path, Staging], Tables] = getattr(import_module(f"lamarrpy.io.{kind}"), f"open_{kind}")
    parts: dict[str, list[StoredTable]] = defaultdict(list)
    for file in files:
        for name, table in _named(opener(file, staging)).items():
            parts[name].append(table)
    if kind in _ONE_TABLE:
        _check_not_mixed(files, parts)
    return {name: JoinedTable(tables) if len(tables) > 1 else tables[0] for name, tables in parts.items()}


def _named(tables: Tables) -> Tables:
    """A table that is alone in its file holds particles, unless it is called after, and like, another of the five."""
    if len(tables) > 1:
        return tables
    ((name, table),) = tables.items()
    particles = name not in SCHEMAS or (name in _WITHOUT_PARTICLES and "particle_id" in table.schema.names)
    return {"particles": table} if particles else tables


def _check_not_mixed(files: list[Path], parts: Mapping[str, list[StoredTable]]) -> None:
    stems = [file.name.split(".", 1)[0] for file in files]
    if "particles" in stems and len(parts["particles"]) > 1:
        other = next(file for file, stem in zip(files, stems, strict=True) if stem not in SCHEMAS)
        raise InputError(
            f"{other}: expected no other part of particles beside {files[stems.index('particles')].name};"
            " move one of them away, or give the files as a list"
        )


def _open_hepmc(files: list[Path], staging: Staging) -> tuple[Tables, tuple[str, ...]]:
    """HepMC files one after the other, event ids of a later one behind those of an earlier."""
    from lamarrpy.io.hepmc import open_hepmc

    parts: list[Tables] = []
    left_out: Counter[str] = Counter()
    next_event = 0
    for file in files:
        tables, counts = open_hepmc(file, staging, next_event)
        parts.append(tables)
        left_out += counts
        for _, block in tables["events"].blocks(["event_id"]):
            next_event = max(next_event, int(to_numpy(block.column("event_id")).max(initial=-1)) + 1)
    joined: Tables = {name: JoinedTable([part[name] for part in parts]) for name in parts[0]}
    return joined, tuple(
        f"left out {count} {reason} of the HepMC record" for reason, count in left_out.items() if reason
    )


def _renamed(name: str, table: StoredTable) -> StoredTable:
    names = to_canonical(name, table.schema.names)
    return RenamedTable(table, names) if names else table


def read_provenance(path: Path) -> str | None:
    """The JSON about how an output was made that a file (or the first file of a folder) carries, or None."""
    file = _files(path)[0][0]
    kind = file_format(file)
    if kind not in ("parquet", "root", "sqlite"):
        return None
    text: str | None = import_module(f"lamarrpy.io.{kind}").read_provenance(file)
    return text
