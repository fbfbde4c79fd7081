"""The transfer experiment: what is taken along into another field, and a training that begins with it."""

import json

import numpy as np
import pytest
from small_study import CONFIG, Untrained

from lamarrpy.nn.extrapolators.families import SWEEPS, Shape, build
from lamarrpy.nn.players import Body
from lamarrpy.study.config import load_study
from lamarrpy.study.experiments import transfer
from lamarrpy.study.experiments.transfer import conclusion, moved
from lamarrpy.study.jobs import plain
from lamarrpy.study.study import Study

OPTIONS = {"size": "tiny", "source": 60, "tracks": [50], "steps": 2, "test": 40}


def study_in(folder, kind=Untrained, **options):
    return kind(folder, load_study({**CONFIG, "experiments": {"transfer": {**OPTIONS, **options}}}))


def test_weights_move_and_the_field_does_not(tmp_path):
    study = study_in(tmp_path)
    sample = study.sample("main.test")
    body = Body((64, 64), residual=False, activation="silu", seed=5)
    old = build(Shape("rk_pinn", body, field={"kind": "dipole_pair"}, nodes=4, sweeps=1))
    new = moved(old, study.recipe("rk_pinn", "tiny"), sample)
    for one, other in zip(old.get_weights(), new.get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert new.get_layer(SWEEPS).settings["field"]["kind"] == "lhcb"


def test_pairs_are_equal_but_for_what_they_begin_with(tmp_path):
    jobs = {job.name: job for job in transfer.jobs(study_in(tmp_path, families=["mlp"], tracks=[50, 20]))}
    assert len(jobs) == 2 * (1 + 2 * 2)
    anew, after = jobs["transfer_field_mlp_20_scratch"], jobs["transfer_field_mlp_20_pretrained"]
    assert (anew.tracks, after.tracks) == (20, 20)
    assert anew.samples == after.samples
    assert anew.begin_with is None
    assert after.begin_with == "transfer_field_mlp_source"
    assert anew.recipe.architecture == after.recipe.architecture == jobs[after.begin_with].recipe.architecture
    assert anew.recipe.training.steps == after.recipe.training.steps == 2


def test_both_fields_bend_the_same_way_and_regions_follow_each_other(tmp_path):
    study = study_in(tmp_path)
    transfer.jobs(study)
    fields = [study.track_recipe(f"transfer_field_{end}.test").field for end in ("source", "target")]
    assert [(field.kind, field.polarity) for field in fields] == [("dipole_pair", "MagUp"), ("lhcb", "MagUp")]
    behind = study.track_recipe("transfer_region_target.test")
    assert (behind.start.z, behind.length.dz) == (((8000.0, 8000.0),), ((4000.0, 4000.0),))


def test_a_training_that_begins_with_another_field_learns_in_its_own(tmp_path):
    study = study_in(tmp_path, Study, families=["rk_pinn"], transfers=["field"])
    jobs = [job for job in transfer.jobs(study) if not job.name.endswith("scratch")]
    before, after = study.train(jobs).values()
    assert before.network().get_layer(SWEEPS).settings["field"]["kind"] == "dipole_pair"
    assert after.network().get_layer(SWEEPS).settings["field"]["kind"] == "lhcb"

    anew = build(after.recipe.shape(study.sample("transfer_field_target.train"))).get_weights()
    weights = [one.network().get_weights() for one in (before, after)]
    assert 0.0 < _apart(*weights) < 0.5 * _apart(weights[1], anew)
    assert [row["start"] for row in transfer.run(study)["rows"]] == ["untuned", "pretrained"]


def _apart(one, other):
    return sum(float(np.abs(a - b).sum()) for a, b in zip(one, other, strict=True))


def test_a_small_run_compares_both_starts(tmp_path):
    result = transfer.run(study_in(tmp_path))
    starts = {(row["transfer"], row["family"], row["start"], row["tracks"]) for row in result["rows"]}
    assert starts == {
        (how, family, start, tracks)
        for how in ("field", "region")
        for family in ("mlp", "rk_pinn")
        for start, tracks in (("untuned", 0), ("scratch", 50), ("pretrained", 50))
    }
    assert set(result["source"]) == {f"transfer_{how}_{family}_source" for how in ("field", "region")
                                     for family in ("mlp", "rkpinn")}  # fmt: skip
    json.dumps(plain(result), allow_nan=False)


@pytest.mark.parametrize(
    ("after", "told"), [(5.0, "(4 times closer)"), (40.0, "(2 times farther)"), (20.1, "(no difference)")]
)
def test_the_conclusion_says_whether_it_helps(after, told):
    def row(start, tracks, distance):
        return {"transfer": "field", "family": "mlp", "start": start, "tracks": tracks, "distance_95": distance}

    said = conclusion([row("untuned", 0, 90.0), row("scratch", 500, 20.0), row("pretrained", 500, after)])
    assert said == (
        "Distance within which 95 % of the tracks end:"
        f" mlp, from the field of two dipoles to that of LHCb (90 um before it learns there): with 500 tracks {after:g}"
        f" um pre-trained and 20 um from scratch {told}."
    )
    assert conclusion([]) == "No network of this experiment has been trained."
