"""Checks: a figure, its bounds, and what becomes of them on paper."""

import json
import re
from pathlib import Path

import pytest

from lamarrpy.benchmark import detailed, running
from lamarrpy.benchmark.checks import Check, report, write
from lamarrpy.errors import LamarrpyError
from lamarrpy.generate import generate
from lamarrpy.io import open_source


@pytest.mark.parametrize(
    ("value", "low", "high", "ok"),
    [
        (1.0, None, None, None),
        (1.0, 1.0, 1.0, True),
        (0.9, 1.0, None, False),
        (1.1, None, 1.0, False),
        (None, 1, 2, None),
    ],
)
def test_ok_says_whether_the_value_lies_within_its_bounds(value, low, high, ok):
    assert Check("a.b", value, low, high).ok is ok


def test_the_file_is_what_others_read(tmp_path):
    write([Check("run.rate", 2.0, 1.0, None, "1/s"), Check("run.memory", None, None, 1.5, "GB")], tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text()) == {
        "checks": [
            {"name": "run.rate", "value": 2.0, "low": 1.0, "high": None, "unit": "1/s", "ok": True},
            {"name": "run.memory", "value": None, "low": None, "high": 1.5, "unit": "GB", "ok": None},
        ]
    }


def test_the_report_shows_every_check(capsys):
    report(
        [Check("run.rate", 2.0, 1.0, None, "1/s"), Check("run.start", 3.0, None, 2.0, "s"), Check("run.memory", None)]
    )
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("run.rate", "run.start", "no", "yes", "full run only"))


def test_the_gun_sample_counts_what_it_says(tmp_path):
    sample = running.make_gun(tmp_path / "gun", 2000)
    with open_source(sample.path) as source:
        batch, _ = source.read(0, len(source))
    assert sample.particles == batch["particles"].num_rows >= 2000
    assert sample.counted == running.count(batch) >= 2000


def test_only_charged_stable_particles_in_the_window_count():
    recipe = {
        "kind": "particle_gun",
        "species": {"gamma": 1.0},
        "particles_per_event": 5,
        "p": {"kind": "uniform", "low": 2e3, "high": 3e3},
        "eta": {"kind": "uniform", "low": 2.0, "high": 3.0},
    }
    for species, expected in (("gamma", 0), ("pi+", 50)):
        assert running.count(next(iter(generate({**recipe, "species": {species: 1.0}}, events=10)))) == expected
    far = {**recipe, "species": {"pi+": 1.0}, "eta": {"kind": "uniform", "low": 5.3, "high": 5.4}}
    assert running.count(next(iter(generate(far, events=10)))) == 0


def test_integration_is_as_good_as_promised():
    check = running.extrapolation_error(800)
    assert check.ok
    assert check.value > 0.01


@pytest.mark.parametrize(("module", "number"), [(running, 11), (detailed, 6)], ids=["run", "detailed"])
def test_every_check_is_documented(module, number):
    page = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text()
    names = re.findall(r'Check\("([a-z0-9_.]+)"', Path(module.__file__).read_text())
    assert len(names) == number
    for name in names:
        assert f"| `{name}` |" in page


def test_a_command_that_fails_says_why(tmp_path):
    with pytest.raises(LamarrpyError, match=r"the run to be measured failed: .*no-such-file"):
        running.run_command("detailed", "no-such-file.parquet", output=tmp_path / "out", workers=1)


def test_rates_are_those_of_whole_commands(tmp_path, monkeypatch):
    """The command and the counting are real, the runs are not repeated for it."""
    sample = running.Sample(tmp_path / "sample", counted=6000, particles=9000)
    seen = []

    def run_command(*words, output, workers):
        seen.append((words, workers))
        return {"seconds": 1.0 if workers == 2 else 2.0, "peak_memory_bytes": 10**9 * workers}

    monkeypatch.setattr(detailed, "run_command", run_command)
    checks = {check.name: check for check in detailed._rates(tmp_path, sample, sample, 3)}
    assert checks["detailed.rate.two_workers"].value == 6000.0
    assert checks["detailed.rate.two_workers"].low == 3000
    assert checks["detailed.rate.one_worker"].value == 3000.0
    assert checks["detailed.peak_memory"].value == 2.0
    assert checks["detailed.peak_memory"].high == 4.0
    assert all(words[0] == "detailed" for words, _ in seen)
    quick = {check.name: check.value for check in detailed._rates(tmp_path, sample, sample, 1)}
    assert quick["detailed.rate.one_worker"] is None
