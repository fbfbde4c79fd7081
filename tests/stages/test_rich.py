from __future__ import annotations

import numpy as np
import pytest
from tiny_models import generator_network, plain_transforms, write_model

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.parameterization.folder import MODEL
from lamarrpy.parameterization.manifest import Condition, Target
from lamarrpy.parameterization.transforms import fit_columns
from lamarrpy.shipped import shipped
from lamarrpy.stages.cherenkov import MASSES, expected, gases
from lamarrpy.stages.parametric.acceptance import Acceptance
from lamarrpy.stages.parametric.efficiency import Efficiency
from lamarrpy.stages.parametric.occupancy import Occupancy
from lamarrpy.stages.parametric.resolution import Resolution
from lamarrpy.stages.propagation import Propagation
from lamarrpy.stages.rich import DLLS, LEARNED, Rich, conditions, physical, targets
from lamarrpy.stages.track_end import Way
from lamarrpy.stages.trained import SPECIES
from lamarrpy.testing import check_stage
from lamarrpy.testing.events import example_events
from lamarrpy.yaml_file import read_yaml


def made_up(n: int = 4000, seed: int = 1) -> dict[str, np.ndarray]:
    """Tracks from far below the threshold of muons to far above that of protons, all in a RICH."""
    random = np.random.default_rng(seed)
    p = np.exp(random.uniform(np.log(500.0), np.log(3e5), n))
    in_rich1 = random.random(n) < 0.7
    return {
        "p": p,
        "true_p": p * np.exp(0.1 * random.normal(size=n)),
        "eta": random.uniform(1.8, 5.0, n),
        "charge": random.choice(np.array([-1, 1], np.int32), n),
        "track_type": random.choice(np.array([3, 4, 5], np.int32), n),
        "n_tracks": random.integers(20, 500, n).astype(np.int32),
        "in_rich1": in_rich1,
        "in_rich2": ~in_rich1 | (random.random(n) < 0.5),
        "origin_z": random.choice(np.array([0.0, 900.0, 1500.0, 2200.0]), n),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of models of all species that have learned nothing."""
    models = tmp_path_factory.mktemp("models")
    seen = conditions(made_up())
    described = tuple(
        Condition(name=name, dtype=values.dtype.name, low=float(values.min()), high=float(values.max()))
        for name, values in seen.items()
    )
    answers = tuple(Target(name=name, low=-50.0, high=50.0) for name in LEARNED)
    given = {"conditions": fit_columns(dict.fromkeys(seen, "standard"), seen), "targets": plain_transforms(*LEARNED)}
    for number, species in enumerate(SPECIES):
        network = generator_network(len(LEARNED), len(seen), 4, seed=number)
        path = models / "rich" / species.name / "distilled"
        path.parent.mkdir(parents=True)
        write_model(path, "generator", answers, {MODEL: network}, given, described, latents=4)
    return str(models)


def test_conformance(folder):
    check_stage(Rich(models=folder))


def test_a_missing_model_is_told_at_once(folder):
    with pytest.raises(ConfigError, match="muon"):
        Rich(version="by hand", models=folder)


def test_gases_are_those_of_the_detailed_simulation():
    """Otherwise the models have to be trained again."""
    own, theirs = (
        read_yaml(shipped("models", *file)) for file in (("rich", "gases.yaml"), ("detailed", "detector.yaml"))
    )
    for name in ("rich1", "rich2"):
        for key in set(own[name]) - {"error"}:
            assert own[name][key]["value"] == theirs[name][key]["value"]


def test_thresholds():
    """Of pions and kaons in C4F10 and CF4: 2.6, 9.3 and 4.4, 15.6 GeV (LHCb, EPJC 73 (2013) 2431)."""
    found = [gas.threshold(mass) for gas in gases() for mass in (139.57, 493.68)]
    assert found == pytest.approx([2.6e3, 9.3e3, 4.4e3, 15.6e3], rel=0.02)


@pytest.mark.parametrize("which", [0, 1])
def test_a_hypothesis_radiates_from_its_threshold_on(which):
    both = [np.array([which == gas] * 2) for gas in (0, 1)]
    for name, mass in (("mu", 105.658), ("pi", 139.570), ("k", 493.677), ("p", 938.272)):
        at = gases()[which].threshold(mass)
        about = expected(at * np.array([0.9999, 1.0001]), *both)
        assert about.radiates[name].tolist() == [False, True]


def test_zeros_and_equal_likelihoods_are_exact():
    columns = made_up()
    random = np.random.default_rng(2)
    made = physical({name: random.normal(size=4000) for name in LEARNED}, columns)
    e, mu, k, p = (made[name] for name in DLLS)
    first = np.where(columns["in_rich1"], *(gas.threshold(1.0) for gas in gases()))  # MeV of momentum a MeV of mass
    below = {name: columns["p"] < mass * first for name, mass in (("mu", 105.658), ("pi", 139.570), ("k", 493.677))}
    assert (mu[below["mu"]] == 0.0).all()
    assert (k[below["pi"]] == 0.0).all()
    assert (p[below["k"]] == k[below["k"]]).all()
    assert (e != 0.0).all()
    assert (mu[~below["mu"]] != 0.0).all()
    assert (k[~below["pi"]] != 0.0).all()
    assert (p[~below["k"]] != k[~below["k"]]).all()


def test_what_is_learned_gives_the_likelihoods_back():
    columns = made_up()
    random = np.random.default_rng(3)
    made = physical({name: random.normal(size=4000) for name in LEARNED}, columns)
    again = physical(targets({**columns, **made}), columns)
    for name in DLLS:
        np.testing.assert_allclose(again[name], made[name], rtol=1e-9, atol=1e-9)


def test_close_rings_move_together():
    """Of muon and electron, and of proton and kaon: as squares of masses."""
    p = np.array([3e5])
    yes = np.ones(1, bool)
    about = expected(p, yes, yes)
    e, mu, pi, k, proton = (mass**2 for mass in MASSES.values())
    assert about.mu_on_e == pytest.approx((pi - mu) / (pi - e), rel=0.02)
    assert about.p_on_k == pytest.approx((proton - pi) / (k - pi), rel=0.02)


def test_acceptance_of_the_gases():
    rich1, rich2 = gases()
    tx = np.array([0.02, 0.03, 0.2, 0.31, np.nan])
    assert rich1.crossed(Way(0.0, 0 * tx, 0 * tx, tx, 0 * tx)).tolist() == [False, True, True, False, False]
    x = np.array([500.0, 1400.0, 2500.0])
    assert rich2.crossed(Way(11300.0, x, 0 * x, np.full(3, 0.05), 0 * x)).tolist() == [True, True, False]


@pytest.fixture(scope="module")
def batch():
    """Made-up events up to their reconstructed tracks."""
    out = example_events()
    for stage in (Propagation(), Occupancy(), Acceptance(), Efficiency(), Resolution()):
        out = stage(out, Draws(1, stage.name))
    return out


def test_electrons_are_not_identified(folder, batch):
    out = Rich(models=folder)(batch, Draws(1, "rich"))
    pid, identified = np.abs(out.array("tracks", "true_pid")), out.array("tracks", "identified")
    assert set(pid) == {11, 13, 211, 321, 2212}
    assert np.array_equal(identified, pid != 11)
    for name in DLLS:
        assert np.array_equal(np.isfinite(out.array("tracks", name)), identified)


def test_tracks_past_both_gases_have_no_likelihood(folder, batch):
    out = Rich(models=folder)(batch, Draws(1, "rich"))
    identified, in_rich1, in_rich2 = out.arrays("tracks", "identified", "in_rich1", "in_rich2")
    past = identified & ~in_rich1 & ~in_rich2
    assert past.any()
    for name in DLLS:
        assert (out.array("tracks", name)[past] == 0.0).all()
    assert not out.array("tracks", "outside_rich")[past].any()
