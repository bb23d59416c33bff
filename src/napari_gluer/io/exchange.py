"""Two paths change places in one step, where the system can: nobody ever finds neither."""

import ctypes
import ctypes.util
import os
import sys
from pathlib import Path

_HERE = -100  # AT_FDCWD: paths as they are
_LINUX_EXCHANGE, _MAC_SWAP = 2, 2


def exchanged(one: Path, other: Path) -> bool:
    """Let two files or folders of one disk change places at once; whether it was done.

    Linux (``renameat2``) and macOS (``renamex_np``) can, unless the disk's file system cannot.
    """
    if sys.platform == "win32":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    first, second = os.fsencode(one), os.fsencode(other)
    if sys.platform == "darwin":
        if not hasattr(library, "renamex_np"):
            return False
        return bool(library.renamex_np(first, second, ctypes.c_uint(_MAC_SWAP)) == 0)
    if not hasattr(library, "renameat2"):
        return False
    flags = ctypes.c_uint(_LINUX_EXCHANGE)
    return bool(library.renameat2(_HERE, first, _HERE, second, flags) == 0)
