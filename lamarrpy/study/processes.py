"""Who trains: this process, or several, each on one thread."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Generic, TypeVar

from lamarrpy.errors import LamarrpyError

T = TypeVar("T")

LIFE = 20
"""Tasks of a process, after which all are replaced: graphs of finished trainings are never wholly given back."""


class Task(Generic[T]):
    """A piece of work, and the names of those that must be done before it.

    Parameters
    ----------
    name : str
        Its own.
    function : callable
        Of a module.
    *arguments
        What it is given; pickled for another process.
    after : sequence of str
        Names of tasks; those that are not among the tasks count as done.
    """

    def __init__(self, name: str, function: Callable[..., T], *arguments: Any, after: Sequence[str] = ()) -> None:
        self.name, self.function, self.arguments, self.after = name, function, arguments, tuple(after)


def carry_out(
    tasks: Sequence[Task[T]], workers: int, start: Callable[[], object] | None = None
) -> Iterator[tuple[Task[T], T]]:
    """Do all tasks; yields each with its result as soon as it is there.

    Parameters
    ----------
    tasks : sequence of Task
        In the order in which they are begun.
    workers : int
        Processes; with one, this process does the work.
    start : callable, optional
        What a process begins with; `start_worker` if left out.

    Raises
    ------
    LamarrpyError
        If a process dies, or tasks wait for each other.
    """
    if workers == 1 or len(tasks) < 2:
        left = list(tasks)
        while left:
            task = _ready(left, {one.name for one in left})
            yield task, task.function(*task.arguments)
            left.remove(task)
        return
    yield from _in_processes(tasks, min(workers, len(tasks)), start or start_worker)


def _ready(left: Sequence[Task[T]], not_done: set[str]) -> Task[T]:
    for task in left:
        if not not_done.intersection(task.after):
            return task
    stuck = ", ".join(task.name for task in left)
    raise LamarrpyError(f"expected an order in which {stuck} can be done; there is none")


def _in_processes(tasks: Sequence[Task[T]], workers: int, start: Callable[[], object]) -> Iterator[tuple[Task[T], T]]:
    left = list(tasks)
    while left:
        yield from _with_new_processes(left, workers, start)


def _with_new_processes(left: list[Task[T]], workers: int, start: Callable[[], object]) -> Iterator[tuple[Task[T], T]]:
    """Do as many tasks as new processes are meant to do, and take them away from those that are left."""
    running, free = dict[Future[T], Task[T]](), LIFE * workers
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), start) as pool:
        try:
            while running or (left and free):
                not_done = {task.name for task in (*left, *running.values())}
                for task in [task for task in left if not not_done.intersection(task.after)][:free]:
                    running[pool.submit(task.function, *task.arguments)] = task
                    left.remove(task)
                    free -= 1
                if not running:
                    _ready(left, not_done)
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        except BrokenProcessPool:
            raise LamarrpyError(
                "a process of the study died (killed, or out of memory?); what is finished stays: run the study again"
                " to go on, with fewer --workers if memory is short"
            ) from None
        except BaseException:  # an interrupt too: trainings go on from their checkpoints, nobody waits for their end
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def start_worker() -> None:
    """One thread for everything, TensorFlow too, before the first heavy import."""
    from lamarrpy.train.quiet import quiet_tensorflow

    one_thread()
    quiet_tensorflow(1)


def one_thread() -> None:
    """One thread for linear algebra."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
