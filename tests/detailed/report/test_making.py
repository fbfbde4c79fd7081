"""The page and the checks of a sample."""

import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from toys import Toy

from lamarrpy.benchmark.checks import Check
from lamarrpy.detailed.report import make_report, making
from lamarrpy.detailed.report.own_sample import ALONE, GUNS, alone, write_input
from lamarrpy.errors import ConfigError, InputError, OutputError
from lamarrpy.generate import load_recipe
from lamarrpy.io import open_source

DOCS = Path(__file__).parents[3] / "docs" / "benchmarks.md"


@pytest.fixture(scope="module")
def made(folder_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    html, path = folder / "deep" / "report.html", folder / "checks.json"
    return make_report(folder_of(Toy()), html, path), html.read_text(encoding="utf-8"), json.loads(path.read_text())


def test_the_file_holds_every_check(made):
    checks, _, content = made
    assert content == {"checks": [check.as_json() for check in checks]}
    assert all(set(check) == {"name", "value", "low", "high", "unit", "ok"} for check in content["checks"])
    assert len({check.name for check in checks}) == len(checks)
    assert all(isinstance(check, Check) and check.name.startswith("detailed.") for check in checks)


def test_the_page_shows_every_check_and_plot(made):
    checks, text, _ = made
    for check in checks:
        assert f'id="{check.name}"' in text
    assert text.count("<svg") == text.count("<figure") == 44
    assert "Undefined" not in text
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_every_check_is_documented(made):
    section = DOCS.read_text(encoding="utf-8").partition("## Detailed report")[2]
    documented = set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))
    assert {check.name for check in made[0]} == documented


def test_what_cannot_be_written_or_drawn_is_said_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "checks.json").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        make_report(tmp_path / "no sample", None, tmp_path / "checks.json")
    monkeypatch.setattr(making, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"needs jinja2 and matplotlib: pip install 'lamarrpy\[report\]'"):
        make_report(tmp_path / "no sample", tmp_path / "page.html", None)


def test_a_broken_run_record_is_refused(folder_of, tmp_path):
    for file in folder_of(Toy()).glob("*.parquet"):
        pq.write_table(pq.read_table(file), tmp_path / file.name)
    (tmp_path / "run.json").write_text("not JSON")
    with pytest.raises(InputError, match="expected the record of a run as JSON"):
        make_report(tmp_path, None, None)


def test_the_own_sample_is_whole_events_of_guns_and_collisions(tmp_path):
    write_input(tmp_path / "events", gun_events=7, repeats=2)
    with open_source(tmp_path / "events") as source:
        batch, bad = source.read(0, len(source))
    assert bad.total == 0
    assert len(source) == 7 + alone(7) * len(ALONE) + 2 * 200
    event_id, z, vertex_id = batch.arrays("particles", "event_id", "z", "vertex_id")
    gun = event_id < 7
    assert gun.sum() == 7 * sum(load_recipe(name).particles_per_event for name in GUNS)
    true_z = dict(zip(*batch.arrays("vertices", "event_id", "true_z"), strict=True))
    away = z[gun] - np.array([true_z[event] for event in event_id[gun]])
    displaced = load_recipe("report_displaced").particles_per_event
    assert np.count_nonzero(np.abs(away) < 1e-9) == gun.sum() - 7 * displaced
    assert (away > -1e-9).all()
    assert (vertex_id[gun] == 0).all()


@pytest.mark.parametrize(("html", "json"), [("events.parquet", None), (None, "page.html"), ("page", None)])
def test_only_pages_and_json_are_written_over(tmp_path, html, json):
    for name in (html, json):
        if name:
            (tmp_path / name).write_text("precious")
    files = [None if name is None else tmp_path / name for name in (html, json)]
    with pytest.raises(ConfigError, match="expected a file with suffix"):
        make_report(None, *files)
    assert all(file is None or file.read_text() == "precious" for file in files)
