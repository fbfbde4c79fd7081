"""``lamarrpy detailed`` as a user types it."""

import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from lamarrpy.cli import app
from lamarrpy.errors import ConfigError, OutputError
from lamarrpy.generate import generate
from lamarrpy.io import digest, open_sink, open_source, read_batch
from lamarrpy.shipped import shipped
from lamarrpy.tables import generator_level


def detailed(*arguments):
    answer = CliRunner().invoke(app, ["detailed", *map(str, arguments)])
    if answer.exception is not None and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    assert answer.exit_code == 0, answer.output
    return answer.output


def write(batch, path):
    with open_sink(path, provenance={}) as sink:
        sink.append(batch)
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    with open_source(shipped("data", "bbbar_pythia8.parquet")) as source:
        return write(source.read(0, 6)[0], tmp_path_factory.mktemp("input") / "small")


@pytest.fixture(scope="module")
def reference(small, tmp_path_factory):
    out = tmp_path_factory.mktemp("reference") / "out"
    printed = detailed(small, "-o", out, "--seed", 7)
    return out, printed


@pytest.mark.parametrize("options", [("--chunk-events", 2), ("--workers", 2, "--chunk-events", 3)], ids=str)
def test_the_same_digest_however_the_work_is_cut(reference, small, tmp_path, options):
    assert detailed(small, "-o", tmp_path / "out", "--seed", 7, "--quiet", *options) == ""
    assert digest(tmp_path / "out") == digest(reference[0])


def test_it_tells_what_happened(reference):
    out, printed = reference
    for words in ("cut-flow", "followed", "interacted", "in_acceptance", "sensible", "Downstream", "particles/s"):
        assert words in printed
    assert "warning" not in printed
    record = json.loads((out / "run.json").read_text())
    assert record["pipeline"]["name"] == "detailed"
    assert record["pipeline"]["polarity"] == "MagUp"
    assert {"detector.yaml", "tuning.yaml"} <= set(record["pipeline"]["files"])
    assert record["notes"] == []


def test_a_finished_run_is_resumed_by_doing_nothing(reference, small):
    out, _ = reference
    stamp = (out / "tracks.parquet").stat().st_mtime_ns
    with pytest.raises(OutputError, match="is there already"):
        detailed(small, "-o", out, "--seed", 7)
    with pytest.raises(ConfigError, match="holds the output of another run"):
        detailed(small, "-o", out, "--seed", 7, "--polarity", "MagDown", "--resume")
    detailed(small, "-o", out, "--seed", 7, "--resume")
    assert (out / "tracks.parquet").stat().st_mtime_ns == stamp


def test_slices_and_the_names_of_lhcb(small, tmp_path):
    detailed(small, "-o", tmp_path / "out.root", "--partition", "3/6", "--naming", "lhcb")
    import uproot

    with uproot.open(tmp_path / "out.root") as file:
        tracks = file["tracks"]
        assert {"trk_TRUEMATCHED", "trk_TRACK_GhostProb", "trk_ClosestToBeam_COV_X_TX"} <= set(tracks.keys())
        matched, true_p = (tracks[name].array(library="np") for name in ("trk_TRUEMATCHED", "trk_TRUEP"))
        assert len(np.unique(tracks["eventNumber"].array(library="np"))) == 1
    assert ((true_p == -1000) == ~matched.astype(bool)).all()


def test_bad_particles_are_told_of(tmp_path):
    recipe = {"kind": "particle_gun", "species": {"pi+": 1.0}, "particles_per_event": 4, "p": 5e3, "eta": 3.0}
    batch = next(iter(generate(recipe, events=2)))
    z, pz = (batch.array("particles", name).copy() for name in ("z", "pz"))
    z[0] = 3e4
    still = batch.with_columns(generator_level("particles").only("z"), {"z": z})
    px, py = (batch.array("particles", name).copy() for name in ("px", "py"))
    px[1] = py[1] = pz[1] = 0.0
    schema = generator_level("particles").only("px", "py", "pz")
    bad = write(still.with_columns(schema, {"px": px, "py": py, "pz": pz}), tmp_path / "bad")
    printed = " ".join(detailed(bad, "-o", tmp_path / "out").split())
    told = "warning: particles left out: 1 without momentum, 1 born outside the detector; check the generator"
    assert told in printed
    assert json.loads((tmp_path / "out" / "run.json").read_text())["notes"] == [told]
    assert read_batch(tmp_path / "out").array("particles", "propagated").sum() == 6


def test_the_detector_is_drawn(tmp_path):
    detailed("--draw", tmp_path / "figures" / "detector.svg")
    assert "<svg" in (tmp_path / "figures" / "detector.svg").read_text()[:500]


def test_drawing_without_matplotlib_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for name in [m for m in sys.modules if m.startswith("matplotlib.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ConfigError, match=r"--draw needs matplotlib: pip install 'lamarrpy\[report\]'"):
        detailed("--draw", tmp_path / "detector.svg")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "expected an INPUT to simulate, or --report, --json or --draw; got none"),
        (("-o", "out", "--draw", "a.svg"), "-o out: expected an INPUT with it"),
        (("--draw", "a.txt"), "expected a file with suffix .svg, .png or .pdf, got a.txt"),
        (("x", "--sample", "y"), "belong to a report"),
        (("x", "--quick"), "belong to a report"),
        (("--report", "a.html", "--sample", "y", "--quick"), "expected --sample or --quick"),
        (("x", "--report", "a.html", "--sample", "y"), "expected INPUT, whose output is then reported on, or --sample"),
    ],
)
def test_combinations_that_make_no_sense_are_refused(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        detailed(*words)
    assert list(tmp_path.iterdir()) == []


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom lamarrpy.cli import app\ntry: app(['detailed', '--help'])\nexcept SystemExit: pass\n"
        "print(*sorted(m for m in sys.modules if '.' not in m))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split("\n")[-2].split()
    assert "lamarrpy" in loaded
    assert not {"scipy", "pyarrow", "matplotlib", "onnxruntime", "sklearn"} & set(loaded)
