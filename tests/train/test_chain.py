"""All models of the stages: which there are, and that each is trained from its own part of the samples."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from lamarrpy.cli import app
from lamarrpy.errors import ConfigError, InputError
from lamarrpy.parameterization.folder import verify
from lamarrpy.train.chain import jobs

SCRIPT = """
SAMPLE = "tracks"
PARTS = {"slow": ("pion",), "very_fast": ("pion", "kaon")}


def prepare(columns, part):
    keep = (columns["p"] < 50.0) == (part == "slow")
    return {name: values[keep] for name, values in columns.items()}
"""

RECIPE = "algorithm: {}\nconditions: [p]\ntargets: [dll]\nreads: [p, dll]\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A shipped stage of two models, and samples."""
    stage = tmp_path / "shipped" / "toy"
    stage.mkdir(parents=True)
    (stage / "train.py").write_text(SCRIPT)
    (stage / "recipe.yaml").write_text(RECIPE.format("neighbours"))
    (stage / "recipe_fast.yaml").write_text(RECIPE.format("neighbours") + "seed: 5\n")
    (stage / "gan.yaml").write_text(RECIPE.format("BceGAN"))
    (tmp_path / "samples" / "tracks").mkdir(parents=True)
    for number, name in enumerate(("pion", "kaon")):
        random = np.random.default_rng(number)
        table = pa.table({"p": random.uniform(0, 100, 400), "dll": random.normal(10.0 * number, 1.0, 400)})
        pq.write_table(table, tmp_path / "samples" / "tracks" / f"{name}.parquet")
    for module in ("chain", "recipe"):
        monkeypatch.setattr(f"lamarrpy.train.{module}.shipped", lambda *parts: tmp_path / "shipped")
    return tmp_path


@pytest.mark.usefixtures("here")
def test_every_part_in_its_version():
    assert [job.name for job in jobs()] == ["toy/slow/neighbours", "toy/very_fast/neighbours"]
    assert [job.name for job in jobs(gan=True)] == ["toy/slow/gan", "toy/very_fast/gan"]
    assert [job.part for job in jobs(["toy/very_fast"])] == ["very_fast"]
    with pytest.raises(
        ConfigError, match="expected a stage or a model out of toy, toy/slow, toy/very_fast, got 'toy/last'"
    ):
        jobs(["toy/last"])


def test_they_are_trained_once_each_from_its_part(here):
    """What fails is told, and does not keep the others; what is there stays."""
    words = ["models", "train", str(here / "samples"), "-o", str(here / "models"), "--workers", "1"]
    kaons = here / "samples" / "tracks" / "kaon.parquet"
    content = kaons.read_bytes()
    kaons.unlink()
    told = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    assert told.exit_code == 1
    assert "no such file; expected a folder of lamarrpy training-samples with tracks/kaon.parquet" in told.output
    assert "1 models" in told.output
    assert "failed: toy/very_fast/neighbours" in told.output
    slow = verify(here / "models" / "toy" / "slow" / "neighbours")
    assert (slow.name, slow.seed, slow.conditions[0].high < 50.0) == ("toy slow", 0, True)
    kaons.write_bytes(content)
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    assert "toy/slow/neighbours: is there" in told.output
    fast = verify(here / "models" / "toy" / "very_fast" / "neighbours")
    assert (fast.name, fast.seed, fast.targets[0].high > 9.0) == ("toy very_fast", 5, True)
    assert sorted(fast.sample["files"]) == ["kaon.parquet", "pion.parquet"]


def test_samples_are_a_folder(here):
    with pytest.raises(InputError, match="expected a folder of lamarrpy training-samples"):
        CliRunner().invoke(app, ["models", "train", str(here / "none")], catch_exceptions=False)
