"""The command line: one file per command; nothing heavy is imported before a command needs it."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import typer

from lamarrpy.cli.benchmark import benchmark
from lamarrpy.cli.convert import convert
from lamarrpy.cli.detailed import detailed
from lamarrpy.cli.digest import digest
from lamarrpy.cli.generate import generate
from lamarrpy.cli.head import head
from lamarrpy.cli.inspect import inspect
from lamarrpy.cli.models import models
from lamarrpy.cli.pipelines import pipelines
from lamarrpy.cli.run import run
from lamarrpy.cli.sample import sample
from lamarrpy.cli.schema import schema
from lamarrpy.cli.study import study
from lamarrpy.cli.tracks import tracks
from lamarrpy.cli.train import train
from lamarrpy.cli.training_samples import training_samples
from lamarrpy.cli.tune import tune
from lamarrpy.errors import LamarrpyError

app = typer.Typer(
    name="lamarrpy",
    help="Open flash simulation for LHCb: from generator-level particles straight to tracks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS = (
    run,
    detailed,
    training_samples,
    train,
    sample,
    tune,
    generate,
    tracks,
    convert,
    inspect,
    head,
    schema,
    pipelines,
    digest,
)
for command in _COMMANDS:
    app.command()(command)
app.add_typer(models, name="models")
app.add_typer(benchmark, name="benchmark")
app.add_typer(study, name="study")


def main() -> None:
    """Entry point: a lamarrpy error becomes one readable message and exit status 1.

    SIGTERM, as batch systems send, ends a command as an interrupt does: temporary files are removed.
    """
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except LamarrpyError as error:
        from rich.console import Console

        console = Console(stderr=True)
        console.print(f"[bold red]{type(error).__name__}[/]: ", end="")
        console.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)


def _terminate(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
