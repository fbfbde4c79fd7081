"""Small tables, recipes and learners, with which a training takes a moment."""

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from lamarrpy.benchmark.learn.sample import draw_sample
from lamarrpy.train.problem import make_problem
from lamarrpy.train.recipe import make_recipe
from lamarrpy.train.table import Table

TINY = {"layers": 1, "width": 16}
BRIEF = {"steps": 2, "batch": 300}
UNITS = {"p": "MeV", "z": "mm"}


def toy_columns(rows, seed=1):
    """Some particles, with a flag, a weight and the number of an event of three."""
    columns = dict(draw_sample(rows, seed))
    random = np.random.default_rng(seed)
    columns["muon"] = columns["dll"] > 0.0
    columns["weight"] = random.choice([0.5, 1.0, 2.0], rows)
    columns["event_id"] = np.arange(rows) // 3
    return columns


def write_table(columns, path):
    """Columns as a Parquet file that knows some units."""
    fields = [
        pa.field(name, pa.array(values[:0]).type, metadata={"unit": UNITS[name]} if name in UNITS else None)
        for name, values in columns.items()
    ]
    pq.write_table(pa.table({name: pa.array(v) for name, v in columns.items()}, schema=pa.schema(fields)), path)
    return path


def content_of(algorithm="BceGAN", /, **changes):
    """Plain data of a recipe, tiny in all its parts."""
    is_classifier = algorithm in ("classifier", "boosted")
    content = {
        "name": "toy",
        "algorithm": algorithm,
        "conditions": {"p": "log", "charge": "one_hot"},
        "targets": ["muon"] if is_classifier else ["dll", "ndof"],
        "network": TINY,
        "training": BRIEF,
        "adversarial": {"discriminator": TINY, "referee": False},
        "teacher": {"network": TINY, "training": BRIEF, "options": {"bins": 4}, "pairs": 1000},
    }
    if algorithm == "boosted":
        content["options"] = {"iterations": 3}
    if algorithm == "autoregressive":
        content["options"] = {"bins": 4}
    if algorithm.startswith(("coupling", "masked")):
        content["options"] = {"blocks": 1, "bins": 2}
    return content | changes


def recipe_of(algorithm="BceGAN", /, **changes):
    return make_recipe(content_of(algorithm, **changes))


def problem_of(columns, algorithm="BceGAN", /, **changes):
    """A problem from columns in memory."""
    return make_problem(recipe_of(algorithm, **changes), Table(columns, {}, {"files": [], "sha256": ""}))


def linear_generator(matrix, offset, conditions=2):
    """[conditions, latents] -> latents @ matrix + conditions @ offset: a generator about which all is known."""
    given, latents = keras.Input((conditions,), name="conditions"), keras.Input((len(matrix),), name="latents")
    mix = keras.layers.Dense(len(matrix), use_bias=False, name="mix")
    shift = keras.layers.Dense(len(matrix), use_bias=False, name="shift")
    network = keras.Model([given, latents], keras.layers.Add()([mix(latents), shift(given)]), name="linear")
    mix.set_weights([np.asarray(matrix, np.float32)])
    shift.set_weights([np.asarray(offset, np.float32)])
    return network


class LinearLearner:
    """Least squares by gradient descent with momentum, from noisy targets: all that the loop has to keep."""

    def __init__(self, inputs=2, rate=0.05, noise=0.1, targets=1):
        given = keras.Input((inputs,), name="conditions")
        self.model = keras.Model(given, keras.layers.Dense(targets, kernel_initializer="zeros")(given))
        self.rate, self.noise = rate, noise
        self.momenta = [tf.Variable(tf.zeros_like(weight)) for weight in self.model.weights]

    def step(self, batch, seed):
        noise = self.noise * tf.random.stateless_normal(tf.shape(batch.targets), seed)
        with tf.GradientTape() as tape:
            away = self.model(batch.conditions) - batch.targets - noise
            loss = tf.reduce_mean(batch.weights * tf.reduce_mean(away**2, axis=1))
        slopes = tape.gradient(loss, self.model.trainable_variables)
        for weight, momentum, slope in zip(self.model.weights, self.momenta, slopes, strict=True):
            momentum.assign(0.5 * momentum + slope)
            weight.assign_sub(self.rate * momentum)
        return {"loss": loss}

    @property
    def variables(self):
        return [*self.model.variables, *self.momenta]

    def network(self):
        return self.model


class Stopped(Exception):
    """What ends a training from outside."""


def stop_after(passes):
    """A progress that ends a training after some passes."""
    told = []

    def progress(*figures):
        told.append(figures)
        if len(told) == passes:
            raise Stopped

    return progress
