"""Every spectrum is what its name says, and those of FONLL have the quantiles that FONLL has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from lamarrpy.draws import Draws
from lamarrpy.generate.spectra import SPECTRA, FonllEta, FonllPt, Spectrum

U = np.linspace(0.0005, 0.9995, 1000)
SPECTRUM = TypeAdapter(Spectrum)

# FONLL b and c hadrons at 13 TeV, as RapidSim distributes them (fact sheet, section 8)
PT_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
B_PT = (1.0e3, 2.5e3, 4.19e3, 6.7e3, 13.3e3, 22.3e3)
ETA = np.array([2, 2.5, 3, 3.5, 4, 4.5, 5])
ETA_DENSITY = {
    "b": (0.111, 0.108, 0.100, 0.087, 0.074, 0.058, 0.044),
    "c": (0.095, 0.094, 0.090, 0.084, 0.076, 0.067, 0.057),
}


def spectrum(**content):
    return SPECTRUM.validate_python(content)


@pytest.mark.parametrize(
    ("content", "mean", "sigma"),
    [
        ({"kind": "uniform", "low": 2.0, "high": 5.0}, 3.5, 3 / np.sqrt(12)),
        ({"kind": "gaussian", "mean": -3.0, "sigma": 0.5}, -3.0, 0.5),
        ({"kind": "exponential", "mean": 4.0, "low": 1.0}, 5.0, 4.0),
        ({"kind": "log_uniform", "low": 1.0, "high": np.e}, np.e - 1, np.sqrt((np.e**2 - 1) / 2 - (np.e - 1) ** 2)),
        ({"kind": "quantiles", "shares": [0, 0.5, 1], "values": [0, 1, 3]}, 1.25, np.sqrt(37 / 48)),
    ],
)
def test_moments(content, mean, sigma):
    values = SPECTRUM.validate_python(content).quantile(Draws(1).rows(np.arange(200_000)).uniform(0))
    assert values.mean() == pytest.approx(mean, abs=5 * sigma / np.sqrt(len(values)))
    assert values.std() == pytest.approx(sigma, rel=0.02)


def test_every_kind_is_listed():
    schema = SPECTRUM.json_schema()
    assert set(schema["discriminator"]["mapping"]) == set(SPECTRA)


def test_a_bare_number_is_a_constant():
    assert (SPECTRUM.validate_python(7.5).quantile(U) == 7.5).all()
    assert (SPECTRUM.validate_python(7).quantile(U) == 7).all()


@pytest.mark.parametrize("content", [True, "uniform", {"kind": "uniform", "low": 1}, {"kind": "normal"}])
def test_other_content_is_refused(content):
    with pytest.raises(ValidationError):
        SPECTRUM.validate_python(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"kind": "uniform", "low": 2, "high": 1}, "low < high"),
        ({"kind": "log_uniform", "low": 0, "high": 1}, "greater than 0"),
        ({"kind": "gaussian", "mean": 0, "sigma": float("inf")}, "finite"),
        ({"kind": "quantiles", "shares": [0, 1], "values": [1]}, "as many values"),
        ({"kind": "quantiles", "shares": [0, 0.9], "values": [1, 2]}, "from 0 to 1"),
        ({"kind": "quantiles", "shares": [0, 1], "values": [2, 1]}, "do not fall"),
        ({"kind": "gaussian", "mean": 0, "sgma": 1}, "did you mean 'sigma'"),
    ],
)
def test_senseless_spectra_are_refused(content, message):
    with pytest.raises(ValidationError, match=message):
        SPECTRUM.validate_python(content)


@given(st.floats(1e-6, 1 - 1e-6), st.floats(1e-6, 1 - 1e-6))
def test_quantiles_rise(a, b):
    low, high = sorted((a, b))
    for flavour in "bc":
        for s in (FonllPt(kind="fonll_pt", flavour=flavour), FonllEta(kind="fonll_eta", flavour=flavour)):
            at_low, at_high = s.quantile(np.array([low, high]))
            assert at_low <= at_high


def test_pt_quantiles_of_b_hadrons():
    got = FonllPt(kind="fonll_pt", flavour="b").quantile(np.array(PT_SHARES))
    assert got == pytest.approx(B_PT, rel=0.025)
    assert FonllPt(kind="fonll_pt", flavour="b").quantile(U).mean() == pytest.approx(5.3e3, rel=0.02)


def test_pt_quantiles_of_c_hadrons():
    s = FonllPt(kind="fonll_pt", flavour="c")
    assert s.quantile(np.array([0.5, 0.95])) == pytest.approx([1.76e3, 5.35e3], rel=0.01)
    assert s.quantile(U).mean() == pytest.approx(2.2e3, rel=0.02)


@pytest.mark.parametrize("flavour", ["b", "c"])
def test_eta_density(flavour):
    everywhere = FonllEta(kind="fonll_eta", flavour=flavour, low=-50, high=50)
    u = np.linspace(0.5, 1, 200_001)[:-1]
    eta = everywhere.quantile(u)
    density = np.interp(ETA, eta, np.gradient(u, eta))
    assert density == pytest.approx(ETA_DENSITY[flavour], rel=0.045)


@pytest.mark.parametrize("flavour", ["b", "c"])
def test_eta_is_symmetric_and_stays_between_its_limits(flavour):
    everywhere = FonllEta(kind="fonll_eta", flavour=flavour, low=-50, high=50)
    assert everywhere.quantile(U) == pytest.approx(-everywhere.quantile(1 - U), abs=1e-9)
    forward = FonllEta(kind="fonll_eta", flavour=flavour).quantile(np.array([1e-16, 0.5, 1 - 1e-16]))
    assert forward[[0, 2]] == pytest.approx([2, 5], abs=1e-9)
    assert 2 < forward[1] < 5
