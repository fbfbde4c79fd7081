"""Small models on disk, made without TensorFlow: a layer or two of ONNX, and transforms of plain numbers."""

import io
import json

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from lamarrpy.parameterization.folder import MODEL, ROWS, TRANSFORM, write_folder
from lamarrpy.parameterization.manifest import Condition, Manifest, Target
from lamarrpy.parameterization.neighbours import Neighbours
from lamarrpy.parameterization.transforms import Identity, PerColumn, QuantileToNormal, Standard, fit_columns

LATENTS = 3
CONDITIONS = (
    Condition(name="p", unit="MeV", low=1000.0, high=9000.0),
    Condition(name="n_tracks", dtype="int64", low=20.0, high=400.0),
)
DLL, NDOF, SEEN = (
    Target(name="dll", unit="", masses=(0.0,), low=-4.0, high=5.0),
    Target(name="ndof", dtype="int32", integer=True, masses=(3.0, 4.0, 7.0), low=3.0, high=7.0),
    Target(name="seen", dtype="bool", integer=True, masses=(0.0, 1.0), low=0.0, high=1.0),
)


def onnx_network(nodes, weights, inputs, outputs, integers=None):
    """A network as bytes; ``inputs`` and ``outputs`` are columns by name."""
    given, answers = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, columns]) for name, columns in side.items()]
        for side in (inputs, outputs)
    )
    stored = [numpy_helper.from_array(np.asarray(array, np.float32), name) for name, array in weights.items()]
    stored += [numpy_helper.from_array(np.asarray(array, np.int64), name) for name, array in (integers or {}).items()]
    graph = helper.make_graph(nodes, "tiny", given, answers, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model.SerializeToString(deterministic=True)


def node(kind, inputs, output, **attributes):
    """A node, inputs as words: ``node("Add", "x b", "y")``."""
    return helper.make_node(kind, inputs.split(), [output], **attributes)


def generator_network(outputs=2, conditions=2, latents=LATENTS, last=(), seed=0):
    """Two layers from conditions and latents to about standard normal targets; ``last`` makes them from "y"."""
    random = np.random.default_rng(seed)
    hidden = 24
    weights = {
        "first": random.normal(size=(conditions + latents, hidden)) / np.sqrt(conditions + latents),
        "offset": random.normal(size=hidden),
        "second": 1.6 * random.normal(size=(hidden, outputs)) / np.sqrt(hidden),
    }
    nodes = [
        node("Concat", "conditions latents", "x", axis=1),
        node("MatMul", "x first", "h"),
        node("Add", "h offset", "a"),
        node("Tanh", "a", "t"),
        node("MatMul", "t second", "y"),
        *(last or [node("Identity", "y", "targets")]),
    ]
    return onnx_network(nodes, weights, {"conditions": conditions, "latents": latents}, {"targets": outputs})


def classifier_network(classes=2, last="Softmax", seed=0):
    """A layer from two conditions to probabilities."""
    matrix = np.random.default_rng(seed).normal(size=(2, classes))
    nodes = [node("MatMul", "conditions matrix", "y"), node(last, "y", "probabilities")]
    return onnx_network(nodes, {"matrix": matrix}, {"conditions": 2}, {"probabilities": classes})


def training_rows(rows=2000, seed=1):
    """Conditions and targets to fit transforms to, and to resample."""
    random = np.random.default_rng(seed)
    dll = np.clip(random.normal(size=rows), -4.0, 5.0)
    columns = {
        "p": random.uniform(1000.0, 9000.0, rows),
        "n_tracks": random.integers(20, 401, rows),
        "dll": np.where(random.random(rows) < 0.4, 0.0, dll),
        "ndof": random.choice(np.array([3, 4, 7], np.int32), rows, p=(0.5, 0.2, 0.3)),
        "seen": random.random(rows) < 0.7,
    }
    for name, low, high in (("p", 1000.0, 9000.0), ("n_tracks", 20, 400), ("dll", -4.0, 5.0)):
        columns[name][:2] = low, high
    return columns


def condition_transforms():
    """As a network sees the conditions."""
    rows = training_rows()
    return fit_columns({"p": "standard", "n_tracks": "standard"}, rows)


def target_transforms():
    """Quantile transforms with a point mass and with whole numbers."""
    rows = training_rows()
    return PerColumn(
        {
            "dll": QuantileToNormal.fit(rows["dll"], masses=[0.0], low=-4.0, high=5.0, clip=True),
            "ndof": QuantileToNormal.fit(rows["ndof"], masses="all", clip=True),
        }
    )


def plain_transforms(*names):
    """Targets that a network answers in their own units."""
    return PerColumn({name: Identity(1) for name in names})


def write_model(folder, kind, targets, files, transforms=None, conditions=CONDITIONS, **manifest):
    """Write a model of any kind; ``files`` are those beside the transforms."""
    stored = {"conditions": condition_transforms()} if conditions is CONDITIONS else {}
    stored |= transforms or {}
    described = {"name": "tiny", "algorithm": "by hand", "latents": LATENTS} | manifest
    about = Manifest(kind=kind, conditions=conditions, targets=targets, **described)
    text = json.dumps({role: transform.as_json() for role, transform in stored.items()})
    write_folder(folder, about, {TRANSFORM: text.encode(), **files})
    return folder


def write_generator(folder, network=None, targets=(DLL, NDOF), transform=None, more=(), **manifest):
    """A model with a point mass and whole numbers; or another one."""
    transform = transform or target_transforms()
    files = {MODEL: network or generator_network(len(targets)), **dict(more)}
    return write_model(folder, "generator", targets, files, {"targets": transform}, **manifest)


def write_classifier(folder, network=None, target=SEEN, classes=(0.0, 1.0), more=(), **manifest):
    """A model that tells whether a particle is seen; or other classes."""
    files = {MODEL: network or classifier_network(len(classes)), **dict(more)}
    return write_model(folder, "classifier", (target,), files, classes=classes, **{"latents": 1} | manifest)


def rows_file(arrays):
    """Arrays as the content of an .npz file."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def write_resampling(folder, targets=(DLL, NDOF, SEEN), content=None, k=20, **manifest):
    """The rows of the sample themselves."""
    rows = training_rows()
    seen = condition_transforms().forward_columns({c.name: rows[c.name] for c in CONDITIONS})
    kept = Neighbours(seen, {name: rows[name] for name in ("dll", "ndof", "seen")}, k=k)
    files = {ROWS: rows_file(kept.arrays()) if content is None else content}
    return write_model(folder, "neighbours", targets, files, **{"latents": 1} | manifest)


def standard(center, scale):
    """One column by its mean and deviation."""
    return Standard(np.array([float(center)]), np.array([float(scale)]))


def asked(rows=5000, seed=2):
    """Conditions inside the training domain."""
    random = np.random.default_rng(seed)
    return {"p": random.uniform(1000.0, 9000.0, rows), "n_tracks": random.integers(20, 401, rows)}
