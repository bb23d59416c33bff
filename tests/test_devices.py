from typing import Any

import numpy as np
import pytest
import torch
from threadpoolctl import ThreadpoolController, threadpool_limits

from napari_gluer.devices import one_blas_thread, pick_device
from napari_gluer.errors import InputError


def offer(monkeypatch: pytest.MonkeyPatch, *, cuda: bool, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "taken"),
    [(True, False, "cuda"), (False, True, "mps"), (True, True, "cuda"), (False, False, "cpu")],
)
def test_auto_takes_a_gpu_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, taken: str
) -> None:
    offer(monkeypatch, cuda=cuda, mps=mps)
    assert pick_device("auto").type == taken


@pytest.mark.parametrize("wanted", ["cpu", "cuda", "mps"])
def test_what_is_named_is_taken(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    offer(monkeypatch, cuda=True, mps=True)
    assert pick_device(wanted).type == wanted


@pytest.mark.parametrize("wanted", ["cuda", "mps", "tpu"])
def test_what_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    offer(monkeypatch, cuda=False, mps=False)
    with pytest.raises(InputError, match=f"no '{wanted}'.*'cpu'"):
        pick_device(wanted)
    assert pick_device("cpu").type == "cpu"


def blas_threads() -> list[int]:
    found: list[dict[str, Any]] = ThreadpoolController().select(user_api="blas").info()
    assert found
    return [library["num_threads"] for library in found]


def test_one_blas_thread_inside_and_as_before_after() -> None:
    @one_blas_thread()
    def inside(square: np.ndarray) -> tuple[list[int], int]:
        np.linalg.eigh(square)
        return blas_threads(), torch.get_num_threads()

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        of_torch = torch.get_num_threads()
        for _ in range(2):
            threads, left = inside(np.eye(3))
            assert set(threads) == {1}
            assert left == of_torch
            assert blas_threads() == before
        with pytest.raises(InputError), one_blas_thread():
            pick_device("tpu")
        assert blas_threads() == before
