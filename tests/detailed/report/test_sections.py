"""Every check passes on a toy that meets the targets, and notices one that does not."""

import numpy as np
import pytest
from toys import HADRON_LOSS, Toy

from lamarrpy.detailed.report.identity import Identity
from lamarrpy.detailed.report.sections import SECTIONS

RESOLUTIONS = ("dp_over_p.long", "dp_over_p.downstream", "dp_over_p.upstream")


def checks(sample, *sections):
    return {
        finding.check.name.removeprefix("detailed."): finding
        for name in sections or SECTIONS
        for finding in SECTIONS[name](sample).findings
    }


def failed(found):
    return {name for name, finding in found.items() if finding.check.ok is False}


@pytest.fixture(scope="module")
def good(sample_of):
    return checks(sample_of())


def test_a_good_detector_passes_every_check(good):
    assert failed(good) == set()
    assert {name for name, finding in good.items() if finding.check.value is None} == set()


def test_figures_are_those_of_the_toy_within_their_errors(good):
    expected = {
        "dp_over_p.downstream": 0.75,
        "dp_over_p.upstream.5_10gev": 20.0,
        "sigma_x.350_450mev": 1.0,
        "pull_width.long.qop": 1.0,
        "pull_mean.long.x": 0.0,
        "efficiency.long.muon.10gev": 0.93,
        "efficiency.long.muon.50gev": 0.96,
        "efficiency.long.hadron_loss.10gev": HADRON_LOSS,
        "beyond_velo.downstream": 1.0,
        "beyond_velo.muon_from_kaon.long": 0.9,
        "primary_vertex.x": 13.0,
        "primary_vertex.z": 71.0,
        "ghosts.long.before": 0.12,
        "ghosts.long.signal_loss": 0.01,
        "muon.is_muon.muon": 0.965,
        "muon.is_muon.pion.0_40gev": 1.9,
        "prob_nn.k_above_20.kaon.40_80gev": 0.924,
        "prob_nn.p_above_50.proton.0_40gev": 0.651,
        "calorimeter.reconstructed": 0.3,
        "calorimeter.clones": 0.0,
        "rich.zero_dll_k.above_threshold": 0.0,
    }
    for name, value in expected.items():
        finding = good[name]
        assert finding.check.value == pytest.approx(value, abs=4.5 * finding.error + 0.01 * value), name


def test_the_magnet_is_as_the_fact_sheet_has_it(good):
    assert good["field_integral"].check.value == pytest.approx(4.05, abs=0.04)
    assert good["kick.z_kick.10gev"].check.value == pytest.approx(5.28, abs=0.03)


@pytest.mark.parametrize(
    ("toy", "section", "expected"),
    [
        (Toy(momentum=2.0), "momentum", {"dp_over_p.long.8_12gev", "dp_over_p.downstream"}),
        (Toy(position=2.0), "impact_parameter", {"sigma_x.250_350mev", "sigma_x.4000_7000mev"}),
        (Toy(pulls=1.3), "fit_quality", {f"pull_width.long.{name}" for name in ("x", "y", "tx", "ty", "qop")}),
        (Toy(losses=3.0), "efficiency", {"efficiency.long.muon.10gev", "efficiency.long.muon.2gev"}),
        (Toy(kaon_muons_long=0.2), "efficiency", {"beyond_velo.muon_from_kaon.long"}),
        (Toy(vertex=1.5), "vertices", {"primary_vertex.x", "primary_vertex.y", "primary_vertex.z"}),
        (Toy(ghosts=0.4), "ghosts", {"ghosts.long.before", "ghosts.long.after"}),
        (Toy(ghosts=0.01), "ghosts", {"ghosts.long.before", "ghosts.long.after"}),
        (Toy(separation=0.4), "rich", {"rich.dll_k_above_0.kaon", "rich.dll_k_above_0.pion"}),
        (Toy(punch_through=2.5), "muon", {"muon.is_muon.pion.0_40gev", "muon.mu_dll.hadron_misid_at_93"}),
        (Toy(energy=3.0), "calorimeter", {"calorimeter.energy_resolution.10gev", "calorimeter.pi0.width"}),
        (Toy(found=0.6), "calorimeter", {"calorimeter.reconstructed"}),
    ],
    ids=lambda value: str(value) if isinstance(value, Toy) else "",
)
def test_a_bad_detector_is_noticed(sample_of, toy, section, expected):
    assert expected <= failed(checks(sample_of(toy), section))


def test_the_ratio_to_the_published_curve_is_about_shape_alone(good, sample_of):
    twice = checks(sample_of(Toy(momentum=2.0)), "momentum")
    ratio = twice["dp_over_p.long.factor"].check.value / good["dp_over_p.long.factor"].check.value
    assert ratio == pytest.approx(2.0, rel=0.01)
    assert twice["dp_over_p.long.deviation"].check.ok


@pytest.mark.parametrize("section", [name for name in SECTIONS if name != "field"])
def test_an_empty_sample_has_figures_for_nothing_and_says_why(sample_of, section):
    sample = sample_of()
    nothing = np.zeros(0, int)
    empty = sample._replace(
        particles=sample.particles.at(nothing),
        tracks=sample.tracks.at(nothing),
        vertices=sample.vertices.at(nothing),
        identity=Identity(*(columns.at(nothing) for columns in sample.identity)),
    )
    found = SECTIONS[section](empty)
    for finding in found.findings:
        assert finding.check.value is None
        assert finding.check.ok is None
        assert "entries" in finding.note
    assert all(draw().svg for draw in found.drawings)


def test_guns_say_nothing_of_ghosts_and_vertices(sample_of):
    found = checks(sample_of(Toy(photons=0)), "vertices", "ghosts")
    assert all(finding.check.value is None for finding in found.values())


@pytest.mark.parametrize("section", ["rich", "muon", "prob_nn", "calorimeter"])
def test_the_tracking_system_alone_says_nothing_of_identification(sample_of, section):
    found = checks(sample_of(Toy(identification=False)), section)
    assert all(finding.check.value is None for finding in found.values())
