"""Decays conserve energy and momentum, fly as long as they live, and link daughters to mothers."""

import re
from pathlib import Path

import numpy as np
import pytest

from lamarrpy.errors import ConfigError
from lamarrpy.generate import generate, load_recipe
from lamarrpy.generate.decays import SPEED_OF_LIGHT
from lamarrpy.particles import mass
from lamarrpy.tables import EventBatch

LB = "Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu- anti-nu_mu"
N = 20_000


class Events:
    """The particles of a decay gun, as arrays by event and particle_id, and momenta and energies."""

    def __init__(self, decay=LB, events=N, seed=1, **recipe):
        content = {"kind": "decay_gun", "decay": decay} | recipe
        batch = EventBatch.concat(list(generate(content, events, seed)))
        self.batch = batch
        table = {name: batch.array("particles", name).reshape(events, -1).T for name in batch["particles"].column_names}
        self.pid, self.mother, self.status, self.t = (table[n] for n in ("pid", "mother_id", "status", "t"))
        self.p = np.stack([table[f"p{axis}"] for axis in "xyz"], axis=1)
        self.x = np.stack([table[axis] for axis in "xyz"], axis=1)
        self.m = mass(self.pid.ravel()).reshape(self.pid.shape)
        self.e = np.sqrt((self.p**2).sum(axis=1) + self.m**2)

    def mass_of(self, *ids):
        p, e = self.p[list(ids)].sum(axis=0), self.e[list(ids)].sum(axis=0)
        return np.sqrt(e**2 - (p**2).sum(axis=0))


@pytest.fixture(scope="module")
def lb():
    return Events()


def largest_cdf_difference(values, cdf):
    values = np.sort(values)
    return abs(cdf(values) - np.arange(1, len(values) + 1) / len(values)).max()


def test_who_is_there_and_whose_daughter(lb):
    sign = np.sign(lb.pid[0])
    assert (abs(lb.pid[0]) == 5122).all()
    for row, pid in enumerate([5122, 4122, 13, -14, 2212, -321, 211]):
        assert (lb.pid[row] == pid * sign).all()
    assert lb.mother[:, 0].tolist() == [-1, 0, 0, 0, 1, 1, 1]
    assert lb.status[:, 0].tolist() == [2, 2, 1, 1, 1, 1, 1]
    assert (sign < 0).mean() == pytest.approx(0.5, abs=0.02)


def test_energy_and_momentum(lb):
    for mother, daughters in ((0, [1, 2, 3]), (1, [4, 5, 6]), (0, [2, 3, 4, 5, 6])):
        assert abs(lb.e[daughters].sum(axis=0) / lb.e[mother] - 1).max() < 1e-9
        assert abs(lb.p[daughters].sum(axis=0) - lb.p[mother]).max() < 1e-9 * lb.e[mother].max()


def test_flight(lb):
    """Proper times are exponential with the lifetimes of the PDG; flight is along the momentum."""
    for mother, daughter, lifetime in ((0, 1, 1.471e-3), (1, 4, 202.6e-6)):
        flight = lb.x[daughter] - lb.x[mother]
        length, p = np.sqrt((flight**2).sum(axis=0)), np.sqrt((lb.p[mother] ** 2).sum(axis=0))
        proper = length * lb.m[mother] / p / SPEED_OF_LIGHT
        assert proper.mean() == pytest.approx(lifetime, rel=0.02 + 5 / np.sqrt(N))
        assert largest_cdf_difference(1 - np.exp(-proper / proper.mean()), lambda u: u) < 1.95 / np.sqrt(N)
        assert flight / length == pytest.approx(lb.p[mother] / p, abs=1e-6)
        later = lb.t[daughter] - lb.t[mother]
        assert later == pytest.approx(length / SPEED_OF_LIGHT * lb.e[mother] / p, rel=1e-6, abs=1e-12)
    for siblings in ([1, 2, 3], [4, 5, 6]):
        assert (lb.x[siblings] == lb.x[siblings[0]]).all()


def test_hadrons_start_at_the_first_primary_vertex():
    events = Events(events=500, primary_vertices={"further_collisions": 1.0})
    vertices = events.batch["vertices"]
    first = events.batch.array("vertices", "vertex_id") == 0
    assert vertices.num_rows > 800
    for at, axis in enumerate("xyz"):
        assert (events.x[0, at] == events.batch.array("vertices", f"true_{axis}")[first]).all()


