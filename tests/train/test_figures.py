"""The plots of model cards show what they say."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from lamarrpy.parameterization.manifest import Condition, Manifest, Target
from lamarrpy.train import figures
from lamarrpy.train.measuring import Measured

CONDITIONS = (Condition(name="p", unit="MeV", low=1e3, high=1e5), Condition(name="eta", low=2.0, high=5.0))


def manifest(classes):
    target = Target(name="track_type", low=min(classes), high=max(classes), integer=True, masses=classes)
    return Manifest(
        name="toy",
        kind="classifier",
        algorithm="classifier",
        conditions=CONDITIONS,
        targets=(target,),
        classes=classes,
        latents=1,
    )


def measured(count, rows=4000):
    """Rows of which a model that is right says how probable each class is."""
    random = np.random.default_rng(3)
    probabilities = random.dirichlet(np.ones(count), rows)
    drawn = (probabilities.cumsum(axis=1) < random.random((rows, 1))).sum(axis=1)
    given = {"p": np.exp(random.uniform(7, 11, rows)), "eta": random.uniform(2, 5, rows)}
    return Measured({}, given, {"track_type": drawn}, {"track_type": drawn}, None, probabilities)


@pytest.fixture
def drawn(monkeypatch):
    """The last figure that was saved."""
    kept = []
    savefig = Figure.savefig

    def keep(self, *arguments, **options):
        kept.append(self)
        savefig(self, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    return kept


@pytest.mark.parametrize("count", [2, 3, 6])
def test_calibration_has_a_panel_for_what_is_said_and_one_for_each_condition(drawn, count):
    sample = measured(count)
    png = figures.calibration_figure(manifest(tuple(float(c) for c in range(count))), sample)
    assert imread(io.BytesIO(png)).std() > 0.01
    panels = [axis for axis in drawn[-1].axes if axis.axison]
    assert [axis.get_xlabel() for axis in panels] == ["probability that the model says", "p [MeV]", "eta"]
    assert [axis.get_xscale() for axis in panels] == ["linear", "log", "linear"]
    assert len(panels[0].containers) == min(count, 4)
    assert [text.get_text() for text in panels[1].get_legend().get_texts()] == ["rows", "as predicted"]
    for container in panels[0].containers:
        said, seen = container[0].get_data()
        assert np.abs(np.asarray(said) - np.asarray(seen)).max() < 5 * 0.5 / np.sqrt(4000 / 20)


def test_spectra_hold_all_rows_of_a_class(drawn):
    sample = measured(2)
    figures.calibration_figure(manifest((0.0, 1.0)), sample)
    of_eta = next(axis for axis in drawn[-1].axes if axis.get_xlabel() == "eta")
    counted = [container[0].get_ydata().sum() for container in of_eta.containers]
    assert counted == [(sample.wanted["track_type"] == number).sum() for number in (0, 1)]
