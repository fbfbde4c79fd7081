"""Parts of a run: the finished result of a few events, kept on disk until the output is whole.

A part is a folder that appears under its final name only when it is complete, so a run that was
killed can be resumed from the parts that stand.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from lamarrpy.cutflow import CutFlow
from lamarrpy.errors import ConfigError, OutputError
from lamarrpy.io.target import writing
from lamarrpy.processes import is_running
from lamarrpy.tables import EventBatch

_KEY = "run-key.json"
_OWNER = "owner.json"


@dataclass(frozen=True)
class PartReport:
    """What a part says of itself; reports of several parts add up.

    Attributes
    ----------
    events, particles : int
        Events and generator-level particles it holds.
    bad_rows : dict of str to int
        Input rows dropped, by reason.
    cutflow : CutFlow
        What each stage kept.
    peak_memory : int
        Largest resident memory [bytes] of the process that made it, so far; 0 if unknown.
    """

    events: int = 0
    particles: int = 0
    bad_rows: dict[str, int] = field(default_factory=dict)
    cutflow: CutFlow = field(default_factory=CutFlow)
    peak_memory: int = 0

    def __add__(self, other: PartReport) -> PartReport:
        return PartReport(
            self.events + other.events,
            self.particles + other.particles,
            dict(Counter(self.bad_rows) + Counter(other.bad_rows)),
            self.cutflow + other.cutflow,
            max(self.peak_memory, other.peak_memory),
        )

    def as_json(self) -> dict[str, Any]:
        """The report as plain numbers."""
        return {**vars(self), "cutflow": self.cutflow.as_json()}

    @staticmethod
    def from_json(content: dict[str, Any]) -> PartReport:
        """The inverse of ``as_json``."""
        return PartReport(**{**content, "cutflow": CutFlow.from_json(content["cutflow"])})


class PartStore:
    """The folder that holds the parts of one run.

    Parameters
    ----------
    folder : Path
        Where the parts are; made if need be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, key: dict[str, Any], *, resume: bool, output: Path) -> None:
        """Start a run, or go on with one whose key is the same.

        Parameters
        ----------
        key : dict
            Everything that decides about the content of the parts.
        resume : bool
            Whether finished parts of an earlier run may be used.
        output : Path
            The output of the run, for messages.

        Raises
        ------
        OutputError
            If parts of an unfinished run are there and ``resume`` is false.
        ConfigError
            If they belong to a run with another key.
        """
        path = self.folder / _KEY
        key = json.loads(json.dumps(key))
        self._refuse_company(output)
        if path.exists():
            if not resume:
                raise OutputError(
                    f"{output}: an unfinished run is there ({self.folder.name}); go on with --resume,"
                    " or start anew with --overwrite"
                )
            old = json.loads(path.read_text(encoding="utf-8"))
            changed = sorted(name for name in {*key, *old} if key.get(name) != old.get(name))
            if changed:
                raise ConfigError(
                    f"{output}: the unfinished run differs in {', '.join(changed)};"
                    " resume with the same settings, or start anew with --overwrite"
                )
        else:
            with writing(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
                _write_json(path, key)
        _write_json(self.folder / _OWNER, {"host": platform.node(), "process": os.getpid()})

    def _refuse_company(self, output: Path) -> None:
        """Two runs at once would take each other's parts away."""
        path = self.folder / _OWNER
        owner = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if owner.get("host") == platform.node() and is_running(owner["process"]):
            raise OutputError(
                f"{output}: process {owner['process']} is working on it; wait for its end, or choose another -o"
            )

    def _path(self, index: int) -> Path:
        return self.folder / f"part-{index:06d}"

    def is_finished(self, index: int) -> bool:
        """Whether a part is there and whole."""
        return self._path(index).is_dir()

    def write(self, index: int, batch: EventBatch, report: PartReport) -> None:
        """Write a part so that it appears whole or not at all."""
        final = self._path(index)
        fresh = final.with_name(f"{final.name}.{os.getpid()}.unfinished")
        shutil.rmtree(fresh, ignore_errors=True)
        with writing(final):
            fresh.mkdir(parents=True)
            for name, table in batch.tables.items():
                path = str(fresh / f"{name}.arrow")
                with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
                    writer.write_table(table)
            _write_json(fresh / "report.json", report.as_json())
            fresh.rename(final)

    def report(self, index: int) -> PartReport:
        """What a finished part says of itself."""
        return PartReport.from_json(json.loads((self._path(index) / "report.json").read_text(encoding="utf-8")))

    def read(self, index: int) -> EventBatch:
        """The tables of a finished part."""
        tables = {}
        for path in sorted(self._path(index).glob("*.arrow")):
            with pa.memory_map(str(path)) as file:
                tables[path.stem] = pa.ipc.open_file(file).read_all()
        return EventBatch(tables)

    def remove(self) -> None:
        """Delete the parts and what is left of unfinished ones."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def leave(self) -> int:
        """Let go of the parts of a run that failed: keep finished ones, if any, and count them."""
        finished = sum(path.name[5:].isdigit() for path in self.folder.glob("part-*"))
        if not finished:
            self.remove()
        return finished


def _write_json(path: Path, content: dict[str, Any]) -> None:
    fresh = path.with_name(path.name + ".unfinished")
    fresh.write_text(json.dumps(content, indent=1), encoding="utf-8")
    fresh.replace(path)
