"""Decay strings and decay files become the same trees; mistakes are named."""

import sys

import pytest

from lamarrpy.errors import ConfigError
from lamarrpy.generate.decay_tree import Branch, Mode, parse_decay, read_decay_file
from lamarrpy.generate.names import is_its_own_antiparticle, name_of, pid_of

LB = "Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu- anti-nu_mu"
LB_TREE = Branch(
    5122,
    (Mode((Branch(4122, (Mode((Branch(2212), Branch(-321), Branch(211))),)), Branch(13), Branch(-14))),),
)

DEC = """
Alias MyLambda_c+ Lambda_c+
Alias MyLambda_c- anti-Lambda_c-
ChargeConj MyLambda_c+ MyLambda_c-
Decay Lambda_b0
{fractions[0]} MyLambda_c+ mu- anti-nu_mu PHOTOS BaryonPCR 1 1 1 1;
{fractions[1]} MyLambda_c+ pi- PHSP;
0.0 MyLambda_c+ K- PHSP;
Enddecay
CDecay anti-Lambda_b0
Decay MyLambda_c+
1.0 p+ K- pi+ PHSP;
Enddecay
CDecay MyLambda_c-
End
"""


@pytest.fixture
def dec_file(tmp_path):
    file = tmp_path / "lb.dec"
    file.write_text(DEC.format(fractions=(3, 1)))
    return file


def test_a_string_becomes_a_tree():
    assert parse_decay(LB) == LB_TREE


@pytest.mark.parametrize(
    "text",
    [
        LB.replace("->", " -> ").replace(" ( ", "("),
        "Lambda_b0->( Lambda_c+->p+ K- pi+ ) mu- anti-nu_mu",
        "5122 -> (4122 -> 2212 -321 211) 13 -14",
        "Lambda(b)0 -> (Lambda(c)+ -> p K- pi+) mu- nu(mu)~",
    ],
)
def test_other_spellings_mean_the_same(text):
    assert parse_decay(text) == LB_TREE


def test_nested_brackets_and_brackets_in_names():
    tree = parse_decay("B0 -> (D*- -> (anti-D0 -> (f_0(1500) -> pi+ pi-) (K_S0 -> pi+ pi-)) pi-) pi+")
    d0 = tree.modes[0].daughters[0].modes[0].daughters[0]
    assert [d.pid for d in d0.modes[0].daughters] == [9030221, 310]
    assert all(len(d.modes[0].daughters) == 2 for d in d0.modes[0].daughters)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'mother -> daughters', got 'nothing'"),
        ("B0", "'mother -> daughters', got 'B0'"),
        ("B0 ->", "'mother -> daughters'"),
        ("B0 -> (D- -> K+ pi- pi- pi+", "not closed"),
        ("B0 -> D- pi+) pi0", "bracket missing"),
        ("B0 -> (K+ pi-)", "'mother -> daughters'"),
        ("Lambda_b -> p+ pi-", "got 'Lambda_b'; close to it: Lambda_b0"),
    ],
)
def test_mistakes_are_named(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_decay(text)


def test_a_decay_file_becomes_a_tree(dec_file):
    tree = read_decay_file(dec_file, "Lambda_b0")
    semileptonic, hadronic = tree.modes
    assert (semileptonic.fraction, hadronic.fraction) == (3, 1)
    assert semileptonic.daughters == LB_TREE.modes[0].daughters
    assert [d.pid for d in hadronic.daughters] == [4122, -211]


def test_charge_conjugated_blocks_and_aliases_of_a_decay_file(dec_file):
    tree = read_decay_file(dec_file, "anti-Lambda_b0")
    assert tree.pid == -5122
    assert [d.pid for d in tree.modes[0].daughters] == [-4122, -13, 14]
    assert [d.pid for d in tree.modes[0].daughters[0].modes[0].daughters] == [-2212, 321, -211]
    assert read_decay_file(dec_file, "MyLambda_c+").pid == 4122


def test_decay_files_that_cannot_be_used(dec_file, tmp_path):
    with pytest.raises(ConfigError, match=r"no .*missing\.dec"):
        read_decay_file(tmp_path / "missing.dec", "B0")
    with pytest.raises(ConfigError, match="expected a decay of 'B0', got decays of Lambda_b0"):
        read_decay_file(dec_file, "B0")
    broken = tmp_path / "broken.dec"
    broken.write_text("Decay B0\nnonsense\n")
    with pytest.raises(ConfigError, match="EvtGen decay file"):
        read_decay_file(broken, "B0")


def test_without_decaylanguage_the_error_says_what_to_install(dec_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "decaylanguage", None)
    with pytest.raises(ConfigError, match=r"pip install 'lamarrpy\[generate\]'"):
        read_decay_file(dec_file, "Lambda_b0")


@pytest.mark.parametrize("name", ["Lambda_b0", "anti-B0", "K_S0", "D*+", "mu-", "J/psi", "K*0"])
def test_names_and_numbers(name):
    assert name_of(pid_of(name)) == name
    assert pid_of(str(pid_of(name))) == pid_of(name)


def test_particles_that_are_their_own_antiparticles():
    assert all(is_its_own_antiparticle(pid_of(name)) for name in ("pi0", "gamma", "K_S0", "K_L0", "J/psi", "phi"))
    assert not any(is_its_own_antiparticle(pid_of(name)) for name in ("D0", "B0", "K*0", "Lambda0", "nu_mu"))
