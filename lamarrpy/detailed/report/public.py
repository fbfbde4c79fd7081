"""The public figures that the simulation is held against, and findings made of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.benchmark.checks import Check
from lamarrpy.detailed.report.statistics import FEWEST, Measured
from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.page import Finding
from lamarrpy.yaml_file import read_yaml


class Target(NamedTuple):
    """What a figure should be: in words, its bounds and unit, and who says so with what confidence."""

    label: str
    unit: str
    source: str
    confidence: str
    low: float | None = None
    high: float | None = None


class Points(NamedTuple):
    """Public figures to draw, with who says so and with what confidence."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    source: str
    confidence: str

    @property
    def caption(self) -> str:
        """Source and confidence as the caption of a plot gives them."""
        return f"{self.source} (confidence: {self.confidence})"


def target(name: str) -> Target:
    """The target of a check, by its name without ``detailed.``; that of all bins ends with ``.bins``."""
    return Target(**_entry("targets", name))


def points(name: str) -> Points:
    """Public figures by name."""
    entry = _entry("points", name)
    return Points(np.array(entry["x"], float), np.array(entry["y"], float), entry["source"], entry["confidence"])


def hadron_mix() -> dict[int, float]:
    """Share of each species, by PDG number, among the hadrons that are compared with muons."""
    return {pid: share for pid, share in _figures()["hadron_mix"].items() if isinstance(pid, int)}


def sources() -> dict[str, str]:
    """What the short names of sources stand for."""
    named: dict[str, str] = _figures()["sources"]
    return named


def finding(name: str, figure: Measured, *, of: str = "", note: str = "") -> Finding:
    """Set a figure beside its target.

    Parameters
    ----------
    name : str
        The check without ``detailed.``; of a bin, the name of all bins less ``.bins`` and that of the bin.
    figure : Measured
        What the simulation gives, in the unit of the target.
    of : str
        The name of the target if it is not that of the check, and what to add to its label, after a bar.
    note : str
        What else to know.
    """
    key, _, more = of.partition("|")
    aim = target(key or name)
    if figure.value is None:
        note = f"needs at least {FEWEST} entries, this sample has {figure.entries or 'none'}{note and '; '}{note}"
    value = None if figure.value is None else float(figure.value)
    check = Check(f"detailed.{name}", value, aim.low, aim.high, aim.unit)
    told = f"{note}; {_cited(aim)}" if note else _cited(aim)
    return Finding(check, f"{aim.label}{more and ', '}{more}", figure.error, figure.entries or None, told)


def _cited(aim: Target) -> str:
    return f"{aim.source} (confidence: {aim.confidence})"


@cache
def _figures() -> dict[str, Any]:
    content: dict[str, Any] = read_yaml(Path(__file__).with_name("public_figures.yaml"))
    return content


def _entry(kind: str, name: str) -> dict[str, Any]:
    known = _figures()[kind]
    if name not in known:
        raise ConfigError(f"expected {kind} in public_figures.yaml, got {name!r}{did_you_mean(name, known)}")
    entry: dict[str, Any] = known[name]
    return entry
