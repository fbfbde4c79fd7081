"""The dynamics experiment: a small run of it, and what it says."""

import json

import pytest
from small_study import CONFIG

from lamarrpy.study.config import load_study
from lamarrpy.study.experiments import dynamics
from lamarrpy.study.jobs import plain
from lamarrpy.study.study import Study

OPTIONS = {
    "families": ["mlp", "rk_pinn"],
    "size": "tiny",
    "steps": 8,
    "evaluations": 4,
    "tracks": 100,
    "points": 3,
    "seen": 50,
    "turns": 3,
}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    config = load_study({**CONFIG, "experiments": {"dynamics": OPTIONS}})
    return dynamics.run(Study(tmp_path_factory.mktemp("dynamics"), config))


def test_each_family_has_its_curves(result):
    assert list(result["curves"]) == ["mlp", "rk_pinn"]
    for family, curve in result["curves"].items():
        assert [entry["step"] for entry in curve] == [2, 4, 6, 8]
        for entry in curve:
            assert set(entry) >= {"loss", "data", "pde", "ic", "score", "gradients", "competition"}
            assert set(entry["gradients"]) >= {"dense_0", "dense_1", "all"}
            assert entry["gradients"]["all"] > 0.0
            assert (entry["competition"] is None) == (family == "mlp")
    assert result["curves"]["mlp"][-1]["loss"] < result["curves"]["mlp"][0]["loss"]


def test_surfaces_have_the_trained_network_in_their_middle(result):
    for surface in result["surfaces"].values():
        line, plane = surface["line"], surface["plane"]
        assert line["at"][len(line["at"]) // 2] == plane["at"][1] == 0.0
        middle = plane["loss"][1][1]
        assert line["loss"][len(line["loss"]) // 2] == pytest.approx(middle, rel=1e-4)
        assert plane["loss"][0][1] == pytest.approx(line["loss"][0], rel=1e-4)  # the line is the first direction


def test_rows_and_importance_are_complete(result):
    for row in result["rows"]:
        assert row["lowest_curvature"] <= row["highest_curvature"]
        assert row["ratio"] == pytest.approx(row["gradient_first_layer"] / row["gradient_last_layer"])
        assert row["steps"] == 8
    features = {(row["family"], row["feature"]) for row in result["importance"]}
    assert len(features) == len(result["importance"]) == 2 * 7
    steady = [row for row in result["importance"] if row["feature"] in ("z", "dz")]
    for row in steady:
        assert row["permuted_um"] == pytest.approx(row["plain_um"], rel=1e-6)
        assert set(row["derivative"].values()) == set(row["truth"].values()) == {0.0}
    bend = next(row for row in result["importance"] if (row["family"], row["feature"]) == ("rk_pinn", "qop"))
    assert bend["derivative"]["x"] == pytest.approx(bend["truth"]["x"], rel=0.2)  # the sweeps know the field
    json.dumps(plain(result), allow_nan=False)


def test_the_conclusion_reads_the_numbers():
    row = {"family": "pinn", "ratio": 0.25, "largest_over_median": 30.0, "competition": -0.5, "lowest_curvature": -5.0,
           "highest_curvature": 100.0}  # fmt: skip
    importance = [{"family": "pinn", "feature": name, "permuted_um": value} for name, value in
                  (("x", 1.0), ("qop", 9.0), ("tx", 5.0))]  # fmt: skip
    said = dynamics.conclusion([row], importance)
    assert said == (
        "pinn: the gradient of the first layer ends as 0.25 of the last layer's; the largest gradient was 30 times the"
        " median; data and equation of motion pull apart (cosine -0.50); it stops at a saddle (curvature -5 to 1e+02);"
        " it looks most at qop and tx."
    )
    flat = dict(row, ratio=None, largest_over_median=None, competition=None, lowest_curvature=0.0)
    assert "nearly a minimum" in dynamics.conclusion([flat], importance)
    assert "the gradient of the last layer vanishes" in dynamics.conclusion([flat], importance)
