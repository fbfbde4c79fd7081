"""The best models of a study, and what plain data become on disk."""

import json

import numpy as np
import pytest

from lamarrpy.study.checks import _speedups
from lamarrpy.study.criteria import is_accurate, is_unbiased
from lamarrpy.study.jobs import plain, read_json, write_json
from lamarrpy.study.registry import CRITERIA, best_models
from lamarrpy.study.training import tolerance_of


def model(name, error, time, gap, test="main.test", finite=1.0):
    return {"id": name, "metrics": {"test_sample": test, "generalization_gap": gap, "inference_us": {"10000": time},
                                    "accuracy": {"share_finite": finite, "distance_rms": error}}}  # fmt: skip


def test_the_best_are_chosen_by_their_criteria():
    models = [
        model("accurate", 1.0, 4.0, 0.5),
        model("balanced", 2.0, 1.0, 0.3),
        model("steady", 3.0, 3.0, 0.1),
        model("fast", 50.0, 0.1, -0.5),  # a small gap, because it has learned nothing
        model("lost", 0.1, 0.01, 0.0, finite=0.9),
        model("of other tracks", 0.1, 0.01, 0.0, test="high.test"),
        model("slow", 40.0, 9.0, 0.0),
    ]
    assert best_models(models) == {
        "overall": "balanced", "fastest": "fast", "most_accurate": "accurate", "best_generalization": "steady"
    }  # fmt: skip


def test_without_models_nothing_is_best():
    assert best_models([]) == dict.fromkeys(CRITERIA)


def accuracy(**figures):
    one = dict.fromkeys(("x", "y", "tx", "ty"), 0.5)
    return {"share_finite": 1.0, "rmse": one, "mean": dict.fromkeys(one, 0.05)} | figures


@pytest.mark.parametrize("name", ["x", "y", "tx", "ty"])
def test_criteria_ask_for_every_output(name):
    good = accuracy()
    assert is_accurate(good)
    assert is_accurate(good, 1.0)
    assert is_unbiased(good)
    assert not is_accurate(accuracy(rmse=good["rmse"] | {name: 11.0}))
    assert not is_accurate(accuracy(rmse=good["rmse"] | {name: 2.0}), 1.0)
    assert not is_accurate(accuracy(rmse=good["rmse"] | {name: None}))
    assert not is_unbiased(accuracy(mean=good["mean"] | {name: -0.2}))
    assert not is_accurate(accuracy(share_finite=0.99))


def test_numbers_become_json_and_back(tmp_path):
    content = {"a": np.float32(1.5), "b": np.arange(3), "c": (float("nan"), np.inf, 2), 4: np.bool_(True), "d": None}
    write_json(tmp_path / "in" / "a.json", content)
    wanted = {"a": 1.5, "b": [0, 1, 2], "c": [None, None, 2], "4": True, "d": None}
    assert read_json(tmp_path / "in" / "a.json") == wanted == plain(content)
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["a.json"]
    assert json.dumps(wanted)


def speedup(contender, factor, batch=1000, over="runge_kutta_40", threads=1, device="cpu"):
    return {"contender": contender, "factor": factor, "batch": batch, "over": over, "threads": threads,
            "device": device}  # fmt: skip


def test_the_speed_that_counts_is_the_best_on_one_thread_and_most_tracks():
    rows = [speedup("a", 12.0), speedup("a", 14.0), speedup("a", 99.0, batch=1), speedup("a", 99.0, threads=2),
            speedup("a", 99.0, over="runge_kutta_map"), speedup("a", 99.0, device="gpu"),
            speedup("b", 9.0)]  # fmt: skip
    checks = {check.name: check for check in _speedups(rows)}
    assert {name: (check.value, check.ok) for name, check in checks.items()} == {
        "study.speedup_over_map.a": (99.0, True),
        "study.speedup_over_formula.a": (14.0, True),
        "study.speedup_over_formula.b": (9.0, False),
    }
    assert not list(_speedups([]))


def test_as_onnx_a_network_may_be_off_by_little_of_its_own_error():
    true = np.zeros((4, 4))
    predicted = np.array([[3.0, 0, 0, 0], [3.0, 0, 0, 0], [3.0, 0, 0, 0], [np.nan, 0, 0, 0]])
    tolerance = tolerance_of({"predicted": predicted, "true": true}, np.ones(4))
    assert tolerance == pytest.approx([0.03 * 0.75**0.5, 1e-5, 1e-5, 1e-5])
