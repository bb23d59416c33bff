"""Cells and spots whose truth is known."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from napari_gluer.measurement.orientation import Orientation


@dataclass(frozen=True)
class Made:
    """Labels, and spots in a frame that lies otherwise.

    Attributes
    ----------
    labels
        ``(y, x)``.
    spots
        Table with gene, x, y and the cell under every spot.
    """

    labels: NDArray[np.int32]
    spots: pd.DataFrame


def cells(shape: tuple[int, int] = (90, 130), seed: int = 0, n: int = 25) -> NDArray[np.int32]:
    """Discs at random places, numbered with gaps, later ones over earlier."""
    random = np.random.default_rng(seed)
    labels = np.zeros(shape, np.int32)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for number in range(n):
        at = random.uniform(0, shape)
        radius = random.uniform(5, 11)
        disc = (rows - at[0]) ** 2 + (columns - at[1]) ** 2 < radius**2
        labels[disc] = 3 * number + 2
    return labels


def laid(frame: NDArray[np.int32], way: Orientation) -> NDArray[np.int32]:
    """Labels on which the axes of `frame`, whose pixel (y, x) holds a spot at x, y, lie `way`."""
    turned = frame.T if way.transposed else frame
    turned = turned[::-1] if way.flip_y else turned
    turned = turned[:, ::-1] if way.flip_x else turned
    return np.ascontiguousarray(turned)


def made(
    way: Orientation = Orientation(),  # noqa: B008 - frozen
    *,
    x0: float = 0,
    y0: float = 0,
    n: int = 4000,
    wrong: float = 0.0,
    seed: int = 0,
) -> Made:
    """Spots all over cells, more of them inside; positions in a frame that starts at x0, y0."""
    random = np.random.default_rng(seed + 1)
    frame = cells(seed=seed)
    rows, columns = (random.integers(0, size, n) for size in frame.shape)
    under = frame[rows, columns]
    kept = (under > 0) | (random.random(n) < 0.4)
    rows, columns, under = rows[kept], columns[kept], under[kept]
    spots = pd.DataFrame(
        {
            "gene": random.choice(["ACTB", "CD4", "NegPrb1"], len(rows)),
            "x": columns + random.uniform(-0.45, 0.45, len(rows)) + x0,
            "y": rows + random.uniform(-0.45, 0.45, len(rows)) + y0,
            "cell": under.astype(np.int64),
        }
    )
    lost = random.random(len(spots)) < wrong
    spots.loc[lost, "cell"] = random.permutation(spots["cell"].to_numpy()[lost])
    return Made(laid(frame, way), spots)


@pytest.fixture(scope="session")
def lay() -> Callable[..., Made]:
    """`made`."""
    return made
