"""``lamarrpy run``: simulate the events of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from lamarrpy.pipeline.files import RunResult
    from lamarrpy.pipeline.partition import Partition
    from lamarrpy.pipeline.parts import PartReport


def run(
    pipeline: Annotated[str, typer.Argument(help="A pipeline file (YAML), or the name of a shipped pipeline.")],
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT", help="Generator-level particles: Parquet, ROOT, HepMC, SQLite or CSV."),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A folder (one Parquet file a table), or a .root or .db file.")
    ] = Path("out"),
    seed: Annotated[int, typer.Option(help="Seed of every random number.")] = 0,
    workers: Annotated[int, typer.Option(help="Number of processes.")] = 1,
    chunk_events: Annotated[
        int | None, typer.Option(help="Events worked on at a time; chosen by their size if left out.")
    ] = None,
    partition: Annotated[str, typer.Option(metavar="i/n", help="Do the i-th of n slices of the events.")] = "1/1",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished run.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that is there.")] = False,
    on_bad_rows: Annotated[
        Literal["error", "drop"], typer.Option(help="What to do with single rows that make no sense.")
    ] = "error",
    naming: Annotated[Literal["lhcb"] | None, typer.Option(help="Write LHCb ntuple names.")] = None,
    polarity: Annotated[
        Literal["MagUp", "MagDown"] | None, typer.Option(help="Magnet polarity, instead of the pipeline's.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Simulate the events of INPUT with a PIPELINE.

    The same input and seed give bit-identical tables for any number of workers, chunk size or order of events.
    """
    from lamarrpy.pipeline.files import RunOptions, run_files

    options = RunOptions(
        seed=seed,
        workers=workers,
        chunk_events=chunk_events,
        partition=_parse_partition(partition),
        resume=resume,
        overwrite=overwrite,
        on_bad_rows=on_bad_rows,
        naming=naming,
        polarity=polarity,
    )
    source = inputs[0] if len(inputs) == 1 else inputs
    try:
        if quiet:
            run_files(pipeline, source, output, options)
        else:
            _report(run_files(pipeline, source, output, options, progress=_with_bar))
    except KeyboardInterrupt:
        typer.echo(f"{output}: interrupted; what is finished is kept, go on with --resume", err=True)
        raise typer.Exit(130) from None


def _parse_partition(text: str) -> tuple[int, int]:
    i, _, n = text.partition("/")
    if not (i.isdigit() and n.isdigit()):
        raise typer.BadParameter(f"expected i/n such as 1/4, got {text!r}", param_hint="--partition")
    return int(i), int(n)


def _with_bar(done: Iterator[tuple[Partition, PartReport]], total: int) -> Iterator[tuple[Partition, PartReport]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("events · {task.fields[rate]:,.0f} particles/s ·"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    from rich.console import Console

    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("simulating", total=total, rate=0.0)
        particles = 0
        for partition, report in done:
            yield partition, report
            particles += report.particles
            elapsed = bar.tasks[0].elapsed or 1e-9
            bar.update(task, advance=report.events, rate=particles / elapsed)


def _report(result: RunResult) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("stage", "table", "what", "passed", "of", "%", title="cut-flow", title_justify="left")
    for name in ("passed", "of", "%"):
        next(c for c in table.columns if c.header == name).justify = "right"
    last = None
    for count in result.cutflow.counts:
        if last not in (None, count.stage):
            table.add_section()
        share = f"{100 * count.passed / count.of:.1f}" if count.of else "-"
        stage = count.stage if count.stage != last else ""
        table.add_row(stage, count.table, count.quantity, f"{count.passed:,}", f"{count.of:,}", share)
        last = count.stage
    console = Console()
    console.print(table)
    record = result.record
    for note in record["notes"]:
        console.print(note, highlight=False)
    for reason, number in record["bad_rows_dropped"].items():
        console.print(f"[yellow]dropped {number:,} input rows: {reason}[/]")
    console.print(
        f"{record['events']:,} events, {record['particles']:,} particles in {record['seconds']:.1f} s"
        f" ({record['particles_per_s']:,.0f} particles/s,"
        f" {record['peak_memory_bytes'] / 1e6:,.0f} MB at most) -> {result.output}",
        highlight=False,
        soft_wrap=True,
    )
