"""``lamarrpy pipelines``: what pipelines and stages there are."""

from __future__ import annotations

from typing import Annotated

import typer


def pipelines(
    name: Annotated[str | None, typer.Argument(help="Show this pipeline: a shipped name or a file.")] = None,
    json_schema: Annotated[
        bool, typer.Option("--json-schema", help="Print the JSON Schema of pipeline files.")
    ] = False,
) -> None:
    """List the shipped pipelines and the known stages, or show what one pipeline does."""
    import json

    from rich.console import Console
    from rich.table import Table

    from lamarrpy.pipeline.spec import json_schema as schema
    from lamarrpy.pipeline.spec import load_pipeline, shipped_pipelines
    from lamarrpy.stages import STAGES

    console = Console()
    if json_schema:
        typer.echo(json.dumps(schema(), indent=2))
        return
    if name is None:
        for shipped, path in shipped_pipelines().items():
            console.print(f"[bold]{shipped}[/]  {path}", soft_wrap=True)
        stages = [kind() for kind in STAGES.values()]
    else:
        stages = list(load_pipeline(name).stages)
    table = Table("stage", "what happens", "writes")
    for stage in stages:
        doc = (type(stage).__doc__ or "").strip().splitlines()[0]
        writes = "; ".join(f"{t}: {', '.join(s.names)}" for t, s in stage.writes.items())
        table.add_row(stage.name, doc, writes)
    console.print(table)
