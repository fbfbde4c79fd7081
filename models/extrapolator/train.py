"""Train an extrapolator anew: ``python models/extrapolator/train.py fixed -o FOLDER``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from lamarrpy.cli.training import changes_of, prepare


def main(
    name: Annotated[str, typer.Argument(help="fixed, variable, or a YAML file of the same kind.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the extrapolator.")],
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Of training, such as steps=2000.")
    ] = None,
) -> None:
    """Train the legs of an extrapolator, export them, and test what was written."""
    prepare(1)
    from lamarrpy.train.extrapolation.plan import read_plan
    from lamarrpy.train.extrapolation.shipping import ship

    path = Path(name) if name.endswith(".yaml") else Path(__file__).parent / f"{name}.yaml"
    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, int] = {}

        def tell(leg: str, step: int, steps: int, figures: dict[str, float]) -> None:
            task = tasks.setdefault(leg, tasks.get(leg) or bar.add_task(leg, total=steps))
            bar.update(task, completed=step, description=f"{leg} (loss {figures.get('loss', float('nan')):.2g})")

        ship(read_plan(path, changes_of(changes)), output, tell)
    print((output / "card.md").read_text())


if __name__ == "__main__":
    typer.run(main)
