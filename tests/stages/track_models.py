"""Models of a track's reconstruction that have learned nothing, and made-up tracks for them."""

import numpy as np
from tiny_models import generator_network, write_model

from lamarrpy.parameterization.folder import MODEL
from lamarrpy.parameterization.manifest import Condition, Target
from lamarrpy.parameterization.transforms import PerColumn, QuantileToNormal, fit_columns
from lamarrpy.stages.resolution import QUALITY
from lamarrpy.stages.track_factor import NUMBERS
from lamarrpy.stages.track_frame import conditions
from lamarrpy.stages.track_pulls import PULLS


def truth(n=3000, seed=1):
    """True states closest to the beam line, of all types, and what else is known of their tracks."""
    random = np.random.default_rng(seed)
    steepness, phi = np.exp(random.uniform(np.log(0.012), np.log(0.35), n)), random.uniform(-np.pi, np.pi, n)
    offset = 0.1 * random.normal(size=n)
    beam_x, beam_y = 0.8 + 0.03 * random.normal(size=n), -0.2 + 0.03 * random.normal(size=n)
    pid = random.choice(np.array([11, -11, 13, -13, 211, -211, 321, -321, 2212, -2212], np.int32), n)
    p = np.exp(random.uniform(np.log(1e3), np.log(2e5), n))
    z = 40 * random.normal(size=n)
    columns = {
        "track_type": random.choice(np.array([3, 4, 5], np.int32), n),
        "true_pid": pid,
        "true_x": beam_x - offset * np.sin(phi),
        "true_y": beam_y + offset * np.cos(phi),
        "true_z": z,
        "true_tx": steepness * np.cos(phi),
        "true_ty": steepness * np.sin(phi),
        "true_qop": np.where(np.abs(pid) < 20, -1, 1) * np.sign(pid) / p,
        "true_p": p,
        "beam_x": beam_x,
        "beam_y": beam_y,
        "n_tracks": random.integers(20, 500, n).astype(np.int32),
        "origin_z": z + random.choice(np.array([0.0, 0.0, 300.0, 1000.0]), n),
        "ndof": random.integers(3, 50, n).astype(np.int32),
    }
    for plane, at in (("mid_tt", 2485.0), ("mid_t", 8520.0)):
        columns[f"reaches_{plane}"] = random.random(n) < 0.9
        for axis in "xy":
            straight = columns[f"true_{axis}"] + columns[f"true_t{axis}"] * (at - z)
            columns[f"{axis}_{plane}"] = np.where(columns[f"reaches_{plane}"], straight, np.nan)
    return columns


def made_up_numbers(n=3000, seed=2, width=0.1):
    """Numbers of covariances as they are for usual tracks, or of another spread."""
    random = np.random.default_rng(seed)
    numbers = {name: width * random.normal(size=n) for name in NUMBERS}
    return numbers | {"lever": numbers["lever"] + 2.1}


def write_track_model(folder, stage, targets, columns):
    """A model ``<folder>/<stage>/charged/distilled`` that answers the targets with their own spread, at random."""
    described = tuple(
        Condition(name=name, dtype=np.asarray(values).dtype.name, low=float(values.min()), high=float(values.max()))
        for name, values in columns.items()
    )
    answers = tuple(
        Target(
            name=name,
            dtype="int32" if name == "ndof" else "float64",
            integer=name == "ndof",
            masses=tuple(np.unique(values).tolist()) if name == "ndof" else (),
            low=float(values.min()),
            high=float(values.max()),
        )
        for name, values in targets.items()
    )
    fitted = {
        name: QuantileToNormal.fit(values, masses="all" if name == "ndof" else [], clip=True)
        for name, values in targets.items()
    }
    given = {
        "conditions": fit_columns(dict.fromkeys(columns, "standard"), columns),
        "targets": PerColumn(fitted),
    }
    path = folder / stage / "charged" / "distilled"
    path.parent.mkdir(parents=True)
    network = generator_network(len(targets), len(columns), len(targets))
    write_model(path, "generator", answers, {MODEL: network}, given, described, latents=len(targets))


def write_covariance_model(folder):
    """A model of the stage covariance."""
    columns = truth()
    targets = {"ndof": columns["ndof"], **made_up_numbers()}
    write_track_model(folder, "covariance", targets, conditions(columns))


def write_resolution_model(folder):
    """A model of the stage resolution."""
    columns, random = truth(), np.random.default_rng(3)
    n = len(columns["ndof"])
    targets = {name: np.arcsinh(random.normal(size=n)) for name in PULLS}
    targets |= dict(zip(QUALITY, (random.gamma(10.0, 0.1, n), random.random(n)), strict=True))
    given = {**conditions(columns), "ndof": columns["ndof"], **made_up_numbers()}
    write_track_model(folder, "resolution", targets, given)


def in_mirror(batch):
    """The batch as a mirror in x shows it."""
    tracks, vertices, particles = batch["tracks"], batch["vertices"], batch["particles"]
    for name in ("true_x", "true_tx"):
        tracks = turned(tracks, name)
    for name in ("x_mid_tt", "x_mid_t"):
        particles = turned(particles, name)
    return type(batch)(
        {**batch.tables, "tracks": tracks, "particles": particles, "vertices": turned(vertices, "true_x")}
    )


def turned(table, name):
    """The table with the sign of a column turned."""
    import pyarrow.compute as pc

    at = table.column_names.index(name)
    return table.set_column(at, table.schema.field(name), pc.negate(table.column(name)))
