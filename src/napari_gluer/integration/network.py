"""The deep map from the factors of the cells onto the factors of the reference."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import nn

from napari_gluer.devices import pick_device
from napari_gluer.errors import InputError
from napari_gluer.integration.params import NetworkParams
from napari_gluer.track import Track, silently

_PROJECTIONS = 32


@dataclass(frozen=True, eq=False)
class Mapped:
    """Result of `fit_map`.

    Attributes
    ----------
    cells
        float32 ``(n_cells, k)``: the cells in the space of the reference.
    training_loss, held_out_loss
        float64 ``(n_epochs,)``: mean squared error on the pairs, held-out NaN where none are.
    breakdown
        What is to be said where training broke down after a good epoch; else empty.
    """

    cells: NDArray[np.float32]
    training_loss: NDArray[np.float64]
    held_out_loss: NDArray[np.float64]
    breakdown: str = ""


class MapNetwork(nn.Module):
    """Fully connected, ReLU between layers, linear at the end; optionally added to its input."""

    def __init__(self, width: int, params: NetworkParams, random: torch.Generator) -> None:
        super().__init__()
        widths = (width, *params.hidden, width)
        layers: list[nn.Module] = []
        for size_in, size_out in pairwise(widths):
            layers += [_linear(size_in, size_out, random), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])
        self.residual = params.residual
        if params.residual:
            last = self.layers[-1]
            nn.init.zeros_(last.weight)  # type: ignore[arg-type] # starts as the identity
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]

    def forward(self, factors: torch.Tensor) -> torch.Tensor:
        """Map ``(n, k)`` factors to ``(n, k)``."""
        mapped: torch.Tensor = self.layers(factors)
        return factors + mapped if self.residual else mapped


def _linear(size_in: int, size_out: int, random: torch.Generator) -> nn.Linear:
    """PyTorch's own start, drawn from a generator of ours instead of the global one."""
    layer = nn.Linear(size_in, size_out, device="meta").to_empty(device="cpu")
    bound = 1 / np.sqrt(size_in)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=random)
        layer.bias.uniform_(-bound, bound, generator=random)
    return layer


def fit_map(
    factors: tuple[NDArray[np.floating], NDArray[np.floating]],
    pairs: NDArray[np.int64],
    params: NetworkParams = NetworkParams(),  # noqa: B008 - frozen
    *,
    seed: int = 0,
    device: str = "cpu",
    track: Track = silently,
) -> Mapped:
    """Train the map on the pairs and apply it to all cells.

    Peng et al., bioRxiv 2021.01.25.427845, "Deep neural network": squared error between F(cells)
    and reference over the pairs. Both are divided by the standard deviation of the reference.
    Where the loss or the weights are no longer numbers, training stops and the weights of the last
    good epoch are kept (with `patience` those of the best).

    Parameters
    ----------
    factors
        ``(n_reference, k)`` and ``(n_cells, k)``.
    pairs
        int64 ``(n_pairs, 2)``: rows of reference and of cells.
    params
        Layers and training.
    seed
        Of the start, the held-out pairs and the order of batches.
    device
        ``cpu``, ``cuda``, ``mps``, or ``auto`` for a GPU where there is one.
    track
        Wraps the loop over training steps.

    Raises
    ------
    InputError
        If there are no pairs, or training breaks down in its first epoch.
    """
    if not len(pairs):
        raise InputError(
            "There are no anchors between cells and reference, so nothing to train on. Link more "
            "features, search more neighbours (anchors.n_neighbors) or choose a closer reference."
        )
    with one_thread():
        training = Training(factors, pairs, params, seed, pick_device(device))
        steps = training.steps_per_epoch * params.max_epochs
        for step in track(range(steps), "Training the map"):
            training.step()
            if (step + 1) % training.steps_per_epoch == 0 and training.end_epoch():
                break
        return training.result()


