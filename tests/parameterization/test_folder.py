"""Models on disk: every byte counts, what is written is whole, and nothing else is ever replaced."""

import hashlib
import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_models import asked, training_rows, write_classifier, write_generator, write_resampling

from lamarrpy.draws import Draws
from lamarrpy.errors import ArtifactError, OutputError
from lamarrpy.parameterization.folder import (
    MANIFEST,
    MODEL,
    ROWS,
    TRANSFORM,
    check_replaceable,
    find_models,
    read_file,
    read_manifest,
    verify,
    write_folder,
)
from lamarrpy.parameterization.manifest import Condition, Manifest, Target, as_text
from lamarrpy.parameterization.parameterization import load

FILES = {TRANSFORM: b"{}", "figures/p.png": b"\x89PNG", "empty": b""}


def a_manifest(**changes):
    columns = {"conditions": [Condition(name="p", low=0.1, high=1e5)], "targets": [Target(name="q", low=0.0, high=1.0)]}
    return Manifest(**{"name": "x", "kind": "generator", "algorithm": "none", "latents": 1} | columns | changes)


def content(folder):
    """Every file by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A model with files of every sort, to be copied."""
    extra = {"figures/test.png": bytes(range(256)), "card.md": b"# tiny\n", "curves/flow.csv": b"step,loss\n1,0.5\n"}
    metrics = {"ks": {"dll": 0.012345678901234567, "ndof": 1e-12}, "none": None, "text": "é", "large": 1e22}
    return write_generator(tmp_path_factory.mktemp("whole") / "m", more=extra.items(), metrics=metrics)


def test_what_is_written_is_read(tmp_path):
    written = write_folder(tmp_path / "m", a_manifest(metrics={"ks": 0.1}), FILES)
    assert written.files == {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}
    assert read_manifest(tmp_path / "m") == written == verify(tmp_path / "m")
    assert {name: read_file(tmp_path / "m", written, name) for name in FILES} == FILES
    assert set(content(tmp_path / "m")) == {MANIFEST, *FILES}


def test_the_manifest_is_json_for_others(tmp_path):
    write_folder(tmp_path / "m", a_manifest(), FILES)
    stored = json.loads((tmp_path / "m" / MANIFEST).read_text())
    promised = stored.pop("sha256")
    text = json.dumps(stored, sort_keys=True, separators=(",", ":"))
    assert promised == hashlib.sha256(text.encode()).hexdigest()
    assert stored["conditions"] == [{"name": "p", "unit": "", "dtype": "float64", "low": 0.1, "high": 1e5}]


def test_figures_that_could_not_be_computed_and_numbers_as_names(tmp_path):
    odd = a_manifest(metrics={"slope": float("nan"), "loss": {1: 0.5, 10: 0.25, -2: 1.0}, "pair": (1, 2)})
    write_folder(tmp_path / "m", odd, FILES)
    assert verify(tmp_path / "m").metrics == {
        "slope": None,
        "loss": {"1": 0.5, "10": 0.25, "-2": 1.0},
        "pair": [1, 2],
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"conditions": [{"name": "p", "low": 0.0, "high": float("inf")}]},
        {"conditions": [{"name": "p", "low": 0.0, "high": 1.0, "dtype": "float65"}]},
        {"targets": [{"name": "p", "low": 0.0, "high": 1.0, "dtype": "object"}]},
        {"targets": [{"name": "p", "low": 0.0, "high": 1.0, "dtype": "U4"}]},
        {"conditions": []},
        {"targets": []},
        {"latents": 0},
        {"kind": "oracle"},
        {"format": 2},
        {"more": 1},
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(wrong, tmp_path):
    with pytest.raises(ValueError, match="validation error"):
        a_manifest(**wrong)
    # ... even if somebody writes it with the right hash
    content = json.loads(json.dumps(a_manifest().model_dump() | wrong))
    (tmp_path / MANIFEST).write_text(as_text(content))
    with pytest.raises(ArtifactError, match="expected the manifest of a model, got: "):
        read_manifest(tmp_path)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_is_refused(whole, data):
    name = data.draw(st.sampled_from([MANIFEST, *content(whole)]), "file")
    path = whole / name
    kept = path.read_bytes()
    at = data.draw(st.integers(0, len(kept) - 1), "byte")
    new = data.draw(st.integers(0, 255).filter(lambda value: value != kept[at]), "value")
    path.write_bytes(kept[:at] + bytes([new]) + kept[at + 1 :])
    try:
        with pytest.raises(ArtifactError, match=r"(?s)manifest|sha256"):
            verify(whole)
        if name in (MANIFEST, TRANSFORM, MODEL):
            with pytest.raises(ArtifactError):
                load(whole)
    finally:
        path.write_bytes(kept)
    verify(whole)


