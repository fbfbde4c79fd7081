"""Chapters about networks rather than experiments: the best of each family, registry, master table, all."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from lamarrpy.study.page.content import Chapter, Fold
from lamarrpy.study.page.drawn import ident
from lamarrpy.study.page.outputs import JobFiles, Outputs
from lamarrpy.study.page.plates import sheet, standard_figures
from lamarrpy.study.page.words import angle, length, number, table_of
from lamarrpy.study.wording import FAMILIES
from lamarrpy.tracks.accuracy import OUTPUTS, UNITS

_MARKS = {
    "overall": "best overall", "fastest": "fastest", "most_accurate": "most accurate",
    "best_generalization": "best generalization",
}  # fmt: skip

_TRAINING = {
    "model": "model", "architecture": "layers", "activation": "activation", "parameters": "parameters",
    "sample": "trained on", "test": "tested on", "steps": "steps", "training_wall_s": "training [s]",
    "gpu_hours": "GPU hours", "train_loss": "train loss", "validation_loss": "validation loss",
    "test_loss": "test loss", "generalization_gap": "growth train to test", "notes": "notes",
}  # fmt: skip
_ERRORS = {
    "model": "model",
    **{f"{figure}_{name}_{UNITS[name]}": f"{figure} {name} [{UNITS[name].replace('u', 'µ', 1)}]"
       for figure in ("mae", "rmse", "max") for name in OUTPUTS},
    "inference_us_1": "µs, 1 at once", "inference_us_100": "µs, 100", "inference_us_10000": "µs, 10,000",
}  # fmt: skip
"""Columns of the master table, in two halves that fit a page, and their heads (protocol section 10.2)."""


def best_chapters(outputs: Outputs) -> list[Chapter]:
    """The six standard plots of the best network of each family."""
    return [_best(job) for job in outputs.best_of_families]


def _best(job: JobFiles) -> Chapter:
    rms = job.test["rmse"]
    text = (
        f"The most accurate {FAMILIES[job.family]} by its rms error of position, of the experiment"
        f" {job.experiment.replace('_', ' ')}: {job.layers}, {job.config['recipe']['architecture']['activation']},"
        f" {job.history['parameters']:,} parameters, {job.history['steps']:,} steps in"
        f" {number(float(job.history['wall_s']))} s. Rms errors on {job.test['n']:,} test tracks: x {length(rms['x'])},"
        f" y {length(rms['y'])}, tx {angle(rms['tx'])}, ty {angle(rms['ty'])}."
    )
    if job.residuals is None:
        text += " Its residuals were not kept: what is made of them is left out."
    title = f"The best {FAMILIES[job.family]}: {job.name}"
    return Chapter(f"best-{ident(job.family)}", title, text, drawings=standard_figures(job))


def registry_chapter(outputs: Outputs) -> Chapter:
    """The models that the registry marks as best."""
    title = "Registry: the best models"
    if not outputs.registry.get("models"):
        return Chapter("registry", title, "No registry was written in this run.", missing=True)
    models = {model["id"]: model for model in outputs.registry["models"]}
    rows = [_marked(mark, models[name], outputs) for mark, name in outputs.registry["best"].items() if name in models]
    text = (
        f"All {len(models)} networks are in registry.json, with weights, architecture, training, metrics, time and"
        " commit (protocol section 12). These are marked, among those that answer all main test tracks with numbers."
    )
    if not rows:
        told = "None is marked: no network was measured on the main test tracks."
        return Chapter("registry", title, text, conclusion=told)
    return Chapter("registry", title, text, tables=[table_of(rows, "The best, and by what.")])


def _marked(mark: str, model: Mapping[str, Any], outputs: Outputs) -> dict[str, Any]:
    metrics = model["metrics"]
    return {
        "mark": _MARKS.get(mark, mark.replace("_", " ")),
        "model": model["id"],
        "by": outputs.registry.get("criteria", {}).get(mark),
        "rms distance [µm]": metrics["accuracy"]["distance_rms"],
        "µs a track": list(metrics["inference_us"].values())[-1],
        "growth train to test": metrics["generalization_gap"],
        "parameters": model["architecture"]["parameters"],
    }


def table_chapter(outputs: Outputs) -> Chapter:
    """The master table of results."""
    title = "Master table of results"
    if not outputs.table:
        return Chapter("table", title, "No table was written in this run.", missing=True)
    rows = [{key: _read(value) for key, value in row.items()} for row in outputs.table]
    text = f"Every network of this study, {len(rows)} rows (protocol section 10.2); results.csv has all columns."
    trained = table_of(rows, "Training. Networks that failed have nothing but their reason.", _TRAINING)
    figures = "Errors on the test tracks (mean absolute, rms, largest), and time a track on one thread in ONNX Runtime."
    told = [row for row in rows if row.get("rmse_x_um") is not None]
    return Chapter("table", title, text, tables=[trained, table_of(told, figures, _ERRORS)])


def _read(text: str | None) -> object:
    """A cell of the file as a number, if it is one."""
    for kind in (int, float):
        try:
            return kind(text or "")
        except ValueError:
            continue
    return text or None


def networks_chapter(outputs: Outputs) -> Chapter:
    """Every network, small, behind its name; and those that failed."""
    folds = [_fold(job) for job in sorted(outputs.jobs.values(), key=lambda job: (job.experiment, job.name))]
    failures = [{"network": name, "why": reason} for name, reason in outputs.failures.items()]
    text = (
        "Press on a name for its plots: learning curves, errors by momentum, residuals of x; below, errors of x against"
        " q/p, pulls of x, predicted against true deviation in x."
    )
    return Chapter(
        "networks",
        "Every network",
        text if folds else "No training of this run is finished.",
        tables=[table_of(failures, "Trainings that went astray.")] if failures else [],
        folds=folds,
        missing=not folds,
    )


def _fold(job: JobFiles) -> Fold:
    test, loss = job.test, job.config["recipe"]["loss"]
    weights = ", ".join(f"{part} {weight:g}" for part, weight in loss.items())
    text = (
        f"Experiment {job.experiment}; trained on {job.config['sample']}, tested on {test['n']:,} tracks of"
        f" {job.config['test']}; weights of the loss: {weights}; {job.history['steps']:,} steps."
    )
    if test["share_finite"] < 1.0:
        text += f" {1.0 - test['share_finite']:.2%} of its answers are not finite."
    title = f"{job.name}: {FAMILIES[job.family]}, {job.layers}, 68 % within {length(test['distance_68'])}"
    return Fold(f"network-{ident(job.name)}", title, text, [partial(sheet, job)])
