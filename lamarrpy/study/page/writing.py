"""From the folder of a study to its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lamarrpy
from lamarrpy.io.target import writing
from lamarrpy.study.page.chapters import chapters
from lamarrpy.study.page.content import Chapter, Criteria, StudyPage
from lamarrpy.study.page.criteria import criteria
from lamarrpy.study.page.gathered import best_chapters, networks_chapter, registry_chapter, table_chapter
from lamarrpy.study.page.outputs import Outputs, read_outputs
from lamarrpy.study.page.questions import answers
from lamarrpy.study.page.words import is_numeric, number

PAGE = "report.html"

_TEXT = (
    "Networks that carry tracks through the dipole in one go, held against Runge-Kutta integration and against each"
    " other by the experimental protocol of G. Scriven (January 2026). Every figure is one of this run."
)

_WORDS = {"passed": "yes", "failed": "no", "not measured": "not measured", "no verdict": "no verdict"}
"""Verdicts of findings as the page says them."""

_KINDS = {"yes": "passed", "no": "failed"}
"""How they are coloured."""

_PARTS = {"train": "to learn from", "validation": "to choose by", "test": "to test with"}


def write_page(out: Path) -> Path:
    """Write what a study has found out so far as one HTML file that needs nothing but itself.

    Parameters
    ----------
    out : Path
        Folder of the study; nothing but its files is read.

    Returns
    -------
    Path
        The page, ``report.html`` in that folder; it is replaced as a whole.

    Raises
    ------
    InputError
        If the folder is none of a study, or a file in it is damaged.
    OutputError
        If the page cannot be written.
    """
    text = render(page_of(read_outputs(out)))
    path, partial = out / PAGE, out / f".{PAGE}"
    with writing(path):
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    return path


def page_of(outputs: Outputs) -> StudyPage:
    """Everything that stands on the page; its figures are not drawn yet."""
    asked = criteria(outputs)
    sections: list[Chapter] = [
        registry_chapter(outputs),
        *best_chapters(outputs),
        *chapters(outputs),
        table_chapter(outputs),
        networks_chapter(outputs),
    ]
    title = f"Neural track extrapolators: study {outputs.study['preset']}"
    return StudyPage(
        title,
        _TEXT,
        sections,
        provenance(outputs),
        answers=answers(outputs),
        criteria=asked,
        tiles=_tiles(outputs, asked),
    )


def _tiles(outputs: Outputs, asked: Sequence[Criteria]) -> list[tuple[str, str, str]]:
    findings = [finding for matrix in asked[:1] for column in matrix.columns for finding in column.findings]
    met, missed = (sum(one.verdict == verdict for one in findings) for verdict in ("passed", "failed"))
    return [
        ("passed", str(met), "criteria met by the best of each family"),
        ("failed", str(missed), "criteria missed by them"),
        ("", str(len(outputs.jobs)), "networks trained"),
        ("failed" if outputs.failures else "", str(len(outputs.failures)), "trainings that failed"),
        ("", str(len(outputs.results)), "experiments"),
    ]


def provenance(outputs: Outputs) -> dict[str, str]:
    """Where the numbers come from, in words."""
    study = outputs.study
    minutes = sum(float(job.history["cpu_s"]) for job in outputs.jobs.values()) / 60.0
    told = {
        "study": str(study["preset"]),
        "field": _field(study.get("field", {})),
        "tracks": _tracks(outputs),
        "training time": f"{number(minutes)} CPU-minutes for all networks",
        "commit": _commit(study),
        "machine": _machine(study.get("machine", {})),
        "versions": ", ".join(f"{name} {version}" for name, version in study.get("versions", {}).items() if version),
        "date": str(study.get("date", "")),
        "page made by": f"lamarrpy {lamarrpy.__version__}",
    }
    return {what: words for what, words in told.items() if words}


def _field(field: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{key} {value}" for key, value in field.get("settings", {}).items())
    return " ".join(filter(None, (str(field.get("kind", "")), str(field.get("polarity", "")), settings)))


def _tracks(outputs: Outputs) -> str:
    """Size of the main samples, and which part of the tracks drawn is kept."""
    about = {part: outputs.samples.get(f"main.{part}") for part in _PARTS}
    told = [f"{one['sample']['tracks']:,} {_PARTS[part]}" for part, one in about.items() if one is not None]
    kept = (about["train"] or {}).get("fractions", {}).get("kept")
    if kept is not None:
        told.append(f"{kept:.1%} of those drawn are kept")
    return ", ".join(told)


def _commit(study: Mapping[str, Any]) -> str:
    commit = study.get("git_commit")
    return "" if not commit else f"{commit[:12]}{', with changes' if study.get('git_changed') else ''}"


def _machine(machine: Mapping[str, Any]) -> str:
    processors = f"{machine['processors']} processors" if machine.get("processors") else ""
    return ", ".join(filter(None, (str(machine.get("system", "")), processors)))


def render(page: StudyPage) -> str:
    """The page as HTML; its figures are drawn now, text is escaped, the SVG of figures is taken as it is."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        # its own template, and the style sheet of all pages of verdicts
        loader=ChoiceLoader([PackageLoader("lamarrpy.study.page", ""), PackageLoader("lamarrpy.page", "")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["numeric"] = is_numeric
    template = environment.get_template("page.html.jinja")
    return template.render(page=page, words=_WORDS, kinds=_KINDS)
