"""Likelihoods of muons and of others, from tables."""

import json

import numpy as np
import pytest

from lamarrpy.detailed.muon import MuonAnswer, likelihoods
from lamarrpy.detailed.muon.likelihoods import TABLES, bins, closeness, load_tables, number_of_bins
from lamarrpy.errors import ArtifactError
from lamarrpy.shipped import shipped


def answer(d2, region, p, muon=True):
    n = len(d2)
    is_muon = np.full(n, muon)
    zero = np.zeros(n, np.int64)
    return MuonAnswer(
        is_muon, is_muon, d2, np.full(n, region), np.full(n, p), zero, np.repeat(is_muon[:, None], 4, axis=1)
    )


def test_tables_are_distributions():
    tables = load_tables()
    assert tables.scale.shape == (number_of_bins(),)
    for table in (tables.muon, tables.other):
        assert np.all(table[:, 0] == 0.0)
        assert np.all(table[:, -1] == 1.0)
        assert np.all(table[:, 1] > 0.0)
        assert np.all(np.diff(table, axis=1) >= 0.0)
    # S is the 90 % quantile of muons: t is one half there
    assert tables.muon[:, 50] == pytest.approx(np.full(number_of_bins(), 0.9), abs=0.02)


def test_bins():
    region, p = np.array([0, 0, 0, 1, 3, 3, -1]), np.array([5e3, 15e3, 99e3, 5e3, 5e3, 99e3, 5e3])
    assert bins(region, p).tolist() == [0, 1, 6, 7, 17, 21, -1]
    assert number_of_bins() == 22


def test_closeness_is_one_half_at_the_scale():
    assert closeness(np.array([0.0, 7.0, 1e6]), np.full(3, 7.0)) == pytest.approx([0.0, 0.5, 1.0])


@pytest.mark.parametrize("region", range(4))
@pytest.mark.parametrize("p", [4e3, 12e3, 35e3, 80e3])
def test_mu_dll_favours_small_distances(region, p):
    scale = load_tables().scale[bins(np.array([region]), np.array([p]))][0]
    d2 = scale * np.array([0.0, 0.05, 0.3, 1.0, 10.0])
    muon, other = likelihoods(answer(d2, region, p))
    assert np.all(np.diff(muon) >= 0.0)
    assert np.all(np.diff(other) >= 0.0)
    assert [muon[-1], other[-1]] == pytest.approx([0.0, 0.0], abs=1e-3)
    assert (muon - other)[0] == pytest.approx((muon - other)[1], abs=2.5)
    assert (muon - other)[1] > 0.5
    assert np.all((muon - other)[:3] > 0.0)
    assert np.isfinite(muon).all()
    assert np.isfinite(other).all()


def test_no_likelihood_without_is_muon():
    for values in likelihoods(answer(np.array([1.0, np.nan]), 1, 2e4, muon=False)):
        assert np.isnan(values).all()


def test_damaged_tables_are_refused(tmp_path):
    content = json.loads(shipped(*TABLES).read_text())
    content["tables"]["scale"][0] += 1.0
    damaged = tmp_path / "tables.json"
    damaged.write_text(json.dumps(content))
    with pytest.raises(
        ArtifactError, match=r"expected tables with sha256 .*, got .*: damaged; .*run models/detailed/.*make_tables\.py"
    ):
        load_tables(damaged)
    damaged.write_text("{}")
    with pytest.raises(ArtifactError, match="expected tables and their sha256 as JSON"):
        load_tables(damaged)
