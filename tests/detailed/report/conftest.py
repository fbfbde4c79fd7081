import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from toys import Toy

from lamarrpy.detailed.report.sample import read_sample


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory):
    """Writes the tables of a toy, once each."""
    written = {}

    def write(toy):
        if toy not in written:
            written[toy] = toy.write(tmp_path_factory.mktemp("toy") / "sample")
        return written[toy]

    return write


@pytest.fixture(scope="session")
def sample_of(folder_of):
    """Reads the sample of a toy."""
    return lambda toy=Toy(): read_sample(folder_of(toy))  # noqa: B008