def test_spectra_of_the_hadron(lb):
    pt = np.hypot(lb.p[0, 0], lb.p[0, 1])
    eta = np.arcsinh(lb.p[0, 2] / pt)
    assert np.quantile(pt, [0.25, 0.5, 0.75]) == pytest.approx([2.5e3, 4.19e3, 6.7e3], rel=0.04)
    assert eta.min() > 2
    assert eta.max() < 5
    density = np.histogram(eta, bins=np.arange(2, 5.1, 0.5))[0] / N / 0.5
    expected = np.array([0.1095, 0.104, 0.0935, 0.0805, 0.066, 0.051])  # FONLL, section 8 of the fact sheet
    assert density == pytest.approx(expected / expected.sum() / 0.5, rel=0.05)


def test_three_body_spectrum_of_the_charm_decay_is_flat(lb):
    """m^2(pK) and the helicity angle in its frame: uniform Dalitz density means a flat angle at any mass."""
    p, k, pi = 4, 5, 6
    s = lb.mass_of(p, k) ** 2
    angle = dot(lb, p, pi)
    m12 = np.sqrt(s)
    e_p = (s + lb.m[p] ** 2 - lb.m[k] ** 2) / (2 * m12)
    e_pi = (lb.m[1] ** 2 - s - lb.m[pi] ** 2) / (2 * m12)
    q = np.sqrt(e_p**2 - lb.m[p] ** 2) * np.sqrt(e_pi**2 - lb.m[pi] ** 2)
    cos_theta = (e_p * e_pi - angle) / q
    assert abs(cos_theta).max() < 1 + 1e-6
    assert largest_cdf_difference(cos_theta, lambda c: (c + 1) / 2) < 1.95 / np.sqrt(N)


def dot(events, a, b):
    return events.e[a] * events.e[b] - (events.p[a] * events.p[b]).sum(axis=0)


def test_v_minus_a_makes_the_neutrino_and_lepton_spectra():
    """Against phase space weighted with (M.nu)(X.l): the lepton of a b decay is harder than the neutrino."""
    events = Events(semileptonic="v_minus_a")
    flat = Events(semileptonic="phase_space", seed=2)
    weight = dot(flat, 0, 3) * dot(flat, 1, 2)
    q2, flat_q2 = events.mass_of(2, 3) ** 2, flat.mass_of(2, 3) ** 2
    expected = np.average(flat_q2, weights=weight)
    error = flat_q2.std() / np.sqrt(N) * 2
    assert q2.mean() == pytest.approx(expected, abs=5 * error)
    neutrino, flat_neutrino = dot(events, 0, 3) / events.m[0], dot(flat, 0, 3) / flat.m[0]
    assert neutrino.mean() == pytest.approx(np.average(flat_neutrino, weights=weight), rel=0.01)
    assert neutrino.mean() < 0.975 * flat_neutrino.mean()
    assert neutrino.mean() < 0.95 * (dot(events, 0, 2) / events.m[0]).mean()


def test_charm_decays_swap_the_leptons():
    """In c -> s l nu it is the charged lepton that is the softer one."""
    decay = "D+ -> anti-K0 mu+ nu_mu"
    events, flat = Events(decay), Events(decay, semileptonic="phase_space", seed=2)
    weight = dot(flat, 0, 2) * dot(flat, 1, 3)
    lepton, flat_lepton = dot(events, 0, 2), dot(flat, 0, 2)
    assert lepton.mean() == pytest.approx(np.average(flat_lepton, weights=weight), rel=0.01)
    assert lepton.mean() < 0.95 * flat_lepton.mean()


def test_resonances_are_as_wide_as_they_should_be():
    events = Events("B0 -> (K*0 -> K+ pi-) gamma", antiparticles=0)
    m = events.mass_of(3, 4)
    assert np.median(m) == pytest.approx(895.6, abs=2)
    half = np.subtract(*np.quantile(m, [0.75, 0.25]))
    assert half == pytest.approx(47.1, rel=0.1)  # quartiles of a Breit-Wigner: half its width on either side
    assert m.min() >= 493.6 + 139.5
    assert events.mass_of(2, 3, 4) == pytest.approx(events.m[0])
    assert events.x[3] == pytest.approx(events.x[1], abs=1e-6)


def test_narrow_and_unmeasured_resonances_keep_their_mass():
    events = Events("B+ -> (anti-D*0 -> (anti-D0 -> K+ pi-) pi0) pi+", events=500)
    assert events.mass_of(3, 4) == pytest.approx(events.m[1])
    assert events.mass_of(5, 6) == pytest.approx(events.m[3])


