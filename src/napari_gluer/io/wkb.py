"""Polygons in well-known binary (WKB), as MERSCOPE tables hold them."""

import struct

import numpy as np
from numpy.typing import NDArray

from napari_gluer.errors import InputError

Ring = NDArray[np.float64]

_POLYGON, _MULTIPOLYGON, _COLLECTION = 3, 6, 7
_HAS_Z, _HAS_M, _HAS_SRID = 0x80000000, 0x40000000, 0x20000000  # PostGIS flags
_DEEPEST = 4


def rings_of_wkb(data: bytes) -> list[Ring]:
    """All rings of a Polygon, MultiPolygon or collection of them, each ``(n, 2)`` x and y.

    Raises
    ------
    InputError
        If the bytes are cut short or hold another kind of geometry.
    """
    rings: list[Ring] = []
    try:
        _read(memoryview(data), 0, rings, 0)
    except (struct.error, IndexError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"A geometry (WKB) is damaged: {error}.") from error
    return rings


def _read(data: memoryview, at: int, rings: list[Ring], depth: int) -> int:
    """Read one geometry from `at` on; the place behind it."""
    order = "<" if data[at] == 1 else ">"
    (code,) = struct.unpack_from(order + "I", data, at + 1)
    at += 9 if code & _HAS_SRID else 5
    kind = (code & 0xFFFF) % 1000
    thousands = (code & 0xFFFF) // 1000  # ISO: 1 z, 2 m, 3 both
    flagged = bool(code & _HAS_Z) + bool(code & _HAS_M)
    numbers = 2 + max(flagged, (0, 1, 1, 2)[thousands] if thousands < 4 else 0)
    if kind == _POLYGON:
        return _polygon(data, at, order, numbers, rings)
    if kind not in (_MULTIPOLYGON, _COLLECTION) or depth > _DEEPEST:
        raise InputError(f"A geometry (WKB) is of kind {kind}; polygons (3, 6) are needed.")
    (count,) = struct.unpack_from(order + "I", data, at)
    at += 4
    for _ in range(count):
        at = _read(data, at, rings, depth + 1)
    return at


def _polygon(data: memoryview, at: int, order: str, numbers: int, rings: list[Ring]) -> int:
    (count,) = struct.unpack_from(order + "I", data, at)
    at += 4
    for _ in range(count):
        (length,) = struct.unpack_from(order + "I", data, at)
        points = np.frombuffer(data, order + "f8", length * numbers, at + 4)
        rings.append(points.reshape(length, numbers)[:, :2].astype(np.float64))
        at += 4 + points.nbytes
    return at
