"""What the commands that train share: threads, recipes and their changes, where the rows are."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamarrpy.errors import ConfigError, InputError

if TYPE_CHECKING:
    from lamarrpy.train.preparation import Prepare
    from lamarrpy.train.recipe import Recipe


def prepare(threads: int) -> None:
    """Have TensorFlow work quietly on so many threads; to be called before it is imported.

    Raises
    ------
    ConfigError
        If it is not installed.
    """
    if threads < 1:
        raise ConfigError(f"expected at least one thread, got {threads}")
    settings = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_NUM_INTRAOP_THREADS": str(threads), "TF_NUM_INTEROP_THREADS": "1"}
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    try:
        with _native_messages_dropped():
            import tensorflow
        tensorflow.get_logger().setLevel("ERROR")  # what it thinks of graphs that are traced anew is no news
    except ImportError:
        raise ConfigError("training needs more packages than running: pip install 'lamarrpy[train]'") from None


@contextmanager
def _native_messages_dropped() -> Iterator[None]:
    """Keep off the screen what the libraries of TensorFlow say while they are loaded, whatever the log level."""
    sys.stderr.flush()
    screen = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(screen, 2)
        os.close(screen)
        os.close(nowhere)


def recipe_of(name: str, species: str | None, changes: Sequence[str] | None) -> tuple[Recipe, Prepare | None]:
    """The recipe that is meant, with changes made, and what its stage does to the data before.

    Raises
    ------
    ConfigError
        If there is none, or a change cannot be understood.
    """
    from lamarrpy.train.preparation import preparation_of
    from lamarrpy.train.recipe import find_recipe, read_recipe

    path = find_recipe(name, species)
    return read_recipe(path, changes_of(changes)), preparation_of(find_recipe(name))


def changes_of(changes: Sequence[str] | None) -> Mapping[str, Any]:
    """``key=value`` pairs, values as YAML.

    Raises
    ------
    ConfigError
        If one is not.
    """
    import yaml

    out = {}
    for change in changes or ():
        key, equals, value = change.partition("=")
        if not equals or not key:
            raise ConfigError(f"expected a change such as training.steps=1000, got {change!r}")
        try:
            out[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"expected a change with a value in YAML, got {change!r}") from None
    return out


def rows_of(data: Path, species: str | None) -> Path:
    """The file of a species in a folder, or what was given.

    Raises
    ------
    InputError
        If there is no such file.
    """
    if species is None:
        return data
    path = data / f"{species}.parquet"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in data.glob("*.parquet"))) or "none"
        raise InputError(f"expected {path} for the species {species}, got: no such file; there are {known}")
    return path
