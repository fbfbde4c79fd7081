"""The command line as a whole: quick to start, clear when it fails."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from lamarrpy.cli import app

HEAVY = ("tensorflow", "keras", "sklearn", "optuna", "pandas", "onnxruntime", "uproot", "pyhepmc", "pyarrow", "scipy")


def _loaded_after(statement):
    code = f"import sys\n{statement}\nprint(*sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[-2].split()


def test_help_imports_nothing_heavy():
    loaded = _loaded_after("from lamarrpy.cli import app\ntry: app(['--help'])\nexcept SystemExit: pass")
    assert "lamarrpy" in loaded
    assert not set(HEAVY) & set(loaded)


@pytest.mark.parametrize("heavy", ["pandas", "uproot", "onnxruntime", "pyhepmc", "decaylanguage", "tensorflow"])
def test_running_on_parquet_imports_no_other_format(heavy, tmp_path):
    loaded = _loaded_after(
        "from lamarrpy.cli import app\n"
        "from lamarrpy.shipped import shipped\n"
        f"app(['run', 'parametric', str(shipped('data', 'bbbar_pythia8.parquet')), '-o', {str(tmp_path / 'out')!r},"
        " '--partition', '1/100', '--quiet'], standalone_mode=False)"
    )
    assert "pyarrow" in loaded
    assert heavy not in loaded


def test_every_command_explains_itself():
    runner = CliRunner()
    listed = runner.invoke(app, ["--help"]).output
    for name in (
        "run",
        "detailed",
        "generate",
        "convert",
        "inspect",
        "head",
        "schema",
        "pipelines",
        "digest",
        "benchmark",
    ):
        assert name in listed
        answer = runner.invoke(app, [name, "--help"])
        assert answer.exit_code == 0
        assert "Usage" in answer.output


def test_an_error_is_one_message_and_no_traceback():
    done = subprocess.run([sys.executable, "-m", "lamarrpy", "run", "parametrik", "x"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("ConfigError: expected a pipeline file or the name of a shipped pipeline")
    assert "did you mean 'parametric'" in done.stderr
    assert "Traceback" not in done.stderr