def test_particles_that_are_their_own_antiparticles_stay():
    events = Events("B0 -> (J/psi -> mu+ mu-) (K_S0 -> pi+ pi-)", antiparticles=1, events=50)
    assert events.pid[:, 0].tolist() == [-511, 443, 310, -13 * -1, 13 * -1, -211, 211]


def test_modes_of_a_decay_file(tmp_path):
    (tmp_path / "d.dec").write_text(
        "Decay D0\n3. K- pi+ PHSP;\n1. K- pi+ pi0 PHSP;\nEnddecay\nDecay pi0\n1. gamma gamma PHSP;\nEnddecay\nEnd\n"
    )
    (tmp_path / "d.yaml").write_text("{kind: decay_gun, dec_file: d.dec, particle: D0, antiparticles: 0}")
    batch = next(generate(tmp_path / "d.yaml", 8000, 1, chunk_events=8000))
    event, particle, mother, pid, pz = batch.arrays("particles", "event_id", "particle_id", "mother_id", "pid", "pz")
    count = np.bincount(event)
    assert set(count.tolist()) == {3, 6}
    assert (count == 6).mean() == pytest.approx(0.25, abs=0.02)
    assert (particle == np.arange(len(event)) - np.repeat(np.cumsum(count) - count, count)).all()
    longest = np.flatnonzero(count == 6)[0]
    assert pid[event == longest].tolist() == [421, -321, 211, 111, 22, 22]
    assert mother[event == longest].tolist() == [-1, 0, 0, 0, 3, 3]
    assert pz[event == longest][4:].sum() == pytest.approx(pz[event == longest][3])
    pieces = EventBatch.concat(list(generate(tmp_path / "d.yaml", 8000, 1, chunk_events=999)))
    assert pieces["particles"].equals(batch["particles"])


def test_the_decay_file_of_the_page(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "generating.md").read_text()
    dec, recipe = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    (tmp_path / "mine.dec").write_text(dec)
    (tmp_path / "mine.yaml").write_text(recipe)
    pid = next(generate(tmp_path / "mine.yaml", 1000, 1)).array("particles", "pid")
    species, count = np.unique(abs(pid), return_counts=True)
    found = dict(zip(species.tolist(), count.tolist(), strict=True))
    assert found[511] == found[413] + found[411] == found[13] == found[14] == found[321] == 1000
    assert found[413] / 1000 == pytest.approx(0.0505 / 0.0736, abs=0.05)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({}, "either decay or dec_file"),
        ({"decay": LB, "dec_file": "x.dec", "particle": "B0"}, "either decay or dec_file"),
        ({"dec_file": "x.dec"}, "dec_file and particle together: particle names the mother to generate"),
        ({"decay": LB, "p": 1e5, "pt": 1e4}, "either p or pt"),
        ({"decay": "B0 -> K+ pi+"}, "charge to be conserved, got a sum of [+]2"),
        ({"decay": "B0 -> D+ D_s- Lambda0 anti-Lambda0"}, "daughters below 5279"),
        ({"decay": "B0 -> K_S0"}, "at least two daughters"),
        ({"decay": "B0 -> (K0 -> pi+ pi-) pi0"}, "write K_S0 or K_L0"),
        ({"decay": "K_S0 -> pi+ pi-"}, "neither a b nor a c quark"),
        ({"decay": LB, "antiparticles": 2}, "antiparticles: "),
        ({"decay": LB, "semileptonic": "isgw2"}, "semileptonic: "),
        ({"decay": LB, "lifetime": 2}, "unknown key 'lifetime'"),
    ],
)
def test_senseless_recipes_are_refused(recipe, message):
    with pytest.raises(ConfigError, match=message):
        load_recipe({"kind": "decay_gun"} | recipe)


def test_light_hadrons_with_spectra_of_their_own():
    events = Events(
        "K_S0 -> pi+ pi-", pt={"kind": "exponential", "mean": 600}, eta={"kind": "uniform", "low": 2, "high": 5}
    )
    flight = np.sqrt(((events.x[1] - events.x[0]) ** 2).sum(axis=0))
    p = np.sqrt((events.p[0] ** 2).sum(axis=0))
    assert (flight * events.m[0] / p).mean() == pytest.approx(26.84, rel=0.04)
