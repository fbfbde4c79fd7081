"""The baseline of every classifier: gradient-boosted trees, as an ONNX network like any other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

from lamarrpy.errors import ArtifactError, ConfigError, DomainError
from lamarrpy.train.tree_ensemble import INPUT, OUTPUT, trees_as_onnx

AGREEMENT = 1e-5
"""Largest difference between the probabilities of scikit-learn and of ONNX."""

_SHOWN = 20_000
"""Rows on which the two are compared."""


def boosted_classifier(
    conditions: ArrayLike,
    labels: ArrayLike,
    weights: ArrayLike | None = None,
    seed: int = 0,
    *,
    iterations: int = 500,
    learning_rate: float = 0.1,
    leaves: int = 31,
    smallest_leaf: int = 20,
    l2: float = 0.0,
    validation: float = 0.1,
    patience: int = 20,
) -> tuple[bytes, dict[str, float | int]]:
    """Grow trees until they do not help any more on rows put aside, and write them as ONNX.

    Works on one thread; the same rows and seed give the same trees.

    Parameters
    ----------
    conditions : array_like, shape (n, c)
        Taken as float32, as the network will be asked; finite.
    labels : array_like of int, shape (n,)
        The class of each row, from 0 to k - 1; all of them occur.
    weights : array_like, shape (n,), optional
        Finite, not negative, not all 0.
    seed : int
        Of the choice of the rows that are put aside.
    iterations : int
        At most; each adds a tree for two classes, one for each class otherwise.
    learning_rate : float
        By which what a tree says is scaled.
    leaves, smallest_leaf : int
        Leaves of a tree at most, rows in a leaf at least.
    l2 : float
        Penalty of what a leaf says.
    validation : float
        Share of the rows put aside, below 1; 0 for none and the full number of iterations.
    patience : int
        Iterations without a better log loss of these rows after which it ends; the trees after the best are cut.

    Returns
    -------
    bytes
        ONNX of conditions (float32, (n, c)) -> probabilities (float32, (n, k)).
    dict
        ``iterations``, ``rows``, ``training_log_loss`` and ``validation_log_loss`` in nats (the second only with rows
        put aside), ``onnx_difference``: the largest of probabilities.

    Raises
    ------
    ConfigError
        If an option is not as said.
    DomainError
        If rows are not as said, or too few to put some aside.
    ArtifactError
        If ONNX and scikit-learn do not agree.

    Notes
    -----
    J. H. Friedman, Ann. Stat. 29 (2001) 1189; trees on histograms as in G. Ke et al., NeurIPS 2017.
    """
    options = (iterations, learning_rate, leaves - 1, smallest_leaf, patience)
    if min(options) <= 0 or l2 < 0.0 or not 0.0 <= validation < 1.0:
        raise ConfigError(
            "expected iterations, learning_rate, smallest_leaf and patience above 0, at least 2 leaves, l2 not below 0"
            f" and validation from 0 to 1, got iterations={iterations}, learning_rate={learning_rate},"
            f" smallest_leaf={smallest_leaf}, patience={patience}, leaves={leaves}, l2={l2}, validation={validation}"
        )
    x, y, w = _checked(conditions, labels, weights)
    trees = HistGradientBoostingClassifier(
        learning_rate=learning_rate,
        max_iter=iterations,
        max_leaf_nodes=leaves,
        min_samples_leaf=smallest_leaf,
        l2_regularization=l2,
        early_stopping=validation > 0.0,
        validation_fraction=validation or None,
        n_iter_no_change=patience,
        tol=0.0,
        random_state=seed & 0xFFFFFFFF,
    )
    with threadpool_limits(1, user_api="openmp"):
        _grow(trees, x, y, w)
        model = trees_as_onnx(trees)
        difference = _difference(model, trees, x[:_SHOWN])
    return model, _metrics(trees, len(x), difference)


def _grow(
    trees: HistGradientBoostingClassifier, x: NDArray[np.float32], y: NDArray[np.int64], w: NDArray[np.float64]
) -> None:
    """Train, and cut the trees after the best iteration."""
    try:
        trees.fit(x, y, w)
    except ValueError as error:
        raise DomainError(
            f"expected rows enough to put some of every class aside, got {len(x)}: {error}; use more rows or"
            " validation=0"
        ) from None
    if trees.early_stopping:
        del trees._predictors[max(1, int(np.argmax(trees.validation_score_))) :]


def _difference(model: bytes, trees: HistGradientBoostingClassifier, x: NDArray[np.float32]) -> float:
    """The largest difference of probabilities between ONNX and scikit-learn."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    difference = float(np.abs(session.run([OUTPUT], {INPUT: x})[0] - trees.predict_proba(x)).max())
    if difference > AGREEMENT:
        raise ArtifactError(
            f"expected ONNX and scikit-learn to agree to {AGREEMENT:g}, got a difference of {difference:g}: this"
            " version of scikit-learn stores its trees in another way: install an earlier one"
        )
    return difference


def _metrics(trees: HistGradientBoostingClassifier, rows: int, difference: float) -> dict[str, float | int]:
    best = len(trees._predictors)
    metrics: dict[str, float | int] = {"iterations": best, "rows": rows, "onnx_difference": difference}
    if trees.early_stopping:
        metrics["training_log_loss"] = -float(trees.train_score_[best])
        metrics["validation_log_loss"] = -float(trees.validation_score_[best])
    return metrics


def _checked(
    conditions: ArrayLike, labels: ArrayLike, weights: ArrayLike | None
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]:
    x, y = np.asarray(conditions, np.float32), np.asarray(labels)
    w = np.ones(len(x)) if weights is None else np.asarray(weights, np.float64)
    if x.ndim != 2 or not x.size or y.shape != (len(x),) or w.shape != y.shape or y.dtype.kind not in "iub":
        raise DomainError(
            "expected conditions as a matrix with at least one row, and for each row the number of its class and a"
            f" weight, got shapes {x.shape}, {y.shape} and {w.shape} and classes of dtype {y.dtype}"
        )
    if not np.isfinite(x).all() or not (np.isfinite(w) & (w >= 0.0)).all() or not w.any():
        raise DomainError("expected finite conditions and finite weights, none below 0, not all 0, got others")
    found = np.unique(y[w > 0.0]).astype(np.int64)
    if len(found) < 2 or not np.array_equal(found, np.arange(len(found))):
        raise DomainError(
            f"expected classes numbered from 0 on, two at least and rows of every one of them, got {found.tolist()}"
        )
    return x, y.astype(np.int64), w
