"""Data whose columns have other names."""

import numpy as np
import pytest
import uproot

from lamarrpy.errors import ConfigError, SchemaError
from lamarrpy.train.names import read_named, read_names


@pytest.fixture
def ntuple(tmp_path):
    with uproot.recreate(tmp_path / "calibration.root") as file:
        file["DecayTree"] = {
            "K_P": np.array([1e3, 2e3]),
            "K_RichDLLk": np.array([1.0, 5.0]),
            "nTracks": np.array([90, 3]),
        }
    return tmp_path / "calibration.root"


def names_of(tmp_path, text):
    (tmp_path / "names.yaml").write_text(text)
    return read_names(tmp_path / "names.yaml")


def test_branches_and_numbers(ntuple, tmp_path):
    names = names_of(tmp_path, "p: K_P\nn_tracks: nTracks\nrich_dll_k: K_RichDLLk\ntrack_type: 3\n")
    read = read_named(ntuple, ["p", "track_type", "rich_dll_k"], ["n_tracks", "event_id"], None, names)
    assert set(read.columns) == {"p", "track_type", "rich_dll_k", "n_tracks"}
    assert read["p"].tolist() == [1e3, 2e3]
    assert read["track_type"].tolist() == [3, 3]
    assert read["n_tracks"].tolist() == [90, 3]


def test_columns_that_are_not_named_keep_their_names(ntuple, tmp_path):
    assert read_named(ntuple, ["nTracks"], names=names_of(tmp_path, "p: K_P\n"))["nTracks"].tolist() == [90, 3]


def test_a_branch_that_is_not_there(ntuple, tmp_path):
    with pytest.raises(SchemaError, match="missing: K_PP; did you mean 'K_P'"):
        read_named(ntuple, ["p"], names=names_of(tmp_path, "p: K_PP\n"))


@pytest.mark.parametrize("text", ["- p\n", "p: [K_P]\n"])
def test_what_is_no_mapping_is_refused(text, tmp_path):
    with pytest.raises(ConfigError, match="expected a mapping of columns to the names"):
        names_of(tmp_path, text)


def test_no_file_is_no_names():
    assert read_names(None) == {}
