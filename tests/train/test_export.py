"""Networks on their way to disk: ONNX that agrees, Keras without an optimizer, and no code from a file."""

import keras
import numpy as np
import onnx
import pytest
from small_training import linear_generator

from lamarrpy.errors import ArtifactError
from lamarrpy.nn.players import Body, classifier, generator
from lamarrpy.parameterization.network import Network
from lamarrpy.train import export
from lamarrpy.train.classification import with_probabilities
from lamarrpy.train.export import OPSET, from_keras, to_keras, to_onnx

MATRIX, OFFSET = [[0.6, 0.1], [0.0, 1.0]], [[0.8, 0.0], [0.3, -0.2]]


@pytest.fixture(scope="module")
def linear():
    return linear_generator(MATRIX, OFFSET)


@pytest.fixture(scope="module")
def as_onnx(linear):
    return to_onnx(linear)


def rows_of(*columns, count=5000):
    random = np.random.default_rng(0)
    return [random.normal(size=(count, width)).astype(np.float32) for width in columns]


def test_onnx_says_what_the_network_says(linear, as_onnx):
    conditions, latents = rows_of(2, 2)
    got = Network(as_onnx, {"conditions": 2, "latents": 2}, 2, "linear")(conditions=conditions, latents=latents)
    assert np.allclose(got, latents @ MATRIX + conditions @ OFFSET, atol=1e-5)
    assert np.abs(got - linear([conditions, latents]).numpy()).max() < 1e-5


def test_onnx_has_the_names_of_the_inputs_and_any_number_of_rows(as_onnx):
    model = onnx.load_from_string(as_onnx)
    onnx.checker.check_model(model)
    assert [tensor.name for tensor in model.graph.input] == ["conditions", "latents"]
    shapes = [[d.dim_value for d in tensor.type.tensor_type.shape.dim] for tensor in model.graph.input]
    assert shapes == [[0, 2], [0, 2]]
    assert max(entry.version for entry in model.opset_import if entry.domain == "") == OPSET


@pytest.mark.parametrize(
    "network",
    [
        generator(3, 5, 2, Body((16, 16), activation="gelu", dropout=0.2)),
        generator(3, 2, 2, Body((16,), activation="silu"), True, "student"),
        with_probabilities(classifier(3, 3, Body((16, 16)))),
    ],
    ids=["generator", "student", "classifier"],
)
def test_keras_comes_back_bit_by_bit(network):
    again = from_keras(to_keras(network))
    inputs = rows_of(*(tensor.shape[-1] for tensor in network.inputs), count=100)
    inputs = inputs if len(inputs) > 1 else inputs[0]
    assert np.array_equal(network(inputs, training=False).numpy(), again(inputs, training=False).numpy())
    assert [tensor.name for tensor in again.inputs] == [tensor.name for tensor in network.inputs]
    assert getattr(again, "optimizer", None) is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(value):
    network = linear_generator(np.full((2, 2), value), OFFSET)
    with pytest.raises(ArtifactError, match=r"linear: expected ONNX and Keras to agree .* not finite"):
        to_onnx(network)


def test_onnx_that_does_otherwise_is_refused(linear, as_onnx):
    other = to_onnx(linear_generator([[0.6, 0.1], [0.0, 1.001]], OFFSET))
    with pytest.raises(ArtifactError, match=r"linear: expected ONNX and Keras to agree to 1e-05, they differ by 0.00"):
        export._check(linear, other)
    export._check(linear, as_onnx)


def test_what_is_no_network_is_refused(linear):
    content = to_keras(linear)
    for damaged in (b"", b"no network", content[: len(content) // 2], content[:200] + bytes(200) + content[400:]):
        with pytest.raises(ArtifactError, match="expected a Keras network of this project, got: ") as caught:
            from_keras(damaged)
        assert "\n" not in str(caught.value)


def test_code_in_a_file_is_not_run(tmp_path):
    given = keras.Input((2,), name="conditions")
    network = keras.Model(given, keras.layers.Lambda(lambda x: x * 2.0)(given))
    network.save(tmp_path / "model.keras")
    with pytest.raises(ArtifactError, match="expected a Keras network of this project"):
        from_keras((tmp_path / "model.keras").read_bytes())
