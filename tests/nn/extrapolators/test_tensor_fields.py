"""Fields in tensors are the fields of the project."""

import numpy as np
import pytest
import tensorflow as tf

from lamarrpy.errors import ConfigError
from lamarrpy.field import MagneticField, magnetic_field
from lamarrpy.nn.extrapolators.fields import field_at_nodes, tensor_field

KINDS = ("lhcb", "dipole_pair", "uniform", "none")


def _places(count=3000):
    random = np.random.default_rng(1)
    return [random.uniform(low, high, (count, 1)) for low, high in ((-2000, 2000), (-3000, 3000), (-2000, 20_000))]


def _numbers(parts, shape):
    return [np.zeros(shape) if part is None else np.broadcast_to(np.asarray(part), shape) for part in parts]


@pytest.mark.parametrize("polarity", ["MagUp", "MagDown"])
@pytest.mark.parametrize("kind", KINDS)
def test_they_are_the_same_anywhere(kind, polarity):
    x, y, z = _places()
    if kind == "dipole_pair":  # its poles are no numbers
        y = y / 2.0
    field = magnetic_field(kind, polarity)
    at_x, at_y, at_z = (tf.constant(values, tf.float64) for values in (x, y, z))
    got = tensor_field(field)(at_z)(at_x, at_y)
    for part, wanted in zip(_numbers(got, x.shape), field(x, y, z), strict=True):
        assert np.abs(part - wanted).max() < 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_the_same_in_planes(kind):
    z = np.linspace(0.0, 12_000.0, 9)
    x, y, _ = (values[:900].reshape(9, 100) for values in _places())
    field = magnetic_field(kind, "MagDown")
    at_x, at_y, at_z = (tf.constant(values, tf.float32) for values in (x, y / 2.0, z[:, None]))
    got = field_at_nodes(field, z)(at_z)(at_x, at_y)
    for part, wanted in zip(_numbers(got, x.shape), field(x, y / 2.0, z[:, None]), strict=True):
        assert np.abs(part - wanted).max() < 3e-6


class Map(MagneticField):
    """A field that nobody has written in tensors."""

    def mag_up(self, x, y, z):
        return x, y, z


def test_a_map_has_no_formula():
    with pytest.raises(ConfigError, match="closed form"):
        tensor_field(Map())
