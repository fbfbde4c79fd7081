"""The five tables: every canonical column of lamarrpy, defined once.

MeV, mm, ns, q/p in 1/MeV, the LHCb frame (z along the beam towards the muon stations, y up).
Stages declare what they read and write as selections of these schemas.
"""

from __future__ import annotations

from collections.abc import Iterable

from lamarrpy.tables.column import Column, Schema

_EVENT = Column("event_id", "int64", "", "event the row belongs to")
_VERTEX = Column("vertex_id", "int64", "", "primary vertex (pp collision) it comes from")
_PARTICLE = Column("particle_id", "int64", "", "generator-level particle within the event")


def _outside(stage: str) -> Column:
    return Column(
        f"outside_{stage}", "bool", "", f"beyond what the model of {stage} was trained on: answered as at its edge"
    )


STATE = ("x", "y", "tx", "ty", "qop")
"""The five track parameters whose covariance a track carries."""

_STATE_UNIT = {"x": "mm", "y": "mm", "z": "mm", "tx": "", "ty": "", "qop": "1/MeV"}


def _product_unit(a: str, b: str) -> str:
    units = [u for u in (_STATE_UNIT[a], _STATE_UNIT[b]) if u]
    return {"mm mm": "mm^2", "1/MeV 1/MeV": "1/MeV^2"}.get(
        " ".join(units), " ".join(units).replace("mm 1/MeV", "mm/MeV")
    )


def covariance_columns(names: Iterable[str], doc: str, valid_under: str | None = None) -> tuple[Column, ...]:
    """The columns ``cov_a_b`` of the upper triangle of a symmetric matrix, row by row."""
    names = tuple(names)
    return tuple(
        Column(f"cov_{a}_{b}", "float64", _product_unit(a, b), f"{doc}: covariance of {a} and {b}", valid_under)
        for i, a in enumerate(names)
        for b in names[i:]
    )


EVENTS = Schema(
    "events",
    (
        _EVENT,
        Column("weight", "float64", "", "generator weight of the event", optional=True),
        Column("n_tracks", "int32", "", "tracks in the event's best container, VELO and T tracks included"),
        Column("n_pvs", "int32", "", "reconstructed primary vertices"),
        Column("n_rich1_hits", "int32", "", "pixels of RICH1 that fired"),
        Column("n_rich2_hits", "int32", "", "pixels of RICH2 that fired"),
        Column("n_spd_hits", "int32", "", "cells of the scintillating pad detector that fired"),
        _outside("occupancy"),
    ),
    key=("event_id",),
)

VERTICES = Schema(
    "vertices",
    (
        _EVENT,
        _VERTEX,
        Column("true_x", "float64", "mm", "true position of the pp collision"),
        Column("true_y", "float64", "mm", "true position of the pp collision"),
        Column("true_z", "float64", "mm", "true position of the pp collision"),
        Column("reconstructed", "bool", "", "whether the vertex was found"),
        Column("x", "float64", "mm", "reconstructed position", valid_under="reconstructed"),
        Column("y", "float64", "mm", "reconstructed position", valid_under="reconstructed"),
        Column("z", "float64", "mm", "reconstructed position", valid_under="reconstructed"),
        *covariance_columns(("x", "y", "z"), "reconstructed vertex", valid_under="reconstructed"),
        Column("n_tracks", "int32", "", "tracks in the vertex fit, 0 if it was not found"),
    ),
    key=("event_id", "vertex_id"),
)

PLANES: dict[str, float] = {
    "end_velo": 770.0,
    "mid_tt": 2485.0,
    "end_tt": 2700.0,
    "beg_t": 7500.0,
    "mid_t": 8520.0,
    "end_t": 9410.0,
    "beg_rich2": 9450.0,
    "end_rich2": 11900.0,
    "ecal": 12490.0,
    "m2": 15270.0,
    "m3": 16470.0,
    "m4": 17670.0,
    "m5": 18870.0,
}
"""z [mm] of the named reference planes; the tracking planes are the ones LHCb's
software names EndVelo ... EndRich2, ``ecal`` is the front of the calorimeter."""


def plane_columns(plane: str) -> tuple[Column, ...]:
    """The true state of a particle at a named reference plane, and whether it gets there."""
    flag, where = f"reaches_{plane}", f"at z = {PLANES[plane]:g} mm"
    return (
        Column(flag, "bool", "", f"whether the particle, undecayed and unscattered, gets to the plane {where}"),
        Column(f"x_{plane}", "float64", "mm", f"true x {where}", valid_under=flag),
        Column(f"y_{plane}", "float64", "mm", f"true y {where}", valid_under=flag),
        Column(f"tx_{plane}", "float64", "", f"true dx/dz {where}", valid_under=flag),
        Column(f"ty_{plane}", "float64", "", f"true dy/dz {where}", valid_under=flag),
    )


