"""`lamarrpy models`: which models there are, what they are, whether they are whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from lamarrpy.parameterization.manifest import Condition, Manifest, Target

models = typer.Typer(help="Train, list, show and verify the models of the stages.", no_args_is_help=True)

_Folders = Annotated[
    list[Path] | None, typer.Argument(help="Folders to look in, at any depth; the shipped models if none is given.")
]

_EXACT_SHOWN = 8


@models.command("train")
def train_models(
    samples: Annotated[Path, typer.Argument(help="Folder of lamarrpy training-samples.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the models.")] = Path("models"),
    only: Annotated[list[str] | None, typer.Option(help="A stage, or a model such as rich/kaon; repeatable.")] = None,
    gan: Annotated[bool, typer.Option("--gan", help="The adversarial models, for comparison.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Trainings at a time.")] = 2,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Train those anew that are there.")] = False,
) -> None:
    """Train every model of the trained stages. Those that are there stay; one that was stopped goes on."""
    from rich.console import Console

    from lamarrpy.errors import InputError
    from lamarrpy.train.chain import Outcome, jobs, train_chain

    console, work = Console(), jobs(only or (), gan)
    if not samples.is_dir():
        raise InputError(f"{samples}: expected a folder of lamarrpy training-samples, got {_other(samples)}")

    def told(outcome: Outcome) -> None:
        took = f"{outcome.cpu:.0f} CPU-seconds" if outcome.cpu else "is there"
        line = f"{outcome.job.name}: {outcome.error or took}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    outcomes = train_chain(samples, output, work, workers, overwrite, told)
    failed = [outcome.job.name for outcome in outcomes if outcome.error]
    spent = sum(outcome.cpu for outcome in outcomes) / 3600.0
    console.print(f"{len(outcomes) - len(failed)} models, {spent:.2f} CPU-hours", highlight=False)
    if failed:
        console.print(f"failed: {', '.join(failed)}", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1)


@models.command("list")
def list_models(folders: _Folders = None) -> None:
    """List the models in some folders: kind, algorithm, what they take and what they answer with."""
    from lamarrpy.errors import ArtifactError
    from lamarrpy.parameterization.folder import read_manifest

    damaged = False
    for folder in _found(folders):
        try:
            manifest = read_manifest(folder)
        except ArtifactError as error:
            damaged = True
            typer.echo(f"{folder}: damaged: {error}")
            continue
        given, answers = (", ".join(c.name for c in columns) for columns in (manifest.conditions, manifest.targets))
        typer.echo(f"{folder}: {manifest.kind} ({manifest.algorithm}), {given} -> {answers}")
    if damaged:
        raise typer.Exit(1)


@models.command("show")
def show(folder: Annotated[Path, typer.Argument(help="Folder of a model.")]) -> None:
    """Show what a model is, what it takes and gives, and how good it is."""
    from rich.console import Console

    from lamarrpy.parameterization.folder import read_manifest

    manifest, console = read_manifest(folder), Console()
    console.print(f"{manifest.name}: {manifest.kind} ({manifest.algorithm})", style="bold", markup=False)
    console.print(_columns("given", manifest.conditions), _columns("answered", manifest.targets), sep="\n")
    for line in _origin(manifest):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if manifest.metrics:
        console.print("On rows that it has never seen:", highlight=False)
    for name, value in manifest.metrics.items():
        if not isinstance(value, dict):
            console.print(f"  {_words(name)}: {_number(value)}", highlight=False, markup=False, soft_wrap=True)
    for table in _figures(manifest):
        console.print(table)


@models.command("verify")
def verify_models(folders: _Folders = None) -> None:
    """Check every byte of the models in some folders against the hashes of their manifests, and open them."""
    from lamarrpy.errors import ArtifactError
    from lamarrpy.parameterization.folder import verify

    damaged = False
    for folder in _found(folders):
        try:
            manifest = verify(folder)
            _open(folder, manifest)
        except ArtifactError as error:
            damaged = True
            typer.echo(f"{folder}: damaged: {error}", err=True)
        else:
            typer.echo(f"{folder}: whole, {len(manifest.files)} files besides the manifest")
    if damaged:
        raise typer.Exit(1)


def _open(folder: Path, manifest: Manifest) -> None:
    """Open a model as what it is."""
    from lamarrpy.parameterization.parameterization import load
    from lamarrpy.propagation.neural import NeuralExtrapolator
    from lamarrpy.propagation.neural.legs import read_legs

    if manifest.kind == "extrapolator":
        NeuralExtrapolator(folder, read_legs(folder, manifest).magnet("MagUp"))
    else:
        load(folder)


def _columns(role: str, columns: Sequence[Condition | Target]) -> Table:
    """Columns with the range of the training."""
    from rich.markup import escape
    from rich.table import Table

    table = Table()
    for header, justify in ((role, "left"), ("unit", "left"), ("dtype", "left"), ("from", "right"), ("to", "right")):
        table.add_column(header, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    exact = [_exact(column) for column in columns]
    if any(exact):
        table.add_column("exact values")
    for column, values in zip(columns, exact, strict=True):
        ends = (_number(column.low), _number(column.high))
        table.add_row(escape(column.name), escape(column.unit), column.dtype, *ends, *([values] if any(exact) else []))
    return table


def _exact(column: Condition | Target) -> str:
    """The values that have a probability of their own."""
    masses = getattr(column, "masses", ())
    if len(masses) <= _EXACT_SHOWN:
        return ", ".join(_number(mass) for mass in masses)
    return f"{len(masses)} {'whole numbers' if getattr(column, 'integer', False) else 'values'}"


def _origin(manifest: Manifest) -> Iterator[str]:
    """Where it is from."""
    sample = manifest.sample
    rows = ", ".join(f"{count:,} for {part}" for part, count in sample.get("split", {}).items())
    yield f"Rows of {', '.join(sample.get('files', ())) or 'a table in memory'}" + (f": {rows}." if rows else ".")
    made = ", ".join(f"{package} {version}" for package, version in manifest.versions.items())
    yield f"Seed {manifest.seed}" + (f"; made with {made}." if made else ".")


def _figures(manifest: Manifest) -> Iterator[Table]:
    """Figures that there are one of for each target, and those that there are several of for each class."""
    figures = {name: value for name, value in manifest.metrics.items() if isinstance(value, dict)}
    several = {name: value for name, value in figures.items() if any(isinstance(of, dict) for of in value.values())}
    single = {name: value for name, value in figures.items() if name not in several}
    if single:
        yield _table("target", single)
    for name, classes in several.items():
        yield _table(_words(name), classes)


def _table(name: str, columns: dict[str, dict[str, Any]]) -> Table:
    """Figures by column and row."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(name)
    for column in columns:
        table.add_column(escape(_words(column)), justify="right")
    for row in dict.fromkeys(key for values in columns.values() for key in values):
        table.add_row(escape(row), *(_number(values.get(row)) for values in columns.values()))
    return table


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: Any) -> str:
    """A figure as it is shown; one that could not be computed is a dash."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, int):
        return f"{value:,}"
    return "-" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _found(folders: list[Path] | None) -> list[Path]:
    """The folders of models at or below those given."""
    from lamarrpy.errors import InputError
    from lamarrpy.parameterization.folder import find_models
    from lamarrpy.shipped import shipped

    roots = folders or [shipped("models")]
    for root in roots:
        if not root.is_dir():
            raise InputError(f"{root}: expected a folder to look for models in, got {_other(root)}; check the path")
    found = list(dict.fromkeys(folder for root in roots for folder in find_models(root)))
    if not found:
        message = f"found no models in {', '.join(map(str, roots))}"
        if folders:
            raise InputError(f"{message}; expected a folder that lamarrpy train has written, or one above it")
        typer.echo(message)
    return found


def _other(path: Path) -> str:
    return "a file" if path.exists() else "nothing of that name"
