"""`lamarrpy training-samples`: what each stage of a flash simulation learns from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def training_samples(
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT", help="Outputs of lamarrpy detailed.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write.")] = Path("samples"),
    stage: Annotated[list[str] | None, typer.Option(help="A stage; may be repeated. [default: all]")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that is there.")] = False,
) -> None:
    """Write conditions and targets of each stage, species by species, out of the Detailed Simulation.

    One folder a stage (rich, is_muon, muon, global_pid, photon_efficiency, photon_resolution), one file a species.
    """
    from rich.console import Console
    from rich.table import Table

    from lamarrpy.detailed.training import STAGES, write_training_samples
    from lamarrpy.errors import ConfigError, did_you_mean

    for name in stage or ():
        if name not in STAGES:
            raise ConfigError(f"expected a stage out of {', '.join(STAGES)}, got {name!r}{did_you_mean(name, STAGES)}")
    rows = write_training_samples(inputs, output, stage or (), overwrite)
    table = Table("stage", "part", title=f"{output}")
    table.add_column("rows", justify="right")
    for name, parts in rows.items():
        for part, number in parts.items():
            table.add_row(name, part, f"{number:,}")
    Console().print(table)