_GENERATOR = (
    _EVENT,
    _PARTICLE,
    Column("mother_id", "int64", "", "particle_id of the mother, -1 for none"),
    _VERTEX,
    Column("pid", "int32", "", "PDG particle number"),
    Column("px", "float64", "MeV", "momentum"),
    Column("py", "float64", "MeV", "momentum"),
    Column("pz", "float64", "MeV", "momentum"),
    Column("x", "float64", "mm", "origin"),
    Column("y", "float64", "mm", "origin"),
    Column("z", "float64", "mm", "origin"),
    Column("t", "float64", "ns", "time at the origin", optional=True),
    Column(
        "status", "int32", "", "HepMC status: 1 leaves the generator undecayed, 2 decayed in it; 3 made in the detector"
    ),
)


def _in_window(name: str, unit: str, doc: str) -> Column:
    return Column(name, "float64", unit, doc, valid_under="propagated")


PARTICLES = Schema(
    "particles",
    (
        *_GENERATOR,
        Column(
            "propagated", "bool", "", "undecayed, and followed through the magnet: inside the window of the simulation"
        ),
        Column(
            "left_to_runge_kutta",
            "bool",
            "",
            "charged, and outside of what the neural extrapolator has learned: carried by Runge-Kutta instead",
        ),
        _in_window("p", "MeV", "momentum"),
        _in_window("pt", "MeV", "momentum transverse to the z axis"),
        _in_window("eta", "", "pseudorapidity"),
        _in_window("phi", "rad", "azimuth of the momentum, -pi to pi"),
        _in_window("tx", "", "dx/dz at the origin"),
        _in_window("ty", "", "dy/dz at the origin"),
        _in_window("ctb_x", "mm", "true state closest to the beam line of the vertices"),
        _in_window("ctb_y", "mm", "true state closest to the beam line of the vertices"),
        _in_window("ctb_z", "mm", "true state closest to the beam line of the vertices"),
        _in_window("ctb_tx", "", "dx/dz of the true state closest to the beam line"),
        _in_window("ctb_ty", "", "dy/dz of the true state closest to the beam line"),
        *(column for plane in PLANES for column in plane_columns(plane)),
        Column("acceptance", "float64", "", "probability that enough of the tracking system is crossed"),
        Column("in_acceptance", "bool", "", "whether enough of the tracking system is crossed"),
        Column("track_type", "int32", "", "class of its track: 0 not reconstructed, 3 Long, 4 Upstream, 5 Downstream"),
        Column("in_ecal", "bool", "", "a photon whose straight way ends on the calorimeter's cells"),
        Column("ecal_x", "float64", "mm", "where it ends there", valid_under="in_ecal"),
        Column("ecal_y", "float64", "mm", "where it ends there", valid_under="in_ecal"),
        Column("cluster_type", "int32", "", "class of the photon's cluster: 0 not reconstructed, 1 single, 2 split"),
        Column("cluster_id", "int64", "", "the photon's cluster, which may be that of another photon too; -1 for none"),
        *(_outside(stage) for stage in ("acceptance", "efficiency", "photon_efficiency")),
    ),
    key=("event_id", "particle_id"),
)


def _probability(name: str, doc: str, valid_under: str | None = None) -> Column:
    return Column(name, "float64", "", doc, valid_under=valid_under)


def _of_truth(name: str, unit: str, doc: str) -> Column:
    return Column(name, "float64", unit, doc, valid_under="matched")


_HYPOTHESES = {"e": "electron", "mu": "muon", "pi": "pion", "k": "kaon", "p": "proton"}

