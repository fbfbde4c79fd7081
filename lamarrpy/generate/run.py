"""A recipe to a stream of events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.generate.decay_gun import DecayGun
from lamarrpy.generate.particle_gun import ParticleGun
from lamarrpy.generate.pythia import Pythia8
from lamarrpy.generate.recipe import Recipe
from lamarrpy.generate.spectra import SPECTRA
from lamarrpy.shipped import find, shipped_files
from lamarrpy.tables import EventBatch
from lamarrpy.yaml_file import read_yaml

GENERATORS: dict[str, type[Recipe]] = {
    "particle_gun": ParticleGun,
    "decay_gun": DecayGun,
    "pythia8": Pythia8,
}
"""Every generator by the ``kind`` of its recipes."""


def generate(
    recipe: Recipe | Mapping[str, Any] | str | Path,
    events: int,
    seed: int = 0,
    *,
    first_event: int = 0,
    chunk_events: int = 10_000,
) -> Iterator[EventBatch]:
    """Generate events, some at a time, so that memory does not grow with their number.

    Parameters
    ----------
    recipe : Recipe, mapping, str or Path
        What to generate: a recipe, its content, a YAML file, or the name of a shipped recipe.
    events : int
        How many.
    seed : int
        The same recipe and seed give the same events, bit by bit.
    first_event : int
        event_id of the first event. Guns give each event_id the same event wherever they start;
        Pythia starts anew for each ``first_event``.
    chunk_events : int
        Events a batch; changes nothing else.

    Yields
    ------
    EventBatch
        The tables events, vertices and particles.

    Raises
    ------
    ConfigError
        If the recipe or a number makes no sense.
    """
    if events < 0 or first_event < 0 or chunk_events < 1:
        raise ConfigError(
            "expected events and first_event not to be negative and chunk_events to be at least 1,"
            f" got {events}, {first_event} and {chunk_events}"
        )
    loaded = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    return loaded.batches(first_event, events, chunk_events, Draws(seed))


def load_recipe(recipe: Mapping[str, Any] | str | Path) -> Recipe:
    """Read and check a recipe.

    Parameters
    ----------
    recipe : mapping, str or Path
        Its content, a YAML file, or the name of a shipped recipe.

    Raises
    ------
    ConfigError
        With the path of the key that is wrong, and the closest known one.
    """
    content, where = _read(recipe)
    kind = content.get("kind")
    if kind not in GENERATORS:
        hint = did_you_mean(kind, GENERATORS)
        raise ConfigError(f"{where}: expected a 'kind' out of {', '.join(GENERATORS)}, got {kind!r}{hint}")
    try:
        return GENERATORS[str(kind)].model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{where}: {'; '.join(_explain(dict(item)) for item in error.errors())}") from None
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def shipped_recipes() -> dict[str, Path]:
    """The recipes that ship with lamarrpy, by name."""
    return shipped_files("data", "recipes")


def _read(recipe: Mapping[str, Any] | str | Path) -> tuple[dict[str, Any], str]:
    if isinstance(recipe, Mapping):
        return dict(recipe), "recipe"
    path = find("recipe", recipe, shipped_recipes())
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping with the key 'kind', got {type(content).__name__}")
    if isinstance(content.get("dec_file"), str):
        content["dec_file"] = str(path.parent / content["dec_file"])
    return content, str(path)


def _explain(item: dict[str, Any]) -> str:
    keys = [key for key in item["loc"] if key not in SPECTRA]  # pydantic puts the kind of a spectrum into the path
    path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "missing":
        return f"missing key {path!r}"
    said = message[0].lower() + message[1:]
    return f"{path}: {said}" if path else said
