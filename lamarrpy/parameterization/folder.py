"""Parameterizations on disk: a folder whose manifest holds the hash of every file, checked before any is opened."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lamarrpy.errors import ArtifactError, OutputError
from lamarrpy.parameterization.manifest import Manifest, as_text

MANIFEST, TRANSFORM, LEGS, MODEL, KERAS, ROWS, CARD = (
    "manifest.json",
    "transform.json",
    "legs.json",
    "model.onnx",
    "model.keras",
    "rows.npz",
    "card.md",
)
"""Names of the files."""

_MARKS = (TRANSFORM, LEGS)
"""Files of which every parameterization has one, and no other folder."""

_REMEDY = "install lamarrpy anew, or train the model again"

_SHOWN = 5
"""Strangers that a message names."""


def write_folder(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
    """Write a parameterization, whole or not at all.

    Parameters
    ----------
    folder : Path
        Where; one that is there is replaced if it is empty, or holds a parameterization and nothing else.
    manifest : Manifest
        What it is; the hashes of the files are filled in.
    files : mapping of str to bytes
        The files by name, such as ``transform.json`` and ``figures/p.png``.

    Returns
    -------
    Manifest
        With the hashes.

    Raises
    ------
    OutputError
        If the folder holds something else, or cannot be written.
    """
    check_replaceable(folder)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    finished = manifest.model_copy(update={"files": hashes})
    try:
        _write(folder.absolute(), {**files, MANIFEST: finished.as_text().encode()})
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written: {error.strerror or error}; mend that, or choose another -o"
        ) from error
    return finished


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as holder:
        partial = Path(holder) / "new"  # with the permissions that a folder usually has
        for name, content in files.items():
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            (partial / name).write_bytes(content)
        if folder.is_dir():
            os.replace(folder, Path(holder) / "old")  # all of it at once, and only when the new one is whole
        os.replace(partial, folder)


def check_replaceable(folder: Path) -> None:
    """Refuse a place that holds anything but a parameterization.

    Raises
    ------
    OutputError
        If it does, or if the manifest is damaged, so that nobody knows what else there is.
    """
    try:
        known = {MANIFEST, *read_manifest(folder).files}
    except ArtifactError:
        known = set()
    others = _strangers(folder, known) if folder.is_dir() else ["a file"] * folder.exists()
    if others:
        raise OutputError(
            f"{folder}: expected a folder for a model, or a model to replace, got {_listed(others)}; choose another -o,"
            " or move that elsewhere"
        )


def find_models(root: Path) -> list[Path]:
    """The folders at or below one that hold a parameterization, or what is left of one; hidden ones do not count."""
    named = {path for name in (MANIFEST, *_MARKS) for path in root.rglob(name) if path.is_file()}
    models = {
        path.parent for path in named if path.name in _MARKS or any(mark.encode() in _read(path) for mark in _MARKS)
    }
    return sorted(path for path in models if not any(part.startswith(".") for part in path.relative_to(root).parts))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder, once it is known to be as it was written.

    Raises
    ------
    ArtifactError
        If there is none, or it is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise ArtifactError(f"{folder}: expected the folder of a model, found no {MANIFEST} in it; check the path")
    text = _read(path)
    try:
        content: dict[str, Any] = json.loads(text)
        content.pop("sha256")
        written = as_text(content).encode()
    except KeyError:
        raise ArtifactError(f"{path}: expected the manifest of a model, got one of something else: no sha256") from None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ArtifactError(f"{path}: expected the manifest of a model as JSON, got: {error}; {_REMEDY}") from None
    if text != written:
        raise ArtifactError(
            f"{path}: expected the manifest of a model, with the sha256 of its own content, got one that was changed or"
            f" is of something else; {_REMEDY}"
        )
    try:
        return Manifest.model_validate_json(json.dumps(content))
    except ValidationError as error:
        what = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise ArtifactError(f"{path}: expected the manifest of a model, got: {what}; {_REMEDY}") from None


def read_file(folder: Path, manifest: Manifest, name: str) -> bytes:
    """A file of a parameterization, once its hash is known to be right.

    Raises
    ------
    ArtifactError
        If the manifest does not know it, it is missing or it was changed.
    """
    if name not in manifest.files:
        known = ", ".join(manifest.files) or "none"
        raise ArtifactError(f"{folder}: expected a model with the file {name}, it has {known}; {_REMEDY}")
    content = _read(folder / name)
    found = hashlib.sha256(content).hexdigest()
    if found != manifest.files[name]:
        raise ArtifactError(
            f"{folder / name}: expected a file with sha256 {manifest.files[name]}, got {found}: it is damaged or of"
            f" another model; {_REMEDY}"
        )
    return content


def verify(folder: Path) -> Manifest:
    """Check the manifest and every file of a parameterization.

    Raises
    ------
    ArtifactError
        If one is missing or was changed, or a file lies there that the manifest does not know.
    """
    manifest = read_manifest(folder)
    for name in manifest.files:
        read_file(folder, manifest, name)
    if strangers := _strangers(folder, {MANIFEST, *manifest.files}):
        raise ArtifactError(
            f"{folder}: expected no files but those of the manifest, got {_listed(strangers)}; move them elsewhere"
        )
    return manifest


def _strangers(folder: Path, known: set[str]) -> list[str]:
    """What lies in a folder, at any depth, that is not known."""
    there = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted({path.relative_to(folder).as_posix() for path in there} - known)


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"expected a file {path}, got: {error.strerror or error}; {_REMEDY}") from None
