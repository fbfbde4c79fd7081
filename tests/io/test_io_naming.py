from __future__ import annotations

import pytest

from lamarrpy.io.naming import column_names, from_canonical, to_canonical
from lamarrpy.tables import SCHEMAS

NAMED = ["events", "vertices", "tracks", "clusters"]


@pytest.mark.parametrize("table", NAMED)
def test_every_column_has_a_name_of_its_own(table):
    names = column_names("lhcb")[table]
    assert set(names) == set(SCHEMAS[table].names)
    assert len(set(names.values())) == len(names)
    assert not set(names.values()) & set(SCHEMAS[table].names)


def test_names_are_unique_over_all_tables_but_for_the_event_number():
    names = [name for table in NAMED for name in column_names("lhcb")[table].values() if name != "eventNumber"]
    assert len(set(names)) == len(names)


def test_only_known_tables_and_columns_are_named():
    for table, names in column_names("lhcb").items():
        assert set(names) <= set(SCHEMAS[table].names)


@pytest.mark.parametrize("table", SCHEMAS)
def test_there_and_back(table):
    columns = list(SCHEMAS[table].names)
    outside = from_canonical(table, [*columns, "mine"], "lhcb")
    back = to_canonical(table, outside)
    assert [back.get(name, name) for name in outside] == [*columns, "mine"]


def test_names_that_analysts_know():
    columns = ["p", "chi2_per_dof", "prob_nn_k", "comb_dll_k", "is_muon", "true_pid"]
    assert from_canonical("tracks", columns, "lhcb") == [
        "trk_P",
        "trk_TRACK_CHI2NDOF",
        "trk_ProbNNk",
        "trk_PIDK",
        "trk_isMuon",
        "trk_TRUEID",
    ]
    assert from_canonical("events", ["n_tracks", "n_pvs"], "lhcb") == ["nTracks", "nPVs"]


def test_without_a_naming_nothing_changes():
    assert from_canonical("tracks", ["p", "mine"], None) == ["p", "mine"]
    assert to_canonical("tracks", ["event_id", "p"]) == {}
    assert to_canonical("mine", ["eventNumber", "x"]) == {}
