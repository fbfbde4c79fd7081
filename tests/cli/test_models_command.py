"""``lamarrpy models``: what there is, what it is, whether it is whole."""

import json
import os
import subprocess
import sys

import pytest
from tiny_models import (
    CONDITIONS,
    DLL,
    NDOF,
    classifier_network,
    plain_transforms,
    write_classifier,
    write_generator,
    write_model,
    write_resampling,
)
from typer.testing import CliRunner

from lamarrpy.cli import app
from lamarrpy.errors import ArtifactError, InputError
from lamarrpy.parameterization.folder import MANIFEST, MODEL, TRANSFORM
from lamarrpy.parameterization.manifest import Condition, Target

METRICS = {
    "rows": 8000,
    "two_sample_auc": 0.5123456789,
    "given_away_by": ["ndof", "p"],
    "ks": {"dll": 0.0123456789, "ndof": None},
    "wasserstein_over_sigma": {"dll": 1e-9, "ndof": 12345.678},
}


def run(*arguments, width=80):
    return CliRunner().invoke(app, ["models", *map(str, arguments)], env={"COLUMNS": str(width)})


@pytest.fixture
def three(tmp_path):
    """Models of each kind, one of them deeper."""
    write_generator(tmp_path / "a", name="generator")
    write_classifier(tmp_path / "b" / "deep", name="classifier")
    write_resampling(tmp_path / "c", name="rows")
    return tmp_path


class TestList:
    def test_one_line_a_model(self, three):
        result = run("list", three)
        assert result.exit_code == 0
        assert result.stdout.splitlines() == [
            f"{three}/a: generator (by hand), p, n_tracks -> dll, ndof",
            f"{three}/b/deep: classifier (by hand), p, n_tracks -> seen",
            f"{three}/c: neighbours (by hand), p, n_tracks -> dll, ndof, seen",
        ]

    def test_several_folders_none_twice(self, three):
        result = run("list", three / "c", three / "a", three / "a", three)
        assert [line.split(":")[0] for line in result.stdout.splitlines()] == [
            f"{three}/{name}" for name in ("c", "a", "b/deep")
        ]

    @pytest.mark.parametrize("lost", [MANIFEST, TRANSFORM])
    def test_what_is_left_of_a_model_is_not_passed_over(self, three, lost):
        (three / "a" / lost).unlink()
        assert f"{three}/a: " in run("list", three).stdout
        assert run("verify", three).exit_code == 1

    def test_a_damaged_manifest(self, three):
        text = (three / "a" / MANIFEST).read_text()
        (three / "a" / MANIFEST).write_text(text.replace('"dll"', '"dlk"'))
        result = run("list", three)
        assert result.exit_code == 1
        damaged, *others = result.stdout.splitlines()
        assert damaged.startswith(
            f"{three}/a: damaged: {three}/a/manifest.json: expected the manifest of a model, with"
        )
        assert len(others) == 2

    def test_folders_without_models(self, tmp_path):
        for command in ("list", "verify"):
            result = run(command, tmp_path)
            assert isinstance(result.exception, InputError)
            assert str(result.exception).startswith(
                f"found no models in {tmp_path}; expected a folder that lamarrpy train"
            )
            missing = run(command, tmp_path / "nothing")
            assert "expected a folder to look for models in, got nothing of that name" in str(missing.exception)
            (tmp_path / "file").write_text("")
            assert "got a file; check the path" in str(run(command, tmp_path / "file").exception)

    def test_the_shipped_models_are_whole(self):
        for command in ("list", "verify"):
            result = run(command)
            assert result.exit_code == 0
            assert "damaged" not in result.output
            assert "models" in result.output


class TestShow:
    def test_all_there_is_to_know(self, tmp_path):
        sample = {"files": ["tracks.parquet"], "split": {"training": 10000, "validation": 2000, "test": 8000}}
        folder = write_generator(
            tmp_path / "m", metrics=METRICS, sample=sample, seed=42, versions={"lamarrpy": "0.1.0", "numpy": "2.4.6"}
        )
        result = run("show", folder)
        assert result.exit_code == 0
        assert result.stdout == SHOWN

    def test_nothing_known_of_the_training(self, tmp_path):
        lines = run("show", write_classifier(tmp_path / "m")).stdout.splitlines()
        assert lines[0] == "tiny: classifier (by hand)"
        assert lines[-2:] == ["Rows of a table in memory.", "Seed 0."]

    def test_figures_of_classes(self, tmp_path):
        metrics = {"calibration": {"0": {"slope": 1.5, "entries": 8000}, "1": {"slope": None}}}
        lines = run("show", write_classifier(tmp_path / "m", metrics=metrics)).stdout.splitlines()
        rows = [line.replace(" ", "").strip("│┃").split("│") for line in lines[-5:-1]]
        assert rows[0] == ["calibration┃0┃1"]
        assert rows[2:] == [["slope", "1.5", "-"], ["entries", "8,000", "-"]]

    def test_names_and_units_are_not_taken_for_markup(self, tmp_path):
        odd = (Condition(name="p[mean]", unit="[MeV/c]", low=0.0, high=1.0), CONDITIONS[1])
        transforms = {"conditions": plain_transforms("p[mean]", "n_tracks")}
        target = Target(name="x[0]", unit="[bold]", masses=(1.0,), low=0.0, high=1.0)
        files = {MODEL: classifier_network()}
        folder = write_model(
            tmp_path / "m", "classifier", (target,), files, transforms, odd, classes=(0.0, 1.0), name="[red]tiny[/red]"
        )
        text = run("show", folder).stdout
        for name in ("p[mean]", "[MeV/c]", "x[0]", "[bold]", "[red]tiny[/red]"):
            assert name in text

    def test_many_whole_numbers_are_counted(self, tmp_path):
        masses = tuple(float(n) for n in range(3, 60))
        text = run(
            "show", write_generator(tmp_path / "m", targets=(DLL, NDOF.model_copy(update={"masses": masses})))
        ).stdout
        assert "57 whole numbers" in text

    def test_what_is_no_model(self, tmp_path):
        assert "check the path" in str(run("show", tmp_path / "nothing").exception)
        (tmp_path / MANIFEST).write_text(json.dumps({"name": "prob_nn", "features": []}))
        result = run("show", tmp_path)
        assert isinstance(result.exception, ArtifactError)
        assert "expected the manifest of a model, got one of something else" in str(result.exception)


