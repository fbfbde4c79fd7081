"""NumPy arrays to Arrow arrays and back, without copies where the memory layout allows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from lamarrpy.errors import SchemaError
from lamarrpy.tables.column import Column


def _bitmap(mask: NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(mask, bitorder="little"))


def to_arrow(column: Column, values: ArrayLike) -> pa.Array:
    """Turn one column of numbers into an Arrow array.

    Parameters
    ----------
    column : Column
        What the numbers are. NaN becomes null if the column is nullable.
    values : array_like, shape (n,)
        The numbers; a wider dtype is accepted where no value changes by it.

    Returns
    -------
    pyarrow.Array
        Length n, the dtype of the column.

    Raises
    ------
    SchemaError
        If the shape is not one-dimensional, the dtype cannot hold the values, or a value that
        must be finite is not.
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise SchemaError(f"column {column.name!r}: expected shape (n,), got {array.shape}")
    wanted = column.numpy_dtype
    if array.dtype != wanted:
        if not (np.can_cast(array.dtype, wanted, "same_kind") or array.size == 0):
            raise SchemaError(f"column {column.name!r}: expected {wanted}, got {array.dtype}")
        narrowed = array.astype(wanted)
        if wanted.kind == "i" and not np.array_equal(narrowed, array):
            raise SchemaError(f"column {column.name!r}: a value does not fit into {wanted}")
        array = narrowed
    array = np.ascontiguousarray(array)
    kind = column.field.type
    if wanted.kind == "b":
        return pa.Array.from_buffers(kind, len(array), [None, _bitmap(array)])
    validity = None
    if wanted.kind == "f":
        finite = np.isfinite(array)
        if not finite.all():
            bad = ~finite if not column.nullable else np.isinf(array)
            if bad.any():
                row = int(np.argmax(bad))
                raise SchemaError(
                    f"column {column.name!r}: expected finite numbers, got {array[row]} in row {row}"
                    f" ({int(bad.sum())} such rows of {len(array)})"
                )
            validity = _bitmap(finite)
    return pa.Array.from_buffers(kind, len(array), [validity, pa.py_buffer(array)])


def to_numpy(values: pa.ChunkedArray | pa.Array) -> NDArray[Any]:
    """Turn an Arrow column of numbers or flags into a read-only NumPy array; null becomes NaN.

    Arrow's own conversion imports pandas, which takes longer than a small run.

    Parameters
    ----------
    values : pyarrow.ChunkedArray or pyarrow.Array
        Of a fixed-width numeric type or bool. With nulls, integers and flags become floats.

    Returns
    -------
    ndarray, shape (n,)
        A view of the Arrow memory where possible.
    """
    if isinstance(values, pa.ChunkedArray):
        if values.num_chunks != 1:
            parts = [to_numpy(chunk) for chunk in values.chunks]
            joined = np.concatenate(parts) if parts else np.empty(0, _numpy_dtype(values.type))
            joined.flags.writeable = False
            return joined
        values = values.chunk(0)
    validity, data = values.buffers()
    array = _view(data, values.type, values.offset, len(values))
    if values.null_count:
        valid = _bits(validity, values.offset, len(values))
        array = np.where(valid, array, np.nan)
    array.flags.writeable = False
    return array


def _numpy_dtype(kind: pa.DataType) -> np.dtype[Any]:
    dtype: np.dtype[Any] = np.dtype(kind.to_pandas_dtype())
    return dtype


def _view(data: pa.Buffer | None, kind: pa.DataType, offset: int, length: int) -> NDArray[Any]:
    if length == 0 or data is None:
        return np.zeros(length, _numpy_dtype(kind))
    if pa.types.is_boolean(kind):
        return _bits(data, offset, length)
    dtype = _numpy_dtype(kind)
    return np.frombuffer(data, dtype, length, offset * dtype.itemsize)


def _bits(data: pa.Buffer, offset: int, length: int) -> NDArray[np.bool_]:
    packed = np.frombuffer(data, np.uint8)
    return np.unpackbits(packed, count=offset + length, bitorder="little")[offset:].view(np.bool_)
