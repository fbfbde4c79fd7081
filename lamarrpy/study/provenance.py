"""By which versions, from which commit and on what a study was made."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import lamarrpy

_PACKAGES = ("numpy", "tensorflow", "keras", "onnx", "tf2onnx", "onnxruntime")

_CHECKOUT = Path(lamarrpy.__file__).parent.parent


def provenance() -> dict[str, Any]:
    """``versions``, ``git_commit`` and ``git_changed`` (None outside a checkout), ``machine`` and ``date``."""
    return {
        "versions": {"lamarrpy": lamarrpy.__version__, "python": platform.python_version(), **_versions()},
        **git_state(),
        "machine": {"system": platform.platform(), "processors": os.cpu_count()},
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def git_state() -> dict[str, Any]:
    """``git_commit`` that this code is of, and whether it was changed since; None where it is no checkout."""
    unknown: dict[str, Any] = {"git_commit": None, "git_changed": None}
    top = _git("rev-parse", "--show-toplevel")
    if top is None or Path(top) != _CHECKOUT:
        return unknown
    return {"git_commit": _git("rev-parse", "HEAD"), "git_changed": bool(_git("status", "--porcelain"))}


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(_CHECKOUT), *words], capture_output=True, text=True, check=False)
    except OSError:  # there is no git
        return None
    return done.stdout.strip() if done.returncode == 0 else None
