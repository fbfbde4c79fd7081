"""`lamarrpy train`: a model from a recipe and a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from lamarrpy.parameterization.parameterization import Parameterization

Data = Annotated[Path, typer.Option("--data", help="The table: a file (Parquet, ROOT, SQLite, CSV), or a folder.")]
Part = Annotated[
    str | None, typer.Option(help="Which model of a stage, such as kaon; of another folder takes <part>.parquet.")
]
Names = Annotated[
    Path | None, typer.Option(help="YAML file with the names that columns have in the data, column: branch.")
]
Changes = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe; repeatable.")]
Threads = Annotated[int, typer.Option(help="Threads; two models at once, one thread each, use two cores better.")]


def train(
    recipe: Annotated[str, typer.Argument(metavar="STAGE|RECIPE.yaml", help="A stage, or a recipe of one's own.")],
    data: Data,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the model.")],
    part: Part = None,
    names: Names = None,
    table: Annotated[str | None, typer.Option(help="Which table, of a file with several.")] = None,
    change: Changes = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model that is there.")] = False,
    threads: Threads = 1,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Train a model, and measure it on rows it has not seen. One that was stopped goes on where it was."""
    from lamarrpy.cli.training import changes_of
    from lamarrpy.train.names import read_names
    from lamarrpy.train.quiet import quiet_tensorflow
    from lamarrpy.train.tasks import task_of

    check_free(output, overwrite)
    quiet_tensorflow(threads)
    task, called = task_of(recipe, part, data, changes_of(change)), read_names(names)
    from lamarrpy.train.running import train as run

    if quiet:
        run(task.recipe, task.data, output, None, table, task.prepare, called)
        return
    with Bar() as bar:
        model = run(task.recipe, task.data, output, bar, table, task.prepare, called)
    tell(model, output)


def check_free(output: Path, overwrite: bool) -> None:
    """Refuse to replace a model without being asked to."""
    from lamarrpy.errors import OutputError

    if output.is_dir() and any(output.iterdir()) and not overwrite:
        raise OutputError(f"{output}: is there already; choose another -o, or replace it with --overwrite")


_TOLD = ("score", "referee_auc", "nll", "regression_loss", "loss", "generator_loss")
"""Figures worth a place beside the bar, the best first."""

_AT_MOST = 2


class Bar:
    """A live bar of a training: its phase, its steps, its last figures."""

    def __enter__(self) -> Bar:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        columns = (
            TextColumn("{task.description}", table_column=Column(no_wrap=True, min_width=11)),
            BarColumn(20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}", table_column=Column(no_wrap=True)),
        )
        self._progress = Progress(*columns, console=Console(stderr=True))
        self._tasks: dict[str, Any] = {}
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def __call__(self, phase: str, step: int, steps: int, figures: dict[str, float]) -> None:
        """Show how far a phase is."""
        if phase not in self._tasks:
            self._tasks[phase] = self._progress.add_task(phase, total=steps, figures="")
        known = [name for name in _TOLD if name in figures]
        shown = " ".join(f"{name.replace('_', ' ')} {figures[name]:.4g}" for name in known[:_AT_MOST])
        self._progress.update(self._tasks[phase], completed=step, figures=shown)


def tell(model: Parameterization, output: Path) -> None:
    """Print how good a model turned out."""
    from rich.console import Console

    metrics, console = model.manifest.metrics, Console()
    if "ks" in metrics:
        worst = max(metrics["ks"], key=metrics["ks"].__getitem__)
        told = f"largest KS {metrics['ks'][worst]:.4f} ({worst})"
        if "two_sample_auc" in metrics:
            told = f"two-sample AUC {metrics['two_sample_auc']:.4f} +- {metrics['two_sample_auc_error']:.4f}, {told}"
        console.print(f"test rows: {told}", highlight=False, markup=False, soft_wrap=True)
    elif "calibration" in metrics:
        losses = ", ".join(f"{name}: {figures['log_loss']:.5f}" for name, figures in metrics["calibration"].items())
        console.print(f"test rows: log loss of each class {losses}", highlight=False)
    where = f"wrote {output}; what it is, and how good: {output / 'card.md'}"
    console.print(where, highlight=False, markup=False, soft_wrap=True)
