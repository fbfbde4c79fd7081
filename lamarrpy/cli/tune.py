"""`lamarrpy tune`: better numbers for a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from lamarrpy.cli.train import Changes, Data, Names, Part, Threads


def tune(
    recipe: Annotated[str, typer.Argument(metavar="STAGE|RECIPE.yaml", help="A stage, or a recipe of one's own.")],
    data: Data,
    trials: Annotated[int, typer.Option(min=1, help="Trainings to make.")] = 20,
    storage: Annotated[
        str | None, typer.Option(help="Where trials are kept: sqlite:///FILE, postgresql://... [default: memory]")
    ] = None,
    study: Annotated[str | None, typer.Option(help="Name of the study. [default: that of the recipe]")] = None,
    score: Annotated[str | None, typer.Option(help="ks, wasserstein, auc or nll, on validation rows.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the best recipe here.")] = None,
    part: Part = None,
    names: Names = None,
    table: Annotated[str | None, typer.Option(help="Which table, of a file with several.")] = None,
    change: Changes = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a recipe that is there.")] = False,
    threads: Threads = 1,
) -> None:
    """Search for the numbers of a recipe with the best score, giving up trials that fall behind.

    Several of these commands may share a --storage: each makes its own trials, and learns from all of them.
    """
    from rich.console import Console

    from lamarrpy.cli.training import changes_of
    from lamarrpy.errors import OutputError
    from lamarrpy.io.target import writing
    from lamarrpy.train.quiet import quiet_tensorflow
    from lamarrpy.train.tasks import task_of

    if output is not None:
        if output.exists() and not overwrite:
            raise OutputError(f"{output}: is there already; choose another -o, or replace it with --overwrite")
        with writing(output):
            output.parent.mkdir(parents=True, exist_ok=True)
    quiet_tensorflow(threads)
    task, console = task_of(recipe, part, data, changes_of(change)), Console()
    import optuna

    from lamarrpy.train.names import read_names
    from lamarrpy.train.recipe import as_yaml
    from lamarrpy.train.tuning import tune as search

    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def tell(number: int, value: float | None, numbers: Mapping[str, Any]) -> None:
        told = "given up" if value is None else f"score {value:.5g}"
        shown = ", ".join(f"{name} {n:.4g}" if isinstance(n, float) else f"{name} {n}" for name, n in numbers.items())
        console.print(f"trial {number}: {told}: {shown}", highlight=False, markup=False, soft_wrap=True)

    called = read_names(names)
    best, found = search(task.recipe, task.data, trials, storage, study, score, tell, table, task.prepare, called)
    console.print(
        f"best of {len(found.trials)}: score {found.best_value:.5g}, trial {found.best_trial.number}", highlight=False
    )
    if output is None:
        typer.echo(as_yaml(best))
        return
    with writing(output):
        output.write_text(as_yaml(best), encoding="utf-8")
    console.print(f"wrote {output}", highlight=False, markup=False, soft_wrap=True)
