"""``lamarrpy study``: experiments with networks, from one command to one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

study = typer.Typer(help="Run a set of experiments, and read what came out on one page.", no_args_is_help=True)


@study.callback()
def _study() -> None:
    """Run a set of experiments, and read what came out on one page."""


@study.command("extrapolator")
def extrapolator(
    config: Annotated[str, typer.Argument(metavar="quick|full|CONFIG.yaml", help="Which experiments, how large.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for all that comes out.")] = Path("study"),
    only: Annotated[str, typer.Option("--only", metavar="NAME,...", help="Run these experiments alone.")] = "",
    workers: Annotated[int, typer.Option("--workers", min=1, help="Trainings at once, one thread each.")] = 1,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the figures to FILE.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Neural track extrapolators by the protocol: how accurate, fast, robust. One that was stopped goes on."""
    from lamarrpy.train.quiet import quiet_tensorflow

    quiet_tensorflow(1)
    from lamarrpy.benchmark.checks import report, write
    from lamarrpy.study.checks import study_checks
    from lamarrpy.study.running import run_study

    names = [name.strip() for name in only.split(",") if name.strip()]
    tell = None if quiet else typer.echo
    checks = list(study_checks(run_study(config, output, only=names, workers=workers, tell=tell)))
    if json is not None:
        write(checks, json)
    if not quiet:
        report([check for check in checks if check.name.count(".") < 2 or check.low or check.high], "no network")
