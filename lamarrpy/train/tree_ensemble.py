"""Boosted trees of scikit-learn as ONNX, written so that rows of float32 take the same branches in both."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

INPUT, OUTPUT = "conditions", "probabilities"
"""Names of the tensors."""

OPSET, TREES_OPSET, IR = 17, 3, 8
"""Of ONNX, of its machine-learning operators, and of its files; ones that every supported onnxruntime knows."""

_TREES = "ai.onnx.ml"


def trees_as_onnx(trees: Any) -> bytes:
    """Write boosted trees as a network.

    Thresholds are rounded down to float32, which leaves ``x <= threshold`` as it was for every x of float32; rounded
    to the nearest they would not.

    Parameters
    ----------
    trees : sklearn.ensemble.HistGradientBoostingClassifier
        Trained, on numerical features without missing values.

    Returns
    -------
    bytes
        ONNX of conditions (float32, (n, c)) -> probabilities (float32, (n, k)); the same trees give the same bytes.
    """
    scores = trees.n_trees_per_iteration_
    ensemble: Any = _attributes(trees._predictors)
    nodes = [
        helper.make_node(
            "TreeEnsembleRegressor",
            [INPUT],
            ["scores"],
            domain=_TREES,
            n_targets=scores,
            base_values=np.asarray(trees._baseline_prediction, np.float64).ravel().tolist(),
            **ensemble,
        ),
        *(_two_classes() if scores == 1 else [helper.make_node("Softmax", ["scores"], [OUTPUT], axis=1)]),
    ]
    shapes = ((INPUT, trees.n_features_in_), (OUTPUT, max(2, scores)))
    given, answer = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, size]) for name, size in shapes)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(_TREES, TREES_OPSET)]
    model = helper.make_model(helper.make_graph(nodes, "boosted", [given], [answer]), opset_imports=opsets)
    model.ir_version = IR
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _two_classes() -> list[onnx.NodeProto]:
    """The sigmoid of each sign of the score: 1 - p would lose the small probabilities of the first class."""
    return [
        helper.make_node("Neg", ["scores"], ["against"]),
        helper.make_node("Concat", ["against", "scores"], ["both"], axis=1),
        helper.make_node("Sigmoid", ["both"], [OUTPUT]),
    ]


def _attributes(predictors: list[list[Any]]) -> dict[str, list[Any]]:
    """All nodes of all trees, one list for each property."""
    trees = [(target, predictor.nodes) for iteration in predictors for target, predictor in enumerate(iteration)]
    ensemble: dict[str, list[Any]] = {}
    for number, (target, nodes) in enumerate(trees):
        for name, values in _tree(nodes, number, target).items():
            ensemble.setdefault(name, []).extend(values)
    return ensemble


def _tree(nodes: NDArray[Any], number: int, target: int) -> dict[str, list[Any]]:
    """The nodes of one tree, and what its leaves add to which score."""
    leaf = nodes["is_leaf"].astype(bool)
    leaves = np.flatnonzero(leaf)
    return {
        "nodes_treeids": [number] * len(nodes),
        "nodes_nodeids": list(range(len(nodes))),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_featureids": _of_branches(nodes["feature_idx"], leaf),
        "nodes_truenodeids": _of_branches(nodes["left"], leaf),
        "nodes_falsenodeids": _of_branches(nodes["right"], leaf),
        "nodes_values": np.where(leaf, np.float32(0.0), rounded_down(nodes["num_threshold"])).tolist(),
        "target_treeids": [number] * len(leaves),
        "target_nodeids": leaves.tolist(),
        "target_ids": [target] * len(leaves),
        "target_weights": nodes["value"][leaf].tolist(),
    }


def _of_branches(column: NDArray[Any], leaf: NDArray[np.bool_]) -> list[int]:
    numbers: list[int] = np.where(leaf, 0, column.astype(np.int64)).tolist()
    return numbers


def rounded_down(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest numbers of float32 that are not above the values; same shape."""
    near = values.astype(np.float32)
    above = near.astype(np.float64) > values
    return np.where(above, np.nextafter(near, np.float32(-np.inf)), near)
