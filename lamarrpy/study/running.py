"""From a configuration to everything that a study leaves: networks, results, registry, table and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamarrpy.errors import ConfigError, OutputError, did_you_mean
from lamarrpy.study.config import MAIN, StudyConfig, load_study
from lamarrpy.study.experiments import EXPERIMENTS
from lamarrpy.study.jobs import FAILURE, Job, Outcome, read_json, write_json
from lamarrpy.study.processes import Task, carry_out
from lamarrpy.study.provenance import provenance
from lamarrpy.study.registry import write_registry
from lamarrpy.study.study import Study, Tell
from lamarrpy.study.table import write_table
from lamarrpy.study.training import FAILED

STUDY, RESULTS, REPORT = "study.json", "results", "report.html"


@dataclass(frozen=True)
class StudyResult:
    """What a study has found.

    Attributes
    ----------
    folder : Path
        Where everything is.
    results : dict of str to dict
        What each experiment that ran found out.
    outcomes : dict of str to Outcome
        Networks that went well, those of earlier runs included.
    failures : list of dict
        ``model``, ``experiment`` and ``notes`` (why) of the others.
    registry : dict
        Content of registry.json.
    """

    folder: Path
    results: dict[str, dict[str, Any]]
    outcomes: dict[str, Outcome]
    failures: list[dict[str, str]]
    registry: dict[str, Any]


def run_study(
    config: StudyConfig | Mapping[str, Any] | str | Path,
    folder: Path,
    *,
    only: Sequence[str] = (),
    workers: int = 1,
    tell: Tell | None = None,
) -> StudyResult:
    """Run the experiments of a study; what an earlier run has finished is not done again.

    Parameters
    ----------
    config : StudyConfig, mapping, str or Path
        What is wanted, as `load_study` takes it.
    folder : Path
        Where everything is written.
    only : sequence of str
        Names of experiments; all if left out.
    workers : int
        Processes that train at once.
    tell : callable, optional
        Told what is done, a line at a time.

    Raises
    ------
    ConfigError
        If the configuration or a name makes no sense; before anything is written.
    OutputError
        If the folder holds something else.
    """
    config = load_study(config)
    study = Study(folder.resolve(), config, workers, tell)
    wanted = chosen(config, only)
    jobs = {name: _jobs(study, name, name in wanted) for name in chosen(config)}
    study.wanted(job for mine in jobs.values() for job in mine)  # names that mean two things are told now
    _begin(study)
    study.train(job for name in wanted for job in jobs[name])
    results = _analyses(study, wanted)
    return _close(study, results, [job for mine in jobs.values() for job in mine])


def _jobs(study: Study, name: str, wanted: bool) -> Sequence[Job]:
    """Networks of an experiment; none, if it does not run now and its tracks are not in the configuration."""
    try:
        return list(EXPERIMENTS[name].jobs(study))
    except ConfigError:
        if wanted:
            raise
        return []


def chosen(config: StudyConfig, only: Sequence[str] = ()) -> list[str]:
    """Names of the experiments to be run, in the order of the protocol; settings of all are checked.

    Raises
    ------
    ConfigError
        If one is unknown.
    """
    for name in (*only, *config.experiments):
        if name not in EXPERIMENTS:
            raise ConfigError(
                f"expected experiments out of {', '.join(EXPERIMENTS)}, got {name!r}{did_you_mean(name, EXPERIMENTS)}"
            )
    checked = Study(Path(), config)
    for name, experiment in EXPERIMENTS.items():
        checked.options(name, experiment.Options)
    return [name for name in EXPERIMENTS if name not in config.without and (not only or name in only)]


def _begin(study: Study) -> None:
    """Write down what is run; refuse a folder of something else."""
    folder = study.folder
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: expected a folder, got a file; choose another -o")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / STUDY).is_file():
        raise OutputError(f"{folder}: expected an empty folder or a study's, got something else; choose another -o")
    config = study.config.model_dump(mode="json")
    if (folder / STUDY).is_file() and read_json(folder / STUDY)["config"] != config:
        for result in (folder / RESULTS).glob("*.json"):  # what another configuration has found out
            result.unlink()
    recipe = study.track_recipe(f"{MAIN}.train")
    write_json(
        folder / STUDY,
        {
            "preset": study.config.name,
            "config": config,
            "field": recipe.field.model_dump(mode="json"),
            "tracks": recipe.name,
            "workers": study.workers,
            **provenance(),
        },
    )


def _analyses(study: Study, wanted: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Run what may run beside others at once, then the rest one after the other."""
    groups: list[tuple[list[str], int]] = [
        ([name for name in wanted if not EXPERIMENTS[name].ALONE], study.workers),
        ([name for name in wanted if EXPERIMENTS[name].ALONE], 1),
    ]
    results = {}
    for mine, workers in groups:
        tasks = [Task(name, analyse, study.folder, study.config, name) for name in mine]
        for task, result in carry_out(tasks, workers) if tasks else ():
            results[task.name] = result
            study.tell(f"{task.name}: {result['conclusion']}")
    return {name: results[name] for name in wanted}


def analyse(folder: Path, config: StudyConfig, name: str) -> dict[str, Any]:
    """Run the analysis of an experiment, and write what it finds out."""
    experiment = EXPERIMENTS[name]
    found = experiment.run(Study(folder, config))
    result = {"experiment": name, "question": experiment.QUESTION, **found}
    path = folder / RESULTS / f"{name}.json"
    write_json(path, result)
    return read_json(path)


def _close(study: Study, results: dict[str, dict[str, Any]], jobs: Sequence[Job]) -> StudyResult:
    """Write what sums up the networks of all experiments, of earlier runs too."""
    from lamarrpy.study.page import write_page

    outcomes, failures = study.outcomes(jobs), failed(study, jobs)
    about = read_json(study.folder / STUDY)
    registry = write_registry(study.folder, outcomes, about["git_commit"])
    write_table(study.folder, outcomes, failures)
    study.tell(f"wrote {write_page(study.folder)}")
    return StudyResult(study.folder, results, outcomes, failures, registry)


def failed(study: Study, jobs: Sequence[Job]) -> list[dict[str, str]]:
    """Trainings that went astray, and why."""
    return [
        {
            "model": job.name,
            "experiment": job.experiment,
            "notes": f"failed: {read_json(study.folder / 'jobs' / job.name / FAILURE)['reason']}",
        }
        for job in study.wanted(jobs)
        if study.standing(job) == FAILED
    ]
