"""Models of acceptance and efficiency by hand: logits that are linear in the conditions."""

from pathlib import Path

import numpy as np
from tiny_models import node, onnx_network, write_model

from lamarrpy.parameterization.manifest import Condition, Target
from lamarrpy.parameterization.transforms import Identity, OneHot, PerColumn

SPECIES = (11.0, 13.0, 211.0, 321.0, 2212.0)
CROSSINGS = (
    *("species", "charge", "log_p", "eta", "side_tx", "steep_ty", "origin_z", "origin_r", "before_tt", "velo_modules"),
    *(
        "velo_path",
        "pipe_begin",
        "pipe_end",
        "tt_hole",
        "tt_outer",
        "t_hole",
        "t_outer",
        "side_x_t",
        "height_t",
        "side_tx_t",
    ),
)

LARGEST = {"log_p": 1.0}
"""Largest values of conditions that these models have seen, such as 100 GeV."""


def write_linear(folder: Path, target: Target, weights: dict[float, dict[str, float]], more=()) -> Path:
    """A classifier whose logit of a class is a sum of conditions with weights; ``one`` is 1 for every row."""
    names, classes = (*CROSSINGS, *more), sorted(weights)
    transforms = PerColumn({name: OneHot(np.array(SPECIES)) if name == "species" else Identity(1) for name in names})
    matrix = np.zeros((transforms.width_out, len(classes)))
    for column, of in enumerate(classes):
        for name, weight in weights[of].items():
            matrix[transforms.slices["species" if name == "one" else name], column] = weight
    nodes = [node("MatMul", "conditions matrix", "y"), node("Softmax", "y", "probabilities")]
    width = {"conditions": transforms.width_out}
    network = onnx_network(nodes, {"matrix": matrix}, width, {"probabilities": len(classes)})
    seen = tuple(Condition(name=name, low=-1e4, high=LARGEST.get(name, 1e4)) for name in names)
    folder.mkdir(parents=True)
    return write_model(
        folder,
        "classifier",
        (target,),
        {"model.onnx": network},
        {"conditions": transforms},
        seen,
        classes=tuple(classes),
        latents=1,
    )
