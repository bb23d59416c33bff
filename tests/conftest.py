"""What all tests share: real data, the simulated tissue, small tables of known types."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import settings
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer.sample import SampleTissue, sample_tissue

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = Path(
    os.environ.get("NAPARI_GLUER_SHARED_DATA", ROOT.parent / "shared" / "data")
).resolve()

TYPES = ("B cell", "T cell", "Myeloid")
N_REFERENCE, N_CELLS, N_GENES, N_LINKED = 150, 90, 40, 24

settings.register_profile("napari-gluer", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("napari-gluer")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "_napari" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("window"))  # windows share one screen
    if SHARED_DATA.is_dir():
        return
    absent = pytest.mark.skip(
        reason=f"real data not at {SHARED_DATA}; set NAPARI_GLUER_SHARED_DATA to their folder"
    )
    for item in items:
        if "shared_data" in item.keywords or "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker(absent)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the real data sets."""
    return SHARED_DATA


@pytest.fixture(scope="session")
def tissue() -> SampleTissue:
    """The simulated tissue of seed 0; tests leave it as it is."""
    made = sample_tissue(0)
    made.image.data.flags.writeable = False
    made.labels.flags.writeable = False
    return made


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
