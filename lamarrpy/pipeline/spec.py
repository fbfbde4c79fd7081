"""Pipeline files: YAML, checked against the fields of the stages, to a frozen `Pipeline`.

The keys a stage accepts are the fields of its dataclass, so a new stage needs no second
description of itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from lamarrpy.errors import ConfigError, LamarrpyError, did_you_mean
from lamarrpy.pipeline.pipeline import Pipeline
from lamarrpy.shipped import find, shipped_files
from lamarrpy.stages import STAGES
from lamarrpy.stages.stage import Stage
from lamarrpy.yaml_file import read_yaml

OutputTables = dict[str, list[str] | Literal["all"]]

_STRICT = ConfigDict(extra="forbid", frozen=True)


class Conditions(BaseModel):
    """The data-taking conditions that every stage of a pipeline shares."""

    model_config = _STRICT
    year: int = Field(2016, description="year of data taking")
    polarity: Literal["MagUp", "MagDown"] = Field("MagUp", description="polarity of the dipole magnet")


@cache
def spec_model() -> type[BaseModel]:
    """The pydantic model of a pipeline file, made from the registered stages."""
    kinds = tuple(_stage_model(kind, stage) for kind, stage in STAGES.items())
    stage_type: Any = Annotated[Union[kinds], Field(discriminator="kind")] if len(kinds) > 1 else kinds[0]  # noqa: UP007
    return create_model(
        "PipelineFile",
        __config__=_STRICT,
        __doc__="A lamarrpy pipeline: detector effects applied in order to generator-level particles.",
        name=(str | None, Field(None, description="name of the pipeline; the file's if left out")),
        description=(str, Field("", description="what it simulates")),
        conditions=(Conditions, Field(default_factory=Conditions)),
        stages=(list[stage_type], Field(min_length=1, description="the detector effects, in order")),
        output=(
            OutputTables,
            Field(default_factory=dict, description="tables to keep, with their columns; all of them if left out"),
        ),
    )


def _stage_model(kind: str, stage: type[Stage]) -> type[BaseModel]:
    hints = get_type_hints(stage)
    fields: dict[str, Any] = {"kind": (Literal[kind], ...)}
    for f in dataclasses.fields(stage):  # type: ignore[arg-type]  # every stage is a dataclass
        default = f.default if f.default is not dataclasses.MISSING else ...
        fields[f.name] = (hints[f.name], default)
    doc = (stage.__doc__ or "").strip().splitlines()[0]
    return create_model(kind, __config__=_STRICT, __doc__=doc, **fields)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a pipeline file, for editors and other tools."""
    return spec_model().model_json_schema()


def load_pipeline(pipeline: str | Path | Mapping[str, Any], *, polarity: str | None = None) -> Pipeline:
    """Read a pipeline, check it and make its stages.

    Parameters
    ----------
    pipeline : str, Path or mapping
        Path of a YAML file, the name of a shipped pipeline, or the content itself.
    polarity : {"MagUp", "MagDown"}, optional
        Overrides ``conditions.polarity``.

    Returns
    -------
    Pipeline

    Raises
    ------
    ConfigError
        With the path of the key that is wrong, and the closest known one.
    """
    content, where = _read(pipeline)
    if polarity is not None and isinstance(content.get("conditions", {}), Mapping):
        content = {**content, "conditions": {**(content.get("conditions") or {}), "polarity": polarity}}
    try:
        spec: Any = spec_model().model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{where}: {_explain(error, content)}") from None
    stages = tuple(_make(at, stage, spec.conditions, where) for at, stage in enumerate(spec.stages))
    output = {table: None if names == "all" else tuple(names) for table, names in spec.output.items()}
    try:
        return Pipeline(spec.name or Path(where).stem, stages, output)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _make(at: int, spec: BaseModel, conditions: Conditions, where: str) -> Stage:
    given = {name: getattr(spec, name) for name in type(spec).model_fields if name != "kind"}
    for name, value in given.items():
        if name.endswith("_file") and value is not None:  # relative to the pipeline file
            given[name] = str(Path(where).parent / value)
    shared = {name: value for name, value in conditions if name in given and name not in spec.model_fields_set}
    kind: str = spec.kind  # type: ignore[attr-defined]
    try:
        return STAGES[kind](**{**given, **shared})
    except LamarrpyError as error:
        raise ConfigError(f"{where}: stages[{at}] ({kind}): {error}") from None


def _read(pipeline: str | Path | Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    if isinstance(pipeline, Mapping):
        return pipeline, "pipeline"
    path = find("pipeline", pipeline, shipped_pipelines())
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping with the key 'stages', got {type(content).__name__}")
    return content, str(path)


def shipped_pipelines() -> dict[str, Path]:
    """The pipelines that ship with lamarrpy, by name."""
    return shipped_files("pipelines")


def _explain(error: ValidationError, content: Mapping[str, Any]) -> str:
    return "; ".join(dict.fromkeys(_explain_one(dict(item), content) for item in error.errors()))


def _explain_one(item: dict[str, Any], content: Mapping[str, Any]) -> str:
    loc: tuple[Any, ...] = item["loc"]
    kind = loc[2] if len(loc) > 2 and loc[0] == "stages" and loc[2] in STAGES else None
    path = _path(tuple(part for at, part in enumerate(loc) if not (kind and at == 2)))
    if item["type"] == "extra_forbidden":
        known = _known_keys(loc, kind)
        return f"unknown key {path!r}{did_you_mean(loc[-1], known)}; known keys: {', '.join(known)}"
    if item["type"] in ("union_tag_invalid", "union_tag_not_found"):
        got = (item["input"] or {}).get("kind") if isinstance(item["input"], Mapping) else item["input"]
        return f"{path}: expected a 'kind' out of {', '.join(STAGES)}; got {got!r}{did_you_mean(got, STAGES)}"
    if item["type"] == "missing":
        return f"missing key {path!r}"
    if loc[0] == "output" and len(loc) > 1:
        return f"output.{loc[1]}: expected 'all' or a list of columns, got {content['output'][loc[1]]!r}"
    if item["type"] == "literal_error":
        known = item["ctx"]["expected"].split("'")[1::2]
        return f"{path}: expected {item['ctx']['expected']}, got {item['input']!r}{did_you_mean(item['input'], known)}"
    if item["type"] == "too_short":
        return f"{path}: expected at least one, got none"
    if item["type"] in ("dict_type", "model_type", "model_attributes_type"):
        return f"{path}: expected a mapping of keys, got {item['input']!r}"
    return f"{path}: {item['msg'][0].lower()}{item['msg'][1:]}; got {item['input']!r}"


def _known_keys(loc: tuple[Any, ...], kind: str | None) -> Sequence[str]:
    if kind is not None:
        return ["kind", *(f.name for f in dataclasses.fields(STAGES[kind]))]  # type: ignore[arg-type]
    if loc[0] == "conditions" and len(loc) > 1:
        return list(Conditions.model_fields)
    return list(spec_model().model_fields)


def _path(loc: tuple[Any, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".") or "pipeline"
