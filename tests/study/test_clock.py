"""Passes of a call: how many are made, and what is told of them."""

import time

import pytest

from lamarrpy.errors import ConfigError
from lamarrpy.study.clock import Passes, timed


def test_as_many_passes_are_made_as_are_told():
    calls = []
    told = timed(lambda: calls.append(1), Passes(warmup=7, count=11, seconds=60.0))
    assert (told["warmup"], told["passes"]) == (7, 11)
    assert len(calls) == 7 + 11


def test_the_first_pass_is_told_by_itself():
    waits = iter([0.05, *([0.0] * 20)])
    told = timed(lambda: time.sleep(next(waits)), Passes(warmup=1, count=20, seconds=60.0))
    assert told["first_us"] >= 50_000.0
    assert told["p50_us"] < 10_000.0


def test_time_ends_both_but_one_pass_is_always_made():
    told = timed(lambda: time.sleep(0.02), Passes(warmup=1000, count=1000, seconds=0.05))
    assert 1 <= told["passes"] <= 3
    assert 1 <= told["warmup"] <= 3
    slow = timed(lambda: time.sleep(0.02), Passes(warmup=5, count=5, seconds=1e-6))
    assert (slow["warmup"], slow["passes"]) == (1, 1)


def test_quantiles_are_in_order_and_hold_the_time_slept():
    told = timed(lambda: time.sleep(0.002), Passes(warmup=0, count=20, seconds=60.0))
    assert 2000.0 <= told["p50_us"] <= told["p95_us"] <= told["p99_us"]
    assert told["mean_us"] >= 2000.0
    assert told["std_us"] >= 0.0


@pytest.mark.parametrize("wrong", [{"warmup": -1}, {"count": 0}, {"seconds": 0.0}, {"seconds": float("nan")}])
def test_numbers_without_sense_are_refused(wrong):
    with pytest.raises(ConfigError, match="expected warmup >= 0"):
        Passes(**wrong)
