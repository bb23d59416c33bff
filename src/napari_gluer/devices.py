"""Where large products are computed: the processor, or a GPU where there is one."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from napari_gluer.errors import InputError


def pick_device(wanted: str) -> torch.device:
    """The PyTorch device of that name.

    Parameters
    ----------
    wanted
        ``cpu``, ``cuda``, ``mps``, or ``auto`` for a GPU where there is one.

    Raises
    ------
    InputError
        If this machine does not offer it.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        wanted = next((name for name, there in present.items() if there), "cpu")
    elif not present.get(wanted, wanted == "cpu"):
        raise InputError(f"This machine offers no {wanted!r} to PyTorch; use device 'cpu'.")
    return torch.device(wanted)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let NumPy's and SciPy's linear algebra use one thread, for the block or the function.

    Decompositions of a few thousand rows wait for each other on several threads: on 2 busy cores
    they take ten times the processor's time. Sums also come out the same on any machine of a kind.
    Matrix products that PyTorch makes are not touched.
    """
    with threadpool_limits(1, user_api="blas"):
        yield
