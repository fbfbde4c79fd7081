"""The detector's description, read from models/detailed: one function a subdetector."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import Any

import numpy as np

from lamarrpy.detailed.geometry.detector import Aperture, Detector, Kind, Plane, Region, Sensor, Wall
from lamarrpy.detailed.geometry.material import Material
from lamarrpy.detailed.geometry.shapes import Box, Ring, Shape, shape_of
from lamarrpy.detailed.tuning import tuning
from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.shipped import shipped
from lamarrpy.yaml_file import read_yaml

_PROVENANCE = ("source", "confidence")


def _values(block: dict[str, Any]) -> dict[str, Any]:
    """The bare numbers of a block whose every entry has its source beside it."""
    return {name: entry["value"] for name, entry in block.items()}


def _materials(block: dict[str, dict[str, Any]]) -> dict[str, Material]:
    return {
        name: Material(name, **{key: value for key, value in entry.items() if key not in _PROVENANCE})
        for name, entry in block.items()
    }


def _material(name: str, materials: dict[str, Material]) -> Material:
    if name not in materials:
        known = ", ".join(materials)
        raise ConfigError(f"expected a material out of {known}, got {name!r}{did_you_mean(name, materials)}")
    return materials[name]


def _velo(velo: dict[str, Any], tuned: dict[str, Any], silicon: Material, carbon: Material) -> Iterator[Plane]:
    """R and phi sensors of both halves, with the hybrids around the phi sensors."""
    r, overlap = tuple(velo["radius"]), float(np.radians(velo["overlap"]))
    for side, name in ((1, "left"), (-1, "right")):
        ring = Ring((r[0], r[1]), side, overlap)
        sensitive = Region((ring,), (), silicon, silicon.x_over_x0(velo["thickness"]))
        around = Ring((r[1], velo["hybrid_radius"]), side, overlap)
        hybrid = Region((around,), (), carbon, tuned["hybrid_x_over_x0"])
        for number, centre in enumerate(velo["module_z"]):
            z = centre + (velo["right_offset"] if side < 0 else 0.0)
            for sensor, offset, regions in (
                (_r_sensor(velo, ring), -velo["sensor_offset"], (sensitive,)),
                (_phi_sensor(velo, ring, number), velo["sensor_offset"], (sensitive, hybrid)),
            ):
                what = "r" if sensor.kind is Kind.velo_r else "phi"
                yield Plane(f"velo_{name}_{number}_{what}", "velo", z + offset, 0.0, regions, sensor)


def _r_sensor(velo: dict[str, Any], ring: Ring) -> Sensor:
    zone = (*ring.r, *velo["r_pitch"])
    return Sensor(
        Kind.velo_r, (ring,), resolution=tuple(velo["resolution"]), efficiency=velo["efficiency"], pitch=(zone,)
    )


def _phi_sensor(velo: dict[str, Any], ring: Ring, number: int) -> Sensor:
    border, sign = velo["phi_border"], 1.0 if number % 2 == 0 else -1.0
    zones = ((ring.r[0], border, *velo["phi_inner_pitch"]), (border, ring.r[1], *velo["phi_outer_pitch"]))
    return Sensor(
        Kind.velo_phi,
        (ring,),
        stereo=tuple(sign * float(np.radians(tilt)) for tilt in velo["phi_stereo"]),
        resolution=tuple(velo["resolution"]),
        efficiency=velo["efficiency"],
        pitch=zones,
    )


def _foil_folds(
    velo: dict[str, Any], foil: dict[str, Any], tuned: dict[str, Any], aluminium: Material
) -> Iterator[Plane]:
    """The corrugations of the foil: sheets at right angles to the beam between the modules."""
    shapes: tuple[Shape, ...] = (
        Ring((foil["radius"], tuned["fold_radius"])),
        Box((0.0, tuned["fold_half_width"]), (foil["radius"], velo["radius"][1])),
    )
    region = Region(shapes, (), aluminium, aluminium.x_over_x0(tuned["fold_thickness"]))
    for number, centre in enumerate(velo["module_z"]):
        for name, offset in (("left", 0.0), ("right", velo["right_offset"])):
            yield Plane(f"rf_foil_{name}_{number}", "rf_foil", centre + offset + foil["fold_offset"], 0.0, (region,))


def _strip_layer(name: str, system: str, z: float, stereo: float, block: dict[str, Any], **area: Any) -> Plane:
    sensor = Sensor(
        Kind.strip,
        area["inside"],
        area["outside"],
        stereo=(float(np.radians(stereo)),),
        resolution=(block["resolution"],),
        efficiency=block["efficiency"],
    )
    return Plane(name, system, z, 0.0, area["regions"], sensor)


def _tt(tt: dict[str, Any], materials: dict[str, Material]) -> Iterator[Plane]:
    inside = (Box((0.0, tt["half_size"][0]), (0.0, tt["half_size"][1])),)
    outside = (Box((0.0, tt["hole"][0]), (0.0, tt["hole"][1])),)
    regions = (Region(inside, outside, _material(tt["material"], materials), tt["x_over_x0"]),)
    for name, z, stereo in tt["layers"]:
        yield _strip_layer(name, "tt", z, stereo, tt, inside=inside, outside=outside, regions=regions)


def _it(it: dict[str, Any], layers: list[Any], materials: dict[str, Material]) -> Iterator[Plane]:
    areas = tuple(shape_of(area) for area in it["areas"])
    material = _material(it["material"], materials)
    frame = Region((shape_of(it["frame"]),), areas, material, it["frame_x_over_x0"])
    regions = (Region(areas, (), material, it["x_over_x0"]), frame)
    for station, zs in enumerate(it["layer_z"], 1):
        for (layer, stereo), z in zip(layers, zs, strict=True):
            name = f"it_{station}_{layer}"
            yield _strip_layer(name, "it", float(z), stereo, it, inside=areas, outside=(), regions=regions)


def _ot(ot: dict[str, Any], layers: list[Any], materials: dict[str, Material]) -> Iterator[Plane]:
    inside = (Box((0.0, ot["half_size"][0]), (0.0, ot["half_size"][1])),)
    holes = tuple(shape_of(hole) for hole in ot["holes"])
    regions = (Region(inside, holes, _material(ot["material"], materials), ot["x_over_x0"]),)
    straw = (ot["pitch"], ot["monolayer_gap"], ot["straw_radius"], ot["ionisation_length"])
    for station, zs in enumerate(ot["layer_z"], 1):
        for (layer, stereo), z in zip(layers, zs, strict=True):
            angle = (float(np.radians(stereo)),)
            sensor = Sensor(Kind.straw, inside, holes, stereo=angle, resolution=(ot["resolution"],), straw=straw)
            yield Plane(f"ot_{station}_{layer}", "ot", float(z), 0.0, regions, sensor)


def _sheets(block: list[dict[str, Any]], materials: dict[str, Material]) -> Iterator[Plane]:
    for entry in block:
        material = _material(entry["material"], materials)
        depth = entry["x_over_x0"] if "x_over_x0" in entry else material.x_over_x0(entry["thickness"])
        inside = (shape_of(entry["inside"]),) if "inside" in entry else ()
        outside = (shape_of(entry["outside"]),) if "outside" in entry else ()
        region = Region(inside, outside, material, depth)
        yield Plane(entry["name"], entry["system"], entry["z"], entry["extent"], (region,))


def _walls(foil: dict[str, Any], pipe: list[dict[str, Any]], materials: dict[str, Material]) -> Iterator[Wall]:
    z = (foil["z"][0], foil["z"][1])
    yield Wall("rf_foil", "rf_foil", z, 0.0, foil["radius"], foil["thickness"], materials["aluminium"])
    for part in pipe:
        material, ends = _material(part["material"], materials), (part["z"][0], part["z"][1])
        yield Wall(part["name"], "pipe", ends, part["slope"], part["radius"], part["thickness"], material)


def _interaction_scale(block: dict[str, Any]) -> tuple[tuple[int, float], ...]:
    names = {211: "pi", -211: "pi", 321: "k_plus", -321: "k_minus", 2212: "proton", -2212: "antiproton"}
    return tuple((pid, block[name]) for pid, name in names.items())


@cache
def lhcb_detector() -> Detector:
    """The Run 2 LHCb tracking system of models/detailed/detector.yaml and tuning.yaml.

    Raises
    ------
    ConfigError
        If the description names a material that it does not define.
    """
    text = read_yaml(shipped("models", "detailed", "detector.yaml"))
    tuned = tuning()
    materials, layers = _materials(text["materials"]), text["stereo_layers"]["value"]
    velo, foil, magnet = (_values(text[name]) for name in ("velo", "rf_foil", "magnet"))
    planes = chain(
        _velo(velo, tuned, materials["silicon"], materials["carbon"]),
        _foil_folds(velo, foil, tuned, materials["aluminium"]),
        _tt(_values(text["tt"]), materials),
        _it(_values(text["it"]), layers, materials),
        _ot(_values(text["ot"]), layers, materials),
        _sheets(text["sheets"], materials),
        (Plane(name, "reference", z, recorded=True) for name, z in text["references"]["value"].items()),
    )
    bounds = {axis: (float(a), float(b)) for axis, (a, b) in magnet["aperture"].items()}
    return Detector(
        tuple(sorted(planes, key=lambda plane: plane.z)),
        tuple(_walls(foil, text["beam_pipe"], materials)),
        Aperture(**bounds, hall=(magnet["hall"][0], magnet["hall"][1])),
        _interaction_scale(text["interaction_length_scale"]),
        tuned["longest_step"],
        tuned["smallest_photon"],
        1e-6 * text["elastic_slope"]["value"],
    )
