"""The likelihood on toys: unbiased, exactly zero where it must be, and deaf to other events."""

import numpy as np
import pytest
from guns import gun

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.reconstruction.paths import CALORIMETER, RICH1, RICH2, Line, Paths
from lamarrpy.detailed.rich import observe
from lamarrpy.detailed.rich.expectation import HYPOTHESES, MASSES
from lamarrpy.detailed.rich.radiators import radiators
from lamarrpy.detailed.transport import Physics, transport
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field

DETECTOR = lhcb_detector()
NOTHING = Physics(False, False, False, False, False, False)
PDG = {"e": 11, "mu": 13, "pi": 211, "k": 321, "p": 2212}


def toy(n, pid, p, eta=(2.6, 3.4), per_event=5, track_type=3, seed=1):
    """Particles on straight ways, and the tracks that a perfect fit makes of them."""
    one = gun(n, pid, p, eta, seed)
    one = one._replace(event_id=np.arange(n) // per_event, particle_id=np.arange(n) % per_event)
    truth = transport(one, DETECTOR, magnetic_field("none"), Draws(3).stage("transport"), NOTHING)
    tx, ty = one.px / one.pz, one.py / one.pz
    momentum = np.sqrt(one.px**2 + one.py**2 + one.pz**2)
    lines = [Line(z, z * tx, z * ty, tx, ty) for z in (RICH1, RICH2, CALORIMETER)]
    kinds = np.full(n, track_type)
    return truth, Paths(one.event_id, np.arange(n), kinds, momentum, np.ones(n, np.int64), *lines)


def answer(truth, paths, seed=5):
    none = transport(gun(0, 11, 1e3, 3.0), DETECTOR, magnetic_field("none"), Draws(1), NOTHING)
    return observe((truth, none), paths, DETECTOR, np.unique(truth.particles.event_id), Draws(seed).stage("rich"))


def against_pion(found, species):
    return np.zeros(len(found.dll["k"])) if species == "pi" else found.dll[species]


@pytest.mark.parametrize("species", HYPOTHESES)
@pytest.mark.parametrize("p", [4e3, 12e3, 25e3, 50e3])
def test_the_true_hypothesis_wins_on_average(species, p):
    """The mean of ln L(true) - ln L(any other) is never negative: it is a relative entropy."""
    found = answer(*toy(400, PDG[species], p))
    own = against_pion(found, species)
    for other in HYPOTHESES:
        gain = own - against_pion(found, other)
        assert gain.mean() > -3.0 * gain.std() / 20.0 - 0.05


@pytest.mark.parametrize(("p", "least"), [(12e3, 10.0), (30e3, 8.0)])
def test_pions_and_kaons_are_told_apart(p, least):
    kaons, pions = (answer(*toy(300, PDG[name], p)).dll["k"] for name in ("k", "pi"))
    assert np.median(kaons) > least
    assert np.median(pions) < -least


def test_exact_zeros_where_neither_radiates():
    rich1, _ = radiators()
    pion, kaon = (rich1.threshold(MASSES[HYPOTHESES.index(name)]) for name in ("pi", "k"))
    found = answer(*toy(1000, 211, (1.5e3, 20e3)))
    p = toy(1000, 211, (1.5e3, 20e3))[1].p
    used = found.used[:, 0]
    assert used.all()
    assert (found.dll["k"][p < pion] == 0.0).all()
    assert (found.dll["p"][p < kaon] == found.dll["k"][p < kaon]).all()
    assert (found.dll["k"][p > pion + 20.0] != 0.0).all()
    assert (found.dll["p"] != found.dll["k"])[p > kaon + 100.0].all()


def test_without_information_all_are_exactly_zero():
    truth, paths = toy(100, 321, 20e3, eta=1.2)
    found = answer(truth, paths)
    assert not found.used.any()
    assert all((dll == 0.0).all() for dll in found.dll.values())


def test_tracks_without_a_part_behind_the_magnet_see_rich1_alone():
    truth, paths = toy(200, 321, 20e3)
    nothing = np.full(200, np.nan)
    up = paths._replace(rich2=Line(RICH2, *[nothing] * 4), track_type=np.full(200, 4))
    found = answer(truth, up)
    assert found.used[:, 0].all()
    assert not found.used[:, 1].any()


def test_events_do_not_see_each_other():
    truth, paths = toy(60, 321, (3e3, 60e3))
    whole = answer(truth, paths)
    chosen = np.flatnonzero(np.isin(paths.event_id, (3, 7)))
    few, same = toy(60, 321, (3e3, 60e3))
    one = few.particles.at(chosen)
    part = transport(one, DETECTOR, magnetic_field("none"), Draws(3).stage("transport"), NOTHING)
    lines = (Line(line.z, *(c[chosen] for c in line.columns)) for line in (same.rich1, same.rich2, same.calorimeter))
    columns = (same.event_id[chosen], np.arange(len(chosen)), *(a[chosen] for a in same[2:5]))
    alone = answer(part, Paths(*columns, *lines))
    for name, dll in alone.dll.items():
        assert np.array_equal(dll, whole.dll[name][chosen]), name
    assert np.array_equal(alone.hits, whole.hits[[3, 7]])


def test_positive_and_negative_kaons_look_alike():
    plus, minus = (answer(*toy(1500, pid, (3e3, 60e3))).dll["k"] for pid in (321, -321))
    assert np.array_equal(plus, minus)
