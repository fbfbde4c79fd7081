"""Tasks are done in an order that fits, here or in other processes."""

import gc
import math
import os
import time
from collections import Counter

import pytest

from lamarrpy.errors import LamarrpyError
from lamarrpy.study import processes
from lamarrpy.study.processes import Task, carry_out


def test_tasks_wait_for_those_that_they_need():
    order = []
    tasks = [Task("b", order.append, "b", after=["a"]), Task("c", order.append, "c", after=["b"]),
             Task("a", order.append, "a")]  # fmt: skip
    assert [task.name for task, _ in carry_out(tasks, 1)] == ["a", "b", "c"]
    assert order == ["a", "b", "c"]


def test_what_is_not_among_the_tasks_counts_as_done():
    assert [result for _, result in carry_out([Task("b", math.sqrt, 4.0, after=["a", ""])], 1)] == [2.0]


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_to_do_is_soon_done(workers):
    assert list(carry_out([], workers)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_tasks_that_wait_for_each_other_are_an_error(workers):
    tasks = [Task("a", math.sqrt, 1.0, after=["b"]), Task("b", math.sqrt, 1.0, after=["a"])]
    with pytest.raises(LamarrpyError, match="a, b can be done"):
        list(carry_out(tasks, workers, gc.collect))


def test_several_processes_give_the_same_and_a_dead_one_is_told():
    tasks = [Task(str(i), math.sqrt, float(i)) for i in range(3)]
    assert {task.name: result for task, result in carry_out(tasks, 2, gc.collect)} == {
        "0": 0.0,
        "1": 1.0,
        "2": math.sqrt(2.0),
    }
    with pytest.raises(LamarrpyError, match="a process of the study died"):
        list(carry_out([Task("dies", os._exit, 1), Task("lives", math.sqrt, 1.0)], 2, gc.collect))


def test_processes_are_replaced_and_no_task_is_lost(monkeypatch):
    monkeypatch.setattr(processes, "LIFE", 2)
    tasks = [Task(str(i), os.getpid, after=[str(i + 1)] if i < 3 else []) for i in range(11)]
    done = list(carry_out(tasks, 2, gc.collect))
    order = [task.name for task, _ in done]
    assert sorted(order) == sorted(task.name for task in tasks)
    assert order.index("3") < order.index("2") < order.index("1") < order.index("0")
    assert max(Counter(process for _, process in done).values()) <= 4  # both together do four
    assert len({process for _, process in done}) >= 3


def test_who_stops_does_not_wait_for_the_rest():
    began = time.monotonic()
    results = carry_out([Task("short", math.sqrt, 4.0), Task("long", time.sleep, 100.0)], 2, gc.collect)
    assert next(results)[1] == 2.0
    results.close()
    assert time.monotonic() - began < 50.0
