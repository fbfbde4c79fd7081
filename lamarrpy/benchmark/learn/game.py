"""``python -m lamarrpy.benchmark.learn.game STEPS``: rows that an adversarial game learns from in a CPU second."""

from __future__ import annotations

import os
import sys
import time

BATCH, LATENTS = 2048, 8


def rate(steps: int) -> float:
    """Play BceGAN with two players of five layers of 128, five conditions, eight targets, one thread."""
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"
    import numpy as np

    from lamarrpy.nn.algorithms import ALGORITHMS
    from lamarrpy.nn.players import Body, discriminator, generator
    from lamarrpy.train.adversarial import AdversarialLearner
    from lamarrpy.train.loop import Plan, fit
    from lamarrpy.train.rows import Rows

    random = np.random.default_rng(0)
    conditions, targets = (random.normal(size=(BATCH * 50, columns)).astype(np.float32) for columns in (5, 8))
    rows = Rows(conditions, targets, np.ones(len(conditions), np.float32))
    body = Body((128,) * 5)
    learner = AdversarialLearner(generator(5, LATENTS, 8, body), discriminator(5, 8, body), ALGORITHMS["BceGAN"])
    marks: list[tuple[int, float]] = []
    fit(learner, rows, Plan(steps + 50, BATCH), progress=lambda step, _: marks.append((step, time.process_time())))
    (first, began), (last, ended) = marks[0], marks[-1]
    return (last - first) * BATCH / (ended - began)


if __name__ == "__main__":
    print(rate(int(sys.argv[1])))
