"""Counter-based random numbers: a value depends on (seed, stage, row key, index) and on nothing else.

Every draw is a 64-bit hash of its address, so the same event gives the same numbers in any chunk,
worker or order. The hash is the finalizer of SplitMix64 in Stafford's variant 13 (G. Steele,
D. Lea, C. Flood, OOPSLA 2014; D. Stafford, "Better bit mixing", 2011), applied once for each part
of the address and once more to the counter.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S12 = (np.uint64(s) for s in (30, 27, 31, 12))
_BLOCK = 8192
"""Rows worked on at a time, so that they stay in the processor's cache."""


def _mix(z: NDArray[np.uint64], scratch: NDArray[np.uint64]) -> None:
    """Hash 64-bit words in place."""
    for shift, factor in ((_S30, _M1), (_S27, _M2)):
        np.right_shift(z, shift, out=scratch)
        np.bitwise_xor(z, scratch, out=z)
        np.multiply(z, factor, out=z)
    np.right_shift(z, _S31, out=scratch)
    np.bitwise_xor(z, scratch, out=z)


class Draws:
    """The random numbers of one stage of one run.

    Parameters
    ----------
    seed : int
        Seed of the run, any integer.
    stage : str
        Name of the stage; other names give independent numbers.
    """

    def __init__(self, seed: int, stage: str = "") -> None:
        self.seed = int(seed)
        self.stage_name = stage
        digest = hashlib.blake2b(f"{self.seed}\0{stage}".encode(), digest_size=8).digest()
        self._key = np.uint64(int.from_bytes(digest, "little"))

    def __repr__(self) -> str:
        return f"Draws(seed={self.seed}, stage={self.stage_name!r})"

    def stage(self, name: str) -> Draws:
        """The draws of another stage of the same run."""
        return Draws(self.seed, name)

    def rows(self, *ids: NDArray[np.integer[Any]]) -> RowDraws:
        """The draws of each row of a table.

        Parameters
        ----------
        *ids : ndarray of int, shape (n,)
            The key columns of the rows, such as event_id and particle_id.

        Returns
        -------
        RowDraws
            One stream of numbers a row.
        """
        if not ids:
            raise ValueError("expected at least one key column, got none")
        words = [np.ascontiguousarray(i, dtype=np.int64).view(np.uint64) for i in ids]
        key = np.full(len(words[0]), self._key)
        scratch = np.empty_like(key)
        for word in words:
            key += _GOLDEN
            key ^= word
            _mix(key, scratch)
        return RowDraws(key)


class RowDraws:
    """One stream of random numbers for each of n rows.

    Uniform, normal and other draws of the same index come from the same hash: give every quantity
    of a stage an index of its own.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n,)
        One key a row, as ``Draws.rows`` makes them.
    """

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, rows: Any) -> RowDraws:
        """The streams of some of the rows (mask, index array or slice)."""
        return RowDraws(self._keys[rows])

    def bits(self, index: int) -> NDArray[np.uint64]:
        """64 random bits a row, shape (n,)."""
        out = np.empty_like(self._keys)
        scratch = np.empty(min(_BLOCK, len(out)), np.uint64)
        step = np.uint64((int(_GOLDEN) * (index + 1)) % 2**64)
        for start in range(0, len(out), _BLOCK):
            block = out[start : start + _BLOCK]
            np.add(self._keys[start : start + _BLOCK], step, out=block)
            _mix(block, scratch[: len(block)])
        return out

    def uniform(self, index: int) -> NDArray[np.float64]:
        """Uniform numbers, shape (n,), float64, in the open interval (0, 1)."""
        bits = self.bits(index)
        out = np.empty(len(bits))
        for start in range(0, len(out), _BLOCK):
            block = bits[start : start + _BLOCK]
            np.right_shift(block, _S12, out=block)
            part = out[start : start + _BLOCK]
            np.add(block.view(np.int64), 0.5, out=part)
            part *= 2.0**-52
        return out

    def normal(self, index: int) -> NDArray[np.float64]:
        """Standard normal numbers, shape (n,), float64: the quantile of the uniform ones."""
        out = self.uniform(index)
        for start in range(0, len(out), _BLOCK):
            part = out[start : start + _BLOCK]
            ndtri(part, out=part)
        return out

    def exponential(self, index: int) -> NDArray[np.float64]:
        """Exponential numbers of mean 1, shape (n,), float64."""
        return -np.log(self.uniform(index))

    def uniforms(self, count: int, first: int = 0) -> NDArray[np.float64]:
        """Draws ``first`` ... ``first + count - 1`` of ``uniform``, shape (count, n)."""
        return np.stack([self.uniform(first + i) for i in range(count)])

    def normals(self, count: int, first: int = 0) -> NDArray[np.float64]:
        """Draws ``first`` ... ``first + count - 1`` of ``normal``, shape (count, n)."""
        return np.stack([self.normal(first + i) for i in range(count)])
