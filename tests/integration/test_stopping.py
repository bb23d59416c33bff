"""Training that breaks down, and cancelling at every step."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from anndata import AnnData
from scipy import sparse

import napari_gluer as ng
from napari_gluer.integration import network


def dense(matrix: Any) -> np.ndarray:
    return matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)


def outcome(result: AnnData) -> str:
    return str(result.uns["gluer"]["outcome"])


def broken_at(epoch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss of this epoch and of all after it is no number."""

    class Breaking(network.Training):
        def step(self) -> None:
            if len(self.losses) == epoch - 1:
                with torch.no_grad():
                    for part in self.network.parameters():
                        part.fill_(float("nan"))
            super().step()

    monkeypatch.setattr(network, "Training", Breaking)


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_a_loss_that_is_no_number_at_once(
    typed: Any, preset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_at(1, monkeypatch)
    with pytest.raises(ng.InputError, match=r"broke down in epoch 1.*network\.learning_rate"):
        ng.integrate(typed.cells, typed.reference, ng.IntegrateParams(preset=preset))


def test_a_loss_that_is_no_number_later(typed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    params = ng.IntegrateParams(network={"max_epochs": 2, "patience": 0})
    truth = ng.integrate(typed.cells, typed.reference, params)
    broken_at(3, monkeypatch)
    longer = ng.IntegrateParams(network={"max_epochs": 9, "patience": 0})
    result = ng.integrate(typed.cells, typed.reference, longer)
    np.testing.assert_array_equal(result.obsm["X_gluer"], truth.obsm["X_gluer"])
    says = "training broke down in epoch 3 (the loss was nan); the map of epoch 2 is used"
    assert says in outcome(result)
    assert "broke down" not in outcome(truth)


class Counter:
    """Counts loops and items that are tracked, and cancels at one of them."""

    def __init__(self, stop_at: int = -1) -> None:
        self.n, self.stop_at = 0, stop_at
        self.loops: list[str] = []

    def _one_more(self) -> None:
        if self.n == self.stop_at:
            raise ng.Cancelled
        self.n += 1

    def __call__(self, items: Iterable[Any], desc: str, /) -> Iterator[Any]:
        self._one_more()
        self.loops.append(desc)
        return self._items(items)

    def _items(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self._one_more()
            yield item


@pytest.mark.parametrize(
    "params",
    [
        ng.IntegrateParams(network={"max_epochs": 1}),
        ng.IntegrateParams(
            preset="paper",
            factorize={"max_iter": 2},
            network={"max_epochs": 1, "batch_size": 100_000},
        ),
    ],
    ids=["default", "paper"],
)
def test_cancelled_at_every_step(typed: Any, params: ng.IntegrateParams) -> None:
    cells, reference = typed.cells.copy(), typed.reference.copy()
    whole = Counter()
    ng.integrate(cells, reference, params, track=whole)
    assert {"Joint factorisation", "Training the map", "Weights"} <= set(whole.loops)
    assert whole.n > 10
    for n in range(whole.n):
        with pytest.raises(ng.Cancelled):
            ng.integrate(cells, reference, params, track=Counter(n))
    for now, then in ((cells, typed.cells), (reference, typed.reference)):
        np.testing.assert_array_equal(dense(now.X), dense(then.X))
        pd.testing.assert_frame_equal(now.obs, then.obs)
        assert list(now.obsm) == []
        assert now.uns == then.uns
