"""From a sample to the page and the checks."""

from __future__ import annotations

import json as json_format
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import lamarrpy
from lamarrpy.benchmark.checks import Check, write
from lamarrpy.detailed.report.own_sample import SEED, alone, write_input
from lamarrpy.detailed.report.public import sources
from lamarrpy.detailed.report.sample import Sample, read_sample
from lamarrpy.detailed.report.sections import SECTIONS
from lamarrpy.errors import ConfigError, InputError
from lamarrpy.io.target import record_path, writing
from lamarrpy.page import Page, render

_GUN_EVENTS, _REPEATS = 2500, 8
_QUICK_GUN_EVENTS, _QUICK_REPEATS = 500, 3
"""Size of the report's own sample: what takes under five, or quick under two, minutes on two cores."""

_TEXT = (
    "The open simulation of LHCb's Run 2 detector beside what is publicly known of the real one. No efficiency, no"
    " resolution and no misidentification is put into the simulation: what is seen here comes out of geometry,"
    " material, hits, light, showers and reconstruction."
)


def make_report(
    sample: Path | None, html: Path | None, json: Path | None, quick: bool = False, workers: int = 2
) -> list[Check]:
    """Set the Detailed Simulation beside the public figures.

    Parameters
    ----------
    sample : Path or None
        Tables that ``lamarrpy detailed`` wrote; None to make a sample for the purpose.
    html, json : Path or None
        Where to write the page and the checks.
    quick : bool
        Make a smaller sample, with larger errors, in under two minutes.
    workers : int
        Processes that make the sample.

    Returns
    -------
    list of Check
        One a figure; value None if the sample does not hold enough to tell.

    Raises
    ------
    ConfigError
        If a page is asked for and what draws it is not installed.
    InputError, SchemaError
        If the sample is not one of the Detailed Simulation.
    OutputError
        If a file cannot be written.
    """
    check_outputs(html, json)
    page = _page_of_own(quick, workers) if sample is None else page_of(read_sample(sample), _provenance(sample))
    checks = [finding.check for finding in page.findings]
    if html is not None:
        with writing(html):
            html.write_text(render(page), encoding="utf-8")
    if json is not None:
        with writing(json):
            write(checks, json)
    return checks


def check_outputs(html: Path | None, json: Path | None) -> None:
    """Make sure, before the work, that the page can be drawn and that files can be written.

    Parameters
    ----------
    html, json : Path or None
        The files.

    Raises
    ------
    ConfigError
        If a name is not that of a page or of JSON, or what draws the page is not installed.
    OutputError
        If a file cannot be written.
    """
    for path, suffixes in ((html, (".html", ".htm")), (json, (".json",))):
        if path is not None and path.suffix.lower() not in suffixes:
            raise ConfigError(f"expected a file with suffix {' or '.join(suffixes)}, got {path}; what it held is kept")
    if html is not None and (missing := [name for name in ("jinja2", "matplotlib") if find_spec(name) is None]):
        raise ConfigError(f"the page of the report needs {' and '.join(missing)}: pip install 'lamarrpy[report]'")
    for path in (html, json):
        if path is not None:
            with writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                was_there = path.exists()
                path.open("a").close()
                if not was_there:
                    path.unlink()


def page_of(sample: Sample, provenance: Mapping[str, str]) -> Page:
    """All sections of a sample as a page."""
    counts = {
        "events": f"{sample.events:,}",
        "charged particles followed": f"{int((sample.particles['p'] > 0).sum()):,}",
        "tracks": f"{sample.tracks.rows:,}, of which {int(sample.tracks['ghost'].sum()):,} are ghosts",
        "reconstructed vertices": f"{sample.vertices.rows:,}",
        "neutral clusters": f"{sample.identity.clusters.rows:,}",
    }
    sections = [make(sample) for make in SECTIONS.values()]
    return Page("Detailed Simulation of LHCb", _TEXT, sections, {**provenance, **counts}, sources())


def _page_of_own(quick: bool, workers: int) -> Page:
    from lamarrpy.detailed.simulation import DetailedSimulation
    from lamarrpy.pipeline.files import RunOptions, run_files

    gun_events, repeats = (_QUICK_GUN_EVENTS, _QUICK_REPEATS) if quick else (_GUN_EVENTS, _REPEATS)
    with tempfile.TemporaryDirectory(prefix="lamarrpy-report-") as folder:
        events, tables = Path(folder) / "events", Path(folder) / "tables"
        write_input(events, gun_events, repeats)
        run_files(DetailedSimulation(), events, tables, RunOptions(seed=SEED, workers=workers))
        own = (
            f"made for this page: {gun_events:,} events of particle guns, {alone(gun_events):,} each of hadrons and of"
            f" neutral pions, the shipped b-bbar events {repeats} times"
        )
        return page_of(read_sample(tables), {**_provenance(tables), "sample": own})


def _provenance(sample: Path) -> dict[str, str]:
    """What the sample says of itself."""
    record = _record(sample)
    simulated_by, how = str(record.get("lamarrpy", "unknown")), record.get("pipeline", {})
    known = {
        "sample": str(sample),
        "simulated by": f"lamarrpy {simulated_by}, {how.get('name', 'unknown')} {how.get('polarity', '')}".strip(),
        "seed": str(record.get("seed", "unknown")),
        "time": f"{record['seconds']:.0f} s" if "seconds" in record else "unknown",
    }
    return {**known, "page made by": f"lamarrpy {lamarrpy.__version__}"}


def _record(sample: Path) -> dict[str, Any]:
    """The run record next to the tables; empty if there is none."""
    path = record_path(sample)
    if not path.is_file():
        return {}
    try:
        record: dict[str, Any] = json_format.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: expected the record of a run as JSON, got something else: {error}") from error
    return record
