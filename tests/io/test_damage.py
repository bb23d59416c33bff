import lzma
import struct
import zlib

import numpy as np
import pytest

from napari_gluer.errors import InputError
from napari_gluer.io.damage import refuse_beyond_memory, refusing
from napari_gluer.track import Cancelled


@pytest.mark.parametrize(
    "raised",
    [
        ValueError("bad"), KeyError("bad"), OSError("bad"), RuntimeError("bad"),
        struct.error("bad"), zlib.error("bad"), lzma.LZMAError("bad"), OverflowError("bad"),
    ],
)  # fmt: skip
def test_what_libraries_raise_becomes_one_error_that_says_it(raised: Exception) -> None:
    says = rf"a\.tif cannot be read \({type(raised).__name__}"
    with pytest.raises(InputError, match=says) as told, refusing("a.tif", "Copy it."):
        raise raised
    assert told.value.__cause__ is raised
    assert str(told.value).endswith("Copy it.")


def test_errors_for_the_person_and_requests_pass() -> None:
    with pytest.raises(InputError, match="mine"), refusing("a.tif", "Copy it."):
        raise InputError("mine")
    with pytest.raises(Cancelled), refusing("a.tif", "Copy it."):
        raise Cancelled("stop")


def test_permission_and_memory_have_their_own_words() -> None:
    with pytest.raises(InputError, match="permission denied"), refusing("a.tif", ""):
        raise PermissionError(13, "no")
    with pytest.raises(InputError, match="does not fit in memory"), refusing("a.tif", ""):
        raise MemoryError


def test_long_messages_are_cut() -> None:
    with pytest.raises(InputError) as told, refusing("a.tif", ""):
        raise ValueError("x" * 5000)
    assert len(str(told.value)) < 300


def test_blocks_beyond_memory_are_refused_and_others_not() -> None:
    refuse_beyond_memory("a.tif", (1000, 1000), np.dtype("u2"))
    with pytest.raises(InputError, match=r"a\.tif: a block of shape \(1000000, 1000000\), 1863 GB"):
        refuse_beyond_memory("a.tif", (10**6, 10**6), np.dtype("u2"))
    with pytest.raises(InputError):
        refuse_beyond_memory("a.tif", (2**62, 2**62), np.dtype("u2"))