@contextmanager
def one_thread() -> Iterator[None]:
    """Layers this small wait for each other on several threads, for minutes on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Training:
    """State of one training: network, optimiser, batches, best weights."""

    def __init__(
        self,
        factors: tuple[NDArray[np.floating], NDArray[np.floating]],
        pairs: NDArray[np.int64],
        params: NetworkParams,
        seed: int,
        device: torch.device,
    ) -> None:
        reference, cells = factors
        self.params = params
        self.random = torch.Generator().manual_seed(seed)
        self.device = device
        self.scale = float(np.std(reference)) or 1.0
        self.reference = self._scaled(reference)
        self.cells = self._scaled(cells)
        self.anchors = torch.from_numpy(pairs)
        self.targets = self.reference
        if params.average_partners:
            targets, pairs = _mean_partners(reference, pairs, len(cells))
            self.targets = self._scaled(targets)
        shuffled = torch.from_numpy(pairs)[torch.randperm(len(pairs), generator=self.random)]
        n_held_out = min(round(params.held_out * len(pairs)), len(pairs) - 1)
        self.held_out, self.pairs = shuffled[:n_held_out], shuffled[n_held_out:]
        self.steps_per_epoch = max(1, -(-len(self.pairs) // params.batch_size))
        self.network = MapNetwork(reference.shape[1], params, self.random).to(self.device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=params.learning_rate)
        self.losses: list[tuple[float, float]] = []
        self.best, self.best_loss, self.best_epoch = self._weights(), np.inf, -1
        self.last_good, self.breakdown = self.best, ""
        self._begin_epoch()

    def _scaled(self, factors: NDArray[np.floating]) -> torch.Tensor:
        return torch.from_numpy((factors / self.scale).astype(np.float32)).to(self.device)

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: value.clone() for name, value in self.network.state_dict().items()}

    def _begin_epoch(self) -> None:
        order = torch.randperm(len(self.pairs), generator=self.random)
        self.batches = list(torch.split(self.pairs[order], self.params.batch_size))
        self.total = 0.0

    def step(self) -> None:
        """One batch of pairs."""
        batch = self.batches.pop()
        mapped = self.network(self.cells[batch[:, 1]])
        error = nn.functional.mse_loss(mapped, self.targets[batch[:, 0]])
        loss = error
        if self.params.match_distributions:
            loss = error + self.params.match_distributions * self._sliced_wasserstein(mapped)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.total += float(error.detach()) * len(batch)

    def _sliced_wasserstein(self, mapped: torch.Tensor) -> torch.Tensor:
        """Squared distance between the sorted random projections of both sides.

        The reference side is drawn from the pairs too, not from all cells, so that types which are
        more common on one side than on the other do not pull cells over to another type.
        """
        drawn = torch.randint(len(self.anchors), (len(mapped),), generator=self.random)
        target = self.reference[self.anchors[drawn, 0]]
        directions = torch.randn(mapped.shape[1], _PROJECTIONS, generator=self.random)
        directions = nn.functional.normalize(directions, dim=0).to(self.device)
        return nn.functional.mse_loss(
            (mapped @ directions).sort(dim=0).values, (target @ directions).sort(dim=0).values
        )

    def _held_out_error(self) -> float:
        if not len(self.held_out):
            return float("nan")
        with torch.no_grad():
            mapped = self.network(self.cells[self.held_out[:, 1]])
            return float(nn.functional.mse_loss(mapped, self.targets[self.held_out[:, 0]]))

    def end_epoch(self) -> bool:
        """Record the losses; True when training should stop."""
        trained = self.total / max(1, len(self.pairs))
        held_out = self._held_out_error()
        if not self._is_good(trained, held_out):
            return self._broke_down(trained)
        self.last_good = self._weights()
        self.losses.append((trained, held_out))
        watched = trained if np.isnan(held_out) else held_out
        if watched < self.best_loss:
            self.best, self.best_loss = self._weights(), watched
            self.best_epoch = len(self.losses)
        self._begin_epoch()
        waited = len(self.losses) - self.best_epoch
        return bool(self.params.patience) and waited >= self.params.patience

    def _is_good(self, trained: float, held_out: float) -> bool:
        tried = np.isfinite(held_out) or not len(self.held_out)
        weights = (bool(torch.isfinite(part).all()) for part in self.network.parameters())
        return bool(np.isfinite(trained)) and bool(tried) and all(weights)

    def _broke_down(self, trained: float) -> bool:
        """Stop training, or refuse where no epoch was good."""
        text = f"training broke down in epoch {len(self.losses) + 1} (the loss was {trained:.3g})"
        if not self.losses:
            raise InputError(f"{text.capitalize()}. A smaller network.learning_rate helps.")
        kept = self.best_epoch if self.params.patience else len(self.losses)
        self.breakdown = f"{text}; the map of epoch {kept} is used"
        return True

    def result(self) -> Mapped:
        """All cells, mapped."""
        if self.params.patience:
            self.network.load_state_dict(self.best)
        elif self.breakdown:
            self.network.load_state_dict(self.last_good)
        with torch.no_grad():
            mapped = torch.cat([self.network(part) for part in torch.split(self.cells, 65_536)])
        losses = np.array(self.losses, np.float64).reshape(-1, 2)
        cells = (mapped * self.scale).cpu().numpy()
        return Mapped(cells, losses[:, 0], losses[:, 1], self.breakdown)


def _mean_partners(
    reference: NDArray[np.floating], pairs: NDArray[np.int64], n_cells: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Mean of each cell's partners, ``(n_cells, k)``, and pairs of every such cell with it."""
    counts = np.bincount(pairs[:, 1], minlength=n_cells)
    shares = (1 / counts[pairs[:, 1]]).astype(np.float32)
    averaging = sparse.csr_matrix((shares, (pairs[:, 1], pairs[:, 0])), (n_cells, len(reference)))
    cells = np.flatnonzero(counts).astype(np.int64)
    return np.asarray(averaging @ reference, np.float32), np.column_stack([cells, cells])
