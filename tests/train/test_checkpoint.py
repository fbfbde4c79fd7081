"""Checkpoints: exact, put in place as a whole, and refused in words if they are damaged."""

import os

import numpy as np
import pytest

from lamarrpy.errors import ArtifactError
from lamarrpy.train.checkpoint import CHECKPOINT, read_checkpoint, write_checkpoint


class Training:
    """Something that can be stopped."""

    def __init__(self, arrays, step=0, plan=None):
        self.kept, self.step, self.plan = arrays, step, plan or {"batch": 8, "seed": 1}

    def arrays(self):
        return self.kept

    def numbers(self):
        return {"step": self.step, "plan": self.plan, "history": [{"loss": float("nan"), "score": float("inf")}]}

    def restore(self, arrays, numbers):
        self.kept, self.step, self.history = arrays, numbers["step"], numbers["history"]


def arrays_of(seed=0):
    random = np.random.default_rng(seed)
    return {
        "variable_0000": random.normal(size=(3, 2)).astype(np.float32),
        "variable_0001": np.array(2**40, np.int64),
        "best_0000": random.normal(size=(3, 2)).astype(np.float32),
    }


def test_everything_comes_back_exactly(tmp_path):
    write_checkpoint(tmp_path / "new" / "folder", Training(arrays_of(), 17))
    again = Training({name: np.zeros_like(array) for name, array in arrays_of().items()})
    assert read_checkpoint(tmp_path / "new" / "folder", again)
    assert again.step == 17
    assert np.isnan(again.history[0]["loss"])
    assert again.history[0]["score"] == np.inf
    for name, array in arrays_of().items():
        assert again.kept[name].dtype == array.dtype
        assert np.array_equal(again.kept[name], array)


def test_without_a_checkpoint_nothing_happens(tmp_path):
    training = Training(arrays_of())
    assert not read_checkpoint(tmp_path / "nowhere", training)
    assert not (tmp_path / "nowhere").exists()


def test_a_checkpoint_that_could_not_be_finished_leaves_the_earlier_one(tmp_path, monkeypatch):
    write_checkpoint(tmp_path, Training(arrays_of(), 1))

    def fail(*paths):
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(OSError, match="the disk is gone"):
            write_checkpoint(tmp_path, Training(arrays_of(1), 2))
    again = Training(arrays_of())
    read_checkpoint(tmp_path, again)
    assert again.step == 1
    write_checkpoint(tmp_path, Training(arrays_of(1), 3))
    assert os.listdir(tmp_path) == [CHECKPOINT]


@pytest.mark.parametrize(
    "mine",
    [
        Training(arrays_of(), plan={"batch": 9, "seed": 1}),
        Training(arrays_of(), plan={"batch": 8, "seed": 2}),
        Training({"variable_0000": np.zeros((3, 2), np.float32)}),
        Training(arrays_of() | {"variable_0000": np.zeros((2, 3), np.float32)}),
        Training(arrays_of() | {"variable_0002": np.zeros(1, np.float32)}),
    ],
    ids=["batch", "seed", "fewer", "shape", "more"],
)
def test_another_training_is_refused_and_nothing_is_changed(tmp_path, mine):
    write_checkpoint(tmp_path, Training(arrays_of(), 5))
    before = dict(mine.kept)
    with pytest.raises(ArtifactError, match=r"expected the checkpoint of this training, got one of other networks"):
        read_checkpoint(tmp_path, mine)
    assert mine.step == 0
    assert mine.kept == before


def refusal(folder, training):
    """Why a checkpoint is not read, None if it is."""
    try:
        read_checkpoint(folder, training)
    except ArtifactError as error:
        return str(error)
    return None


def test_no_damage_is_more_than_an_artifact_error(tmp_path):
    """Any byte may be another one: what is read then is either refused, or was no damage."""
    write_checkpoint(tmp_path, Training(arrays_of(), 5))
    path = tmp_path / CHECKPOINT
    content, refused = path.read_bytes(), 0
    for at in range(0, len(content), 3):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        again = Training(arrays_of())
        message = refusal(tmp_path, again)
        if message is not None:
            refused += 1
            assert "delete it" in message
            assert "\n" not in message
        else:
            assert again.step == 5
            assert all(np.array_equal(again.kept[name], array) for name, array in arrays_of().items())
    assert refused > len(content) / 6


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"no checkpoint", b"\x80\x04}."], ids=["empty", "cut", "text", "pickle"]
)
def test_what_is_no_checkpoint_is_refused(tmp_path, content):
    (tmp_path / CHECKPOINT).write_bytes(content)
    with pytest.raises(ArtifactError, match="expected a checkpoint, got: "):
        read_checkpoint(tmp_path, Training(arrays_of()))


def test_pickled_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "file.npz", numbers=np.array("{}"), variable_0000=np.array([{}], object))
    (tmp_path / "file.npz").rename(tmp_path / CHECKPOINT)
    with pytest.raises(ArtifactError, match="allow_pickle=False"):
        read_checkpoint(tmp_path, Training(arrays_of()))


def test_a_file_of_other_arrays_is_refused(tmp_path):
    np.savez(tmp_path / "file.npz", numbers=np.array('{"step": 1}'))
    (tmp_path / "file.npz").rename(tmp_path / CHECKPOINT)
    with pytest.raises(ArtifactError, match="expected the checkpoint of this training"):
        read_checkpoint(tmp_path, Training(arrays_of()))
    with open(tmp_path / CHECKPOINT, "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ArtifactError, match="expected a checkpoint"):
        read_checkpoint(tmp_path, Training(arrays_of()))
