"""Decay trees: which particle decays into which, from a decay string or an EvtGen decay file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from lamarrpy.errors import ConfigError
from lamarrpy.generate.names import pid_of

_Chain = Mapping[str, list[Mapping[str, Any]]]
"""What decaylanguage makes of a decay: {mother: [{"bf": fraction, "fs": [daughter, ...]}, ...]}."""


@dataclass(frozen=True)
class Branch:
    """A particle of a decay tree, and the ways in which it decays.

    Attributes
    ----------
    pid : int
        PDG number.
    modes : tuple of Mode
        Its decays; none if it stays undecayed.
    """

    pid: int
    modes: tuple[Mode, ...] = ()


@dataclass(frozen=True)
class Mode:
    """One decay of a particle.

    Attributes
    ----------
    daughters : tuple of Branch
        What it decays into.
    fraction : float
        How often, relative to the other modes.
    """

    daughters: tuple[Branch, ...]
    fraction: float = 1.0


def parse_decay(text: str) -> Branch:
    """Read a decay string, such as ``Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu- anti-nu_mu``.

    Particles stand apart by spaces, with the names of EvtGen or the PDG. A daughter in brackets
    decays further; the others stay as they are.

    Raises
    ------
    ConfigError
        For unknown particles, unbalanced brackets, or a decay without daughters.
    """
    tokens = _tokens(text)
    branch, rest = _decay(tokens, text)
    if rest:
        raise ConfigError(f"decay {text!r}: expected the end, got {' '.join(rest)!r}; is a bracket missing?")
    return branch


def _tokens(text: str) -> list[str]:
    """Names, arrows and brackets; the brackets inside a name, as in f_0(1500), stay with it."""
    tokens: list[str] = []
    for word in text.replace("->", " -> ").split():
        name = word.lstrip("(")
        tokens += "(" * (len(word) - len(name))
        closing = 0
        while name.endswith(")") and name.count(")") > name.count("("):
            name, closing = name[:-1], closing + 1
        tokens += [name] * bool(name) + [")"] * closing
    return tokens


def _decay(tokens: list[str], text: str) -> tuple[Branch, list[str]]:
    """A decay at the front of the tokens, and the tokens after it."""
    if len(tokens) < 3 or tokens[1] != "->":
        raise ConfigError(f"decay {text!r}: expected 'mother -> daughters', got {' '.join(tokens) or 'nothing'!r}")
    mother, rest = pid_of(tokens[0]), tokens[2:]
    daughters: list[Branch] = []
    while rest and rest[0] != ")":
        if rest[0] == "(":
            daughter, rest = _decay(rest[1:], text)
            if not rest:
                raise ConfigError(f"decay {text!r}: a bracket is not closed")
        else:
            daughter = Branch(pid_of(rest[0]))
        daughters.append(daughter)
        rest = rest[1:]
    return Branch(mother, (Mode(tuple(daughters)),)), rest


def read_decay_file(path: Path, particle: str) -> Branch:
    """Read the decays of a particle and of its daughters from an EvtGen decay file (.dec).

    Every particle that has a ``Decay`` block decays; the fractions of its modes are normalized.
    Decay models are not read: kinematics are those of ``decays``.

    Parameters
    ----------
    path : Path
        The file.
    particle : str
        The mother: a particle, or an alias that the file defines.

    Raises
    ------
    ConfigError
        If decaylanguage is not installed, the file is not there or not a decay file, or has no
        decay of the particle.
    """
    try:
        from decaylanguage import DecFileParser
    except ImportError:
        raise ConfigError(
            "decay files need the package decaylanguage: pip install 'lamarrpy[generate]', or write a decay string"
        ) from None
    from lark.exceptions import LarkError

    if not path.is_file():
        raise ConfigError(f"expected a decay file, but there is no {path}")
    parser = DecFileParser(str(path))
    try:
        parser.parse()
    except LarkError as error:
        raise ConfigError(f"{path}: expected an EvtGen decay file: {error}") from None
    mothers = parser.list_decay_mother_names()
    if particle not in mothers:
        raise ConfigError(f"{path}: expected a decay of {particle!r}, got decays of {', '.join(sorted(mothers))}")
    return _from_nested(cast(_Chain, parser.build_decay_chains(particle)), parser.dict_aliases())


def _from_nested(chain: _Chain, aliases: Mapping[str, str]) -> Branch:
    ((mother, modes),) = chain.items()
    branches = tuple(
        Mode(
            tuple(
                _from_nested(d, aliases) if isinstance(d, Mapping) else Branch(pid_of(aliases.get(d, d)))
                for d in mode["fs"]
            ),
            float(mode["bf"]),
        )
        for mode in modes
        if float(mode["bf"]) > 0
    )
    return Branch(pid_of(aliases.get(mother, mother)), branches)
