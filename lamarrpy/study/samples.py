"""Samples of tracks of a study: made once, kept as Parquet, read by every process that learns from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lamarrpy.errors import InputError
from lamarrpy.tracks import TrackSample, load_track_recipe, read_tracks, write_tracks


@dataclass(frozen=True)
class SampleSpec:
    """What a sample of tracks is.

    Attributes
    ----------
    name : str
        ``<set>.<part>``, such as ``main.train``.
    recipe : mapping
        Of the tracks, as plain data.
    tracks : int
        How many.
    seed : int
        Of them.
    """

    name: str
    recipe: Mapping[str, Any]
    tracks: int
    seed: int

    def as_data(self) -> dict[str, Any]:
        """The same as plain data."""
        return {"name": self.name, "recipe": dict(self.recipe), "tracks": self.tracks, "seed": self.seed}


class Samples:
    """The samples in a folder.

    Parameters
    ----------
    folder : Path
        Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._last: dict[str, tuple[int, TrackSample]] = {}

    @classmethod
    @lru_cache(maxsize=4)
    def of(cls, out: Path) -> Samples:
        """Those of the study in a folder, the same ones for each job of a process."""
        return cls(out / "samples")

    def path(self, name: str) -> Path:
        """File of a sample."""
        return self.folder / f"{name}.parquet"

    def has(self, spec: SampleSpec) -> bool:
        """Whether a sample is there, made as it would be made now."""
        return self.about(spec.name).get("sample") == spec.as_data() and self.path(spec.name).is_file()

    def make(self, spec: SampleSpec) -> Path:
        """Make a sample, unless it is there; memory does not grow with its size."""
        path = self.path(spec.name)
        if self.has(spec):
            return path
        self._about_path(spec.name).unlink(missing_ok=True)
        tally = write_tracks(load_track_recipe(spec.recipe), path, spec.tracks, spec.seed, overwrite=True)
        about = {"sample": spec.as_data(), "drawn": tally.drawn, "fractions": tally.fractions}
        self._about_path(spec.name).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        return path

    def read(self, name: str) -> TrackSample:
        """A sample that has been made; the last few stay in memory.

        Raises
        ------
        InputError
            If it has not.
        """
        path = self.path(name)
        if not path.is_file():
            raise InputError(f"expected the sample {name!r} to be at {path}, it is not; run the study again")
        written = path.stat().st_mtime_ns
        if self._last.get(name, (0,))[0] != written:  # another process may have made it anew
            others = [one for one in self._last.items() if one[0] != name]
            self._last = dict(others[-3:]) | {name: (written, read_tracks(path))}
        return self._last[name][1]

    def about(self, name: str) -> dict[str, Any]:
        """What is known of a sample: ``sample``, tracks ``drawn`` for it, ``fractions`` by what became of them."""
        path = self._about_path(name)
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return told

    def _about_path(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def make_sample(out: Path, spec: SampleSpec) -> None:
    """Make a sample of the study in a folder, unless it is there."""
    Samples.of(out).make(spec)
