from __future__ import annotations

import importlib.util
from types import ModuleType

import numpy as np
import pytest

from lamarrpy.constants import constants
from lamarrpy.draws import Draws
from lamarrpy.shipped import shipped


@pytest.fixture(scope="module")
def fits() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fit_probnn", shipped("models", "parametric", "fit_probnn.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def sample(fits):
    """Histograms of a known distribution, nodes and points: values of tracks are squares of uniform numbers,
    and a flat background of five times as many tracks is subtracted, so that many weights are negative."""
    shape = (len(fits.P_NODES), len(fits.ETA_NODES), 10)
    tracks = 8000.0 * np.exp(-(fits.P_NODES[:, None] - 20) / 40) * np.ones(shape[:2])
    edges = np.sqrt(np.linspace(0, 1, 11))
    expected = tracks[:, :, None] * np.diff(edges)
    background = 5 * tracks[:, :, None] / 10 * np.ones(10)
    rows = Draws(4).rows(np.arange(expected.size))
    noise = np.sqrt(expected + 2 * background) * rows.normal(0).reshape(shape)
    p, eta, points = fits.points_in_bins(tracks)
    return expected + noise, fits.node_weights(p, eta), points, edges


def test_negative_weights_do_not_bias_the_fit(fits, sample):
    weights, nodes, points, edges = sample
    assert (weights < 0).mean() > 0.05
    fit = fits.Fit(weights, nodes, points)
    cdf = fit.cdf(fit.run()).reshape(6, 5, 9)
    assert np.abs(cdf[0] - edges[1:-1]).max() < 0.04
    assert np.abs(cdf[0].mean(axis=0) - edges[1:-1]).max() < 0.02
    sparse = cdf[3:].mean(axis=(0, 1)) - edges[1:-1]
    assert np.abs(sparse).max() < 0.05  # thin bins borrow from their neighbours
    clipped = np.maximum(weights, 0)
    clipped_cdf = np.cumsum(clipped / clipped.sum(axis=2, keepdims=True), axis=2)[3:, :, :-1].mean(axis=(0, 1))
    assert np.abs(clipped_cdf - edges[1:-1]).max() > 2 * np.abs(sparse).max()


def test_jacobian_is_the_derivative(fits, sample):
    weights, nodes, points, _ = sample
    fit = fits.Fit(weights, nodes, points)
    rows = Draws(5).rows(np.arange(fits.COEFFICIENTS * fits.NODES))
    parameters = np.repeat(fits.USUAL, fits.NODES) + 0.3 * rows.normal(0)
    jacobian = fit.jacobian(parameters)
    for at in range(0, len(parameters), 17):
        step = np.zeros(len(parameters))
        step[at] = 0.02
        slope = (fit.residuals(parameters + step) - fit.residuals(parameters - step)) / 0.04
        assert np.abs(slope - jacobian[:, at]).max() < 0.02 * np.abs(jacobian).max()


def test_reads_histograms(fits, tmp_path):
    path = tmp_path / "histograms.csv"
    header = "species,variable,p_min_MeV,p_max_MeV,eta_min,eta_max,value_min,value_max,weight"
    rows = [
        "kaon,ProbNNk,0.0,40000.0,2.0,2.6,0.0,0.1,5.5",
        "kaon,ProbNNk,200000.0,240000.0,4.4,5.0,0.9,1.0,2.0",
        "kaon,ProbNNk,320000.0,360000.0,4.4,5.0,0.9,1.0,-0.5",
    ]
    path.write_text("\n".join([header, *rows]))
    histogram = fits.read_histograms(path)["kaon", "ProbNNk"]
    assert histogram.shape == (6, 5, 10)
    assert histogram[0, 0, 0] == 5.5
    assert histogram[5, 4, 9] == 1.5
    assert np.count_nonzero(histogram) == 2


def test_writes_what_the_stage_reads(fits, tmp_path):
    stored = constants("global_pid")
    shape = (fits.NODES, fits.COEFFICIENTS)
    fitted = {}
    for species in fits.HYPOTHESES.values():
        for h in fits.HYPOTHESES:
            table = np.array(stored["coefficients"][species.name][h].split(), float).reshape(shape).T
            fitted[species.name, h] = np.concatenate([table[0], np.log(table[1:]).ravel()]), (0.01, 0.02)
    fits.write(tmp_path / "again.yaml", fitted)
    import yaml

    again = yaml.safe_load((tmp_path / "again.yaml").read_text())
    assert again["coefficients"] == stored["coefficients"]
    assert again["p_nodes"] == stored["p_nodes"]
    assert again["correlation"] == stored["correlation"]
