"""The blocks of flows: what depends on what, at first and for any weights."""

import numpy as np
import pytest
import tensorflow as tf

from lamarrpy.errors import ConfigError
from lamarrpy.nn.flows import FlowShape
from lamarrpy.nn.flows.coupling import Coupling, changed_targets
from lamarrpy.nn.flows.masked import Masked, masks_of

KINDS = ("affine", "spline")


def block_of(structure, kind, number, targets=4, reverse=True):
    """A block with random weights."""
    shape = FlowShape(width=24, layers=2, bins=5, kind=kind, structure=structure, reverse=reverse)
    block = {"masked": Masked, "coupling": Coupling}[structure](shape, targets, 2, number, 3)
    random = np.random.default_rng(number)
    for weight in block.trainable_variables:
        weight.assign(weight + random.normal(0.0, 0.3, weight.shape).astype(np.float32))
    return block


def derivatives(block, targets=4):
    """Of images by values, (n, t, t), and the sum of logarithms that the block reports."""
    random = np.random.default_rng(1)
    values, conditions = (tf.constant(random.normal(size=(30, k)), tf.float32) for k in (targets, 2))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(values)
        images, log_volume = block.forward(values, conditions)
        columns = tf.unstack(images, axis=-1)
    return np.stack([tape.gradient(column, values) for column in columns], axis=1), log_volume.numpy()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [0, 1])
def test_masked_blocks_are_triangular(kind, number):
    jacobian, log_volume = derivatives(block_of("masked", kind, number))
    above, below = np.triu(jacobian, 1), np.tril(jacobian, -1)
    none, some = (below, above) if number else (above, below)
    assert not none.any()
    assert (np.abs(some).max(axis=0) > 0.0).sum() == 6
    np.testing.assert_allclose(log_volume, np.log(np.linalg.det(jacobian)), atol=1e-4)


def test_masked_blocks_keep_their_order_if_told_to():
    assert not np.triu(derivatives(block_of("masked", "spline", 1, reverse=False))[0], 1).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", range(4))
def test_coupling_blocks_change_some_by_the_others(kind, number):
    jacobian, log_volume = derivatives(block_of("coupling", kind, number))
    changed = list(changed_targets(4, number))
    kept = [i for i in range(4) if i not in changed]
    np.testing.assert_array_equal(jacobian[:, kept], np.broadcast_to(np.eye(4)[kept], (30, len(kept), 4)))
    among = jacobian[:, changed][:, :, changed]
    np.testing.assert_array_equal(among * (1.0 - np.eye(len(changed))), np.zeros_like(among))
    assert (np.abs(jacobian[:, changed][:, :, kept]).max(axis=0) > 0.0).all()
    np.testing.assert_allclose(log_volume, np.log(np.linalg.det(jacobian)), atol=1e-4)


@pytest.mark.parametrize("targets", [2, 3, 5, 8])
def test_any_two_targets_are_parted_by_some_block(targets):
    blocks = [set(changed_targets(targets, number)) for number in range(2 * (targets - 1).bit_length())]
    assert all(0 < len(block) < targets for block in blocks)
    for one in range(targets):
        for other in set(range(targets)) - {one}:
            assert any(one in block and other not in block for block in blocks)


def test_one_target_is_changed_by_every_block():
    assert [changed_targets(1, number) for number in range(3)] == [(0,)] * 3


def test_masks_let_through_what_an_output_may_know():
    degrees = [np.array(part) for part in ([0, 1, 2, 3], [0, 0, 1, 1, 2, 2], [0, 1, 2, 2])]
    paths = np.linalg.multi_dot(masks_of(degrees)) > 0.0
    expected = [[True, True, True, True], [False, True, True, True], [False, False, True, True], [False] * 4]
    np.testing.assert_array_equal(paths, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_conditions_reach_every_target(kind):
    for structure, wanted in (("masked", 4), ("coupling", 2)):
        block = block_of(structure, kind, 0)
        random = np.random.default_rng(2)
        values, conditions = (tf.constant(random.normal(size=(9, k)), tf.float32) for k in (4, 2))
        images, _ = block.forward(values, conditions)
        moved = np.abs([block.forward(values, conditions + step)[0] - images for step in ([0.0, 0.1], [0.1, 0.0])])
        assert (moved.max(axis=1) > 0.0).sum() == 2 * wanted


def test_a_masked_block_needs_a_unit_for_each_target():
    with pytest.raises(ConfigError, match="width of a masked flow of at least 4"):
        Masked(FlowShape(width=3, structure="masked"), 4, 1, 0, 0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "splin"}, "did you mean 'spline'"),
        ({"structure": "made"}, "structure"),
        ({"blocks": 0}, "blocks"),
        ({"width": 0}, "width"),
        ({"layers": 0}, "layers"),
        ({"bins": 1}, "bins"),
        ({"bins": 501}, "bins"),
        ({"bound": 0.0}, "bound"),
        ({"bound": float("nan")}, "bound"),
    ],
)
def test_a_shape_is_checked(wrong, message):
    with pytest.raises(ConfigError, match=message):
        FlowShape(**wrong)


def test_a_shape_is_plain_data():
    shape = FlowShape(blocks=3, kind="affine", structure="masked", reverse=False)
    assert FlowShape(**shape.as_json()) == shape
