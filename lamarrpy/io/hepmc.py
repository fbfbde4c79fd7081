"""HepMC2 and HepMC3 ASCII files through pyhepmc, in lamarrpy's units.

Which particles are kept, and how mothers and pp collisions are found, stands in `hepmc_graph`.
"""

from __future__ import annotations

import gzip
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lamarrpy.errors import InputError
from lamarrpy.io.hepmc_graph import LEFT_OUT, Graph, kept_particles
from lamarrpy.io.integers import Integers, find_repeat, pieces, together
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
    numbers : Integers
        Event numbers.
    particles : Integers
        Particles of each event.
    """

    reader: str
    numbers: Integers
    particles: Integers


def _open(file: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


@dataclass
class _Frame:
    """What encloses the events: the reader that the first line asks for, the last line, the events so far."""

    reader: str = ""
    ended: bool = False
    events: int = 0


def survey(file: Path, staging: Staging) -> Survey:
    """Count events and particles by their lines, so that nothing the parser skips is lost unseen.

    Raises
    ------
    InputError
        If the file is not HepMC ASCII or does not end as such a file does.
    """
    frame = _Frame()
    try:
        numbers, particles = staging.keep(_count(file, frame))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{file}: expected a complete gzip file, but it is cut off or damaged ({error})") from error
    except (ValueError, IndexError, OverflowError) as error:
        raise InputError(f"{file}: event line {frame.events} (from 0): expected an event number ({error})") from error
    if not frame.reader:
        raise InputError(
            f"{file}: expected HepMC2 or HepMC3 ASCII, but no line starts with HepMC::Asciiv3 or IO_GenEvent"
        )
    if not frame.ended:
        raise InputError(
            f"{file}: expected a last line with END_EVENT_LISTING after {frame.events} events, got none: the file is"
            " cut off; copy or generate it again"
        )
    return Survey(frame.reader, numbers, particles)


def _count(file: Path, frame: _Frame) -> Iterator[NDArray[np.int64]]:
    """Number and particles of every event, shape (2, events) a block; fills ``frame`` on the way."""
    numbers, particles = array("q"), array("q")
    with _open(file) as stream:
        for line in stream:
            start = line[:2]
            if start == b"P " and particles:
                particles[-1] += 1
            elif start == b"E ":
                if len(numbers) == BLOCK_ROWS:
                    yield np.array([numbers, particles])
                    numbers, particles = array("q"), array("q")
                numbers.append(int(line.split(None, 2)[1]))
                particles.append(0)
                frame.events += 1
            elif start == b"He":
                frame.reader = frame.reader or next((r for mark, r in _READERS.items() if line.startswith(mark)), "")
                frame.ended = b"END_EVENT_LISTING" in line
    yield np.array([numbers, particles])


def event_ids(found: Survey, first: int) -> Iterator[int]:
    """The ids of a file's events, none of them below ``first``.

    Event numbers of the first file are kept. Those of a later one are moved up as a block behind
    the ids used so far. Numbers that are not unique in their file are replaced by the position.
    """
    unique = find_repeat(found.numbers) is None
    lowest = min((int(piece.min()) for _, piece in pieces(found.numbers)), default=0) if unique else 0
    shift = first - min(0, lowest) if first else 0
    for position, (number,) in enumerate(together(found.numbers)):
        yield shift + (number if unique else position)


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
    found = survey(file, staging)
    left_out: Counter[str] = Counter()
    schemas = {name: generator_level(name).arrow for name in ("particles", "events")}
    blocks = _blocks(_events(file, found), event_ids(found, first_event), left_out)
    return staging.stage(file, schemas, blocks), left_out


def _events(file: Path, found: Survey) -> Iterator[pyhepmc.GenEvent]:
    import pyhepmc

    with _open(file) as stream, _quiet(), pyhepmc.io.pyiostream(stream) as source:
        reader = getattr(pyhepmc.io, found.reader)(source)
        for position, (expected, number) in enumerate(together(found.particles, found.numbers)):
            event = pyhepmc.GenEvent()
            read = reader.read_event(event)
            got = len(event.numpy.particles.pid) if read and not reader.failed() else None
            if got != expected:
                raise InputError(
                    f"{file}: event {number} (number {position} of the file, from 0): expected {expected} particles,"
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
    events: Iterator[pyhepmc.GenEvent], ids: Iterator[int], left_out: Counter[str]
) -> Iterator[dict[str, pa.Table]]:
    """Rows of particles and events, some events at a time; fills ``left_out`` on the way."""
    pending: list[dict[str, NDArray[Any]]] = []
    weights: dict[int, float] = {}
    rows = 0
    for event, event_id in zip(events, ids, strict=True):
        weights[event_id] = event.weights[0] if event.weights else 1.0
        pending.append(_particles(event, event_id, left_out))
        rows += 1 + len(pending[-1]["pid"])
        if rows >= BLOCK_ROWS:
            yield _tables(pending, weights)
            pending, weights, rows = [], {}, 0
    if pending:
        yield _tables(pending, weights)


def _tables(particles: list[dict[str, NDArray[Any]]], weights: dict[int, float]) -> dict[str, pa.Table]:
    columns = {name: np.concatenate([event[name] for event in particles]) for name in particles[0]}
    events = {"event_id": np.array(list(weights), np.int64), "weight": np.array(list(weights.values()))}
    return {"particles": _table("particles", columns), "events": _table("events", events)}


def _table(name: str, columns: dict[str, NDArray[Any]]) -> pa.Table:
    schema = generator_level(name).arrow
    return pa.Table.from_arrays([arrow_array(columns[column]) for column in schema.names], schema=schema)


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
