"""What the commands that run a simulation over files share: their options, their progress, their report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from lamarrpy.pipeline.files import RunResult
    from lamarrpy.pipeline.partition import Partition
    from lamarrpy.pipeline.parts import PartReport

Seed = Annotated[int, typer.Option(help="Seed of every random number.")]
Workers = Annotated[int, typer.Option(help="Number of processes.")]
ChunkEvents = Annotated[int | None, typer.Option(help="Events worked on at a time; chosen by their size if left out.")]
Slice = Annotated[str, typer.Option("--partition", metavar="i/n", help="Do the i-th of n slices of the events.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an unfinished run.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that is there.")]
OnBadRows = Annotated[Literal["error", "drop"], typer.Option(help="What to do with single rows that make no sense.")]
Naming = Annotated[Literal["lhcb"] | None, typer.Option(help="Write LHCb ntuple names.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]

INPUT_HELP = "Generator-level particles: Parquet, ROOT, HepMC, SQLite or CSV."
OUTPUT_HELP = "A folder (one Parquet file a table), or a .root or .db file."


def parse_slice(text: str) -> tuple[int, int]:
    """``i/n`` as two numbers; BadParameter if it is something else."""
    i, _, n = text.partition("/")
    if not (i.isdigit() and n.isdigit()):
        raise typer.BadParameter(f"expected i/n such as 1/4, got {text!r}", param_hint="--partition")
    return int(i), int(n)


def run_and_tell(run: Callable[..., RunResult], output: Path, quiet: bool) -> None:
    """Run with a bar and tell what came of it, or silently; what is finished of an interrupted run is kept.

    Parameters
    ----------
    run : callable
        Does the run; takes ``progress`` as `run_files` does.
    output : Path
        Of the run, for messages.
    quiet : bool
        Whether to print nothing.
    """
    try:
        if quiet:
            run()
        else:
            tell(run(progress=with_bar))
    except KeyboardInterrupt:
        typer.echo(f"{output}: interrupted; what is finished is kept, go on with --resume", err=True)
        raise typer.Exit(130) from None


def with_bar(done: Iterator[tuple[Partition, PartReport]], total: int) -> Iterator[tuple[Partition, PartReport]]:
    """Show how far a run is while its parts come in."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("events · {task.fields[rate]:,.0f} particles/s ·"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("simulating", total=total, rate=0.0)
        particles = 0
        for partition, report in done:
            yield partition, report
            particles += report.particles
            elapsed = bar.tasks[0].elapsed or 1e-9
            bar.update(task, advance=report.events, rate=particles / elapsed)


def tell(result: RunResult) -> None:
    """Print the cut-flow of a run, what should be known of it, and its rate."""
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
        console.print(note, highlight=False, style="yellow" if note.startswith("warning") else None)
    for reason, number in record["bad_rows_dropped"].items():
        console.print(f"[yellow]dropped {number:,} input rows: {reason}[/]")
    console.print(
        f"{record['events']:,} events, {record['particles']:,} particles in {record['seconds']:.1f} s"
        f" ({record['particles_per_s']:,.0f} particles/s,"
        f" {record['peak_memory_bytes'] / 1e6:,.0f} MB at most) -> {result.output}",
        highlight=False,
        soft_wrap=True,
    )
