"""``lamarrpy tune`` as a user types it."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from lamarrpy.benchmark.learn.sample import draw_sample
from lamarrpy.cli import app
from lamarrpy.errors import ConfigError, OutputError
from lamarrpy.train.recipe import read_recipe

RECIPE = """
description: "A toy [with brackets], described in words that go on and on until they are longer than a screen is wide."
algorithm: BceGAN
conditions: {p: [log, standard]}
targets: [dll]
network: {layers: 1, width: 8}
training: {steps: 2, batch: 300}
adversarial: {discriminator: {layers: 1, width: 8}, referee: false}
search:
  training.rate: {low: 1e-3, high: 1e-2, log: true}
"""


def lamarrpy(*arguments):
    answer = CliRunner().invoke(app, [str(a) for a in arguments])
    if answer.exception is not None and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    assert answer.exit_code == 0, answer.output
    return answer.output


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tune")
    (folder / "toy.yaml").write_text(RECIPE)
    pq.write_table(pa.table(dict(draw_sample(600, 1))), folder / "toy.parquet")
    return ("tune", folder / "toy.yaml", "--data", folder / "toy.parquet")


def test_a_study_goes_on_and_its_best_recipe_is_written(command, tmp_path):
    stored = ("--storage", f"sqlite:///{tmp_path / 'study.db'}")
    first = lamarrpy(*command, "--trials", 1, *stored, "-o", tmp_path / "new" / "best.yaml")
    assert first.startswith("trial 0: score 0.")
    assert "training.rate 0.00" in first
    assert "best of 1: score 0." in first
    assert f"wrote {tmp_path / 'new' / 'best.yaml'}" in first
    with pytest.raises(OutputError, match="is there already; choose another -o, or replace it with --overwrite"):
        lamarrpy(*command, "--trials", 1, *stored, "-o", tmp_path / "new" / "best.yaml")
    second = lamarrpy(*command, "--trials", 1, *stored, "-o", tmp_path / "new" / "best.yaml", "--overwrite")
    assert "trial 1: score 0." in second
    assert "best of 2: score 0." in second
    best = read_recipe(tmp_path / "new" / "best.yaml")
    assert 1e-3 <= best.training.rate <= 1e-2
    assert (best.name, best.training.score, best.training.steps) == ("toy", "ks", 2)
    assert best.description == read_recipe(command[1]).description


def test_without_an_output_the_recipe_is_printed_so_that_it_can_be_read_again(command, tmp_path):
    told = lamarrpy(*command, "--trials", 1, "--score", "wasserstein", "--set", "network.width=4")
    (tmp_path / "printed.yaml").write_text(told[told.index("name: toy") :])
    best = read_recipe(tmp_path / "printed.yaml")
    assert (best.network.width, best.training.score) == (4, "wasserstein")
    assert best.description == read_recipe(command[1]).description


def test_mistakes_are_told_before_any_trial(command, tmp_path):
    with pytest.raises(ConfigError, match="expected a score out of ks"):
        lamarrpy(*command, "--score", "best")
    with pytest.raises(ConfigError, match="cannot be opened"):
        lamarrpy(*command, "--storage", "study.db")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        lamarrpy(*command, "-o", tmp_path / "file" / "best.yaml")
    with pytest.raises(ConfigError, match="unknown key 'sed'"):
        lamarrpy(*command, "--set", "sed=1")
