"""``lamarrpy detailed``: events through the Detailed Simulation; its picture and its report."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from lamarrpy.cli import running


def detailed(
    inputs: Annotated[list[Path] | None, typer.Argument(metavar="[INPUT]", help=running.INPUT_HELP)] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help=f"{running.OUTPUT_HELP} [default: out]")] = None,
    seed: running.Seed = 0,
    workers: running.Workers = 1,
    chunk_events: running.ChunkEvents = None,
    partition: running.Slice = "1/1",
    resume: running.Resume = False,
    overwrite: running.Overwrite = False,
    on_bad_rows: running.OnBadRows = "error",
    naming: running.Naming = None,
    polarity: Annotated[Literal["MagUp", "MagDown"], typer.Option(help="Magnet polarity.")] = "MagUp",
    tracking_only: Annotated[
        bool, typer.Option("--tracking-only", help="Without RICH, calorimeters and muon stations: faster.")
    ] = False,
    quiet: running.Quiet = False,
    draw: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the detector: .svg, .png or .pdf.")] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="HTML", help="Write a page that sets a sample beside the public figures.")
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the checks of that page.")] = None,
    sample: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The sample to report on, an output of this; made if left out.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A smaller sample for the report.")] = False,
) -> None:
    """Let the particles of INPUT fly through the LHCb detector, and reconstruct what they leave there.

    The same input and seed give bit-identical tables for any number of workers, chunk size or order of events.
    """
    from lamarrpy.errors import ConfigError

    reporting = report is not None or json is not None
    if not inputs and not reporting and draw is None:
        raise ConfigError("expected an INPUT to simulate, or --report, --json or --draw; got none of them")
    if not inputs and output is not None:
        raise ConfigError(
            f"-o {output}: expected an INPUT with it; --report, --json and --draw name files of their own"
        )
    if (sample is not None or quick) and not reporting:
        raise ConfigError("--sample and --quick belong to a report: expected --report HTML or --json FILE with them")
    if sample is not None and quick:
        raise ConfigError("expected --sample or --quick, which is about the sample that is made without it; got both")
    if sample is not None and inputs:
        raise ConfigError("expected INPUT, whose output is then reported on, or --sample; got both")
    if reporting:
        from lamarrpy.detailed.report import check_outputs

        check_outputs(report, json)
    if draw is not None:
        _draw(draw)
    if inputs:
        from lamarrpy.detailed.simulation import DetailedSimulation
        from lamarrpy.pipeline.files import RunOptions, run_files

        output = output or Path("out")
        options = RunOptions(
            seed=seed,
            workers=workers,
            chunk_events=chunk_events,
            partition=running.parse_slice(partition),
            resume=resume,
            overwrite=overwrite,
            on_bad_rows=on_bad_rows,
            naming=naming,
        )
        source = inputs[0] if len(inputs) == 1 else inputs
        simulation = DetailedSimulation(polarity, identification=not tracking_only)
        running.run_and_tell(partial(run_files, simulation, source, output, options), output, quiet)
    if reporting:
        _report(output if inputs else sample, report, json, quick, max(workers, 2))


def _draw(path: Path) -> None:
    """Draw the detector into a file of a format that matplotlib writes."""
    from lamarrpy.errors import ConfigError, OutputError

    if path.suffix.lower() not in (".svg", ".png", ".pdf"):
        raise ConfigError(
            f"--draw: expected a file with suffix .svg, .png or .pdf, got {path}; such as {path.stem}.svg"
        )
    try:
        from lamarrpy.detailed.geometry import lhcb_detector
        from lamarrpy.detailed.geometry.drawing import draw

        path.parent.mkdir(parents=True, exist_ok=True)
        draw(lhcb_detector(), path)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise ConfigError("--draw needs matplotlib: pip install 'lamarrpy[report]'") from None
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error}") from None


def _report(sample: Path | None, html: Path | None, json: Path | None, quick: bool, workers: int) -> None:
    """Make the report; exit status 1 if a figure is out of its bounds."""
    from lamarrpy.benchmark.checks import report
    from lamarrpy.detailed.report import make_report

    checks = make_report(sample, html, json, quick, workers)
    report(checks, unmeasured="not in this sample")
    if any(check.ok is False for check in checks):
        raise typer.Exit(1)
