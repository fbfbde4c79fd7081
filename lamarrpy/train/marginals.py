"""The last touch to every generator: each target's distribution over the whole sample becomes the one learned from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from lamarrpy.parameterization.network import Network
from lamarrpy.parameterization.parameterization import CONDITIONS, LATENTS
from lamarrpy.parameterization.transforms import Chain, Inverted, PerColumn, QuantileToNormal
from lamarrpy.train.export import to_onnx
from lamarrpy.train.learned import Learned
from lamarrpy.train.problem import Problem
from lamarrpy.train.rows import Float32s

_ROWS = 300_000
"""Generated rows, at least, by which a generator is calibrated."""

_KNOTS = 300


def calibrate(problem: Problem, learned: Learned) -> Learned:
    """A generator with the targets' transforms after which each distribution over all training rows is the true one."""
    if learned.network is None or learned.targets is None:
        return learned
    rows = problem.rows("training").epoch(0)
    repeats = -(-_ROWS // len(rows))
    conditions = rows.conditions.repeat(repeats, axis=0)
    latents = learned.network.inputs[1].shape[-1]
    numbers = even_numbers(len(conditions), latents, problem.recipe.seed)
    sizes = {CONDITIONS: conditions.shape[1], LATENTS: latents}
    model = to_onnx(learned.network)
    made = Network(model, sizes, problem.targets.width_out, "the generator")(conditions=conditions, latents=numbers)
    return replace(learned, targets=calibrated(learned.targets, made, rows.weights.repeat(repeats)), model=model)


def calibrated(targets: PerColumn, generated: Float32s, weights: Float32s) -> PerColumn:
    """Let the distribution of each target over the whole sample be exactly the one that was learned from.

    What a network makes of the training conditions is nearly, but not quite standard normal. So each target's way back
    first turns the network's own distribution into a standard normal one.

    Parameters
    ----------
    targets : PerColumn
        Of quantile transforms.
    generated : ndarray of float32, shape (n, t)
        What the network makes of the conditions of the sample.
    weights : ndarray of float32, shape (n,)
        Of the rows.
    """
    columns_made = np.asarray(generated, np.float64).T
    own = [QuantileToNormal.fit(values, weights, masses=(), knots=_KNOTS) for values in columns_made]
    columns = {
        name: Chain((transform, Inverted(mine)))
        for (name, transform), mine in zip(targets.columns.items(), own, strict=True)
    }
    return PerColumn(columns)


def even_numbers(rows: int, columns: int, seed: int) -> Float32s:
    """Standard normal numbers, each column as even as it can be, in an order of its own, shape (rows, columns)."""
    random = np.random.default_rng((seed, 3))
    even = ndtri((np.arange(rows) + 0.5) / rows).astype(np.float32)
    return np.stack([random.permutation(even) for _ in range(columns)], axis=1)
