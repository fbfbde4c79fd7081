"""What the system says of processes: whether one lives, and how much memory this one has used."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path


def is_running(process: int) -> bool:
    """Whether another process of this machine with that number lives, or may live."""
    if process == os.getpid():
        return False
    if os.name != "posix":
        return True  # elsewhere the question, signal 0, is a signal
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def peak_memory() -> int:
    """Largest resident memory of this process so far [bytes]; 0 where the system does not tell.

    Linux: VmHWM of proc(5), because what getrusage(2) says there of a worker includes the memory of
    the process that started it.
    """
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmHWM:\s*(\d+) kB", status.read_text())):
        return int(found[1]) * 1024
    try:
        import resource
    except ImportError:  # not a POSIX system
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
