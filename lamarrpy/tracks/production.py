"""Files of tracks made by one process or several: the same file either way."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from lamarrpy import __version__
from lamarrpy.errors import ConfigError, LamarrpyError
from lamarrpy.tracks.files import Precision, check_track_output, open_tracks
from lamarrpy.tracks.making import BLOCK, Made, RecipeLike, Tally, TrackMaker, expect_numbers, kept_of, numbers
from lamarrpy.tracks.recipe import load_track_recipe

_AHEAD = 2
"""Blocks a worker is given ahead of what is written."""

_SHARED_BLOCK = BLOCK // 4
"""Tracks a worker makes at a time: fewer, so that all are done at about the same time."""

_maker: TrackMaker | None = None
"""What this worker process makes; set once when the process starts."""


def write_tracks(
    recipe: RecipeLike,
    path: str | Path,
    n: int,
    seed: int = 0,
    *,
    first: int = 0,
    workers: int = 1,
    precision: Precision = "float64",
    overwrite: bool = False,
    progress: Callable[[int], object] = lambda kept: None,
) -> Tally:
    """Make tracks and write them to a file, in memory that does not grow with their number.

    Parameters
    ----------
    recipe : TrackRecipe, mapping, str or Path
        What tracks, as `lamarrpy.tracks.load_track_recipe` takes it.
    path : path
        ``.parquet`` or ``.npz``.
    n : int
        How many tracks to keep.
    seed : int
        Seed of all random numbers.
    first : int
        Number of the first track to draw.
    workers : int
        Processes that make them; the file is the same, bit by bit in its numbers.
    precision : {"float64", "float32"}
        Of the numbers in the file.
    overwrite : bool
        Whether a file that is there is replaced.
    progress : callable
        Told how many tracks were kept since it was last called.

    Returns
    -------
    Tally
        What became of the drawn tracks; also in the metadata of the file.

    Raises
    ------
    ConfigError
        If the recipe or a number makes no sense.
    OutputError
        If the file cannot be written; what can be known is said before any work is done.
    """
    expect_numbers(n, first, BLOCK)
    if workers < 1:
        raise ConfigError(f"expected at least one worker, got {workers}")
    check_track_output(path, overwrite=overwrite)
    maker, tally = TrackMaker(load_track_recipe(recipe), int(seed)), Tally()
    _ = maker.field  # what is wrong with it is said before anything is written
    jobs = numbers(n, first, BLOCK if workers == 1 else _SHARED_BLOCK)
    blocks = (maker.make(*job) for job in jobs) if workers == 1 else _by_processes(maker, jobs, n, workers)
    with open_tracks(path, precision=precision, overwrite=overwrite) as file:
        for made in kept_of(blocks, n, maker.recipe.name):
            tally.add(made.fates)
            file.append(made.sample)
            progress(len(made.sample))
        file.finish(
            {
                "lamarrpy": __version__,
                "tracks": n,
                "seed": maker.seed,
                "first": first,
                "recipe": maker.recipe.as_data(),
                "drawn": tally.drawn,
                "fates": tally.counts,
                "fractions": tally.fractions,
            }
        )
    return tally


def _by_processes(maker: TrackMaker, jobs: Iterator[tuple[int, int]], n: int, workers: int) -> Iterator[Made]:
    """The blocks of tracks in order, made by several processes, as many ahead as will be needed for n kept ones."""
    ahead: deque[tuple[Future[Made], int]] = deque()
    drawn = kept = 0
    with ProcessPoolExecutor(workers, mp_context=_context(), initializer=_start_worker, initargs=(maker,)) as pool:
        try:
            while True:
                share = kept / drawn if kept else 1.0
                while len(ahead) < _AHEAD * workers:
                    if ahead and kept + share * sum(count for _, count in ahead) >= n:
                        break
                    job = next(jobs)
                    ahead.append((pool.submit(_make, job), job[1]))
                future, count = ahead.popleft()
                made = future.result()
                drawn, kept = drawn + count, kept + len(made.sample)
                yield made
        except BrokenProcessPool:
            raise LamarrpyError(
                "a worker process died (killed, out of memory, or called from a script whose main part is not"
                " under `if __name__ == '__main__':`?); try again with fewer workers"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _context() -> multiprocessing.context.BaseContext:
    """Workers start from a clean process that has imported this module, where the system can."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _start_worker(maker: TrackMaker) -> None:
    global _maker
    _maker = maker


def _make(job: tuple[int, int]) -> Made:
    assert _maker is not None
    return _maker.make(*job)
