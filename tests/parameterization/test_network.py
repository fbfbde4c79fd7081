"""Networks as they run: a row's bits depend on that row alone."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from tiny_models import LATENTS, classifier_network, generator_network, node, onnx_network

from lamarrpy.errors import ArtifactError
from lamarrpy.parameterization.network import BLOCK, Network

INPUTS = {"conditions": 2, "latents": LATENTS}


@pytest.fixture(scope="module")
def network():
    return Network(generator_network(), INPUTS, 2, "model 'tiny'")


def rows(count, seed=0, **columns):
    random = np.random.default_rng(seed)
    sizes = columns or INPUTS
    return {name: random.normal(size=(count, size)).astype(np.float32) for name, size in sizes.items()}


def taken(given, some):
    return {name: values[some] for name, values in given.items()}


def test_the_answer_is_that_of_the_formula():
    matrix, offset = np.random.default_rng(3).normal(size=(5, 4)), np.arange(4.0)
    nodes = [
        node("Concat", "conditions latents", "x", axis=1),
        node("MatMul", "x w", "y"),
        node("Add", "y b", "targets"),
    ]
    model = onnx_network(nodes, {"w": matrix, "b": offset}, INPUTS, {"targets": 4})
    given = rows(BLOCK + 77)
    got = Network(model, INPUTS, 4, "x")(**given)
    assert got.dtype == np.float32
    assert np.allclose(got, np.hstack([given["conditions"], given["latents"]]) @ matrix + offset, atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5])
def test_any_number_of_rows(network, count):
    given = rows(2 * BLOCK + 5)
    assert np.array_equal(network(**taken(given, slice(count))), network(**given)[:count])
    assert network(**taken(given, slice(count))).shape == (count, 2)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_rows_do_not_know_their_neighbours(network, data):
    count = data.draw(st.integers(1, 3 * BLOCK))
    seed = data.draw(st.integers(0, 2**32 - 1))
    given = rows(3 * BLOCK)
    some = np.random.default_rng(seed).integers(3 * BLOCK, size=count)
    assert np.array_equal(network(**taken(given, some)), network(**given)[some])


@pytest.mark.parametrize("outputs", [1, 2, 3, 8, 17])
@pytest.mark.parametrize("conditions", [1, 5, 16])
@pytest.mark.parametrize("latents", [1, 8])
def test_rows_do_not_know_their_place_whatever_the_sizes(outputs, conditions, latents):
    """The products of matrices take other ways for other sizes, for a single column and for the last rows."""
    inputs = {"conditions": conditions, "latents": latents}
    sized = Network(generator_network(outputs, conditions, latents), inputs, outputs, "x")
    given = rows(BLOCK + 300, **inputs)
    whole = sized(**given)
    random = np.random.default_rng(outputs)
    for some in (random.permutation(BLOCK + 300), np.array([BLOCK - 1]), np.array([7, 1023, 5]), slice(None, None, -1)):
        assert np.array_equal(sized(**taken(given, some)), whole[some])


@pytest.mark.parametrize("count", [1, 5, BLOCK, BLOCK + 1, 3 * BLOCK - 7])
def test_it_always_works_on_blocks_of_one_size(count):
    """Libraries may add up in another order for other numbers of rows, so there is only one: here it is counted."""
    nodes = [
        node("Mul", "conditions zero", "nothing"),
        node("Exp", "nothing", "one"),
        node("ReduceSum", "one rows", "sum"),
        node("Mul", "one sum", "targets"),
    ]
    model = onnx_network(nodes, {"zero": [0.0]}, {"conditions": 1}, {"targets": 1}, integers={"rows": [0]})
    assert set(Network(model, {"conditions": 1}, 1, "x")(**rows(count, conditions=1))[:, 0]) == {BLOCK}


def test_values_that_overflow_stay_in_their_row(network):
    given = rows(100)
    spoilt = {name: values.copy() for name, values in given.items()}
    spoilt["conditions"][50] = np.nan
    answers = network(**spoilt)
    assert np.isnan(answers[50]).all()
    others = np.arange(100) != 50
    assert np.array_equal(answers[others], network(**given)[others])


def test_rows_of_float64_are_rounded(network):
    given = {name: values.astype(np.float64) + 1e-12 for name, values in rows(10).items()}
    rounded = {name: values.astype(np.float32) for name, values in given.items()}
    assert np.array_equal(network(**given), network(**rounded))


def test_threads_share_it(network):
    given = rows(5 * BLOCK)
    whole = network(**given)
    answers = {}
    threads = [
        threading.Thread(target=lambda number=number: answers.update({number: network(**given)})) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert all(np.array_equal(answer, whole) for answer in answers.values())


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        (
            {"conditions": 3, "latents": LATENTS},
            2,
            "to 2 of 'targets', got {'conditions': 2, 'latents': 3} to {'targets': 2}",
        ),
        ({"conditions": 2, "latents": LATENTS + 1}, 2, "expected a network from {'conditions': 2, 'latents': 4}"),
        ({"conditions": 2}, 2, "expected a network from {'conditions': 2} columns"),
        ({"conditions": 2, "noise": LATENTS}, 2, "'noise': 3"),
        (INPUTS, 3, "to 3 of .*, got .* to {'targets': 2}"),
        (INPUTS, 1, "to 1 of .*, got .* to {'targets': 2}"),
    ],
)
def test_a_network_of_other_sizes_is_refused(inputs, outputs, message):
    with pytest.raises(ArtifactError, match=rf"model 'tiny': .*{message}.*train it again"):
        Network(generator_network(), inputs, outputs, "model 'tiny'")


def test_one_of_several_outputs_can_be_chosen():
    nodes = [node("MatMul", "conditions w", "two"), node("Neg", "conditions", "one")]
    model = onnx_network(nodes, {"w": np.ones((1, 2))}, {"conditions": 1}, {"one": 1, "two": 2})
    given = rows(50, conditions=1)
    assert np.array_equal(Network(model, {"conditions": 1}, 1, "x")(**given), -given["conditions"])
    both = Network(model, {"conditions": 1}, 2, "x", "two")(**given)
    assert np.array_equal(both, np.repeat(given["conditions"], 2, axis=1))
    with pytest.raises(ArtifactError, match=r"to 2 of 'three', got .* to {'one': 1, 'two': 2}"):
        Network(model, {"conditions": 1}, 2, "x", "three")


def of_type(kind, rows=None, columns=1):
    given = helper.make_tensor_value_info("conditions", kind, [rows, columns])
    answer = helper.make_tensor_value_info("probabilities", kind, [rows, columns])
    graph = helper.make_graph([node("Identity", "conditions", "probabilities")], "odd", [given], [answer])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model.SerializeToString()


@pytest.mark.parametrize(
    "model",
    [
        of_type(TensorProto.DOUBLE),
        of_type(TensorProto.INT64),
        of_type(TensorProto.FLOAT, rows=1),
        of_type(TensorProto.FLOAT, columns=None),
    ],
    ids=["float64", "int64", "one row only", "any number of columns"],
)
def test_a_network_of_other_types_or_shapes_is_refused(model):
    with pytest.raises(
        ArtifactError, match=r"network from {'conditions': 1} columns of float32 to 1 of 'probabilities', got"
    ):
        Network(model, {"conditions": 1}, 1, "x")
    Network(of_type(TensorProto.FLOAT), {"conditions": 1}, 1, "x")


@pytest.mark.parametrize("model", [b"", b"no network", classifier_network()[:-30]])
def test_what_is_no_network_is_refused(model, capfd):
    with pytest.raises(ArtifactError, match="model 'tiny': expected a network as ONNX, got: "):
        Network(model, {"conditions": 2}, 2, "model 'tiny'")
    assert capfd.readouterr() == ("", "")


def test_a_keras_network_of_this_project(tmp_path):
    """Exported as training does it, it keeps all this."""
    import keras

    from lamarrpy.train.export import from_keras, to_keras, to_onnx

    keras.utils.set_random_seed(1)
    conditions, latents = keras.Input((2,), name="conditions"), keras.Input((LATENTS,), name="latents")
    hidden = keras.layers.Concatenate()([conditions, latents])
    for _ in range(2):
        hidden = keras.layers.LeakyReLU(0.1)(keras.layers.Dense(32)(hidden))
    model = keras.Model([conditions, latents], keras.layers.Dense(3)(hidden))
    network, given = Network(to_onnx(model), INPUTS, 3, "x"), rows(BLOCK + 10)
    whole = network(**given)
    some = np.random.default_rng(0).permutation(BLOCK + 10)[:500]
    assert np.array_equal(network(**taken(given, some)), whole[some])
    again = from_keras(to_keras(model))
    assert np.abs(np.asarray(again([given["conditions"], given["latents"]])) - whole).max() < 1e-5
