"""Every model of the trained stages, from a folder of training samples: each in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from lamarrpy.errors import ConfigError, LamarrpyError, did_you_mean
from lamarrpy.parameterization.folder import MANIFEST
from lamarrpy.shipped import shipped
from lamarrpy.train.preparation import stage_of
from lamarrpy.train.quiet import quiet_tensorflow
from lamarrpy.train.recipe import RECIPE, find_recipe, read_recipe
from lamarrpy.train.tasks import task_of

GAN = "gan"
"""Version of a model that an adversarial algorithm learned: for comparison, in the budget of the default one."""


class Job(NamedTuple):
    """One model to be trained.

    Attributes
    ----------
    stage, part, version : str
        Which one.
    recipe : Path
        How, before a recipe of the part is looked for.
    """

    stage: str
    part: str
    version: str
    recipe: Path

    @property
    def name(self) -> str:
        """As the folder is called below the models."""
        return f"{self.stage}/{self.part}/{self.version}"


class Outcome(NamedTuple):
    """What became of a job.

    Attributes
    ----------
    job : Job
        Which.
    cpu : float
        Seconds of processor time; 0 if the model was there already.
    error : str
        What went wrong; empty if nothing did.
    """

    job: Job
    cpu: float
    error: str


def jobs(only: Sequence[str] = (), gan: bool = False) -> list[Job]:
    """The models of all stages, or of those that are named.

    Parameters
    ----------
    only : sequence of str
        Stages, or models such as ``rich/kaon``; all if empty.
    gan : bool
        Whether those of the adversarial algorithms are meant, instead of the default ones.

    Raises
    ------
    ConfigError
        If one that is named does not exist.
    """
    found = list(_all(gan))
    names = {name for job in found for name in (job.stage, f"{job.stage}/{job.part}")}
    for name in only:
        if name not in names:
            known = ", ".join(sorted(names))
            raise ConfigError(f"expected a stage or a model out of {known}, got {name!r}{did_you_mean(name, names)}")
    return [job for job in found if not only or job.stage in only or f"{job.stage}/{job.part}" in only]


def _all(gan: bool) -> Iterator[Job]:
    for recipe in sorted(shipped("models").glob(f"*/{RECIPE}")):
        stage, own = stage_of(recipe), recipe.with_name(f"{GAN}.yaml") if gan else recipe
        if stage is None or stage.sample is None or not own.is_file():
            continue
        for part in stage.parts:
            version = GAN if gan else read_recipe(find_recipe(str(own), part)).algorithm
            yield Job(recipe.parent.name, part, version, own)


def train_chain(
    data: Path, output: Path, work: Sequence[Job], workers: int, overwrite: bool, tell: Callable[[Outcome], None]
) -> list[Outcome]:
    """Train some models, several at a time; those that are there stay, one that was stopped goes on where it was.

    Parameters
    ----------
    data : Path
        Output of ``lamarrpy training-samples``.
    output : Path
        Folder of the models.
    work : sequence of Job
        From `jobs`.
    workers : int
        Trainings at a time, each of one thread.
    overwrite : bool
        Whether models that are there are trained anew.
    tell : callable
        Told of each that is done.
    """
    there = [job for job in work if (output / job.name / MANIFEST).is_file() and not overwrite]
    outcomes = [Outcome(job, 0.0, "") for job in there]
    for outcome in outcomes:
        tell(outcome)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        todo = [job for job in work if job not in there]
        for future in as_completed([pool.submit(_train, job, data, output / job.name) for job in todo]):
            outcomes.append(future.result())
            tell(outcomes[-1])
    return outcomes


def _train(job: Job, data: Path, output: Path) -> Outcome:
    try:
        quiet_tensorflow(1)
        from lamarrpy.train.running import train

        task = task_of(str(job.recipe), job.part, data, {"name": f"{job.stage} {job.part}"})
        train(task.recipe, task.data, output, prepare=task.prepare)
    except LamarrpyError as error:
        return Outcome(job, time.process_time(), str(error))
    return Outcome(job, time.process_time(), "")
