"""TensorFlow, on so many threads and without a word."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from lamarrpy.errors import ConfigError


def quiet_tensorflow(threads: int) -> None:
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
