"""`lamarrpy training-samples`: what the stages of a flash simulation learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def training_samples(
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT", help="Outputs of lamarrpy detailed.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write.")] = Path("samples"),
    only: Annotated[list[str] | None, typer.Option(help="One of the samples; may be repeated. [default: all]")] = None,
    is_muon: Annotated[
        list[Path] | None, typer.Option(help="Output of a gun for tracks with isMuon; may be repeated.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that is there.")] = False,
) -> None:
    """Write what the stages learn from, out of the Detailed Simulation: particles, tracks, photons and events.

    One folder each; tracks have one file a species.
    """
    from rich.console import Console
    from rich.table import Table

    from lamarrpy.errors import ConfigError, did_you_mean
    from lamarrpy.train.samples import SAMPLES, write_training_samples

    for name in only or ():
        if name not in SAMPLES:
            raise ConfigError(f"expected one of {', '.join(SAMPLES)}, got {name!r}{did_you_mean(name, SAMPLES)}")
    rows = write_training_samples(inputs, output, only or (), overwrite, is_muon or ())
    table = Table("sample", "part", title=f"{output}")
    table.add_column("rows", justify="right")
    for name, parts in rows.items():
        for part, number in parts.items():
            table.add_row(name, part, f"{number:,}")
    Console().print(table)