@pytest.mark.parametrize("space", [b"\t", b"\r", b"\n", b" "])
def test_a_changed_space_of_the_manifest_is_a_changed_byte(whole, tmp_path, space):
    folder = shutil.copytree(whole, tmp_path / "m")
    text = (folder / MANIFEST).read_bytes()
    other = next(at for at, byte in enumerate(text) if byte in b" \n" and bytes([byte]) != space)
    for changed in (text[:other] + space + text[other + 1 :], text + space, text[:-1]):
        (folder / MANIFEST).write_bytes(changed)
        with pytest.raises(ArtifactError, match="changed"):
            read_manifest(folder)


@pytest.mark.parametrize("cut", [0, 1, -1])
def test_cut_and_extended_files_are_refused(whole, tmp_path, cut):
    for name in content(whole):
        folder = shutil.copytree(whole, tmp_path / "m", dirs_exist_ok=True)
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data + b"\0" if cut == 0 else data[:cut])
        with pytest.raises(ArtifactError):
            verify(folder)


@pytest.mark.parametrize("text", ["", "[]", "1", "null", '"x"', "{}", '{"sha256": 1}', "[" * 100_000, "\udcff"])
def test_a_manifest_of_something_else(tmp_path, text):
    (tmp_path / MANIFEST).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ArtifactError, match="expected the manifest of a model"):
        read_manifest(tmp_path)


def test_missing_files(whole, tmp_path):
    for name in content(whole):
        folder = shutil.copytree(whole, tmp_path / "m", dirs_exist_ok=True)
        (folder / name).unlink()
        with pytest.raises(ArtifactError, match=MANIFEST if name == MANIFEST else f"{name}, got: No such file"):
            verify(folder)
    with pytest.raises(ArtifactError, match=r"nowhere: expected the folder of a model.*check the path"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["model.onnx.bak", "figures/mine.png", "a/b/c.txt", ".hidden", "figures/more/x"])
def test_stranger_files(whole, tmp_path, name):
    folder = shutil.copytree(whole, tmp_path / "m")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"")
    with pytest.raises(ArtifactError, match=f"expected no files but those of the manifest, got {name}"):
        verify(folder)
    load(folder)  # what is not read does no harm


def test_a_link_is_a_stranger_too(whole, tmp_path):
    folder = shutil.copytree(whole, tmp_path / "m")
    (folder / "elsewhere").symlink_to(tmp_path)
    with pytest.raises(ArtifactError, match="got elsewhere"):
        verify(folder)


def test_many_strangers_are_not_all_named(whole, tmp_path):
    folder = shutil.copytree(whole, tmp_path / "m")
    for number in range(9):
        (folder / f"x{number}").write_text("")
    with pytest.raises(ArtifactError, match="got x0, x1, x2, x3, x4 and 4 more;"):
        verify(folder)


def test_a_file_that_the_manifest_does_not_know_is_not_read(tmp_path):
    manifest = write_folder(tmp_path / "m", a_manifest(), FILES)
    (tmp_path / "m" / MODEL).write_bytes(b"")
    with pytest.raises(ArtifactError, match=f"expected a model with the file {MODEL}, it has "):
        read_file(tmp_path / "m", manifest, MODEL)


def test_files_of_another_model_are_refused(tmp_path):
    one, other = (write_generator(tmp_path / name, seed=seed) for seed, name in enumerate("ab"))
    card = {"card.md": b"x"}
    third = write_generator(tmp_path / "c", more=card.items())
    assert verify(one).files == verify(other).files
    shutil.copy(third / MANIFEST, one / MANIFEST)
    with pytest.raises(ArtifactError, match=r"card\.md, got: No such file"):
        verify(one)


