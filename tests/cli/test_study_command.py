"""``lamarrpy study extrapolator``: what it is given, and what it says."""

import json
import sys

import pytest
import yaml
from typer.testing import CliRunner

from lamarrpy.cli import app, main
from lamarrpy.study import page

TINY = {
    "name": "tiny",
    "tracks": {"train": 200, "validation": 20, "test": 50},
    "sets": {"main": {"recipe": "box"}},
    "families": {"mlp": {"training": {"steps": 3, "batch": 64}}},
    "without": [f"{family}_{size}" for family in ("pinn", "rkpinn") for size in ("tiny", "small", "medium", "wide")]
    + [*(f"mlp_{size}" for size in ("small", "medium", "wide")), "momentum", "physics_loss", "robustness", "timing"],
}


def test_one_experiment_from_a_file_to_figures(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "write_page", lambda folder: folder / "report.html")
    config, figures = tmp_path / "tiny.yaml", tmp_path / "figures.json"
    config.write_text(yaml.safe_dump(TINY))
    words = ["study", "extrapolator", str(config), "-o", str(tmp_path / "out"), "--only", "architecture"]
    done = CliRunner().invoke(app, [*words, "--json", str(figures)])
    assert done.exit_code == 0, done.output
    assert "mlp_tiny" in done.output
    assert f"wrote {tmp_path / 'out' / 'report.html'}" in done.output.replace("\n", "")
    checks = {check["name"]: check for check in json.loads(figures.read_text())["checks"]}
    assert checks["study.networks"]["value"] == 1
    assert checks["study.rmse.x"]["ok"] is False  # an answer, not a failure of the command


def test_a_wrong_name_is_one_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(
        sys, "argv", ["lamarrpy", "study", "extrapolator", "quick", "-o", str(tmp_path), "--only", "al"]
    )
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert "expected experiments out of architecture" in capsys.readouterr().err.replace("\n", " ")
