"""Flows as sampling networks: saved and read again, and the same in ONNX."""

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
import tf2onnx

from lamarrpy.nn.density import density_of, generator_of
from lamarrpy.nn.flows import FLOWS, Flow, FlowShape


def network_of(name, targets):
    """A small one with random weights."""
    shape = FlowShape(blocks=2, width=12, layers=2, bins=5, kind=FLOWS[name].kind, structure=FLOWS[name].structure)
    flow = Flow(targets, 2, shape, seed=4)
    random = np.random.default_rng(5)
    for weight in flow.trainable_variables:
        weight.assign(weight + random.normal(0.0, 0.15, weight.shape).astype(np.float32))
    return generator_of(flow)


def inputs_of(network, rows=50):
    """Conditions, and latents of which some are beyond the ends of splines."""
    random = np.random.default_rng(6)
    scales = (1.0, 2.0)
    return [
        random.normal(0.0, scale, (rows, tensor.shape[-1])).astype(np.float32)
        for scale, tensor in zip(scales, network.inputs, strict=True)
    ]


def onnx_session(network):
    """The network in onnxruntime, converted as artefacts are."""
    signature = [tf.TensorSpec(tensor.shape, tf.float32, name=tensor.name) for tensor in network.inputs]
    function = tf.function(lambda conditions, latents: network([conditions, latents]))
    model, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=17)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of keras, with numpy 2
@pytest.mark.parametrize(("name", "targets"), [*((name, 3) for name in FLOWS), ("coupling_spline", 1)])
def test_a_saved_network_is_the_same_flow(name, targets, tmp_path):
    network = network_of(name, targets)
    network.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    conditions, latents = inputs_of(network)
    expected = network([conditions, latents])
    np.testing.assert_array_equal(again([conditions, latents]), expected)
    np.testing.assert_allclose(density_of(network).inverse(latents, conditions), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(
        density_of(again).log_density(expected, conditions), density_of(network).log_density(expected, conditions)
    )
    assert np.abs(np.asarray(expected) - latents).max() > 0.1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("name", "targets"), [*((name, 2) for name in FLOWS), ("coupling_spline", 1)])
def test_onnx_gives_the_same_targets(name, targets):
    network = network_of(name, targets)
    session = onnx_session(network)
    assert [entry.name for entry in session.get_inputs()] == ["conditions", "latents"]
    conditions, latents = inputs_of(network)
    (targets_out,) = session.run(None, {"conditions": conditions, "latents": latents})
    np.testing.assert_allclose(targets_out, network([conditions, latents]), atol=1e-5)
    (one,) = session.run(None, {"conditions": conditions[:1], "latents": latents[:1]})
    np.testing.assert_allclose(one, targets_out[:1], atol=1e-6)


def test_the_network_shares_its_weights_with_the_flow():
    network = network_of("coupling_affine", 2)
    conditions, latents = inputs_of(network)
    before = network([conditions, latents])
    density_of(network).chain[0].conditioner.biases[-1].assign_add([0.1, 0.1])
    assert np.abs(network([conditions, latents]) - before).max() > 0.01
