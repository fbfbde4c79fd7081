"""Who does the work: this process, or several; the parts come back in order either way."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from lamarrpy.errors import LamarrpyError
from lamarrpy.pipeline.partition import Partition, Work, run_partition
from lamarrpy.pipeline.parts import PartReport

_work: Work | None = None
"""What this worker process works on; set once when the process starts."""


def serial(work: Work, partitions: Iterable[Partition]) -> Iterator[tuple[Partition, PartReport]]:
    """Work through the partitions one after the other, skipping finished ones."""
    for partition in partitions:
        if work.parts.is_finished(partition.index):
            yield partition, work.parts.report(partition.index)
        else:
            yield partition, run_partition(work, partition)


def processes(work: Work, partitions: Iterable[Partition], workers: int) -> Iterator[tuple[Partition, PartReport]]:
    """Work through the partitions in several processes, a few ahead of what is asked for.

    Raises
    ------
    LamarrpyError
        If a worker dies; finished parts stay and the run can be resumed.
    """
    module = type(work.simulation).__module__
    with ProcessPoolExecutor(workers, mp_context=_context(module), initializer=_start_worker, initargs=(work,)) as pool:
        ahead: deque[tuple[Partition, Future[PartReport] | None]] = deque()
        queue = iter(partitions)
        try:
            while True:
                while len(ahead) < 3 * workers and (partition := next(queue, None)) is not None:
                    finished = work.parts.is_finished(partition.index)
                    ahead.append((partition, None if finished else pool.submit(_run_in_worker, partition)))
                if not ahead:
                    return
                partition, future = ahead.popleft()
                yield partition, future.result() if future else work.parts.report(partition.index)
        except BrokenProcessPool:
            raise LamarrpyError(
                "a worker process died (killed, out of memory, or called from a script whose main part is not"
                " under `if __name__ == '__main__':`?); go on with --resume, with fewer --workers or smaller"
                " --chunk-events if memory is short"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _context(module: str) -> multiprocessing.context.BaseContext:
    """How workers start: forked from a clean process that has imported what they need, where the system can."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, module])
    return context


def prepare(workers: int, module: str) -> None:
    """Start the process that workers are forked from, so that it gets ready while the input is opened.

    Parameters
    ----------
    workers : int
        How many there will be; nothing is started for one.
    module : str
        What they need to import besides the machinery: where the simulation is defined.
    """
    if workers > 1 and _context(module).get_start_method() == "forkserver":
        from multiprocessing import forkserver  # not on every system

        forkserver.ensure_running()


def _start_worker(work: Work) -> None:
    global _work
    _work = work


def _run_in_worker(partition: Partition) -> PartReport:
    assert _work is not None
    return run_partition(_work, partition)
