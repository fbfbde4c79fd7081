"""What is handed over behind RICH2."""

import numpy as np
from guns import gun

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.transport import Particles, Physics, transport
from lamarrpy.detailed.transport.arrivals import joined, of_charged, of_pairs, on_straight_lines
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field

DETECTOR = lhcb_detector()
Z = 11_900.0


def test_charged_particles_arrive_where_they_cross_the_last_plane():
    truth = transport(gun(400, (211, 13), (5e3, 50e3), (2.5, 4.5)), DETECTOR, magnetic_field("lhcb"), Draws(1))
    found = of_charged(truth, DETECTOR)
    at, here = truth.crossings, truth.crossings.plane == DETECTOR.plane_number("rich2_end")
    assert 0 < len(found.pid) == here.sum()
    assert np.array_equal(found.x, at.x[here])
    assert (found.number == 0).all()


def test_what_decays_arrives_as_its_daughter():
    only = Physics(False, False, False, False, True, False)
    truth = transport(gun(5000, 321, 5e3, 3.0), DETECTOR, magnetic_field("none"), Draws(1), only)
    found = of_charged(truth, DETECTOR)
    row = found.event_id * 50 + found.particle_id
    daughter = truth.daughter_pid[row]
    assert (daughter != 0).any()
    assert np.array_equal(found.pid, np.where(daughter != 0, daughter, 321))


def test_neutral_particles_go_straight():
    light = Particles(*gun(2000, 22, 5e3, (2.2, 4.5), spread=50.0))
    found = on_straight_lines(light, DETECTOR)
    rows = found.event_id * 50 + found.particle_id
    assert np.allclose(found.x, light.x[rows] + (Z - light.z[rows]) * light.px[rows] / light.pz[rows])
    assert np.allclose(found.p, 5e3)


def test_the_magnet_stops_what_does_not_fit_through_it():
    steep, flat = (Particles(*gun(500, 22, 5e3, eta)) for eta in (1.0, 3.0))
    assert not len(on_straight_lines(steep, DETECTOR).pid)
    assert len(on_straight_lines(flat, DETECTOR).pid) == 500


def test_what_is_born_behind_does_not_arrive():
    assert not len(on_straight_lines(Particles(*gun(50, 22, 5e3, 3.0, z=Z + 1.0)), DETECTOR).pid)


def test_pairs_go_by_the_name_of_their_photon():
    arrived = on_straight_lines(Particles(*gun(6, 11, 5e3, 3.0)), DETECTOR)
    found = of_pairs(arrived)
    assert found.particle_id.tolist() == [0, 0, 1, 1, 2, 2]
    assert found.number.tolist() == [1, 2] * 3


def test_all_stand_in_one_order():
    one = on_straight_lines(Particles(*gun(100, 22, 5e3, 3.0)), DETECTOR)
    two = one._replace(number=one.number + 1)
    first, second = joined([one, two]), joined([two.at(slice(None, None, -1)), one])
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
