"""Blosc blocks are looked at before they are unpacked.

A block says how long it is. Where that is more than there is, the library reads on beyond it, and
brings the whole program down.
"""

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import zarr
from numcodecs.blosc import Blosc
from zarr.codecs import BloscCodec, ShardingCodec

_HEADER = 16  # bytes, of which the last four tell the block's length


class CheckedBlosc(Blosc):  # type: ignore[misc]
    """Blosc that refuses blocks which are not whole."""

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Unpack a block.

        Raises
        ------
        ValueError
            If it claims to be longer than it is.
        """
        block = np.frombuffer(buf, np.uint8)
        claimed = int.from_bytes(block[12:_HEADER].tobytes(), "little")
        if not _HEADER <= claimed <= len(block):
            raise ValueError(f"a block of {len(block)} bytes says that it has {claimed}")
        return super().decode(buf, out)


class CheckedBloscCodec(BloscCodec):  # type: ignore[misc]
    """The same for zarr 3."""

    @cached_property
    def _blosc_codec(self) -> CheckedBlosc:
        return _as_checked(super()._blosc_codec)


def guarded(array: "zarr.Array[Any]") -> "zarr.Array[Any]":
    """The array, with Blosc blocks checked before they are unpacked."""
    metadata: Any = array.metadata
    if metadata.zarr_format == 2:
        filters = metadata.filters and tuple(map(_checked, metadata.filters))
        changed = replace(metadata, compressor=_checked(metadata.compressor), filters=filters)
    else:
        changed = replace(metadata, codecs=tuple(map(_checked, metadata.codecs)))
    return zarr.Array(zarr.AsyncArray(metadata=changed, store_path=array.store_path))


def _checked(codec: Any) -> Any:
    match codec:
        case ShardingCodec():
            return replace(codec, codecs=tuple(map(_checked, codec.codecs)))
        case BloscCodec():
            return CheckedBloscCodec.from_dict(codec.to_dict())
        case Blosc():
            return _as_checked(codec)
    return codec


def _as_checked(plain: Blosc) -> CheckedBlosc:
    config = {name: value for name, value in plain.get_config().items() if name != "id"}
    return CheckedBlosc(**config)
