"""A study under way: what experiments are given to work with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.strict import Strict
from lamarrpy.study.config import MAIN, PARTS, StudyConfig, explained, merged
from lamarrpy.study.jobs import FAILURE, Job, Outcome, read_json
from lamarrpy.study.processes import Task, carry_out, one_thread
from lamarrpy.study.samples import Samples, SampleSpec, make_sample
from lamarrpy.study.training import FINISHED, OPEN, config_of, run_job, standing
from lamarrpy.study.wording import distance
from lamarrpy.tracks import TrackRecipe, TrackSample, load_track_recipe
from lamarrpy.tracks.ranges import fixed
from lamarrpy.train.extrapolation.recipe import ExtrapolatorRecipe

S = TypeVar("S", bound=Strict)

Tell = Callable[[str], None]

SHORT = {"mlp": "mlp", "pinn": "pinn", "rk_pinn": "rkpinn"}
"""Families as the names of jobs begin (protocol table 4)."""


class Study:
    """What experiments are given: samples of tracks, recipes, trainings.

    Parameters
    ----------
    folder : Path
        Where everything is written.
    config : StudyConfig
        What is wanted.
    workers : int
        Processes that train at once, each on one thread.
    tell : callable, optional
        Told what is done, a line at a time.
    """

    def __init__(self, folder: Path, config: StudyConfig, workers: int = 1, tell: Tell | None = None) -> None:
        self.folder, self.config, self.workers = folder, config, workers
        self.tell: Tell = tell or (lambda line: None)
        self.samples = Samples.of(folder)
        self._specs: dict[str, SampleSpec] = {}

    def options(self, experiment: str, kind: type[S]) -> S:
        """The settings of an experiment.

        Raises
        ------
        ConfigError
            If the configuration sets what there is not.
        """
        try:
            return kind.model_validate(self.config.experiments.get(experiment, {}))
        except ValidationError as error:
            raise ConfigError(f"experiments.{experiment}: {'; '.join(explained(error))}") from None

    # ---- tracks

    def spec(self, name: str) -> SampleSpec:
        """What a sample is: ``<set>.<part>`` of the configuration, or one that was added.

        Raises
        ------
        ConfigError
            If there is none of that name.
        """
        if name in self._specs:
            return self._specs[name]
        track_set, _, part = name.rpartition(".")
        if track_set not in self.config.sets or part not in PARTS:
            known = [f"{one}.{part}" for one in self.config.sets for part in PARTS] + list(self._specs)
            raise ConfigError(f"expected a sample out of {', '.join(known)}, got {name!r}{did_you_mean(name, known)}")
        size = getattr(self.config.sizes(track_set), part)
        recipe = self.config.sets[track_set].made().as_data()
        return SampleSpec(name, recipe, size, 3 * self.config.seed + PARTS.index(part))

    def add_sample(
        self, name: str, recipe: TrackRecipe | Mapping[str, Any] | str, tracks: int, seed: int | None = None
    ) -> str:
        """Make a sample known that the configuration has not; jobs and `sample` may then name it.

        Parameters
        ----------
        name : str
            Of the sample.
        recipe : TrackRecipe, mapping or str
            As `lamarrpy.tracks.load_track_recipe` takes it.
        tracks : int
            How many.
        seed : int, optional
            The seed of test samples if left out.
        """
        seed = 3 * self.config.seed + 2 if seed is None else seed
        self._specs[name] = SampleSpec(name, load_track_recipe(recipe).as_data(), tracks, seed)
        return name

    def sample(self, name: str) -> TrackSample:
        """The tracks of a sample, made when first asked for."""
        self.samples.make(self.spec(name))
        return self.samples.read(name)

    def track_recipe(self, name: str = f"{MAIN}.test") -> TrackRecipe:
        """By which a sample is made; its ``field.make()`` is the magnetic field."""
        return load_track_recipe(self.spec(name).recipe)

    # ---- networks

    def recipe(
        self, family: str, size: str | Sequence[int] = "medium", *, name: str = "", data: str = MAIN, **changes: Any
    ) -> ExtrapolatorRecipe:
        """The recipe of a network: what the configuration says of its family, in the field of a set of tracks.

        Parameters
        ----------
        family : str
            ``mlp``, ``pinn`` or ``rk_pinn``.
        size : str or sequence of int
            Hidden layers.
        name : str
            What it is called.
        data : str
            Set, or sample, of tracks that it learns from: their field is its field, and where all of them start and
            end is what an RK-PINN takes as fixed.
        **changes
            Keys of `ExtrapolatorRecipe` (``architecture``, ``loss``, ``training``, ``seed``) that are to be others.

        Raises
        ------
        ConfigError
            If there is no such recipe.
        """
        tracks = self.track_recipe(data if data in self._specs else f"{data.removesuffix('.train')}.train")
        base: dict[str, Any] = {"name": name or f"{SHORT[family]}_{size}", "seed": self.config.seed}
        base["field"] = {"kind": tracks.field.kind, "polarity": tracks.field.polarity, **tracks.field.settings}
        base["architecture"] = {"family": family, **(_ends_of(tracks) if family == "rk_pinn" else {})}
        content = merged(merged(base, self.config.families.get(family, {})), changes)
        content = merged(content, {"architecture": {"family": family, "size": size}})
        try:
            return ExtrapolatorRecipe.model_validate(content)
        except ValidationError as error:
            raise ConfigError(f"recipe {base['name']}: {'; '.join(explained(error))}") from None

    def job(
        self, name: str, experiment: str, family: str, size: str | Sequence[int] = "medium", *, data: str = MAIN,
        tracks: int | None = None, begin_with: str | None = None, notes: str = "", **changes: Any,
    ) -> Job:  # fmt: skip
        """A training on the three samples of a set; parameters as for `recipe` and `Job`."""
        recipe = self.recipe(family, size, name=name, data=data, **changes)
        sample, validation, test = (f"{data}.{part}" for part in PARTS)
        return Job(name, experiment, recipe, sample, validation, test, tracks, begin_with, notes)

    def train(self, jobs: Iterable[Job]) -> dict[str, Outcome]:
        """Train what is not trained yet, several at once; outcomes as for `outcomes`.

        Raises
        ------
        ConfigError
            If two jobs have one name, but are not the same.
        """
        jobs = self.wanted(jobs)
        specs = {name: self.spec(name) for job in jobs for name in job.samples}
        missing = [
            Task(name, make_sample, self.folder, spec) for name, spec in specs.items() if not self.samples.has(spec)
        ]
        for number, (made, _) in enumerate(carry_out(missing, self.workers, one_thread), 1):
            self.tell(f"[{number}/{len(missing)}] {self._made(made.name)}")
        open_jobs = [job for job in jobs if self.standing(job) == OPEN]
        tasks = [
            Task(job.name, run_job, self.folder, job, self.job_config(job), after=[job.begin_with or ""])
            for job in open_jobs
        ]
        for number, (task, state) in enumerate(carry_out(tasks, self.workers), 1):
            self.tell(f"[{number}/{len(tasks)}] {self._told(task.name, state)}")
        return self.outcomes(jobs)

    def _made(self, name: str) -> str:
        about = self.samples.about(name)
        return f"{name}: {about['sample']['tracks']:,} tracks, {about['fractions']['kept']:.1%} of those drawn"

    def _told(self, name: str, state: str) -> str:
        if state != FINISHED:
            return f"{name}: failed: {read_json(self.folder / 'jobs' / name / FAILURE)['reason']}"
        done = self.outcome(name)
        rms, wall = distance(done.metrics["test"]["distance_rms"]), done.history["wall_s"]
        return f"{name}: {rms} rms in x and y, learned in {wall:.0f} s"

    def wanted(self, jobs: Iterable[Job]) -> list[Job]:
        """Each job once, without those that the configuration leaves out.

        Raises
        ------
        ConfigError
            If two of them have one name, but are not the same.
        """
        found: dict[str, Job] = {}
        for job in jobs:
            first = found.setdefault(job.name, job)
            if replace(job, experiment=first.experiment, notes=first.notes) != first:
                raise ConfigError(f"job {job.name}: {job.experiment} and {first.experiment} mean different ones by it")
        return [job for job in found.values() if job.name not in self.config.without]

    def job_config(self, job: Job) -> dict[str, Any]:
        """What is in its config.json."""
        return config_of(job, {name: self.spec(name) for name in job.samples})

    def standing(self, job: Job) -> str:
        """Whether a job is ``finished``, has ``failed``, or is ``open``."""
        return standing(self.folder / "jobs" / job.name, self.job_config(job))

    def outcomes(self, jobs: Iterable[Job]) -> dict[str, Outcome]:
        """What finished jobs have brought, by name, in the order of the jobs; failed ones are missing."""
        return {job.name: self.outcome(job.name) for job in self.wanted(jobs) if self.standing(job) == FINISHED}

    def outcome(self, name: str) -> Outcome:
        """What a finished job has brought."""
        return Outcome(self.folder / "jobs" / name)


def _ends_of(tracks: TrackRecipe) -> dict[str, float]:
    """Where all tracks start and end, if that is one plane each."""
    start, dz = fixed(tracks.start.z), None if tracks.length.dz is None else fixed(tracks.length.dz)
    return {} if start is None or dz is None else {"start": start, "end": start + dz}