TRACKS = Schema(
    "tracks",
    (
        _EVENT,
        Column("track_id", "int64", "", "reconstructed track within the event"),
        Column("particle_id", "int64", "", "the true particle, -1 for a ghost"),
        _VERTEX,
        Column(
            "matched", "bool", "", "whether it is of a true particle; a ghost, a random combination of hits, is not"
        ),
        Column("track_type", "int32", "", "3 Long, 4 Upstream, 5 Downstream"),
        Column("true_pid", "int32", "", "PDG particle number of the truth, 0 for a ghost"),
        _of_truth("true_x", "mm", "true state closest to the beam line"),
        _of_truth("true_y", "mm", "true state closest to the beam line"),
        _of_truth("true_z", "mm", "true state closest to the beam line"),
        _of_truth("true_tx", "", "true state closest to the beam line"),
        _of_truth("true_ty", "", "true state closest to the beam line"),
        _of_truth("true_qop", "1/MeV", "true charge over momentum"),
        _of_truth("true_p", "MeV", "true momentum"),
        _of_truth("true_pt", "MeV", "true transverse momentum"),
        _of_truth("true_eta", "", "true pseudorapidity"),
        _of_truth("true_phi", "rad", "true azimuth"),
        Column("x", "float64", "mm", "reconstructed state closest to the beam line"),
        Column("y", "float64", "mm", "reconstructed state closest to the beam line"),
        Column("z", "float64", "mm", "reconstructed state closest to the beam line"),
        Column("tx", "float64", "", "reconstructed dx/dz"),
        Column("ty", "float64", "", "reconstructed dy/dz"),
        Column("qop", "float64", "1/MeV", "reconstructed charge over momentum"),
        Column("p", "float64", "MeV", "reconstructed momentum"),
        Column("pt", "float64", "MeV", "reconstructed transverse momentum"),
        Column("eta", "float64", "", "reconstructed pseudorapidity"),
        Column("phi", "float64", "rad", "reconstructed azimuth, -pi to pi"),
        Column("charge", "int32", "e", "reconstructed charge"),
        *covariance_columns(STATE, "reconstructed state closest to the beam line"),
        Column("chi2_per_dof", "float64", "", "track fit chi2 over its degrees of freedom"),
        Column("ndof", "int32", "", "degrees of freedom of the track fit"),
        _probability("ghost_prob", "probability to be a random combination of hits"),
        Column("identified", "bool", "", "whether its identification is simulated, which that of electrons is not yet"),
        Column("in_rich1", "bool", "", "goes through the gas of RICH1"),
        Column("in_rich2", "bool", "", "goes through the gas of RICH2"),
        *(
            Column(
                f"rich_dll_{h}",
                "float64",
                "",
                f"RICH log-likelihood of the {_HYPOTHESES[h]} less the pion",
                valid_under="identified",
            )
            for h in ("e", "mu", "k", "p")
        ),
        Column("in_muon", "bool", "", "straight on goes through all muon stations"),
        Column("is_muon", "bool", "", "hits in the muon stations that a muon of this momentum would leave"),
        Column("muon_mu_ll", "float64", "", "MUON log-likelihood of the muon", valid_under="is_muon"),
        Column("muon_bg_ll", "float64", "", "MUON log-likelihood of the background", valid_under="is_muon"),
        Column("muon_d2", "float64", "", "mean square distance of its muon hits in half pads", valid_under="is_muon"),
        Column("muon_n_shared", "int32", "", "other tracks with is_muon that share one of its muon hits"),
        Column("in_calo", "bool", "", "ends on the calorimeter's cells"),
        Column("ecal_e", "float64", "MeV", "energy of the cells of the electromagnetic calorimeter around its end"),
        Column("ps_e", "float64", "MeV", "energy in the preshower there"),
        Column("hcal_e", "float64", "MeV", "energy in the hadronic calorimeter there"),
        Column("brem_e", "float64", "MeV", "energy of neutral clusters in its direction before the magnet"),
        *(
            Column(
                f"comb_dll_{h}",
                "float64",
                "",
                f"combined log-likelihood of the {_HYPOTHESES[h]} less the pion",
                valid_under="identified",
            )
            for h in ("e", "mu", "k", "p")
        ),
        *(
            _probability(
                f"prob_nn_{h}",
                f"probability of the {_HYPOTHESES[h]} from all subdetectors",
                "is_muon" if h == "mu" else "identified",
            )
            for h in _HYPOTHESES
        ),
        *(_outside(stage) for stage in ("resolution", "covariance", "rich", "is_muon", "muon", "global_pid")),
    ),
    key=("event_id", "track_id"),
)

CLUSTERS = Schema(
    "clusters",
    (
        _EVENT,
        Column("cluster_id", "int64", "", "reconstructed neutral cluster within the event"),
        Column("particle_id", "int64", "", "the nearest true photon that fits, -1 for background"),
        Column("cluster_type", "int32", "", "1 single, 2 split"),
        Column("x", "float64", "mm", "reconstructed position on the calorimeter"),
        Column("y", "float64", "mm", "reconstructed position on the calorimeter"),
        Column("e", "float64", "MeV", "reconstructed energy"),
        Column("clone", "bool", "", "fits photons that all have a nearer cluster"),
        _probability("photon_id", "photon identification"),
        _probability("is_not_e", "classifier against electrons"),
        _probability("is_not_h", "classifier against hadrons"),
        _outside("photon_resolution"),
    ),
    key=("event_id", "cluster_id"),
)

SCHEMAS: dict[str, Schema] = {s.table: s for s in (EVENTS, VERTICES, PARTICLES, TRACKS, CLUSTERS)}
"""Every table by name."""


_GENERATOR_LEVEL: dict[str, Schema] = {
    "events": EVENTS.only("event_id", "weight"),
    "vertices": VERTICES.only("event_id", "vertex_id", "true_x", "true_y", "true_z"),
    "particles": PARTICLES.only(*(column.name for column in _GENERATOR)),
}


def generator_level(table: str) -> Schema:
    """The part of a table that a generator provides and a pipeline starts from.

    Raises
    ------
    KeyError
        For a table that only the pipeline makes (tracks, clusters).
    """
    return _GENERATOR_LEVEL[table]
