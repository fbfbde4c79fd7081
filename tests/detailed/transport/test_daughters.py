"""Daughters of decays in flight: where and with what momentum they are born."""

import numpy as np
from guns import gun

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.transport import transport
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field
from lamarrpy.particles import charge, mass


def test_what_is_not_seen_of_a_decay_has_the_mass_of_what_is_missing():
    """Without field and matter the mother keeps its momentum, and the four-momenta add up."""
    particles = gun(20_000, [211, -211, 321, -321], (1000.0, 5000.0), (2.2, 4.0), seed=3)
    detector = lhcb_detector().without_material()
    truth = transport(particles, detector, magnetic_field("none"), Draws(4, "t"))
    born, mother = truth.daughters, particles.at(truth.daughters.row)
    assert len(born.row) > 500
    assert np.array_equal(truth.daughter_pid[born.row], born.pid)
    assert np.count_nonzero(truth.daughter_pid) == len(born.row)
    assert np.allclose(truth.decay_z[born.row], born.z)
    missing = [a - b for a, b in zip(mother[6:], born[5:], strict=True)]
    energy = [
        np.sqrt(sum(q**2 for q in of[-3:]) + mass(pid) ** 2) for of, pid in ((mother, mother.pid), (born, born.pid))
    ]
    square = (energy[0] - energy[1]) ** 2 - sum(q**2 for q in missing)
    to_pion = np.abs(born.pid) == 211
    assert np.abs(square[~to_pion]).max() < 1.0
    assert np.abs(square[to_pion] - 134.9768**2).max() < 1.0
    assert np.array_equal(charge(born.pid), charge(mother.pid))
    way = (born.z - mother.z) / mother.pz
    assert np.allclose(born.x, mother.x + way * mother.px, atol=1e-6)
    assert np.allclose(born.y, mother.y + way * mother.py, atol=1e-6)


def test_a_block_without_decays_has_no_daughters():
    truth = transport(gun(50, 13, 5000.0, 3.0), lhcb_detector(), magnetic_field("lhcb"), Draws(4, "t"))
    assert all(len(column) == 0 for column in truth.daughters)
