"""The training of `preset="paper"` beside one written out in NumPy, in double precision."""

import numpy as np
import pytest
import torch

from napari_gluer.integration.network import Training, fit_map
from napari_gluer.integration.params import IntegrateParams, NetworkParams

PAPER = IntegrateParams(preset="paper").network
K, PAIRS, EPOCHS, SEED = 6, 90, 2, 5
Layers = list[np.ndarray]


def problem() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    reference, cells = rng.gamma(1, 2, (40, K)), rng.gamma(1, 3, (50, K))
    return (
        reference,
        cells,
        np.column_stack([rng.integers(0, 40, PAIRS), rng.integers(0, 50, PAIRS)]),
    )


def forward(layers: Layers, x: np.ndarray) -> list[np.ndarray]:
    """Inputs of every layer, and the output: ReLU between layers, linear at the end."""
    values = [x]
    for i in range(0, len(layers), 2):
        z = values[-1] @ layers[i].T + layers[i + 1]
        values.append(z if i == len(layers) - 2 else np.maximum(z, 0))
    return values


def gradients(layers: Layers, x: np.ndarray, target: np.ndarray) -> Layers:
    """Of the mean squared error, by the chain rule."""
    values = forward(layers, x)
    back = 2 * (values[-1] - target) / target.size
    found: Layers = []
    for i in reversed(range(0, len(layers), 2)):
        found = [back.T @ values[i // 2], back.sum(axis=0), *found]
        back = (back @ layers[i]) * (values[i // 2] > 0)
    return found


class Adam:
    """Kingma & Ba 2015, algorithm 1, with its printed constants."""

    def __init__(self, layers: Layers, rate: float) -> None:
        self.rate, self.steps = rate, 0
        self.m, self.v = ([np.zeros_like(part) for part in layers] for _ in "mv")

    def step(self, layers: Layers, slopes: Layers) -> Layers:
        self.steps += 1
        self.m = [0.9 * m + 0.1 * g for m, g in zip(self.m, slopes, strict=True)]
        self.v = [0.999 * v + 0.001 * g**2 for v, g in zip(self.v, slopes, strict=True)]
        return [
            part
            - self.rate
            * (m / (1 - 0.9**self.steps))
            / (np.sqrt(v / (1 - 0.999**self.steps)) + 1e-8)
            for part, m, v in zip(layers, self.m, self.v, strict=True)
        ]


def started(params: NetworkParams) -> tuple[Training, Layers]:
    """A training before its first step, and its weights in double precision."""
    reference, cells, pairs = problem()
    training = Training((reference, cells), pairs, params, SEED, torch.device("cpu"))
    parts = training.network.parameters()
    return training, [part.detach().numpy().astype(np.float64) for part in parts]


@pytest.mark.parametrize("rate", [1e-4, 3e-3])
def test_equals_training_written_out(rate: float) -> None:
    params = PAPER.model_copy(update={"max_epochs": EPOCHS, "learning_rate": rate})
    reference, cells, pairs = problem()
    scale = reference.std()
    training, layers = started(params)
    at_first = forward(layers, cells / scale)[-1] * scale
    adam, losses = Adam(layers, rate), []
    for _ in range(EPOCHS):
        batches = [batch.numpy() for batch in reversed(training.batches)]
        total = 0.0
        for batch in batches:
            x, target = cells[batch[:, 1]] / scale, reference[batch[:, 0]] / scale
            total += len(batch) * np.square(forward(layers, x)[-1] - target).mean()
            layers = adam.step(layers, gradients(layers, x, target))
            training.step()
        training.end_epoch()
        losses.append(total / sum(map(len, batches)))
    truth = forward(layers, cells / scale)[-1] * scale
    found = fit_map((reference, cells), pairs, params, seed=SEED)
    moved = np.abs(truth - at_first).max()
    np.testing.assert_allclose(found.cells, truth, atol=1e-3 * moved)
    np.testing.assert_allclose(found.training_loss, losses, rtol=1e-5)
    held_out = training.held_out.numpy()
    mapped = truth[held_out[:, 1]] - reference[held_out[:, 0]]
    np.testing.assert_allclose(found.held_out_loss[-1], np.square(mapped / scale).mean(), rtol=1e-4)


def test_batches_hold_every_trained_pair_once_in_a_new_order() -> None:
    training, _ = started(PAPER)
    assert PAPER.batch_size == 32
    seen = []
    for _ in range(2):
        assert [len(batch) for batch in training.batches] == [32, 32, 17]  # 9 of 90 held out
        seen.append(np.concatenate([batch.numpy() for batch in training.batches]))
        while training.batches:
            training.step()
        training.end_epoch()
    assert not np.array_equal(*seen)
    trained = [np.concatenate([rows, training.held_out.numpy()]) for rows in seen]
    for rows in (*trained, problem()[2]):
        np.testing.assert_array_equal(sorted(rows.tolist()), sorted(problem()[2].tolist()))
