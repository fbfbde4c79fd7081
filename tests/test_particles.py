"""Masses, charges and species come from the PDG tables."""

import numpy as np
import pytest

from lamarrpy.errors import DomainError
from lamarrpy.particles import Species, charge, is_known, lifetime, mass, species


def test_masses_are_those_of_the_pdg():
    np.testing.assert_allclose(
        mass(np.array([211, -321, 2212, 13, 22, 5122])), [139.57, 493.68, 938.27, 105.66, 0, 5619.6], rtol=2e-4
    )


def test_charges_change_sign_with_the_particle():
    assert charge(np.array([211, -211, 13, -13, 22, 2212, -2212, 321, 3112])).tolist() == [
        1,
        -1,
        -1,
        1,
        0,
        1,
        -1,
        1,
        -1,
    ]


def test_lifetimes_in_ns():
    values = lifetime(np.array([5122, 310, 13, 2212, 22]))
    np.testing.assert_allclose(values[:3], [1.47e-3, 0.0895, 2197], rtol=0.01)
    assert np.isinf(values[3:]).all()


def test_species_ignore_the_sign_and_lump_the_rest():
    got = species(np.array([11, -13, -211, 321, -2212, 22, 1000020040]))
    assert got.tolist() == [
        Species.electron,
        Species.muon,
        Species.pion,
        Species.kaon,
        Species.proton,
        Species.other,
        Species.other,
    ]


def test_unknown_numbers_are_named():
    assert is_known(np.array([211, 123456789])).tolist() == [True, False]
    with pytest.raises(DomainError, match="123456789"):
        mass(np.array([211, 123456789]))


def test_no_particles():
    assert mass(np.empty(0, np.int32)).shape == (0,)