SHOWN = """\
tiny: generator (by hand)
┏━━━━━━━━━━┳━━━━━━┳━━━━━━━━━┳━━━━━━┳━━━━━━┓
┃ given    ┃ unit ┃ dtype   ┃ from ┃   to ┃
┡━━━━━━━━━━╇━━━━━━╇━━━━━━━━━╇━━━━━━╇━━━━━━┩
│ p        │ MeV  │ float64 │ 1000 │ 9000 │
│ n_tracks │      │ int64   │   20 │  400 │
└──────────┴──────┴─────────┴──────┴──────┘
┏━━━━━━━━━━┳━━━━━━┳━━━━━━━━━┳━━━━━━┳━━━━┳━━━━━━━━━━━━━━┓
┃ answered ┃ unit ┃ dtype   ┃ from ┃ to ┃ exact values ┃
┡━━━━━━━━━━╇━━━━━━╇━━━━━━━━━╇━━━━━━╇━━━━╇━━━━━━━━━━━━━━┩
│ dll      │      │ float64 │   -4 │  5 │ 0            │
│ ndof     │      │ int32   │    3 │  7 │ 3, 4, 7      │
└──────────┴──────┴─────────┴──────┴────┴──────────────┘
Rows of tracks.parquet: 10,000 for training, 2,000 for validation, 8,000 for test.
Seed 42; made with lamarrpy 0.1.0, numpy 2.4.6.
On rows that it has never seen:
  rows: 8,000
  two sample auc: 0.512346
  given away by: ndof, p
┏━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┓
┃ target ┃        ks ┃ wasserstein over sigma ┃
┡━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━┩
│ dll    │ 0.0123457 │                  1e-09 │
│ ndof   │         - │                12345.7 │
└────────┴───────────┴────────────────────────┘
"""


class TestVerify:
    def test_whole_models(self, three):
        result = run("verify", three)
        assert result.exit_code == 0
        assert result.stdout.splitlines() == [
            f"{three}/{name}: whole, 2 files besides the manifest" for name in ("a", "b/deep", "c")
        ]

    @pytest.mark.parametrize("name", [MANIFEST, MODEL, TRANSFORM])
    def test_a_changed_byte(self, three, name):
        path = three / "a" / name
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        result = run("verify", three)
        assert result.exit_code == 1
        assert [line.split(" whole")[0] for line in result.stdout.splitlines()] == [f"{three}/b/deep:", f"{three}/c:"]
        (line,) = result.stderr.splitlines()
        assert line.startswith(f"{three}/a: damaged: {three}/a/{name}: expected ")
        assert line.endswith("install lamarrpy anew, or train the model again")

    def test_a_stranger(self, three):
        (three / "b" / "deep" / "notes.txt").write_text("")
        result = run("verify", three)
        assert result.exit_code == 1
        assert "damaged: " in result.stderr
        assert "got notes.txt; move them elsewhere" in result.stderr

    def test_files_that_are_whole_but_do_not_fit(self, tmp_path):
        """Whoever writes the hashes can be wrong."""
        write_classifier(tmp_path / "m", classifier_network(3))
        result = run("verify", tmp_path)
        assert result.exit_code == 1
        assert f"{tmp_path}/m: damaged: model 'tiny': expected a network from" in result.stderr


def test_an_error_is_one_message_and_no_traceback(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "lamarrpy", "models", "show", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"ArtifactError: {tmp_path}: expected the folder of a model, found no manifest.json in it; check the path\n"
    )


def test_nothing_heavy_is_imported(tmp_path):
    folder = write_generator(tmp_path / "m")
    code = (
        "import sys\n"
        "from lamarrpy.cli import app\n"
        f"for command in ('list', 'show', 'verify'): app(['models', command, {str(folder)!r}], standalone_mode=False)\n"
        "print(*sorted(m for m in sys.modules if '.' not in m))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    loaded = done.stdout.split("\n")[-2].split()
    assert "onnxruntime" in loaded
    assert not {"tensorflow", "keras", "sklearn", "optuna", "pandas", "onnx", "matplotlib"} & set(loaded)
