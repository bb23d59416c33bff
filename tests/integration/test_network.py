from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from napari_gluer.errors import InputError
from napari_gluer.integration import network
from napari_gluer.integration.network import MapNetwork, Training, _mean_partners, fit_map
from napari_gluer.integration.params import IntegrateParams, NetworkParams
from napari_gluer.track import Cancelled

K = 4
CPU = torch.device("cpu")
SMALL = NetworkParams(hidden=(16,), learning_rate=1e-2, batch_size=64, max_epochs=8)


def linear_problem(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Reference and cells, row i of one the partner of row i of the other."""
    rng = np.random.default_rng(seed)
    cells = rng.normal(size=(n, K))
    return cells @ rng.normal(size=(K, K)) + 0.5, cells


def diagonal(n: int) -> np.ndarray:
    return np.repeat(np.arange(n)[:, np.newaxis], 2, axis=1)


def made(params: NetworkParams, width: int, seed: int = 0) -> MapNetwork:
    return MapNetwork(width, params, torch.Generator().manual_seed(seed))


def test_layers_of_the_paper() -> None:
    network = made(IntegrateParams(preset="paper").network, 20)
    linear = [layer for layer in network.layers if isinstance(layer, nn.Linear)]
    widths = [20, 200, 100, 50, 25, 50, 100, 200, 20]
    assert [layer.in_features for layer in linear] == widths[:-1]
    assert [layer.out_features for layer in linear] == widths[1:]
    kinds = [type(layer) for layer in network.layers]
    assert kinds == [nn.Linear, nn.ReLU] * 7 + [nn.Linear]
    assert not network.residual


def test_is_what_its_layers_say() -> None:
    network = made(NetworkParams(hidden=(5, 3)), 2)
    weights = [part.detach().numpy() for part in network.parameters()]
    x = np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    hidden = np.maximum(x @ weights[0].T + weights[1], 0)
    hidden = np.maximum(hidden @ weights[2].T + weights[3], 0)
    expected = hidden @ weights[4].T + weights[5]
    np.testing.assert_allclose(network(torch.from_numpy(x)).detach(), expected, atol=1e-6)


def test_start_lies_within_pytorchs_bounds() -> None:
    network = made(NetworkParams(hidden=(200,)), 50)
    for layer, size_in in ((network.layers[0], 50), (network.layers[2], 200)):
        for values in (layer.weight, layer.bias):
            largest = float(values.detach().abs().max())
            assert 0.9 / np.sqrt(size_in) < largest <= 1 / np.sqrt(size_in)


def test_residual_starts_as_the_identity() -> None:
    x = torch.randn((9, 6), generator=torch.Generator().manual_seed(0))
    assert torch.equal(made(NetworkParams(residual=True), 6)(x), x)
    assert not torch.equal(made(NetworkParams(residual=False), 6)(x), x)


@pytest.mark.parametrize("residual", [False, True])
def test_learns_a_linear_map(residual: bool) -> None:
    reference, cells = linear_problem(1200)
    params = NetworkParams(
        hidden=(64,), residual=residual, learning_rate=5e-3, batch_size=64, max_epochs=60
    )
    found = fit_map((reference, cells), diagonal(1000), params)
    unseen = slice(1000, None)
    error = np.square(found.cells[unseen] - reference[unseen]).mean()
    assert error < 0.02 * reference[unseen].var()
    assert found.cells.shape == cells.shape
    assert found.cells.dtype == np.float32
    assert found.training_loss[-1] < 0.05 * found.training_loss[0]


@pytest.mark.parametrize("scale", [1e-8, 1e6])
def test_units_do_not_matter(scale: float) -> None:
    reference, cells = linear_problem(200)
    plain = fit_map((reference, cells), diagonal(200), SMALL)
    scaled = fit_map((reference * scale, cells * scale), diagonal(200), SMALL)
    np.testing.assert_allclose(scaled.cells / scale, plain.cells, rtol=1e-2, atol=1e-3)


def test_pairs_decide_what_is_learnt() -> None:
    cells = np.repeat(np.eye(2), 100, axis=0)
    reference = np.array([[5.0, 0], [0, 5]])
    pairs = np.column_stack([np.repeat([1, 0], 100), np.arange(200)])
    params = SMALL.model_copy(update={"max_epochs": 80})
    found = fit_map((reference, cells), pairs, params)
    expected = np.repeat([[0, 5], [5, 0]], 100, axis=0)
    np.testing.assert_allclose(found.cells, expected, atol=0.2)


def test_seed_decides() -> None:
    reference, cells = linear_problem(120)
    params = SMALL.model_copy(update={"match_distributions": 1.0})
    once, again, other = (
        fit_map((reference, cells), diagonal(120), params, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(once.cells, again.cells)
    np.testing.assert_array_equal(once.held_out_loss, again.held_out_loss)
    assert not np.allclose(once.cells, other.cells)


@pytest.mark.parametrize(
    ("share", "n", "expected"),
    [(0.1, 200, 20), (0.1, 104, 10), (0.1, 106, 11), (0.1, 3, 0), (0.0, 50, 0), (0.25, 50, 12)],
)
def test_held_out_share_is_exact_and_apart(share: float, n: int, expected: int) -> None:
    reference, cells = linear_problem(n)
    params = SMALL.model_copy(update={"held_out": share})
    training = Training((reference, cells), diagonal(n), params, 0, CPU)
    held_out, trained = training.held_out.numpy(), training.pairs.numpy()
    assert len(held_out) == round(share * n) == expected
    together = np.concatenate([held_out, trained])
    np.testing.assert_array_equal(together[np.argsort(together[:, 0])], diagonal(n))
    assert not np.array_equal(np.sort(held_out[:, 0]), np.arange(expected)) or not expected


def test_something_is_left_to_train_on() -> None:
    reference, cells = linear_problem(20)
    params = SMALL.model_copy(update={"held_out": 0.9})
    assert np.isfinite(fit_map((reference, cells), diagonal(1), params).cells).all()


def test_nothing_held_out_is_said_by_nan() -> None:
    reference, cells = linear_problem(40)
    params = SMALL.model_copy(update={"held_out": 0.0, "patience": 3})
    found = fit_map((reference, cells), diagonal(40), params)
    assert np.isnan(found.held_out_loss).all()
    assert np.isfinite(found.training_loss).all()


def overfitting() -> tuple[np.ndarray, np.ndarray, np.ndarray, NetworkParams]:
    """Partners at random: the longer one trains, the worse on held-out pairs."""
    rng = np.random.default_rng(0)
    reference, cells = rng.normal(size=(60, K)), rng.normal(size=(60, K))
    params = NetworkParams(
        hidden=(128,), learning_rate=1e-2, batch_size=16, max_epochs=60, held_out=0.3
    )
    return reference, cells, diagonal(60), params


def held_out_error(mapped: np.ndarray, reference: np.ndarray, pairs: np.ndarray) -> float:
    error = (mapped[pairs[:, 1]] - reference[pairs[:, 0]]) / reference.std()
    return float(np.square(error).mean())


def test_last_weights_without_patience() -> None:
    reference, cells, pairs, params = overfitting()
    held_out = Training((reference, cells), pairs, params, 0, CPU).held_out.numpy()
    found = fit_map((reference, cells), pairs, params)
    assert len(found.training_loss) == len(found.held_out_loss) == 60
    assert found.held_out_loss.argmin() < 50
    error = held_out_error(found.cells, reference, held_out)
    np.testing.assert_allclose(error, found.held_out_loss[-1], rtol=1e-4)
    assert error > 1.1 * found.held_out_loss.min()


def test_best_weights_and_an_early_end_with_patience() -> None:
    reference, cells, pairs, params = overfitting()
    held_out = Training((reference, cells), pairs, params, 0, CPU).held_out.numpy()
    params = params.model_copy(update={"patience": 4})
    found = fit_map((reference, cells), pairs, params)
    best = int(found.held_out_loss.argmin())
    assert len(found.held_out_loss) == best + 1 + 4 < 60
    error = held_out_error(found.cells, reference, held_out)
    np.testing.assert_allclose(error, found.held_out_loss[best], rtol=1e-4)


def test_matched_distributions_stay_spread_out() -> None:
    reference, cells, pairs, params = overfitting()
    params = params.model_copy(update={"max_epochs": 15, "hidden": (32,)})
    plain = fit_map((reference, cells), pairs, params)
    matched = fit_map(
        (reference, cells), pairs, params.model_copy(update={"match_distributions": 20.0})
    )
    spread = [found.cells.std(axis=0).mean() for found in (plain, matched)]
    assert abs(spread[1] - reference.std()) < abs(spread[0] - reference.std())


def test_no_pairs() -> None:
    reference, cells = linear_problem(5)
    with pytest.raises(InputError, match="no anchors between cells and reference"):
        fit_map((reference, cells), np.zeros((0, 2), np.int64))


def test_infinite_values_break_down_in_words() -> None:
    reference, cells = linear_problem(40)
    cells[:] = np.inf
    with pytest.raises(InputError, match=r"in epoch 1 \(the loss was nan\)\. A smaller network"):
        fit_map((reference, cells), diagonal(40), SMALL)


def test_a_rate_too_high_breaks_down_in_words() -> None:
    reference, cells = linear_problem(40)
    params = NetworkParams(learning_rate=1.0, max_epochs=30)
    with pytest.raises(InputError, match="broke down in epoch 1"):
        fit_map((reference, cells * 1e30), diagonal(40), params)


class Breaking(Training):
    """Weights are no longer numbers at the end of the sixth epoch."""

    def end_epoch(self) -> bool:
        if len(self.losses) == 5:
            with torch.no_grad():
                next(self.network.parameters()).fill_(float("nan"))
        return super().end_epoch()


@pytest.mark.parametrize("patience", [0, 100])
def test_the_last_good_map_is_kept_where_training_breaks_down(
    patience: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, cells = linear_problem(200)
    params = SMALL.model_copy(update={"max_epochs": 5, "patience": patience})
    truth = fit_map((reference, cells), diagonal(200), params)
    assert not truth.breakdown
    monkeypatch.setattr(network, "Training", Breaking)
    longer = params.model_copy(update={"max_epochs": 40})
    found = fit_map((reference, cells), diagonal(200), longer)
    np.testing.assert_array_equal(found.cells, truth.cells)
    np.testing.assert_array_equal(found.training_loss, truth.training_loss)
    assert found.breakdown.startswith("training broke down in epoch 6 (the loss was ")
    assert found.breakdown.endswith("the map of epoch 5 is used")


def test_mean_of_partners_by_hand() -> None:
    reference = np.array([[0, 0], [2, 4], [4, 2], [9, 9]], np.float32)
    pairs = np.array([[0, 3], [1, 3], [2, 3], [1, 0], [1, 0]])
    targets, averaged = _mean_partners(reference, pairs, 5)
    np.testing.assert_allclose(targets[3], [2, 2], atol=1e-6)
    np.testing.assert_allclose(targets[0], [2, 4], atol=1e-6)
    np.testing.assert_array_equal(averaged, [[0, 0], [3, 3]])
    assert targets.shape == (5, 2)


def test_partners_that_err_apart_agree_on_the_mean() -> None:
    """A cell whose partners lie on both sides of the truth is trained on the truth."""
    rng = np.random.default_rng(0)
    cells = rng.normal(size=(150, K))
    errors = rng.normal(size=(150, K))
    reference = np.concatenate([cells + errors, cells - errors])
    pairs = np.column_stack([np.arange(300), np.arange(300) % 150])
    params = SMALL.model_copy(update={"average_partners": True, "residual": True})
    training = Training((reference, cells), pairs, params, 0, CPU)
    np.testing.assert_allclose(training.targets.numpy() * training.scale, cells, atol=1e-5)
    assert len(training.pairs) + len(training.held_out) == 150
    found = fit_map((reference, cells), pairs, params)
    assert found.held_out_loss[0] < 0.01  # the identity is right from the start


def test_global_state_of_torch_is_left_alone() -> None:
    reference, cells = linear_problem(60)
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    torch.set_num_threads(2)
    try:
        fit_map((reference, cells), diagonal(60), SMALL)
        with pytest.raises(InputError):
            fit_map((reference, cells * np.inf), diagonal(60), SMALL)
        assert torch.get_num_threads() == 2
        assert torch.equal(torch.get_rng_state(), state)
    finally:
        torch.set_num_threads(threads)


def test_cancelled_comes_through_and_restores_the_threads() -> None:
    seen: list[Any] = []

    def stop_soon(items: Iterable[int], desc: str) -> Iterator[int]:
        for item in items:
            seen.append((item, desc))
            if len(seen) == 3:
                raise Cancelled
            yield item

    reference, cells = linear_problem(60)
    threads = torch.get_num_threads()
    with pytest.raises(Cancelled):
        fit_map((reference, cells), diagonal(60), SMALL, track=stop_soon)
    assert [item for item, _ in seen] == [0, 1, 2]
    assert torch.get_num_threads() == threads


def test_arguments_stay_as_they_were() -> None:
    reference, cells = linear_problem(50)
    arrays = [reference.astype(np.float32), cells.astype(np.float32), diagonal(50)]
    before = [array.copy() for array in arrays]
    fit_map((arrays[0], arrays[1]), arrays[2], SMALL)
    for now, then in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(now, then)
