"""The robustness experiment: tracks that are where they are said to be, and answers that are judged as they are."""

import json
from functools import partial

import numpy as np
import pytest
from small_study import CONFIG, Untrained

from lamarrpy.field import magnetic_field
from lamarrpy.study.config import load_study, merged
from lamarrpy.study.experiments import robustness
from lamarrpy.study.experiments.robustness import conclusion, edge_cases, integrated, other_fields, variations
from lamarrpy.study.jobs import plain
from lamarrpy.tracks import load_track_recipe, make_sample
from lamarrpy.tracks.accuracy import accuracy
from lamarrpy.train.extrapolation.running import deviations

LHCB = magnetic_field("lhcb")


@pytest.fixture(scope="module")
def sample():
    return make_sample("box", 100, 1)


def drawn(name, recipe="box", tracks=300):
    found = load_track_recipe(recipe)
    changes = {key: changed for key, _, _, changed in variations(found)}[name]
    return make_sample(load_track_recipe(merged(found.as_data(), changes)), tracks, 2)


def test_tracks_at_the_boundary_are_inside_and_at_its_edge():
    start = drawn("boundary").start
    part = [np.abs(start.x) / 1200.0, np.abs(start.y) / 1000.0, np.abs(start.tx) / 0.3, np.abs(start.ty) / 0.25]
    worst = np.max(part, axis=0)
    assert worst.min() >= 0.95
    assert worst.max() <= 1.0


@pytest.mark.parametrize(("name", "keys", "limits", "most"), [
    ("slopes", ("tx", "ty"), (0.3, 0.25), 4.0 / 3.0), ("position", ("x", "y"), (1200.0, 1000.0), 1.5)
])  # fmt: skip
def test_tracks_outside_are_outside_but_not_far(name, keys, limits, most):
    start = drawn(name).start
    part = np.max([np.abs(getattr(start, key)) / limit for key, limit in zip(keys, limits, strict=True)], axis=0)
    assert part.min() >= 1.0
    assert part.max() <= most * (1.0 + 1e-12)


@pytest.mark.parametrize(("name", "low", "high"), [("momentum_below", 1600.0, 2000.0), ("momentum_above", 1e5, 1.1e5)])
def test_momenta_lie_beside_the_range(name, low, high):
    p = drawn(name).p
    assert p.min() >= low * (1.0 - 1e-9)
    assert p.max() <= high * (1.0 + 1e-9)


def test_lengths_are_others_and_recipes_without_a_box_or_an_end_have_fewer_cases():
    assert np.all(drawn("length_7200").dz == 7200.0)
    assert "boundary" not in {name for name, *_ in variations(load_track_recipe("acceptance"))}
    assert {group for _, group, *_ in variations(load_track_recipe("variable"))} == {"momentum"}
    assert "momentum_above" not in {name for name, *_ in variations(load_track_recipe("protocol"))}


def test_a_stronger_field_is_a_smaller_momentum(sample):
    found = {case.name: case for case in other_fields(sample, load_track_recipe("box"))}
    assert set(found) == {"field_scaled", "field_scaled_told", "field_map", "field_dipole_pair"}
    scaled = found["field_scaled"].sample
    stiff = scaled.at(scaled.p > 20_000.0)
    shift = accuracy(integrated(stiff.start, stiff.dz, LHCB), deviations(stiff))
    bent = np.abs(deviations(stiff)[:, 0]).max() * 1e3
    assert 0.5 * 0.01 * bent < shift["max"]["x"] < 1.5 * 0.01 * bent
    told = found["field_scaled_told"]
    start = stiff.start._replace(qop=told.told * stiff.start.qop)
    assert accuracy(integrated(start, stiff.dz, LHCB), deviations(stiff))["max"]["x"] < 1.0


def test_a_map_moves_ends_by_as_much_as_the_field_says(sample):
    found = {case.name: case for case in other_fields(sample, load_track_recipe("box"))}
    told = accuracy(integrated(sample.start, sample.dz, LHCB), deviations(found["field_map"].sample))
    assert 1.0 < told["distance_68"] < 1000.0
    assert found["field_map"].kept == 1.0


def test_edge_cases_of_the_integrator_are_known(sample):
    rows = {row["case"]: row for row in edge_cases(sample, {"rk": ("integrator", partial(integrated, field=LHCB))})}
    assert rows["neutral"]["worst_um"] == pytest.approx(0.0, abs=1e-6)
    assert rows["no_way"]["worst_um"] == pytest.approx(0.0, abs=1e-6)
    assert rows["neutral"]["finite"] == 1.0
    assert rows["curling"]["finite"] == 0.0
    assert rows["not_a_number"]["finite"] == 0.0
    assert rows["far"]["worst_um"] is None


def test_a_small_run_judges_every_case(tmp_path):
    options = {"networks": ["mlp_tiny", "rkpinn_tiny"], "tracks": 100}
    study = Untrained(tmp_path, load_study({**CONFIG, "experiments": {"robustness": options}}))
    result = robustness.run(study)
    cases = {row["case"] for row in result["rows"]}
    contenders = {"mlp_tiny", "rkpinn_tiny", "runge_kutta_40"}
    assert {(row["case"], row["contender"]) for row in result["rows"]} == {(c, n) for c in cases for n in contenders}
    assert {row["group"] for row in result["rows"]} == {
        "interpolation", "boundary", "momentum", "slopes", "position", "length", "field"
    }  # fmt: skip
    for row in result["rows"]:
        assert 0.0 < row["kept"] <= 1.0
        if row["case"] == "interpolation":
            assert row["degradation"] == 1.0
    exact = next(
        row for row in result["rows"] if (row["case"], row["contender"]) == ("interpolation", "runge_kutta_40")
    )
    assert exact["distance_68"] < 1.0
    finite = {row["case"]: row["finite"] for row in result["edge_cases"] if row["contender"] == "mlp_tiny"}
    assert finite["not_a_number"] == 0.0
    assert finite["neutral"] == 1.0
    json.dumps(plain(result), allow_nan=False)
    assert "rkpinn_tiny: 95 % within" in result["conclusion"]


def test_the_conclusion_tells_the_worst_case_of_each_group_and_what_is_lost():
    def row(case, group, distance, factor, finite=1.0):
        return {"case": case, "group": group, "contender": "net", "distance_95": distance, "degradation": factor,
                "n": 100, "share_finite": finite}  # fmt: skip

    rows = [row("interpolation", "interpolation", 2.0, 1.0), row("momentum_below", "momentum", 8.0, 4.0),
            row("momentum_above", "momentum", 1.0, 0.5, 0.9), row("field_map", "field", 20.0, 10.0)]  # fmt: skip
    assert conclusion(rows) == (
        "net: 95 % within 2 um as in training, times at worst 4 for momentum, 10 for field_map; 10 answers are not"
        " finite."
    )
    nothing = [row("interpolation", "interpolation", None, None, 0.0)]
    assert conclusion(nothing) == "net has no finite answer to tracks as in training."
