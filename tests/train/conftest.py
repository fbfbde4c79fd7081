"""What the tests of training share."""

import pytest
from small_training import toy_columns, write_table


@pytest.fixture(scope="session")
def columns():
    """600 particles in memory."""
    return toy_columns(600)


@pytest.fixture(scope="session")
def data(columns, tmp_path_factory):
    """The same in a Parquet file with units."""
    return write_table(columns, tmp_path_factory.mktemp("data") / "toy.parquet")


@pytest.fixture
def no_figures(monkeypatch):
    """Figures take most of the time of a small training; they have tests of their own."""
    monkeypatch.setattr("lamarrpy.train.figures._png", lambda figure: b"a figure")
