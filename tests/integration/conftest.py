"""Small synthetic cells and reference of three known types."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

TYPES = ("B cell", "T cell", "Myeloid")
N_REFERENCE, N_CELLS, N_GENES, N_LINKED = 150, 90, 40, 24


@dataclass(frozen=True)
class Typed:
    """Cells and reference whose types are known."""

    cells: AnnData
    reference: AnnData
    types: NDArray[np.str_]
    """Of the cells."""


def _counts(
    rng: np.random.Generator, profiles: NDArray[np.float64], types: NDArray[np.intp], depth: int
) -> NDArray[np.float32]:
    noisy = profiles[types] * rng.lognormal(0, 0.3, (len(types), profiles.shape[1]))
    return rng.poisson(depth * noisy / noisy.sum(axis=1, keepdims=True)).astype(np.float32)


def make_typed(seed: int = 0, *, n_reference: int = N_REFERENCE, n_cells: int = N_CELLS) -> Typed:
    """Poisson counts of three types; the cells have only the first 24 genes."""
    rng = np.random.default_rng(seed)
    profiles = rng.lognormal(0, 1.5, (len(TYPES), N_GENES))
    of_reference = rng.permutation(np.arange(n_reference) % 3)
    of_cells = rng.permutation(np.arange(n_cells) % 3)
    genes = pd.DataFrame(index=[f"GENE{i}" for i in range(N_GENES)])
    reference = AnnData(
        sparse.csr_matrix(_counts(rng, profiles, of_reference, 3000)),
        obs=pd.DataFrame(
            {"cell_type": pd.Categorical(np.array(TYPES)[of_reference])},
            index=[f"ref{i}" for i in range(n_reference)],
        ),
        var=genes,
    )
    names = [f"Protein{i}" for i in range(N_LINKED)]
    cells = AnnData(
        _counts(rng, profiles[:, :N_LINKED], of_cells, 1000),
        obs=pd.DataFrame(
            {"label": np.arange(11, 11 + n_cells)},
            index=[str(i) for i in range(11, 11 + n_cells)],
        ),
        var=pd.DataFrame({"genes": genes.index[:N_LINKED], "role": "marker"}, index=names),
        uns={"gluer": {"kind": "intensity"}},
    )
    return Typed(cells, reference, np.array(TYPES)[of_cells])


@pytest.fixture(scope="session")
def typed() -> Typed:
    """Tests leave it as it is."""
    return make_typed()


@pytest.fixture(scope="session")
def typed_of() -> Callable[..., Typed]:
    """`make_typed`, for problems of other sizes."""
    return make_typed
