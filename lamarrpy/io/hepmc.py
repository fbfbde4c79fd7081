"""HepMC2 and HepMC3 ASCII files through pyhepmc, in lamarrpy's units.

Which particles are kept, and how mothers and pp collisions are found, stands in `hepmc_graph`.
"""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lamarrpy.errors import InputError
from lamarrpy.io.hepmc_graph import LEFT_OUT, Graph, kept_particles
from lamarrpy.io.staging import BLOCK_ROWS, Staging
from lamarrpy.io.stored import StoredTable, arrow_array
from lamarrpy.tables import generator_level

if TYPE_CHECKING:
    import pyhepmc

MM_PER_NS = 299.792458
"""Speed of light [mm/ns]; HepMC stores c t."""

_READERS = {b"HepMC::Asciiv3": "ReaderAscii", b"HepMC::IO_GenEvent": "ReaderAsciiHepMC2"}
_MEV = {"MEV": 1.0, "GEV": 1000.0}
_MM = {"MM": 1.0, "CM": 10.0}


class Survey(NamedTuple):
    """What stands in a file before it is parsed.

    Attributes
    ----------
    reader : str
        Name of pyhepmc's reader class.
    numbers : ndarray of int64, shape (events,)
        Event numbers.
    particles : ndarray of int64, shape (events,)
        Particles of each event.
    """

    reader: str
    numbers: NDArray[np.int64]
    particles: NDArray[np.int64]


def _open(file: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def survey(file: Path) -> Survey:
    """Count events and particles by their lines, so that nothing the parser skips is lost unseen.

    Raises
    ------
    InputError
        If the file is not HepMC ASCII or does not end as such a file does.
    """
    reader, ended = "", False
    numbers: list[int] = []
    particles: list[int] = []
    try:
        with _open(file) as stream:
            for line in stream:
                start = line[:2]
                if start == b"P " and particles:
                    particles[-1] += 1
                elif start == b"E ":
                    numbers.append(int(line.split(None, 2)[1]))
                    particles.append(0)
                elif start == b"He":
                    reader = reader or next((r for mark, r in _READERS.items() if line.startswith(mark)), "")
                    ended = b"END_EVENT_LISTING" in line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{file}: expected a complete gzip file, but it is cut off or damaged ({error})") from error
    except (ValueError, IndexError) as error:
        raise InputError(f"{file}: event line {len(numbers)} (from 0): expected an event number ({error})") from error
    if not reader:
        raise InputError(
            f"{file}: expected HepMC2 or HepMC3 ASCII, but no line starts with HepMC::Asciiv3 or IO_GenEvent"
        )
    if not ended:
        raise InputError(
            f"{file}: expected a last line with END_EVENT_LISTING after {len(numbers)} events, got none: the file is"
            " cut off; copy or generate it again"
        )
    return Survey(reader, np.array(numbers, np.int64), np.array(particles, np.int64))


def event_ids(found: Survey, first: int) -> NDArray[np.int64]:
    """The ids of a file's events, none of them below ``first``.

    Event numbers of the first file are kept. Those of a later one are moved up as a block behind
    the ids used so far. Numbers that are not unique in their file are replaced by the position.
    """
    numbers = found.numbers
    if len(np.unique(numbers)) < len(numbers):
        numbers = np.arange(len(numbers), dtype=np.int64)
    return numbers if first == 0 else numbers + (first - min(0, int(numbers.min(initial=0))))


def open_hepmc(file: Path, staging: Staging, first_event: int = 0) -> tuple[dict[str, StoredTable], Counter[str]]:
    """Stage the particles and events of one file.

    Parameters
    ----------
    file : Path
        The file.
    staging : Staging
        Where the tables are put.
    first_event : int
        Lowest event id to give.

    Returns
    -------
    tables : dict of str to StoredTable
        particles and events; status, mother links and positions as `hepmc_graph` has them.
    left_out : Counter of str
        Number of particles left out, by reason.
    """
    found = survey(file)
    ids = event_ids(found, first_event)
    left_out: Counter[str] = Counter()
    weights = np.ones(len(ids))
    rows = _blocks(_events(file, found), ids, weights, left_out)
    particles = staging.stage(file, generator_level("particles").arrow, rows)
    events = pa.Table.from_arrays([arrow_array(ids), arrow_array(weights)], schema=generator_level("events").arrow)
    return {"particles": particles, "events": staging.stage(file, events.schema, [events])}, left_out


def _events(file: Path, found: Survey) -> Iterator[pyhepmc.GenEvent]:
    import pyhepmc

    with _open(file) as stream, _quiet(), pyhepmc.io.pyiostream(stream) as source:
        reader = getattr(pyhepmc.io, found.reader)(source)
        for number, (expected, name) in enumerate(zip(found.particles, found.numbers, strict=True)):
            event = pyhepmc.GenEvent()
            read = reader.read_event(event)
            got = len(event.numpy.particles.pid) if read and not reader.failed() else None
            if got != expected:
                raise InputError(
                    f"{file}: event {name} (number {number} of the file, from 0): expected {expected} particles,"
                    f" got {'none that can be parsed' if got is None else got}; the event is damaged, make it again"
                )
            yield event


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep HepMC3's own messages off the terminal: what matters becomes an error."""
    from pyhepmc import Setup

    before = Setup.print_errors, Setup.print_warnings
    Setup.print_errors, Setup.print_warnings = False, False
    try:
        yield
    finally:
        Setup.print_errors, Setup.print_warnings = before


def _blocks(
    events: Iterator[pyhepmc.GenEvent], ids: NDArray[np.int64], weights: NDArray[np.float64], left_out: Counter[str]
) -> Iterator[pa.Table]:
    """Rows of particles, some events at a time; fills ``weights`` and ``left_out`` on the way."""
    pending: list[dict[str, NDArray[Any]]] = []
    for number, event in enumerate(events):
        if event.weights:
            weights[number] = event.weights[0]
        pending.append(_particles(event, int(ids[number]), left_out))
        if sum(len(columns["pid"]) for columns in pending) >= BLOCK_ROWS:
            yield _table(pending)
            pending = []
    if pending:
        yield _table(pending)


def _table(events: list[dict[str, NDArray[Any]]]) -> pa.Table:
    schema = generator_level("particles").arrow
    columns = [np.concatenate([event[name] for event in events]) for name in schema.names]
    return pa.Table.from_arrays([arrow_array(column) for column in columns], schema=schema)


def _particles(event: pyhepmc.GenEvent, event_id: int, left_out: Counter[str]) -> dict[str, NDArray[Any]]:
    """The kept particles of one event, in MeV, mm and ns."""
    graph = Graph.of(event)
    status, reason = kept_particles(graph.pid, graph.status)
    for code, count in enumerate(np.bincount(reason, minlength=len(LEFT_OUT))):
        left_out[LEFT_OUT[code]] += int(count)
    keep = reason == 0
    mother, collision = graph.mothers(keep), graph.collisions()
    mev, mm = _MEV[event.momentum_unit.name], _MM[event.length_unit.name]
    x, y, z, ct = graph.origins()[:, keep] * mm
    rows = np.flatnonzero(keep)
    return {
        "event_id": np.full(len(rows), event_id),
        "particle_id": rows + 1,
        "mother_id": mother[keep],
        "vertex_id": collision[keep],
        "pid": graph.pid[keep],
        **{name: graph.particles[name][keep] * mev for name in ("px", "py", "pz")},
        "x": x,
        "y": y,
        "z": z,
        "t": ct / MM_PER_NS,
        "status": status[keep],
    }
