"""What is measured runs in processes of their own, so that nothing it needs is warm."""

from __future__ import annotations

import subprocess
import sys

from lamarrpy.errors import LamarrpyError


def run_module(what: str, *words: str) -> str:
    """Run ``python -m words...`` and give what it prints.

    Parameters
    ----------
    what : str
        What it is, for the message.
    *words : str
        The module and its arguments.

    Raises
    ------
    LamarrpyError
        With its last words, if it fails.
    """
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LamarrpyError(f"{what} failed: {done.stderr.strip()}")
    return done.stdout