class TestWriting:
    def test_a_model_takes_the_place_of_a_model(self, tmp_path):
        write_folder(tmp_path / "m", a_manifest(name="old"), {**FILES, "curves/old.csv": b"1"})
        write_folder(tmp_path / "m", a_manifest(name="new"), FILES)
        assert verify(tmp_path / "m").name == "new"
        assert set(content(tmp_path / "m")) == {MANIFEST, *FILES}
        assert [path.name for path in tmp_path.iterdir()] == ["m"]

    def test_an_empty_folder_and_folders_above_that_are_not_there(self, tmp_path):
        (tmp_path / "empty").mkdir()
        for folder in (tmp_path / "empty", tmp_path / "a" / "b" / "c"):
            write_folder(folder, a_manifest(), FILES)
            verify(folder)

    def test_permissions_are_the_usual_ones(self, tmp_path):
        (tmp_path / "usual").mkdir()
        write_folder(tmp_path / "m", a_manifest(), FILES)
        assert (tmp_path / "m").stat().st_mode == (tmp_path / "usual").stat().st_mode

    def test_the_folder_one_is_in(self, tmp_path, monkeypatch):
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        write_folder(Path("."), a_manifest(), FILES)
        verify(tmp_path / "here")

    @pytest.mark.parametrize("name", ["notes.txt", "train.py", TRANSFORM, MANIFEST, "deep/er/file"])
    def test_a_folder_with_something_else_stays(self, tmp_path, name):
        path = tmp_path / "m" / name
        path.parent.mkdir(parents=True)
        path.write_text("{}")
        with pytest.raises(OutputError, match=f"got {name}; choose another -o"):
            write_folder(tmp_path / "m", a_manifest(), FILES)
        assert content(tmp_path / "m") == {name: b"{}"}

    def test_a_model_among_other_files_stays(self, tmp_path):
        """Somebody keeps notes in there."""
        write_folder(tmp_path / "m", a_manifest(), FILES)
        (tmp_path / "m" / "notes.txt").write_text("do not lose")
        with pytest.raises(OutputError, match=r"got notes\.txt; choose another -o, or move that elsewhere"):
            check_replaceable(tmp_path / "m")
        before = content(tmp_path / "m")
        with pytest.raises(OutputError):
            write_folder(tmp_path / "m", a_manifest(), FILES)
        assert content(tmp_path / "m") == before

    def test_a_model_that_misses_a_file_may_be_replaced(self, tmp_path):
        write_folder(tmp_path / "m", a_manifest(), FILES)
        (tmp_path / "m" / TRANSFORM).unlink()
        write_folder(tmp_path / "m", a_manifest(), FILES)
        verify(tmp_path / "m")

    def test_a_file_of_that_name_stays(self, tmp_path):
        (tmp_path / "m").write_text("mine")
        with pytest.raises(OutputError, match="got a file"):
            write_folder(tmp_path / "m", a_manifest(), FILES)
        with pytest.raises(OutputError, match=r"cannot be written: (Not a directory|File exists)"):
            write_folder(tmp_path / "m" / "below", a_manifest(), FILES)
        assert (tmp_path / "m").read_text() == "mine"

    def test_other_classifiers_of_this_project_stay(self, tmp_path):
        """Those of the detailed simulation have a manifest.json and a model.onnx too."""
        from lamarrpy.shipped import shipped

        folder = shutil.copytree(shipped("models", "detailed", "prob_nn"), tmp_path / "prob_nn")
        before = content(folder)
        with pytest.raises(OutputError):
            write_folder(folder, a_manifest(), FILES)
        assert content(folder) == before
        assert find_models(tmp_path) == []

    @pytest.mark.parametrize("old", [True, False])
    @pytest.mark.parametrize("fails_at", [0, 1, 2, 3])
    def test_whole_or_not_at_all(self, tmp_path, monkeypatch, fails_at, old):
        folder = tmp_path / "m"
        if old:
            write_folder(folder, a_manifest(name="old"), FILES)
        written, write = [], Path.write_bytes

        def fails(path, data):
            if len(written) == fails_at:
                write(path, data[: len(data) // 2])
                raise OSError(28, "No space left on device")
            written.append(path)
            return write(path, data)

        monkeypatch.setattr(Path, "write_bytes", fails)
        with pytest.raises(OutputError, match="m: cannot be written: No space left on device"):
            write_folder(folder, a_manifest(name="new"), FILES)
        assert len(written) == fails_at
        assert [path.name for path in tmp_path.iterdir()] == (["m"] if old else [])
        assert not old or verify(folder).name == "old"

    def test_an_interrupt_leaves_the_old_one(self, tmp_path, monkeypatch):
        folder = tmp_path / "m"
        write_folder(folder, a_manifest(name="old"), FILES)
        monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            write_folder(folder, a_manifest(name="new"), FILES)
        assert verify(folder).name == "old"
        assert [path.name for path in tmp_path.iterdir()] == ["m"]

    def test_a_place_that_cannot_be_written_to(self):
        with pytest.raises(OutputError, match="/proc/m: cannot be written: "):
            write_folder(Path("/proc/m"), a_manifest(), FILES)


class TestFinding:
    def test_at_any_depth_and_by_what_is_left(self, tmp_path):
        folders = [write_folder_at(tmp_path / name) for name in ("a", "b/deep", "c/without_manifest", "c/without_rest")]
        (folders[2] / MANIFEST).unlink()
        (folders[3] / TRANSFORM).unlink()
        write_folder_at(tmp_path / ".partial-x" / "new")
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / MANIFEST).write_text('{"manifest_version": 3}')
        assert find_models(tmp_path) == folders
        assert find_models(folders[0]) == [folders[0]]
        assert find_models(tmp_path / "other") == []


def write_folder_at(folder):
    write_folder(folder, a_manifest(), FILES)
    return folder


class TestNoPickle:
    def test_rows_with_objects_are_refused(self, tmp_path):
        """An array of objects is a pickle, which would run code when it is read."""
        stream = io.BytesIO()
        np.savez(
            stream, conditions=np.zeros((2, 2)), weights=np.ones(2), k=np.array(1), target_dll=np.array([{}, None])
        )
        folder = write_resampling(tmp_path / "m", content=stream.getvalue())
        verify(folder)
        with pytest.raises(ArtifactError, match=rf"{ROWS}: expected arrays of plain numbers.*allow_pickle=False"):
            load(folder)

    @pytest.mark.parametrize("sort", ["pickle", "npy", "nothing", "cut"])
    def test_rows_that_are_no_npz(self, tmp_path, sort):
        import pickle

        npy = io.BytesIO()
        np.save(npy, np.zeros(3))
        good = (write_resampling(tmp_path / "good") / ROWS).read_bytes()
        contents = {
            "pickle": pickle.dumps({"k": 1}),
            "npy": npy.getvalue(),
            "nothing": b"",
            "cut": good[: len(good) // 2],
        }
        folder = write_resampling(tmp_path / "m", content=contents[sort])
        with pytest.raises(ArtifactError, match="expected arrays of plain numbers"):
            load(folder)

    @pytest.mark.parametrize("write", [write_generator, write_classifier, write_resampling])
    def test_reading_a_model_unpickles_nothing(self, tmp_path, monkeypatch, write):
        folder = write(tmp_path / "m")

        def refuse(*arguments, **options):
            raise AssertionError("something was unpickled")

        for name in ("load", "loads", "Unpickler"):
            monkeypatch.setattr(f"pickle.{name}", refuse)
        rows = Draws(1, "x").rows(np.arange(10))
        load(folder)(asked(10), rows)
        assert len(training_rows())

    def test_the_package_has_no_word_of_it(self):
        """Of all that may read a model, only the conformance test makes copies through pickle, in memory."""
        import lamarrpy

        root = Path(lamarrpy.__file__).parent
        files = [
            *(root / "parameterization").rglob("*.py"),
            *(root / "train").rglob("*.py"),
            *(root / "nn").rglob("*.py"),
        ]
        said = [str(path) for path in files if "import pickle" in path.read_text() or "joblib" in path.read_text()]
        assert len(files) > 20
        assert said == []
        allowed = [path for path in files if "allow_pickle=True" in path.read_text()]
        assert allowed == []
