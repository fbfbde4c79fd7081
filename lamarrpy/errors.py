"""Typed errors, one per room of the house; every message says what was expected, what came, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LamarrpyError(Exception):
    """Base of every error that lamarrpy raises on purpose."""


class SchemaError(LamarrpyError):
    """A table does not have the columns, dtypes or finite values that its schema promises."""


class ConfigError(LamarrpyError):
    """A pipeline, generator or command was asked for something that does not exist or does not fit."""


class InputError(LamarrpyError):
    """An input file cannot be read as whole, consistent events."""


class OutputError(LamarrpyError):
    """An output cannot be written where or how it was asked for."""


class StageError(LamarrpyError):
    """A stage failed on some events, or did not do what it declares."""


class ArtifactError(LamarrpyError):
    """A trained model on disk is missing, damaged, or not the one that its manifest describes."""


class DomainError(LamarrpyError):
    """A physical quantity lies where a formula does not hold."""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: the known one nearest to it, if any is near."""
    spelled = {key.lower(): key for key in known}
    near = difflib.get_close_matches(str(name).lower(), spelled, n=1, cutoff=0.5)
    return f"; did you mean {spelled[near[0]]!r}?" if near else ""
