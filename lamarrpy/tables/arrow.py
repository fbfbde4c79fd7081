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
    """Turn an Arrow column into a read-only NumPy array; null becomes NaN.

    Parameters
    ----------
    values : pyarrow.ChunkedArray or pyarrow.Array
        Integers and booleans must not have nulls.

    Returns
    -------
    ndarray, shape (n,)
        A view of the Arrow memory where possible.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()
        if isinstance(values, pa.ChunkedArray):  # zero chunks
            values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.nulls(0, values.type)
    array: NDArray[Any] = values.to_numpy(zero_copy_only=False)
    array.flags.writeable = False
    return array
