"""``lamarrpy benchmark``: measure what the project promises, and write the figures down."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lamarrpy.benchmark.checks import Check

benchmark = typer.Typer(help="Measure speed, memory and quality; every figure beside its bar.", no_args_is_help=True)

_Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the checks to FILE.")]
_Quick = Annotated[
    bool, typer.Option("--quick", help="Smaller samples, under two minutes; some checks need the full run.")
]


@benchmark.command("run")
def run(json: _Json = None, quick: _Quick = False) -> None:
    """Rate, memory, start-up and scaling of the parametric pipeline, and of the random numbers."""
    from lamarrpy.benchmark.running import run_checks

    _finish(run_checks(quick=quick), json)


@benchmark.command("detailed")
def detailed(json: _Json = None, quick: _Quick = False) -> None:
    """Rate, memory and reproducibility of the Detailed Simulation."""
    from lamarrpy.benchmark.detailed import detailed_checks

    _finish(detailed_checks(quick=quick), json)


@benchmark.command("learn")
def learn(
    only: Annotated[str, typer.Option("--only", metavar="NAME,...", help="Train these alone, such as distilled.")] = "",
    json: _Json = None,
    quick: _Quick = False,
) -> None:
    """All algorithms, flows and baselines on one made-up detector: how well, how long, how fast they learn and draw."""
    from lamarrpy.benchmark.learn.checks import learn_checks
    from lamarrpy.train.quiet import quiet_tensorflow

    quiet_tensorflow(1)
    _finish(learn_checks(quick=quick, only=[name for name in only.split(",") if name]), json)


@benchmark.command("extrapolator")
def extrapolator(json: _Json = None, quick: _Quick = False) -> None:
    """The neural extrapolators beside integration: accuracy, speed, training time, and their place in the pipeline."""
    from lamarrpy.train.quiet import quiet_tensorflow

    quiet_tensorflow(1)
    from lamarrpy.benchmark.extrapolator.checks import extrapolator_checks

    _finish(extrapolator_checks(quick=quick), json)


@benchmark.command("chain")
def chain(
    only: Annotated[
        str, typer.Option("--only", metavar="NAME,...", help="These stages alone; chain and speed are names too.")
    ] = "",
    sample: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the test sample is, or is made and kept.")
    ] = None,
    json: _Json = None,
    quick: _Quick = False,
) -> None:
    """The trained chain beside the Detailed Simulation: each stage with true conditions, the whole, its speed."""
    from lamarrpy.benchmark.chain.checks import chain_checks

    _finish(chain_checks(quick=quick, sample=sample, only=[name for name in only.split(",") if name]), json)


def _finish(checks: Iterable[Check], path: Path | None) -> None:
    """Tell each figure once it is measured, and all of them in a table in the end; fail if one is out of bounds."""
    from lamarrpy.benchmark.checks import report, write

    table = []
    for check in checks:
        table.append(check)
        if check.value is not None:
            typer.echo(f"{check.name}: {check.value:,.4g} {check.unit}".rstrip(), err=True)
    report(table)
    if path is not None:
        write(table, path)
    if any(check.ok is False for check in table):
        raise typer.Exit(1)
