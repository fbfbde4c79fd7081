"""The public names: few, lazy, and all there."""

import subprocess
import sys

import pytest

import lamarrpy


def test_every_public_name_is_there():
    for name in lamarrpy.__all__:
        assert getattr(lamarrpy, name) is not None
    assert set(lamarrpy.__all__) <= set(dir(lamarrpy))


def test_the_names_are_these():
    assert sorted(lamarrpy.__all__) == [
        "Column",
        "Draws",
        "EventBatch",
        "LamarrpyError",
        "Pipeline",
        "RunOptions",
        "STAGES",
        "Schema",
        "Stage",
        "load_pipeline",
        "read_batch",
        "run",
        "run_files",
    ]


def test_importing_the_package_imports_nothing_else():
    code = "import sys, lamarrpy; print(*(m for m in ('numpy', 'pyarrow', 'pydantic') if m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(AttributeError, match="has no attribute 'simulate'; it has: STAGES, Column"):
        lamarrpy.simulate  # noqa: B018
